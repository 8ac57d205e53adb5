"""Requests and answers for tests of kept answers, without a wire."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from policies.caching.cache import Cache
from proxy.caching.entry import Entry
from proxy.caching.room import NAME as CACHE
from proxy.caching.room import Caches, Room
from proxy.config.compile import build
from proxy.dialects.paths import endpoint_for, read_path
from proxy.dialects.splice import read_envelope
from proxy.exchange import Attempt, Exchange, Identity
from proxy.pipeline import Pipeline
from proxy.policy import Answer
from proxy.runtime import Shared
from proxy.store.shared_cache import RedisCache
from tests.support.config import TABLES, written
from tests.support.scale import PATIENCE

JSON = [(b"content-type", b"application/json")]
EVENTS = [(b"content-type", b"text/event-stream")]
CHAT = "/v1/chat/completions"
_number = count()


class Clock:
    """Seconds since the epoch, moved by the test."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        """Now."""
        return self.at


def asked(
    text: str = "Hi",
    *,
    path: str = CHAT,
    who: tuple[str, str, str] | None = ("acme", "search", "web"),
    control: bytes = b"",
    body: bytes | None = None,
    **more: Any,
) -> Exchange:
    """A request as it comes to the policy."""
    number = next(_number)
    headers = [(b"x-cache-control", control)] if control else []
    x = Exchange(f"req_{number:024x}", "POST", path, b"", headers, time.monotonic(), 8)
    x.endpoint = endpoint_for("POST", path)
    x.body = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": text}], **more})
    x.body = x.body if body is None else body
    if x.endpoint.model_in == "path":
        x.model, x.stream = read_path(path)
    else:
        found = read_envelope(x.body)
        x.model, x.stream = found.model, found.stream
    x.identity = None if who is None else Identity(*who)
    x.route, x.deadline = "chat", x.received + 600
    return x


def said(text: str = "Hello", *, finish: str = "stop", **message: Any) -> bytes:
    """An answer in JSON."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return msgspec.json.encode({"id": "chatcmpl-1", "created": 1, "model": "m", "choices": [choice], "usage": usage})


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """An event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return (
        b"data: " + msgspec.json.encode({"id": "chatcmpl-1", "created": 1, "model": "m", "choices": [choice]}) + b"\n\n"
    )


STREAM = [
    event({"role": "assistant", "content": ""}),
    event({"content": "Hel"}),
    event({"content": "lo"}),
    event({}, "stop"),
    b"data: [DONE]\n\n",
]


async def flow(*chunks: bytes, failure: Exception | None = None) -> AsyncIterator[bytes]:
    """Chunks, and perhaps a failure."""
    for chunk in chunks:
        yield chunk
    if failure is not None:
        raise failure


def answered(x: Exchange, body: bytes = said(), status: int = 200) -> Answer:
    """By a provider."""
    x.attempts.append(Attempt("up/m"))
    x.attempts[-1].outcome = "ok" if status == 200 else "error"
    return Answer(status, list(JSON), body=body, target="up/m", code=None if status == 200 else "upstream_error")


def flowing(x: Exchange, *chunks: bytes, failure: Exception | None = None) -> Answer:
    """A stream of a provider."""
    x.attempts.append(Attempt("up/m"))
    return Answer(200, list(EVENTS), chunks=flow(*chunks, failure=failure), is_sse=True, target="up/m")


def entry(body: bytes = said(), **more: Any) -> Entry:
    """One that was kept just now."""
    known: dict[str, Any] = {"stored": 1_800_000_000.0, "ttl": 60.0, "content_type": b"application/json", "marks": (0,)}
    return Entry(**known | {"body": body, "id": "chatcmpl-1", "created": 1, "target": "up/m", "model": "m"} | more)


def near_duplicates(seed: int) -> Iterator[str]:
    """Texts without end, none of them twice, that differ by one letter, case, accent, space, digit or negation."""
    draw, seen = random.Random(seed), set[str]()
    words = ("pay", "refund", "Pay", "not", "now", "Paris", "paris", "10", "100", "café", "cafe\u0301", "EU", "US")
    while True:
        text = " ".join(draw.choices(words, k=draw.randint(1, 8)))
        at = draw.randrange(len(text) + 1)
        text = text[:at] + draw.choice(["", " ", "\u00a0", "\u200b", "i", "I", "ı", "."]) + text[at:]
        if text not in seen:
            seen.add(text)
            yield text


class House:
    """A route with a cache, compiled from a file; ``before``: policies in front of it. ``store``: address of what it
    shares with replicas. ``after``: the generation before this one, whose answers are still there."""

    def __init__(
        self,
        folder: Path,
        settings: str = "{temperature: any}",
        *,
        fails: bool = False,
        before: str = "",
        store: str | None = None,
        after: House | None = None,
    ) -> None:
        self.clock: Clock = Clock() if after is None else after.clock
        self.shared: Shared = Shared() if after is None else after.shared
        text = f"""
providers: {{sim: {{kind: simulated, error_rate: {float(fails)}}}}}
tenants: {{acme: {{teams: {{search: {{keys: {{web: {{hash: "sha256:{"0" * 64}"}}}}}}}}}}}}
routes: {{chat: {{models: [m], policies: [authenticate, {before}cache: {settings}], target: sim/a}}}}
"""
        path = written(folder, text)
        made = build(path, TABLES, environ={}, shared=self.shared, generation=1, now=self.clock)
        assert made.runtime is not None, made.problems
        self.runtime = made.runtime
        self.pipeline: Pipeline = made.runtime.router.entries[0].pipeline
        found: Any = self.pipeline.policies[-1][1]
        self.policy: Cache = found
        self.room: Room = made.runtime.rooms["chat"]
        self.caches: Caches = self.shared.take(CACHE, Caches)
        if store is not None:
            self.caches.shared = RedisCache(store, timeout=PATIENCE)

    async def ask(
        self, x: Exchange, answer: Answer | None = None, told: Callable[[Exchange], Any] | None = None
    ) -> tuple[str, bytes]:
        """The phases of the policy, as the pipeline calls them: what the header says, and what the caller got.

        ``told``: what others say of the answer when it has passed.
        """
        assert await self.policy.on_request(x) is None
        if x.detour is not None:
            answer = await x.detour.send(x)
        elif answer is None:
            answer = flowing(x, *STREAM) if x.stream else answered(x)
        self.policy.on_response(x, answer)
        body = answer.body
        try:
            if answer.chunks is not None:
                body = b"".join([chunk async for chunk in answer.chunks])
        finally:
            if answer.close is not None:
                answer.close()
            if told is not None:
                told(x)
            self.policy.on_close(x)
            if not self.room.is_local:  # then keeping takes a while
                await self.rest()
        assert body is not None
        return dict(x.reply_headers).get(b"x-sluicegate-cache", b"").decode(), body

    async def rest(self) -> None:
        """Until what is done behind the callers' backs is done."""
        while len(self.room.background):
            await asyncio.sleep(0)

    async def kept(self) -> int:
        """How many answers are kept, by the store's own account."""
        shared = self.caches.shared
        if shared is None:
            return len(self.room.memory)
        assert isinstance(shared, RedisCache)
        if shared._client is None:  # nobody has asked it for anything
            return 0
        return sum([b"invalidated" not in name async for name in shared._client.scan_iter(count=1000)])

    async def aclose(self) -> None:
        """Let go of the store."""
        await self.room.aclose()
        await self.caches.aclose()

    async def asks(self, *requests: Exchange) -> list[str]:
        """What the headers say, one after the other."""
        return [(await self.ask(x))[0] for x in requests]
