"""The policy `cache_semantic` without a wire: requests, an embedder by table, and what becomes of an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

import msgspec

from policies.caching.cache_semantic import CacheSemantic, CacheSemanticConfig
from proxy.caching.memory import Memory
from proxy.caching.room import Caches, Room
from proxy.caching.savings import Kind, Saved, Savings
from proxy.dialects.paths import endpoint_for
from proxy.exchange import Attempt, Exchange, Identity
from proxy.policy import Answer, Target
from proxy.semantic.served import NAME as SERVED
from proxy.semantic.served import Served
from proxy.store.shared_cache import RedisCache
from proxy.store.shared_questions import RedisQuestions
from proxy.targets.needs import conversation_of
from proxy.translation.answers import completion_of, reply_of
from tests.policies.conftest import Context, Scripted

T = TypeVar("T")
_number = count()


class AlikeContext(Context):
    """``vectors``: of texts, [1, 0] for others; ``asked``: texts of which vectors were wanted; ``hits``: what
    the ledger was told of."""

    def __init__(self) -> None:
        super().__init__()
        self.caches = Caches()
        self.kept: dict[str, Any] = {}
        self.hits: list[tuple[str, str]] = []
        self.vectors: dict[str, list[float] | None] = {}
        self.asked: list[str] = []
        self.targets: dict[str, Target | None] = {"up/vectors": Scripted("vectors"), "up/judge": Scripted("Yes")}

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        """By name."""
        found: T = self.kept.setdefault(key, factory())
        return found

    def room(self, max_size: int, max_entries: int, policy: str = "cache") -> Room:
        """One."""
        return self.shared(
            "room",
            lambda: Room("chat", self.caches, Memory(max_size, max_entries, self.now), self._told, self.now),
        )

    def savings(self) -> Savings:
        """Itself."""
        return self

    def saved(self, x: Exchange, kind: Kind, target: str, saved: Saved) -> None:
        """Remembers it."""
        self.hits.append((kind, target))

    def _told(self, event: str, why: str) -> None:
        self.tell(f"cache.{event}", reason=why)

    def fingerprint(self) -> bytes:
        """Of nothing."""
        return bytes(32)

    def routing(self) -> str:
        """No conditions."""
        return ""

    async def embed(self, target: Target, x: Exchange, text: str, patience: float) -> list[float] | None:
        """By the table."""
        self.asked.append(text)
        return self.vectors.get(text, [1.0, 0.0])

    def conversation(self, x: Exchange) -> Any:
        """As it is read."""
        return conversation_of(x)

    def completion(self, x: Exchange, body: bytes, *, is_sse: bool) -> Any:
        """As it is read."""
        return completion_of(x, body, is_sse=is_sse)

    def reply(self, x: Exchange, completion: Any, *, stream: bool) -> Any:
        """As it is written."""
        return reply_of(x, completion, stream=stream)


class AlikeHouse:
    """One route with the policy. ``shared``: a store in which questions and answers lie."""

    def __init__(self, *, shared: RedisCache | None = None, **settings: Any) -> None:
        self.context = AlikeContext()
        if shared is not None:
            self.context.caches.shared, self.context.caches.questions = shared, RedisQuestions(shared.ask)
        config = CacheSemanticConfig(**({"embedder": "up/vectors", "temperature": "any"} | settings))
        self.policy = CacheSemantic.compile(config, self.context)  # type: ignore[arg-type]
        self.room = self.context.room(0, 0)

    @property
    def served(self) -> Served:
        """What was served."""
        found: Served = self.context.kept[SERVED]
        return found

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """What was told of the store, and of what lies there."""
        told = [(event.removeprefix("cache."), fields) for event, fields in self.context.reported]
        return [(event, fields["reason"]) for event, fields in told if event in ("damaged", "store")]

    @property
    def samples(self) -> list[tuple[float | None, bool | None]]:
        """What shadow mode told."""
        told = [fields for event, fields in self.context.reported if event == "cache_semantic.sample"]
        return [(fields["similarity"], fields["is_right"]) for fields in told]

    async def ask(self, text: str, said: str = "Hello", *, finish: str = "stop", **more: Any) -> tuple[str, Exchange]:
        """What the header says, and the request, when everything that follows it is done."""
        x = request(text, **more)
        reply = await self.policy.on_request(x)
        assert reply is None
        if x.detour is not None:
            answer = await x.detour.send(x)
        else:
            attempt = Attempt("up/m")
            attempt.outcome = "ok"
            x.attempts.append(attempt)
            headers = [(b"content-type", b"application/json")]
            answer = Answer(200, headers, body=_answer(said, finish), target="up/m")
        self.policy.on_response(x, answer)
        self.policy.on_close(x)
        while len(self.room.background):
            await asyncio.sleep(0.001)
        return dict(x.reply_headers)[b"x-sluicegate-cache"].decode(), x


def request(text: str, *, key: str = "web", control: bytes = b"", body: Any = None, **more: Any) -> Exchange:
    """As it comes to the policy."""
    headers = [(b"x-cache-control", control)] if control else []
    now = time.monotonic()
    x = Exchange(f"req_{next(_number):024x}", "POST", "/v1/chat/completions", b"", headers, now, 8)
    x.endpoint = endpoint_for("POST", "/v1/chat/completions")
    x.body = msgspec.json.encode(body or {"model": "m", "messages": [{"role": "user", "content": text}], **more})
    x.model, x.route, x.deadline = "m", "chat", x.received + 30
    x.identity = Identity("acme", "search", key)
    return x


def _answer(text: str, finish: str) -> bytes:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    return msgspec.json.encode({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "choices": [choice]})
