"""Accounts at Mistral: what passes, what is written anew, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from proxy.providers.mistral import Mistral
from tests.support.journal import body_of, header_of
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
USER = {"role": "user", "content": "hi"}
CALL = {"id": "call_1234567", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1234567", "content": "7"}


def _sent(upstream: FakeUpstream) -> Any:
    return msgspec.json.decode(body_of(upstream.journal().requests()[-1]))


async def test_a_plain_request_passes_byte_for_byte(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """With what only Mistral knows in it."""
    body = b'{ "safe_prompt" : true,"model":"m", "messages":[{"role":"user","content":"\\u00e9"}],"random_seed":7}'
    await ask(account("mistral", base_url=upstream.url, api_key="k"), body)
    sent = upstream.journal().requests()[0]
    assert body_of(sent) == body
    assert sent["path"] == "/v1/chat/completions"
    assert header_of(sent, "authorization") == "Bearer k"


async def test_members_with_another_name_are_renamed_in_the_bytes(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    body = (
        b'{"model":"m","max_completion_tokens":9,"seed":1,"stream_options":{"include_usage":true},"logit_bias":{"1":1},'
        b'"messages":[{"role":"developer","content":"\\u00e9","name":"x"},{"role":"user","content":"hi"}]}'
    )
    answer = await ask(account("mistral", base_url=upstream.url), body)
    assert body_of(upstream.journal().requests()[0]) == (
        b'{"model":"m","max_tokens":9,"random_seed":1,'
        b'"messages":[{"role":"system","content":"\\u00e9"},{"role":"user","content":"hi"}]}'
    )
    assert answer.dropped == ("logit_bias", "messages[0].name")


async def test_ids_of_calls_have_nine_letters_in_call_and_result(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    said = {"role": "assistant", "content": "", "tool_calls": [CALL, CALL | {"id": "abcDEF123"}]}
    other = RESULT | {"tool_call_id": "abcDEF123"}
    await ask(account("mistral", base_url=upstream.url), {"model": "m", "messages": [USER, said, RESULT, other]})
    messages = _sent(upstream)["messages"]
    mapped = messages[1]["tool_calls"][0]["id"]
    assert len(mapped) == 9
    assert mapped.isalnum()
    assert messages[1]["tool_calls"][1]["id"] == "abcDEF123"
    assert [messages[2]["tool_call_id"], messages[3]["tool_call_id"]] == [mapped, "abcDEF123"]


@pytest.mark.parametrize("member", ["reasoning_content", "refusal", "annotations", "audio", "function_call"])
async def test_what_clients_send_back_of_an_answer_is_written_anew(
    member: str, upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    """The API refuses members that it does not know."""
    said = {"role": "assistant", "content": "hello", member: None}
    await ask(account("mistral", base_url=upstream.url), {"model": "m", "messages": [USER, said, USER]})
    assert _sent(upstream)["messages"] == [USER, {"role": "assistant", "content": "hello"}, USER]


async def test_a_wish_for_thoughts_is_translated_so_that_the_answer_is_text(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    """Thoughts come back among the content, which clients of OpenAI's take for text."""
    content = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "42"}]
    script = {"status": 200, "body": {"id": "1", "model": "m", "choices": [{"message": {"content": content}}]}}
    provider = account("mistral", base_url=upstream.scripted(**script))
    said = {"role": "assistant", "content": "a", "reasoning_content": "b"}
    answer = await ask(
        provider,
        {"model": "mistral-small-latest", "reasoning_effort": "medium", "messages": [USER, said, USER]},
    )
    message = msgspec.json.decode(answer.body)["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("42", "hm")
    sent = _sent(upstream)
    assert sent["reasoning_effort"] == "high"
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "b"}], "closed": True}
    assert sent["messages"][1]["content"] == [thought, {"type": "text", "text": "a"}]


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("mistral-small-latest", "minimal", "none"),
        ("mistral-medium-3-5", "low", "high"),
        ("mistral-large-4-0", "low", "low"),
        ("mistral-large-latest", "xhigh", "high"),
    ],
)
async def test_efforts_are_those_that_a_model_knows(
    model: str, effort: str, expected: str, upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    body = {"model": model, "reasoning_effort": effort, "messages": [USER]}
    await ask(account("mistral", base_url=upstream.url), body)
    assert _sent(upstream)["reasoning_effort"] == expected


async def test_other_dialects_are_said_in_its_words(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    """A user who speaks right after a tool, a tool that must be called, a document."""
    document = {"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}}
    body = {
        "model": "m",
        "max_tokens": 5,
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any"},
        "messages": [
            {"role": "user", "content": [document, {"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "7"},
                    {"type": "text", "text": "so?"},
                ],
            },
        ],
    }
    await ask(account("mistral", base_url=upstream.url), body, "/v1/messages")
    sent = _sent(upstream)
    assert (sent["max_tokens"], sent["tool_choice"]) == (5, "any")
    assert sent["messages"][0]["content"][0] == {"type": "document_url", "document_url": "https://x.example/a.pdf"}
    assert [one["role"] for one in sent["messages"]] == ["user", "assistant", "tool", "assistant", "user"]
    assert len(sent["messages"][2]["tool_call_id"]) == 9
    assert "stream_options" not in sent


async def test_embeddings_pass(upstream: FakeUpstream, account: Make, ask: Make) -> None:
    await ask(account("mistral", base_url=upstream.url), {"model": "mistral-embed", "input": "x"}, "/v1/embeddings")
    assert upstream.journal().requests()[0]["path"] == "/v1/embeddings"


def test_an_account_says_where_it_goes(account: Make, context: Any) -> None:
    provider: Mistral = account("mistral", api_key="secret-key-1")
    assert provider.describe() == "https://api.mistral.ai/v1"
    assert account("mistral", base_url="ftp://x") is None
    assert [place for place, _ in context.problems] == ["base_url"]
