"""One attempt at a conversation: what is sent, and how the answer comes back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import PromptCache
from proxy.choosing.capability import Capabilities
from proxy.dialects.dialect import Aim
from proxy.dialects.paths import endpoint_for
from proxy.dialects.splice import read_envelope
from proxy.errors import BadAnswer, BadRequest, Rejected, Unsupported
from proxy.exchange import Exchange, Identity
from proxy.policy import Answer
from proxy.providers.provider import Provider
from proxy.translation.attempt import Turn, prepare, preview, scope_of
from tests.support.compiled import Canned, make_exchange

_ANTHROPIC_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 4},
}
_ASKED: dict[str, Any] = {"model": "fast", "messages": [{"role": "user", "content": "Hi"}]}


class _Claude(Canned):
    """An account that speaks Anthropic's dialect."""

    __slots__ = ("capabilities",)

    def __init__(self, capabilities: Capabilities = Capabilities()) -> None:  # noqa: B008 # frozen
        super().__init__()
        self.speaks = ("anthropic_messages",)
        self.capabilities = capabilities

    def aim(self, model: str) -> Aim:
        """As the test wants it."""
        return Aim(model=model, capabilities=self.capabilities)


def _exchange(body: Any, path: str = "/v1/chat/completions") -> Exchange:
    x = make_exchange(path)
    x.endpoint = endpoint_for("POST", path)
    x.body = body if isinstance(body, bytes) else msgspec.json.encode(body)
    envelope = read_envelope(x.body)
    x.model, x.stream = envelope.model, envelope.stream
    return x


async def _turn(body: Any, account: Provider, path: str = "/v1/chat/completions") -> Turn:
    return await prepare(_exchange(body, path), "claude", account)


def _whole(body: Any) -> Answer:
    return Answer(200, [(b"content-type", b"x"), (b"x-upstream-request-id", b"1")], body=msgspec.json.encode(body))


_TEXTS = st.text(max_size=20)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("path", "speaks"),
    [
        ("/v1/chat/completions", "openai_chat"),
        ("/v1/responses", "openai_responses"),
        ("/v1/messages", "anthropic_messages"),
    ],
)
@given(before=st.dictionaries(_TEXTS, _VALUES, max_size=3), after=_VALUES, indent=st.sampled_from([None, 1, 3]))
def test_the_same_dialect_on_both_sides_passes_byte_for_byte(
    path: str, speaks: str, before: dict[str, Any], after: Any, indent: int | None
) -> None:
    """But for the model."""
    before.pop("model", None)
    before.pop("stream", None)
    body = json.dumps({**before, "model": "fast", "messages": after}, indent=indent, ensure_ascii=indent is None)
    account = Canned()
    account.speaks = (speaks,)
    sent, dropped = preview(_exchange(body.encode(), path), "claude", account)
    assert not dropped
    head, _, tail = body.rpartition('"fast"')
    if '"fast"' not in json.dumps([before, after]):
        assert sent == f'{head}"claude"{tail}'.encode()


async def test_another_dialect_is_written_and_its_answer_read() -> None:
    """What told of the provider's body is replaced; other headers stay."""
    turn = await _turn(_ASKED, _Claude())
    assert not turn.is_native
    assert json.loads(turn.body)["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    assert json.loads(turn.body)["model"] == "claude"
    answer = await turn.receive(_whole(_ANTHROPIC_ANSWER))
    assert answer.body is not None
    said = json.loads(answer.body)
    assert said["choices"][0]["message"]["content"] == "Hello"
    assert said["usage"]["total_tokens"] == 7
    assert answer.headers == [(b"content-type", b"application/json"), (b"x-upstream-request-id", b"1")]


async def test_a_provider_that_cannot_stream_is_streamed_all_the_same() -> None:
    """Its whole answer comes as the events of one."""
    turn = await _turn(_ASKED | {"stream": True}, _Claude())
    assert json.loads(turn.body)["stream"] is True
    answer = await turn.receive(_whole(_ANTHROPIC_ANSWER))
    assert answer.body is not None
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert b"Hello" in answer.body


async def test_a_large_answer_that_flows_is_read_whole() -> None:
    body = msgspec.json.encode(_ANTHROPIC_ANSWER)

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 7):
            yield body[at : at + 7]

    turn = await _turn(_ASKED, _Claude())
    answer = await turn.receive(Answer(200, [], chunks=chunks()))
    assert answer.body is not None
    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "Hello"


