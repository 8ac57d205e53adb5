"""Small runtimes made by hand, for tests of the parts that stand on one; and an ASGI client for them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.pipeline import Pipeline
from proxy.policy import Answer, Policy, Timeouts
from proxy.providers.provider import Provider
from proxy.router import Router, RouteRule
from proxy.runtime import Runtime, Shared
from proxy.targets.leaf import Leaf

Send = Callable[[Exchange, str | None], Answer]


class Canned(Provider):
    """A provider that answers by a function and remembers what it was asked."""

    __slots__ = ("answer", "asked", "timeouts")

    def __init__(self, answer: Send | None = None) -> None:
        super().__init__("canned")
        self.answer = answer or (lambda x, model: Answer(200, [(b"content-type", b"application/json")], body=b"{}"))
        self.asked: list[tuple[str, str | None, bytes]] = []
        self.timeouts: list[Timeouts] = []

    @classmethod
    def compile(cls, name: str, config: Any, context: Any) -> Canned:
        """Nothing to compile."""
        return cls()

    async def send(self, x: Exchange, model: str | None, timeouts: Timeouts) -> Answer:
        """The answer of the function."""
        self.asked.append((x.path, model, self.outbound_body(x, model)))
        self.timeouts.append(timeouts)
        return self.answer(x, model)

    def describe(self) -> str:
        """A word."""
        return "a canned provider"


def make_rule(
    provider: Provider,
    *,
    name: str = "chat",
    models: tuple[str, ...] | None = ("fast",),
    model: str | None = "gpt-4o",
    policies: Sequence[tuple[str, Policy]] = (),
    paths: tuple[str, ...] = (),
    tags: tuple[tuple[str, tuple[str, ...]], ...] = (),
    timeouts: Timeouts | None = None,
) -> RouteRule:
    """A route with one leaf."""
    times = timeouts or Timeouts()
    leaf = Leaf(f"up/{model or '*'}", provider, model, times)
    return RouteRule(name, models, paths, (), tags, Pipeline(name, policies, leaf, slots=0, timeouts=times))


def make_runtime(*rules: RouteRule, generation: int = 1) -> Runtime:
    """A generation of these routes."""
    return Runtime(generation, Router(rules), {}, "digest", Shared().lease())


def make_exchange(
    path: str = "/v1/chat/completions", *, method: str = "POST", query: bytes = b"", headers: Sequence[Header] = ()
) -> Exchange:
    """An exchange that has just come in."""
    return Exchange("req_test", method, path, query, list(headers), time.monotonic(), 0)


class Call:
    """One request through an ASGI application, in this process."""

    def __init__(
        self, path: str, body: Any = b"", *, method: str = "POST", headers: Sequence[Header] = (), kind: str = "http"
    ) -> None:
        target, _, query = path.partition("?")
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.scope: dict[str, Any] = {
            "type": kind,
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "headers": list(headers),
        }
        if kind == "http":
            self.scope["method"] = method
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        """The whole body at once."""
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        """Keep what comes."""
        self.sent.append(message)

    async def run(self, app: Any) -> Call:
        """Run the application to its end."""
        await app(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        """Status of the answer."""
        found: int = self.sent[0]["status"]
        return found

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Headers of the answer."""
        return dict(self.sent[0]["headers"])

    @property
    def answer(self) -> bytes:
        """Body of the answer."""
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def json(self) -> Any:
        """Body of the answer, decoded."""
        return json.loads(self.answer)
