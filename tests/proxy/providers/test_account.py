"""What every account over HTTP does alike: connections that are shared and bounded, one attempt a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.errors import Unavailable, UpstreamError
from proxy.policy import Timeouts
from proxy.providers.account import constant_headers
from proxy.upstream import Upstream
from tests.support.journal import header_of
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
CHAT: dict[str, Any] = {"model": "m", "messages": []}


async def test_connections_survive_a_reload(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """The same settings share a pool; other ones get their own."""
    await ask(account("openai", base_url=upstream.url, api_key="a"), CHAT)
    await ask(account("openai", base_url=upstream.url, api_key="b"), CHAT)
    assert len(upstream.journal().entries("connected")) == 1
    await ask(account("openai", base_url=upstream.url, max_connections=3), CHAT)
    assert len(upstream.journal().entries("connected")) == 2


async def test_connections_to_hosted_providers_rest_longer(account: Make) -> None:
    """There a new one costs a TLS handshake, and the other side keeps them for a minute."""
    local, hosted = account("openai", base_url="http://127.0.0.1:1/v1"), account("openai")
    assert local._upstream._keep_alive < 5
    assert 5 < hosted._upstream._keep_alive < 60


async def test_connections_are_bounded(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Further requests wait for one."""
    provider = account("openai", base_url=upstream.scripted(ttft_ms=20), max_connections=2)
    answers = await asyncio.gather(*(ask(provider, CHAT) for _ in range(6)))
    assert [answer.status for answer in answers] == [200] * 6
    assert len(upstream.journal().entries("connected")) == 2


async def test_one_send_is_one_request(upstream: FakeUpstream, account: Make, exchange: Make) -> None:
    """A failed POST is never sent again with the same key."""
    provider = account("openai", base_url=upstream.scripted(down=True))
    x = exchange(CHAT)
    results = await asyncio.gather(provider.send(x, None, Timeouts()), return_exceptions=True)
    assert isinstance(results[0], Exception)
    assert len(upstream.journal().requests()) == 1
    assert len(x.attempts) == 1


@pytest.mark.parametrize(
    ("kind", "tail", "config", "path", "headers"),
    [
        ("openai", "/v1", {"headers": {"x-team": "a"}}, "/v1/models", {"authorization": "Bearer sk-1", "x-team": "a"}),
        ("mistral", "/v1", {}, "/v1/models", {"authorization": "Bearer sk-1"}),
        ("anthropic", "", {}, "/v1/models", {"x-api-key": "sk-1", "anthropic-version": "2023-06-01"}),
        ("anthropic", "/v1", {}, "/v1/models", {"x-api-key": "sk-1"}),
        ("gemini", "", {}, "/v1beta/models", {"x-goog-api-key": "sk-1"}),
        ("azure_openai", "", {}, "/openai/v1/models", {"api-key": "sk-1"}),
        ("cohere", "", {}, "/compatibility/v1/models", {"authorization": "Bearer sk-1"}),
    ],
)
async def test_a_probe_asks_below_the_api_with_the_first_credential(
    kind: str, tail: str, config: Any, path: str, headers: dict[str, str], upstream: FakeUpstream, account: Make
) -> None:
    """One GET, whose status comes back whatever it is."""
    provider = account(kind, base_url=upstream.origin + tail, api_keys=["sk-1", "sk-2"], **config)
    through = Upstream(max_connections=1)
    try:
        status = await provider.probe(through, "/models?limit=1", 5.0)
    finally:
        await through.aclose()
    (seen,) = upstream.journal().requests()
    assert (seen["method"], seen["path"], seen["query"]) == ("GET", path, "limit=1")
    assert {name: header_of(seen, name) for name in headers} == headers
    assert status in (200, 404)


async def test_a_probe_tells_any_status_and_raises_when_there_is_none(upstream: FakeUpstream, account: Make) -> None:
    """Redirects and refusals are statuses; who cannot be reached is an error by its meaning."""
    through = Upstream(max_connections=1)
    try:
        for status in (200, 302, 404, 429, 503):
            provider = account("openai", base_url=upstream.scripted(status=status), api_key="sk-1")
            assert await provider.probe(through, "/models", 5.0) == status
        gone = account("openai", base_url="http://127.0.0.1:1/v1", api_key="sk-1")
        with pytest.raises(Unavailable):
            await gone.probe(through, "/models", 5.0)
        silent = account("openai", base_url=upstream.scripted(timeout=0), api_key="sk-1")
        with pytest.raises(UpstreamError):
            await silent.probe(through, "/models", 0.2)
    finally:
        await through.aclose()


def test_constant_headers_are_lower_case_bytes() -> None:
    """As the wire wants them."""

    class Context:
        def fail(self, message: str, at: str = "") -> None:
            raise AssertionError(message)

        def file(self, name: str, at: str) -> Path:
            return Path(name)

        def shared(self, key: str, factory: Callable[[], Any]) -> Any:
            return factory()

    assert constant_headers({"X-Team": "ä"}, Context()) == [(b"x-team", b"\xe4")]
