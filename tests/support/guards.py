"""A guard outside of a gateway: one request into it, and the answer in whatever pieces."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Iterable
from typing import Any

from policies.guardrails._helpers import Guard
from proxy.chat import Delta, Kind
from proxy.dialects.paths import endpoint_for
from proxy.exchange import Exchange, Reply
from proxy.policy import Config, Filter, Halt
from tests.policies.conftest import Context

HALT = "⛔"  # where an answer was stopped


class Guarded:
    """A compiled guard. ``problems`` are those of its configuration."""

    def __init__(self, kind: type[Guard], config: Config, context: Context | None = None) -> None:
        context = context or Context()
        self.guard = kind.compile(config, context)  # type: ignore[arg-type]
        self.problems = context.problems

    def request(self, body: Any, path: str = "/v1/chat/completions") -> Exchange:
        """A request with this body (bytes, a text that a user says, or JSON)."""
        if isinstance(body, str):
            body = {"model": "m", "messages": [{"role": "user", "content": body}]}
        x = Exchange("req_test", "POST", path, b"", [], time.monotonic(), 1)
        x.endpoint = endpoint_for("POST", path)
        x.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return x

    async def ask(self, body: Any, path: str = "/v1/chat/completions") -> tuple[Exchange, Reply | None]:
        """The request after the guard, and its refusal."""
        x = self.request(body, path)
        return x, await self.guard.on_request(x)

    async def heard(self, x: Exchange, pieces: Iterable[str], kind: Kind = "text") -> str:
        """What is left of an answer in these pieces; ``HALT`` where it was stopped."""
        filter_ = self.guard.open_stream(x)
        told = "".join(pieces) if filter_ is None else await run(filter_, pieces, kind)
        self.guard.on_close(x)
        return told

    async def answer(self, pieces: Iterable[str], kind: Kind = "text") -> str:
        """The same, to a request in which there was nothing."""
        x, _ = await self.ask("Hello")
        return await self.heard(x, pieces, kind)


async def run(filter_: Filter, pieces: Iterable[str], kind: Kind = "text") -> str:
    """One block through a filter."""
    out: list[Delta | Halt] = []
    for piece in pieces:
        told = filter_.feed(Delta(0, kind, piece, 0))
        out += await told if inspect.isawaitable(told) else told
        if any(isinstance(one, Halt) for one in out):
            break
    else:
        told = filter_.close(0, 0)
        out += await told if inspect.isawaitable(told) else told
    return "".join(HALT if isinstance(one, Halt) else one.text for one in out)


def cuts(text: str) -> list[tuple[str, ...]]:
    """Every way to cut a text in two, and the one into single characters."""
    return [(text[:at], text[at:]) for at in range(len(text) + 1)] + [tuple(text)]
