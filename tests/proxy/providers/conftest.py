"""Accounts compiled as the file would compile them, and exchanges as the inbound side would make them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from proxy.config.model import convert
from proxy.dialects.paths import endpoint_for, read_path
from proxy.dialects.splice import read_envelope, read_form
from proxy.errors import Header
from proxy.exchange import Attempt, Exchange
from proxy.policy import Answer, Timeouts
from proxy.providers.provider import Provider
from proxy.providers.table import PROVIDERS

T = TypeVar("T")
JSON: list[Header] = [(b"content-type", b"application/json")]


class Context:
    """A ProviderContext over plain values. State is shared between all accounts of a test, as between generations."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []
        self.objects: dict[str, Any] = {}

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        """One object per name."""
        if key not in self.objects:
            self.objects[key] = factory()
        found: T = self.objects[key]
        return found

    def file(self, name: str, at: str) -> Path:
        """As if the configuration stood at the root."""
        return Path("/") / name

    def fail(self, message: str, at: str = "") -> None:
        """Collect."""
        self.problems.append((at, message))


@pytest.fixture
async def context() -> AsyncIterator[Context]:
    """A compile context whose connections are closed after the test."""
    made = Context()
    yield made
    for one in made.objects.values():
        if hasattr(one, "aclose"):
            await one.aclose()


@pytest.fixture
def account(context: Context) -> Callable[..., Any]:
    """``account("openai", base_url=…)``: an account called ``acc``, or None with problems in ``context``."""

    def make(kind: str, **config: Any) -> Provider | None:
        provider = PROVIDERS[kind]
        return provider.compile("acc", convert(config, provider.Config), context)

    return make


@pytest.fixture
def exchange() -> Callable[..., Exchange]:
    """``exchange(body, path=…)``: as routed. A dict is sent as JSON."""

    def make(
        body: bytes | dict[str, Any] = b"",
        path: str = "/v1/chat/completions",
        *,
        method: str = "POST",
        headers: list[Header] | None = None,
        forward: list[Header] | None = None,
    ) -> Exchange:
        path, _, query = path.partition("?")
        received = JSON if headers is None else headers
        x = Exchange("req_test", method, path, query.encode(), received, time.monotonic(), 0)
        endpoint = endpoint_for(method, path)
        assert endpoint is not None
        x.endpoint = endpoint
        x.body = body if isinstance(body, bytes) else msgspec.json.encode(body)
        if endpoint.body == "json":
            envelope = read_envelope(x.body)
            x.model, x.stream = envelope.model or "", bool(envelope.stream)
            if endpoint.model_in == "path":
                x.model, x.stream = read_path(path)
        elif endpoint.body == "multipart":
            form = read_form(x.body, x.header(b"content-type") or b"")
            x.model, x.stream = form.model or "", form.stream
        x.forward = received if forward is None else forward
        x.deadline = x.received + 30
        x.attempts.append(Attempt("acc/m"))
        return x

    return make


@pytest.fixture
def ask(exchange: Callable[..., Exchange]) -> Callable[..., Any]:
    """``await ask(account, body, path, model=…)``: send and give the answer with its whole body."""

    async def send(
        provider: Provider,
        body: bytes | dict[str, Any] = b"",
        path: str = "/v1/chat/completions",
        *,
        model: str | None = None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 # frozen
        **more: Any,
    ) -> Answer:
        answer = await provider.send(exchange(body, path, **more), model, timeouts)
        if answer.body is None and answer.chunks is not None:
            parts = [chunk async for chunk in answer.chunks]
            answer.body = b"".join(parts)
        return answer

    return send
