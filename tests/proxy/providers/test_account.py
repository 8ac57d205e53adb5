"""What every account over HTTP does alike: connections that are shared and bounded, one attempt a request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from proxy.policy import Timeouts
from proxy.providers.account import constant_headers
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


def test_constant_headers_are_lower_case_bytes() -> None:
    """As the wire wants them."""

    class Context:
        def fail(self, message: str, at: str = "") -> None:
            raise AssertionError(message)

        def shared(self, key: str, factory: Callable[[], Any]) -> Any:
            return factory()

    assert constant_headers({"X-Team": "ä"}, Context()) == [(b"x-team", b"\xe4")]
