"""Accounts at Google Cloud against the fake upstream: places, credentials, two publishers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from anthropic.types import Message

from proxy.errors import BadCredential, UpstreamError
from proxy.policy import Timeouts
from proxy.providers.vertex import host_of
from tests.support.journal import body_of, header_of
from tests.support.token_server import service_account, token_server
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
GEMINI: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
CLAUDE: dict[str, Any] = {
    "model": "claude-opus-4-5@20251101",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
}
PLACE = "/projects/p-1/locations/europe-west4"
PATH = "/v1beta/models/gemini-2.5-flash:"


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_every_location_has_its_host(location: str, host: str, account: Make) -> None:
    assert host_of(location) == host
    provider = account("vertex", project="p-1", access_token="t", location=location)
    assert provider.describe() == f"{host}/v1beta1/projects/p-1/locations/{location}"


async def test_google_models_are_reached_below_the_project(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    provider = account(
        "vertex", base_url=upstream.origin, project="p-1", location="europe-west4", access_token="ya29.ours"
    )
    await ask(provider, GEMINI, PATH + "generateContent")
    chat = {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    answer = await ask(provider, chat)
    await ask(provider, {name: chat[name] for name in ("model", "messages")}, "/v1/messages/count_tokens")
    native, translated, counted = upstream.journal().requests()
    root = f"/v1beta1{PLACE}/publishers/google/models/gemini-2.5-flash:"
    assert native["path"] == root + "generateContent"
    assert msgspec.json.decode(body_of(native)) == GEMINI
    assert header_of(native, "authorization") == "Bearer ya29.ours"
    assert (translated["path"], translated["query"]) == (root + "streamGenerateContent", "alt=sse")
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert counted["path"] == root + "countTokens"
    assert "contents" in msgspec.json.decode(body_of(counted))


async def test_models_of_anthropic_are_reached_in_their_own_way(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    """The caller's bytes, or a translated request: the model in the path, the version in the body."""
    provider = account("vertex", base_url=upstream.origin, project="p-1", location="europe-west4", access_token="t")
    headers = [
        (b"content-type", b"application/json"),
        (b"anthropic-version", b"2023-06-01"),
        (b"anthropic-beta", b"b-1"),
    ]
    whole = await ask(provider, CLAUDE, "/v1/messages", headers=headers)
    await ask(provider, CLAUDE | {"stream": True}, "/v1/messages")
    await ask(provider, {"model": CLAUDE["model"], "messages": CLAUDE["messages"], "stream": True})
    await ask(provider, CLAUDE, "/v1/messages/count_tokens")
    await ask(provider, GEMINI, "/v1beta/models/claude-opus-4-5:countTokens")
    native, streamed, translated, counted, asked = upstream.journal().requests()
    root = f"/v1{PLACE}/publishers/anthropic/models/"
    assert native["path"] == f"{root}claude-opus-4-5%4020251101:rawPredict"
    version = {"anthropic_version": "vertex-2023-10-16"}
    rest = {name: value for name, value in CLAUDE.items() if name != "model"}
    assert msgspec.json.decode(body_of(native)) == rest | version
    assert header_of(native, "anthropic-version") is None
    assert header_of(native, "anthropic-beta") == "b-1"
    Message.model_validate_json(whole.body)
    assert streamed["path"] == translated["path"] == f"{root}claude-opus-4-5%4020251101:streamRawPredict"
    written = msgspec.json.decode(body_of(translated))
    assert (written["anthropic_version"], written["stream"], "model" in written) == (
        version["anthropic_version"],
        True,
        False,
    )
    assert counted["path"] == asked["path"] == f"{root}count-tokens:rawPredict"
    assert msgspec.json.decode(body_of(counted)) == CLAUDE | version
    assert msgspec.json.decode(body_of(asked))["model"] == "claude-opus-4-5"


async def test_a_key_in_express_mode_needs_no_project(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    provider = account("vertex", base_url=upstream.origin, api_key="AQ.ours", api_version="v1beta1")
    await ask(provider, GEMINI, PATH + "generateContent")
    sent = upstream.journal().requests()[0]
    assert sent["path"] == "/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent"
    assert header_of(sent, "x-goog-api-key") == "AQ.ours"
    assert header_of(sent, "authorization") is None


async def test_a_service_account_gets_one_token_for_many_requests(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    with token_server() as server:
        provider = account("vertex", base_url=upstream.origin, credentials=service_account(server.uri))
        answers = await asyncio.gather(*(ask(provider, GEMINI, PATH + "generateContent") for _ in range(8)))
        await ask(provider, CLAUDE, "/v1/messages")
    assert len(server.claims) == 1
    assert all(answer.status == 200 for answer in answers)
    sent = upstream.journal().requests()
    assert {header_of(one, "authorization") for one in sent} == {"Bearer token-1"}
    assert all("/projects/my-project/locations/global/" in one["path"] for one in sent)


async def test_a_token_that_google_refuses_is_never_the_callers_fault(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    with token_server() as server:
        server.status = 400
        provider = account("vertex", base_url=upstream.origin, credentials=service_account(server.uri))
        with pytest.raises(BadCredential, match="no access token from Google") as caught:
            await ask(provider, GEMINI, PATH + "generateContent")
    assert caught.value.http_status == 502
    assert upstream.journal().requests() == []


async def test_a_token_is_not_repeated_to_the_caller(upstream: FakeUpstream, account: Make, exchange: Make) -> None:
    body = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "bad Bearer token-1"}}
    with token_server() as server:
        base = upstream.scripted(status=400, body=body)
        provider = account("vertex", base_url=base, credentials=service_account(server.uri))
        x = exchange(GEMINI, PATH + "generateContent")
        with pytest.raises(UpstreamError, match="refused") as caught:
            await provider.send(x, None, Timeouts())
    assert caught.value.raw is not None
    assert b"token-1" not in caught.value.raw[2]


@pytest.mark.parametrize(
    ("config", "at"),
    [
        ({"access_token": "t"}, "project"),
        ({"access_token": "t", "project": "a/b"}, "project"),
        ({"access_token": "t", "project": "p", "location": "us/../x"}, "location"),
        ({"access_token": "t", "api_key": "k", "project": "p"}, ""),
        ({"credentials": "/etc/key.json"}, "credentials"),
        ({"access_token": "t", "project": "p", "base_url": "x"}, "base_url"),
    ],
)
def test_what_makes_no_sense_is_a_problem_of_the_file(
    config: dict[str, Any], at: str, account: Make, context: Any
) -> None:
    assert account("vertex", **config) is None
    assert at in [place for place, _ in context.problems]


def test_models_of_both_publishers_have_their_capabilities(account: Make) -> None:
    provider = account("vertex", project="p", access_token="t", models={"claude-opus-4-5*": {"max_output": 7}})
    assert provider.aim("gemini-3-pro").capabilities.thinking == "level"
    assert provider.aim("claude-opus-4-5@20251101").capabilities.prompt_cache == "marks"
    assert provider.aim("claude-opus-4-5@20251101").capabilities.max_output == 7
