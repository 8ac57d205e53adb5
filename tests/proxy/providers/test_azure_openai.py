"""Azure accounts against the fake upstream: addresses by version, deployments, header."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from proxy.policy import Timeouts
from tests.support.journal import body_of, header_of
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
CHAT: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


async def test_v1_reads_the_deployment_in_place_of_the_model(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """The path is OpenAI's, below /openai."""
    provider = account("azure_openai", base_url=upstream.origin, api_key="az", deployments={"gpt-4o": "mine"})
    await ask(provider, CHAT)
    await ask(provider, CHAT, model="other")
    first, second = upstream.journal().requests()
    assert (first["path"], first["query"]) == ("/openai/v1/chat/completions", "")
    assert msgspec.json.decode(body_of(first))["model"] == "mine"
    assert msgspec.json.decode(body_of(second))["model"] == "other"
    assert header_of(first, "api-key") == "az"
    assert header_of(first, "authorization") is None


async def test_a_dated_version_puts_the_deployment_into_the_path(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    """With our api-version, never the client's."""
    provider = account(
        "azure_openai",
        base_url=f"{upstream.origin}/",
        api_key="az",
        api_version="2024-10-21",
        deployments={"gpt-4o": "my 4o"},
    )
    await ask(provider, CHAT, "/v1/chat/completions?api-version=1999-01-01&x=1")
    await ask(provider, path="/v1/files", method="GET")
    first, second = upstream.journal().requests()
    assert first["path"] == "/openai/deployments/my%204o/chat/completions"
    assert first["query"] == "x=1&api-version=2024-10-21"
    assert (second["path"], second["query"]) == ("/openai/files", "api-version=2024-10-21")


async def test_preview_is_named_in_the_query(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """The v1 path, with its version."""
    await ask(account("azure_openai", base_url=upstream.origin, api_key="az", api_version="preview"), CHAT)
    request = upstream.journal().requests()[0]
    assert (request["path"], request["query"]) == ("/openai/v1/chat/completions", "api-version=preview")


@pytest.mark.parametrize(
    ("version", "path", "query"),
    [
        ("v1", "/openai/v1/realtime", "model=mine"),
        ("2024-10-01-preview", "/openai/realtime", "deployment=mine&api-version=2024-10-01-preview"),
    ],
)
async def test_realtime_names_the_deployment(
    upstream: FakeUpstream, account: Make, exchange: Make, version: str, path: str, query: str
) -> None:
    """As each version wants it."""
    provider = account(
        "azure_openai", base_url=upstream.origin, api_key="az", api_version=version, deployments={"rt": "mine"}
    )
    answer = await provider.send(exchange(path="/v1/realtime?model=rt", method="WEBSOCKET"), "rt", Timeouts())
    await answer.socket.close()
    request = upstream.journal().requests()[0]
    assert (request["path"], request["query"]) == (path, query)


@pytest.mark.parametrize(
    ("config", "at"),
    [
        ({"base_url": "https://x.example"}, ""),
        ({"base_url": "https://x.example", "api_key": "a", "api_version": "new"}, "api_version"),
        ({"base_url": "https://x.example/openai/v1", "api_key": "a"}, "base_url"),
        ({"base_url": "x.example", "api_key": "a"}, "base_url"),
    ],
)
async def test_a_bad_setting_is_a_problem(account: Make, context: Any, config: dict[str, Any], at: str) -> None:
    """Told with its place."""
    account("azure_openai", **config)
    assert [place for place, _ in context.problems] == [at]


async def test_it_describes_itself_without_its_key(account: Make) -> None:
    """Address and version."""
    provider = account("azure_openai", base_url="https://x.example", api_key="very-secret")
    assert provider.describe() == "https://x.example/openai/v1 (v1)"