async def test_an_answer_that_cannot_be_read_closes_its_connection() -> None:
    closed: list[bool] = []
    turn = await _turn(_ASKED, _Claude())
    with pytest.raises(BadAnswer):
        await turn.receive(Answer(200, [], body=b"<html>", close=lambda: closed.append(True)))
    assert closed


async def test_losses_are_named_or_refused_as_the_route_says() -> None:
    x = _exchange(_ASKED | {"logit_bias": {"1": 2}, "frobnicate": 1})
    answer = await (await prepare(x, "claude", _Claude())).receive(_whole(_ANTHROPIC_ANSWER))
    assert set(answer.dropped) == {"logit_bias", "frobnicate"}
    x.on_loss = "refuse"
    with pytest.raises(Unsupported, match="frobnicate"):
        await prepare(x, "claude", _Claude())


async def test_a_request_is_read_once_for_all_attempts() -> None:
    x = _exchange(_ASKED)
    await prepare(x, "claude", _Claude())
    chat = x.chat
    assert chat is not None
    await prepare(x, "other", _Claude())
    assert x.chat is chat


async def test_a_large_request_is_translated_like_a_small_one() -> None:
    """Elsewhere, so that others need not wait."""
    asked = {"model": "fast", "messages": [{"role": "user", "content": "x" * (1 << 20)}]}
    turn = await _turn(asked, _Claude())
    assert json.loads(turn.body)["messages"][0]["content"][0]["text"] == "x" * (1 << 20)


async def test_a_wrong_request_names_its_member() -> None:
    with pytest.raises(BadRequest) as caught:
        await _turn({"model": "fast", "messages": [{"role": "nobody"}]}, _Claude())
    assert caught.value.param is not None
    assert caught.value.param.startswith("messages[0]")


async def test_a_providers_own_words_reach_only_who_speaks_its_dialect() -> None:
    raw = (400, (), b'{"type":"error"}')
    translated = await _turn(_ASKED, _Claude())
    assert translated.failure(Rejected("no", raw=raw)).raw is None
    native = await _turn({**_ASKED, "max_tokens": 1}, _Claude(), "/v1/messages")
    assert native.failure(Rejected("no", raw=raw)).raw == raw


async def test_tokens_are_counted_where_they_can_be() -> None:
    """The question is put in the provider's dialect."""
    path = "/v1/responses/input_tokens"
    turn = await _turn({"model": "fast", "input": "Hi"}, _Claude(Capabilities(count_tokens=True)), path)
    assert "max_tokens" not in json.loads(turn.body)
    answer = await turn.receive(_whole({"input_tokens": 12}))
    assert answer.body is not None
    assert json.loads(answer.body)["input_tokens"] == 12
    with pytest.raises(Unsupported, match="count"):
        await _turn({"model": "fast", "input": "Hi"}, _Claude(), path)
    chat_only = Canned()
    chat_only.speaks = ("openai_chat",)
    with pytest.raises(Unsupported, match="count"):
        await _turn({"model": "fast", "messages": []}, chat_only, "/v1/messages/count_tokens")


async def test_markers_are_placed_for_a_target_that_wants_them() -> None:
    x = _exchange(_ASKED)
    x.prompt_cache = PromptCache()
    marked = await prepare(x, "claude", _Claude(Capabilities(prompt_cache="marks")))
    assert b'"cache_control"' in marked.body
    assert b'"cache_control"' not in (await prepare(x, "claude", _Claude())).body


def test_conversations_belong_to_a_key() -> None:
    x = make_exchange()
    assert scope_of(x) == ""
    x.identity = Identity("acme", "search", "web")
    assert scope_of(x) == "acme/search/web"
