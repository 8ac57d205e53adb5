"""Accounts at Cohere: two doors, and what the compatibility API does not take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from proxy.errors import Unsupported
from proxy.providers.cohere import Cohere
from tests.support.journal import body_of, header_of
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
CHAT: dict[str, Any] = {"model": "command-a-03-2025", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("tail", ["", "/", "/compatibility/v1"])
async def test_conversations_go_to_the_compatibility_api(
    tail: str, upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    provider = account("cohere", base_url=upstream.origin + tail, api_key="k")
    await ask(provider, CHAT)
    sent = upstream.journal().requests()[0]
    assert sent["path"] == "/compatibility/v1/chat/completions"
    assert header_of(sent, "authorization") == "Bearer k"
    assert body_of(sent) == msgspec.json.encode(CHAT)


async def test_what_it_does_not_take_is_cut_out_and_named(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    body = (
        b'{"model":"command-a-reasoning-08-2025","store":true,"n":2,"reasoning_effort":"medium", "user":"u","seed":1,'
        b'"max_completion_tokens":9,"messages":[{"role":"developer","content":"\\u00e9"}]}'
    )
    answer = await ask(account("cohere", base_url=upstream.origin), body)
    assert body_of(upstream.journal().requests()[0]) == (
        b'{"model":"command-a-reasoning-08-2025","reasoning_effort":"high","seed":1,'
        b'"max_tokens":9,"messages":[{"role":"developer","content":"\\u00e9"}]}'
    )
    assert answer.dropped == ("n", "store", "user")


async def test_a_budget_becomes_an_effort_that_it_knows(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    body = {
        "model": "command-a-reasoning-08-2025",
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "messages": CHAT["messages"],
    }
    await ask(account("cohere", base_url=upstream.origin), body, "/v1/messages")
    sent = msgspec.json.decode(body_of(upstream.journal().requests()[0]))
    assert (sent["reasoning_effort"], sent["max_tokens"]) == ("high", 4000)


async def test_reranking_has_a_door_of_its_own(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    body = {"results": [{"index": 0, "relevance_score": 0.9}], "id": "1", "meta": {}}
    base = upstream.scripted(status=200, body=body).removesuffix("/v1")
    asked = b'{ "model":"rerank-v3.5","query":"q","documents":["a","b"],"top_n":1 }'
    answer = await ask(account("cohere", base_url=base), asked, "/v1/rerank")
    sent = upstream.journal().requests()[0]
    assert sent["path"].endswith("/v2/rerank")
    assert body_of(sent) == asked
    assert msgspec.json.decode(answer.body) == body


async def test_embeddings_pass_and_what_it_has_not_is_not_supported(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    provider = account("cohere", base_url=upstream.origin)
    await ask(provider, {"model": "embed-v4.0", "input": "x"}, "/v1/embeddings")
    assert upstream.journal().requests()[0]["path"] == "/compatibility/v1/embeddings"
    with pytest.raises(Unsupported):
        await ask(provider, {"model": "m", "input": "x"}, "/v1/moderations")


def test_an_account_says_where_it_goes(account: Make, context: Any) -> None:
    provider: Cohere = account("cohere", api_key="secret-key-1")
    assert provider.describe() == "https://api.cohere.com/compatibility/v1"
    assert account("cohere", base_url="ftp://x") is None
    assert [place for place, _ in context.problems] == ["base_url"]
