"""In the place of providers: scripted answers in every dialect, and what would have been sent."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from proxy.dialects.table import DIALECTS
from proxy.errors import GatewayError, UpstreamTimeout
from proxy.inbound import admit
from proxy.policy import Answer, Timeouts
from proxy.rehearsal.cases import Behaviour, Tokens, Word
from proxy.rehearsal.stand_in import FAILURES, Script
from proxy.units import Duration
from tests.support.compiled import Canned, make_exchange, make_rule, make_runtime

BODY = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}]}


async def asked(
    script: Script,
    speaks: str = "openai_chat",
    *,
    stream: bool = False,
    path: str = "/v1/chat/completions",
    timeouts: Timeouts | None = None,
    **more: Any,
) -> Answer:
    """The answer of a stand-in for a provider that speaks a dialect."""
    inner = Canned()
    inner.speaks = (speaks,)
    provider = script.stand_in(inner)
    x = make_exchange(path)
    body = json.dumps({**BODY, "stream": stream, **more}).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    await admit(make_runtime(make_rule(provider)), x, receive)
    answer = await provider.send(x, "gpt-4o", timeouts or Timeouts())
    assert inner.asked == []
    return answer


async def body_of(answer: Answer) -> bytes:
    """All of it."""
    if answer.body is not None:
        return answer.body
    assert answer.chunks is not None
    return b"".join([chunk async for chunk in answer.chunks])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_provider_of_any_dialect_answers(dialect: str, stream: bool) -> None:
    """The caller gets the scripted text in its own dialect; what was sent is in the provider's."""
    script = Script()
    script.begin({"canned": (Behaviour(text="Scripted words.", usage=Tokens(input=70, output=30)),)})
    answer = await asked(script, dialect, stream=stream)
    body = await body_of(answer)
    assert b"Scripted words." in body
    assert (b"data: [DONE]" in body) is stream
    (sent,) = script.asked
    assert sent.target == "canned/gpt-4o"
    assert b"Hello" in sent.body
    chat = DIALECTS[dialect].read_request(sent.body, "gpt-4o", stream)
    assert chat.messages


async def test_a_target_goes_before_its_provider_and_the_last_is_repeated() -> None:
    script = Script()
    script.begin({"a/one": ("down", "ok"), "a": ("overloaded",)})
    assert [script.next("a", "one") for _ in range(3)] == ["down", "ok", "ok"]
    assert script.next("a", "two") == "overloaded"
    assert script.next("b", "two") is None


@pytest.mark.parametrize("word", [word for word in get_args(Word) if word in FAILURES and word != "timeout"])
async def test_a_failure_has_its_meaning(word: Word) -> None:
    script = Script()
    script.begin({"canned": (word,)})
    with pytest.raises(FAILURES[word]):
        await asked(script)
    assert len(script.asked) == 1


async def test_a_status_is_read_as_any_provider_s() -> None:
    script = Script()
    script.begin({"canned": (Behaviour(status=429, message="slowly", retry_after=Duration(20)),)})
    with pytest.raises(GatewayError) as failed:
        await asked(script)
    assert (failed.value.error_code, failed.value.http_status) == ("rate_limited", 429)
    assert dict(failed.value.headers)[b"retry-after"] == b"20"


async def test_what_is_slower_than_its_timeout_fails() -> None:
    script = Script()
    for doing in (Behaviour(slow=Duration(0.2)), "timeout"):
        script.begin({"canned": (doing,)})
        with pytest.raises(UpstreamTimeout, match=r"0\.01 s"):
            await asked(script, timeouts=Timeouts(first_token=0.01))


async def test_a_stream_may_break_off() -> None:
    script = Script()
    script.begin({"canned": (Behaviour(text="Half", cut=True),)})
    answer = await asked(script, stream=True)
    assert answer.chunks is not None
    assert b"Half" in await anext(answer.chunks)
    with pytest.raises(GatewayError, match="end marker"):
        await anext(answer.chunks)


async def test_what_is_no_conversation_is_answered_too() -> None:
    script = Script()
    answer = await asked(script, path="/v1/embeddings", input="Hello")
    assert json.loads(await body_of(answer))["data"][0]["embedding"]
    assert script.asked[0].target == "canned/gpt-4o"
