"""Accounts at Anthropic against the fake upstream: addresses, headers, bytes, translation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from anthropic.types import Message

from proxy.chat import seal
from proxy.errors import BadCredential, Overloaded, RateLimited, Unsupported
from proxy.providers.anthropic import Anthropic
from tests.support.journal import body_of, header_of
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
ASK: dict[str, Any] = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
CHAT: dict[str, Any] = {"model": "claude-opus-4-5", "messages": [{"role": "user", "content": "hi"}]}
PATH = "/v1/messages"
JSON = (b"content-type", b"application/json")


async def test_the_body_arrives_byte_for_byte(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """Odd spaces, escapes, members that nobody knows; only another model's name is put in."""
    provider = account("anthropic", base_url=upstream.origin)
    body = (
        b'{ "zz":[1e400, "\\u00e9"] ,"model" :\t"m","max_tokens":5,'
        b'"messages":[{"role":"user","content":"hi \xc3\xa9"}],"zz":2 }'
    )
    await ask(provider, body, PATH)
    await ask(provider, body, PATH, model="claude-opus-5")
    first, second = upstream.journal().requests()
    assert body_of(first) == body
    assert body_of(second) == body.replace(b'"m"', b'"claude-opus-5"')


@pytest.mark.parametrize("tail", ["", "/", "/v1"])
async def test_paths_are_put_below_the_base_url(tail: str, upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """With or without the beginning that every path has; of the query all but credentials."""
    provider = account("anthropic", base_url=upstream.origin + tail)
    await ask(provider, ASK, f"{PATH}?beta=true&api_key=s")
    counting = {name: value for name, value in ASK.items() if name != "max_tokens"}
    answer = await ask(provider, counting, f"{PATH}/count_tokens")
    first, second = upstream.journal().requests()
    assert (first["method"], first["path"], first["query"]) == ("POST", PATH, "beta=true")
    assert second["path"] == f"{PATH}/count_tokens"
    assert msgspec.json.decode(answer.body)["input_tokens"] > 0


async def test_headers_prove_who_we_are_and_keep_what_the_caller_said(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    provider = account("anthropic", base_url=upstream.origin, api_key="sk-ours", betas=["ours-1", "both-1"])
    forward = [
        JSON,
        (b"x-api-key", b"client"),
        (b"authorization", b"Bearer client"),
        (b"anthropic-version", b"2024-01-01"),
        (b"anthropic-beta", b"theirs-1, both-1"),
    ]
    await ask(provider, ASK, PATH, forward=forward)
    sent = upstream.journal().requests()[0]
    assert header_of(sent, "x-api-key") == "sk-ours"
    assert header_of(sent, "authorization") is None
    assert header_of(sent, "anthropic-version") == "2024-01-01"
    assert header_of(sent, "anthropic-beta") == "ours-1,both-1,theirs-1"


async def test_without_a_word_of_the_caller_there_is_a_version_and_no_beta(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    await ask(account("anthropic", base_url=upstream.origin), ASK, PATH)
    await ask(account("anthropic", base_url=upstream.origin, version="2023-01-01", auth_token="tok"), ASK, PATH)
    first, second = upstream.journal().requests()
    assert header_of(first, "anthropic-version") == "2023-06-01"
    assert header_of(first, "anthropic-beta") is None
    assert header_of(first, "x-api-key") is None
    assert header_of(second, "anthropic-version") == "2023-01-01"
    assert header_of(second, "authorization") == "Bearer tok"


async def test_other_providers_hear_nothing_of_this_api(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    forward = [JSON, (b"anthropic-version", b"2023-06-01"), (b"anthropic-beta", b"x")]
    provider = account("openai", base_url=upstream.url)
    await ask(provider, CHAT, forward=forward)
    sent = upstream.journal().requests()[0]
    assert not [name for name, _ in sent["headers"] if name.startswith("anthropic")]


async def test_a_caller_of_another_dialect_is_translated(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """From OpenAI's chat to the Messages API and back; headers of the caller's dialect stay behind."""
    provider = account("anthropic", base_url=upstream.origin, betas=["ours-1"])
    answer = await ask(provider, CHAT, forward=[JSON, (b"openai-beta", b"x"), (b"anthropic-beta", b"theirs")])
    sent = upstream.journal().requests()[0]
    asked = msgspec.json.decode(body_of(sent))
    assert sent["path"] == PATH
    assert (asked["model"], asked["max_tokens"]) == ("claude-opus-4-5", 64_000)
    assert header_of(sent, "openai-beta") is None
    assert header_of(sent, "anthropic-beta") == "ours-1"
    assert msgspec.json.decode(answer.body)["object"] == "chat.completion"


async def test_thoughts_that_only_we_can_read_are_not_passed_on(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    """They are cut out of a conversation that another provider began; all else passes as it is."""
    provider = account("anthropic", base_url=upstream.origin)
    for signature in (seal("openai", "OPAQUE"), ""):
        thought = {"type": "thinking", "thinking": "hm", "signature": signature}
        said = {"type": "text", "text": "a"}
        turns = [*ASK["messages"], {"role": "assistant", "content": [thought, said]}, *ASK["messages"]]
        answer = await ask(provider, ASK | {"messages": turns, "container": "c"}, PATH)
        assert answer.dropped == ("messages.reasoning",)
        Message.model_validate_json(answer.body)
    for sent in upstream.journal().requests():
        asked = msgspec.json.decode(body_of(sent))
        assert asked["messages"][1]["content"] == [{"type": "text", "text": "a"}]
        assert asked["container"] == "c"


async def test_a_stream_passes_as_it_is(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    answer = await ask(account("anthropic", base_url=upstream.origin), ASK | {"stream": True}, PATH)
    assert answer.body.startswith(b"event: message_start\n")
    assert b"event: message_stop\n" in answer.body


@pytest.mark.parametrize(
    ("status", "kind", "meaning"),
    [
        (429, "rate_limit_error", RateLimited),
        (529, "overloaded_error", Overloaded),
        (401, "authentication_error", BadCredential),
    ],
)
async def test_refusals_have_their_meaning(
    status: int, kind: str, meaning: type[Exception], upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    body = msgspec.json.encode({"type": "error", "error": {"type": kind, "message": "no"}}).decode()
    script = {"status": status, "body": body, "headers": {"content-type": "application/json"}}
    provider = account("anthropic", base_url=upstream.scripted(**script))
    with pytest.raises(meaning):
        await ask(provider, ASK, PATH)


async def test_what_is_no_conversation_is_not_supported(account: Make, ask: Make) -> None:
    with pytest.raises(Unsupported):
        await ask(account("anthropic"), {"model": "m", "input": "x"}, "/v1/embeddings")


@pytest.mark.parametrize(
    ("config", "at"),
    [
        ({"base_url": "ftp://x"}, "base_url"),
        ({"api_key": "a", "auth_token": "b"}, "auth_token"),
        ({"api_key": "a", "api_keys": ["b"]}, "api_keys"),
        ({"betas": ["a, b"]}, "betas[0]"),
        ({"headers": {"host": "x"}}, "headers.host"),
    ],
)
def test_what_makes_no_sense_is_a_problem_of_the_file(config: Any, at: str, account: Make, context: Any) -> None:
    account("anthropic", **config)
    assert at in [place for place, _ in context.problems]


def test_an_account_says_where_it_goes_and_what_its_models_can(account: Make) -> None:
    provider: Anthropic = account("anthropic", api_key="sk-secret-key")
    assert provider.describe() == "https://api.anthropic.com"
    assert provider.aim("claude-opus-4-5").capabilities.thinking == "budget"
    overridden: Anthropic = account("anthropic", models={"claude-opus-4-5*": {"max_output": 100}})
    assert overridden.aim("claude-opus-4-5").capabilities.max_output == 100
    assert provider.speaks == ("anthropic_messages",)


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("claude-3-5-sonnet-20241022", False),
        ("claude-opus-4-20250514", False),
        ("claude-opus-4-7", False),
        ("claude-opus-4-8-20260528", True),
        ("claude-sonnet-5", True),
        ("claude-fable-5-1", True),
        ("kimi-k2", False),
    ],
)
def test_newer_models_take_messages_of_the_system_anywhere(model: str, takes: bool, account: Make) -> None:
    assert bool(account("anthropic").aim(model).quirks) is takes
