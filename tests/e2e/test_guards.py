"""Guards between every official client and every kind of provider: nothing gets by, streamed or not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.support.gateway import Gateway
from tests.support.pairs import INBOUND, PAIRS, Pair, config
from tests.support.upstream import FakeUpstream
from tests.upstream.failures import SECRET
from tests.upstream.say import Part, Say

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

_AWS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "1"}
_GUARDS = """    policies:
      - pii:
          entities: {credit_card: block, phone: mask_and_restore}
          names: [Ada Lovelace]
          message: No cards, please.
      - keywords: {deny: {rivals: [Initech]}, action: warn, on: input}
"""
MAIL, PHONE, CARD = "ada.king@example.org", "+49 30 1234567", "4111 1111 1111 1111"
CALLS = Part(kind="call", id="call_1", name="send", pieces=['{"to": "ada.ki', "ng@exam", 'ple.org", "n": 1}'])
SAYS = Say(
    parts=[
        Part(kind="reasoning", pieces=["Ada Love", "lace has ada.king@", "example.org. "], signature="c2lnbmVk"),
        Part(kind="text", pieces=["Write to a", "da.king@example.o", "rg, or Ada", " Lovelace."]),
        CALLS,
    ],
    stop="tool_calls",
)
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
# Each client with a provider that is spliced, and with one that is translated.
SOME = [(one, one) for one in INBOUND] + [pair for pair in PAIRS if pair in (("openai_chat", "gemini"),)]
SOME += [("anthropic_messages", "openai_chat"), ("openai_responses", "bedrock"), ("gemini", "anthropic_messages")]


@pytest.fixture(scope="module")
def guarding(module_gateway: Any, upstream_process: FakeUpstream) -> Gateway:
    """A route to each provider, with guards."""
    text = config(upstream_process.origin).replace("    target:", _GUARDS + "    target:")
    found: Gateway = module_gateway(text, env=_AWS)
    return found


@pytest.fixture
async def pair(guarding: Gateway, upstream: FakeUpstream, request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """A client and a provider."""
    made = Pair(guarding, upstream, *request.param)
    yield made
    await made.close()


def cells(pairs: list[tuple[str, str]]) -> pytest.MarkDecorator:
    """A test for each of these pairs."""
    return pytest.mark.parametrize("pair", pairs, indirect=True, ids=[f"{i}-{o}" for i, o in pairs])


@BOTH
@cells(SOME)
async def test_what_is_redacted_is_nowhere_in_an_answer(pair: Pair, stream: bool) -> None:
    """Text, thoughts and arguments of a tool, in pieces that part it."""
    pair.says(say=SAYS)
    talk = pair.talk(max_tokens=2000)
    talk.user("Hello")
    heard = await talk.ask(stream=stream)
    assert heard.text == "Write to [EMAIL], or [NAME]."
    assert heard.reasoning in ("[NAME] has [EMAIL]. ", "")
    assert [call.given for call in heard.calls] == [{"to": "[EMAIL]", "n": 1}]


@BOTH
@cells(SOME)
async def test_what_is_stopped_ends_the_answer_as_its_dialect_says(pair: Pair, stream: bool) -> None:
    pair.says(say=Say(parts=[Part(kind="text", pieces=["Card: 4111 ", "1111 1111", " 1111, yes. ", "More."])]))
    talk = pair.talk()
    talk.user("Hello")
    heard = await talk.ask(stream=stream)
    assert heard.words == ("Card: No cards, please." if stream else "No cards, please.")
    assert heard.stop in ("content_filter", "refusal", "SAFETY", "incomplete:content_filter", "stop", "completed")
    assert "1111" not in heard.words


@BOTH
@cells(SOME)
async def test_a_provider_never_sees_what_is_masked(pair: Pair, stream: bool, upstream: FakeUpstream) -> None:
    pair.says(say=Say(parts=[Part(kind="text", pieces=["I shall call [PHO", "NE_1", "] now."])]))
    talk = pair.talk()
    talk.system(f"Their number is {PHONE}.")
    talk.user(f"Call {PHONE} or {MAIL} of Initech.")
    heard = await talk.ask(stream=stream)
    assert heard.text == f"I shall call {PHONE} now."
    sent = json.dumps(upstream.journal().requests()[-1])
    assert "1234567" not in sent
    assert MAIL not in sent
    assert "Call [PHONE_1] or [EMAIL] of Initech." in json.dumps(
        [turn.parts for turn in pair.asked().turns], default=str
    )


@cells([(one, one) for one in INBOUND])
async def test_a_request_is_refused_in_its_callers_dialect(pair: Pair, upstream: FakeUpstream) -> None:
    before = len(upstream.journal().requests())
    talk = pair.talk()
    talk.user(f"My card is {CARD}.")
    with pytest.raises(Exception, match="No cards, please") as refused:
        await talk.ask(stream=False)
    assert "1111" not in str(refused.value)
    assert len(upstream.journal().requests()) == before


async def test_what_a_guard_decided_is_told_and_never_what_it_found(guarding: Gateway) -> None:
    """In the log and in the metrics."""
    body = {"model": "gpt-5.1-told", "messages": [{"role": "user", "content": f"{MAIL} {CARD} Initech"}]}
    async with httpx2.AsyncClient(timeout=20) as client:
        answer = await client.post(f"{guarding.url}/chat/completions", json=body, headers={"x-pair": "openai_chat"})
        metrics = (await client.get(f"{guarding.origin}/metrics")).text
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "guardrail_blocked")
    (entry,) = guarding.log("request", request_id=answer.headers["x-request-id"])
    assert entry["notes"]["pii"].startswith(
        "input blocked (redact email at messages[0].content; block credit_card at messages[0].content) in "
    )
    assert 'sluicegate_guard_verdicts_total{direction="input",guard="pii",outcome="blocked"' in metrics
    assert 'action="block",direction="input",entity="credit_card",guard="pii"' in metrics
    assert MAIL not in guarding.output()
    assert CARD not in guarding.output()
