"""STR-05: a stream that dies half-way is seen to have died, in every dialect, native and translated, wherever it does.

Every death of every pair is one request: the provider's stream up to a cut, and what happens there.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.support.gateway import Gateway
from tests.support.pairs import MODELS, Pair, is_spliced, spoken, start
from tests.support.sse import SseReader
from tests.support.talk.talk import OUT
from tests.support.traffic import told
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked, Part, Say

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
CUTS = 50  # places in each stream
PIECES = [f"tok{number} é " for number in range(24)]
TEXT = "".join(PIECES)
SAY = Say(parts=[Part(kind="text", pieces=PIECES)])
NATIVE = [(dialect, dialect) for dialect in ("openai_chat", "openai_responses", "anthropic_messages", "gemini")]
TRANSLATED = [
    ("openai_chat", "anthropic_messages"),
    ("openai_responses", "gemini"),
    ("anthropic_messages", "openai_chat"),
    ("gemini", "bedrock"),
]
PAIRS = NATIVE + TRANSLATED
IDS = [f"{inbound}-{outbound}" for inbound, outbound in PAIRS]
# Nothing is lost once this has come whole: what a provider sends last, and what a client takes for the end.
MARKS = {
    "openai_chat": b"[DONE]",
    "openai_responses": b'"type": "response.completed"',
    "anthropic_messages": b'"type": "message_stop"',
    "gemini": b'"finishReason"',
    "bedrock": b"messageStop",
}
_HELLO = [{"role": "user", "content": "Hello"}]
ASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai_chat": ("/v1/chat/completions", {"messages": _HELLO, "stream": True}),
    "openai_responses": ("/v1/responses", {"input": "Hello", "stream": True}),
    "anthropic_messages": ("/v1/messages", {"messages": _HELLO, "max_tokens": 99, "stream": True}),
    "gemini": (
        "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
    ),
}
_BOOM = {"message": "boom", "type": "server_error", "code": None, "param": None}
_API = {"type": "error", "error": {"type": "api_error", "message": "boom"}}
_FAILED = {"type": "response.failed", "response": {"id": "r", "status": "failed", "error": {"code": "server_error"}}}
# A failure in the provider's own words, behind the answer's first ones.
ERRORS = {
    "openai_chat": f"data: {json.dumps({'error': _BOOM})}\n\n",
    "openai_responses": f"event: response.failed\ndata: {json.dumps(_FAILED)}\n\n",
    "anthropic_messages": f"event: error\ndata: {json.dumps(_API)}\n\n",
    "gemini": f"data: {json.dumps({'error': {'code': 500, 'message': 'boom', 'status': 'INTERNAL'}})}\n\n",
}


class Death(NamedTuple):
    """One way to die: the bytes that come, and how the connection ends."""

    way: str
    sent: bytes
    script: dict[str, Any]


def _deaths(dialect: str) -> list[Death]:
    """RST, FIN, an end of chunks that looks proper, at 50 bytes each; an error event behind as many events."""
    model = MODELS[dialect].format(0)
    frames = RENDERERS[dialect].frames(SAY, Asked(model=model, stream=True))
    body = b"".join(frames)
    end = body.index(MARKS[dialect])
    found = []
    for number in range(CUTS):
        at = end * number // CUTS
        for how in ("reset", "fin", "truncate"):
            found.append(Death(how, body[:at], _script(dialect, body, die_at=at, how=how)))
    whole = list(itertools.accumulate(frames))
    for sent in [before for before in whole if len(before) <= end] if dialect in ERRORS else []:
        broken = sent + ERRORS[dialect].encode()
        found.append(Death("error", sent, _script(dialect, broken)))
        found.append(Death("error", sent, _script(dialect, broken + b"data: [DONE]\n\n")))
    return found


def _script(dialect: str, body: bytes, **more: Any) -> dict[str, Any]:
    return {
        "body64": base64.b64encode(body).decode(),
        "content_type": RENDERERS[dialect].content_type,
        "framing": "chunked",
        "headers": {"connection": "close"},  # not reused while it dies: that would be another failure
        **more,
    }


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway that leads to every dialect."""
    return start(module_gateway, upstream_process)


class Got(NamedTuple):
    """What a client was told."""

    status: int
    body: bytes
    how: str
    request_id: str


async def _die(wire: Wire, inbound: str, outbound: str, model: str) -> Got:
    path, body = ASKS[inbound]
    if inbound != "gemini":
        body = {**body, "model": model}
    await wire.request("POST", path.format(model=model), body, {OUT: outbound})
    status, answer, how = await told(wire)
    return Got(status, answer, how, wire.header("x-request-id") or "")


def _events(body: bytes) -> list[Any]:
    reader = SseReader()
    reader.feed(body)
    reader.finish()
    assert not reader.rest, body[-200:]
    return [json.loads(event.data) if event.data != "[DONE]" else "[DONE]" for event in reader.events if event.data]


def _is_failure(event: Any) -> bool:
    """Whether a client of any dialect takes this for the news that the answer failed."""
    if not isinstance(event, dict):
        return False
    return "error" in event or event.get("type") in ("error", "response.failed")


_FINAL = re.compile(rb"response\.completed|message_stop|\"finishReason\"|\[DONE\]")
_WORDS: dict[str, Callable[[Any], str]] = {
    "openai_chat": lambda event: "".join(choice["delta"].get("content") or "" for choice in event.get("choices", [])),
    "openai_responses": lambda event: event["delta"] if event["type"] == "response.output_text.delta" else "",
    "anthropic_messages": lambda event: event.get("delta", {}).get("text", ""),
    "gemini": lambda event: "".join(
        part.get("text", "")
        for candidate in event.get("candidates", [])
        for part in candidate.get("content", {}).get("parts", [])
    ),
}


@pytest.mark.parametrize(("inbound", "outbound"), PAIRS, ids=IDS)
async def test_every_death_is_seen(inbound: str, outbound: str, running: Gateway, upstream: FakeUpstream) -> None:
    """The client is told of the failure and never that all is well; what it has is a beginning of the text."""
    deaths = _deaths(outbound)
    lanes = 4
    results: dict[int, Got] = {}

    async def lane(first: int) -> None:
        model = MODELS[outbound].format(f"dies-{inbound}-{first}".replace("_", "-"))
        mine = range(first, len(deaths), lanes)
        steps = [deaths[number].script for number in mine]
        await asyncio.to_thread(upstream.tell, model, id=f"{inbound}-{outbound}-{first}", steps=steps)
        wire = await Wire.open(running.port)
        for number in mine:
            results[number] = await _die(wire, inbound, outbound, model)
            if wire.ended is not None or wire.header("connection") == "close":
                wire.close()
                wire = await Wire.open(running.port)
        wire.close()

    await asyncio.gather(*(lane(number) for number in range(lanes)))
    for number, death in enumerate(deaths):
        _judge(death, results[number], inbound, is_native=inbound == outbound)
    await _told_as_errors(running, [results[number].request_id for number in range(len(deaths))])
    assert len(upstream.journal().requests()) == len(deaths)


def _judge(death: Death, got: Got, inbound: str, *, is_native: bool) -> None:
    case = death.way, len(death.sent), got
    assert got.how == "whole", case
    if got.status != 200:
        assert got.status >= 500, case
        assert _is_failure(json.loads(got.body)), case
        return
    events = _events(got.body)
    failed = [_is_failure(event) for event in events]
    assert any(failed), case
    until = failed.index(True)
    # What a provider sends behind its own error passes as it is; nothing of ours stands there.
    assert all(failed[until:]) or is_native, case
    if not (is_native and death.way == "error"):
        assert failed.count(True) == 1, case
        assert not _FINAL.search(got.body), case
    words = "".join(_WORDS[inbound](event) for event in events[:until])
    assert TEXT.startswith(words), case


async def _told_as_errors(running: Gateway, requests: list[str]) -> None:
    """In the log each of these is one attempt that failed."""
    wanted = set(requests)
    async with asyncio.timeout(5):
        while len(lines := [line for line in running.log("request") if line["request_id"] in wanted]) < len(wanted):
            await asyncio.sleep(0.05)
    for line in lines:
        assert len(line["attempts"]) == 1, line
        assert line["attempts"][0][1] not in ("ok", "open", "cancelled"), line


@pytest.mark.parametrize(("inbound", "outbound"), PAIRS, ids=IDS)
async def test_the_official_client_raises(
    inbound: str, outbound: str, running: Gateway, upstream: FakeUpstream
) -> None:
    """However the stream dies behind its first words."""
    pair = Pair(running, upstream, inbound, outbound)
    assert spoken(inbound, outbound) == outbound or is_spliced(inbound, outbound)
    try:
        for death in _late(_deaths(outbound)):
            pair.says(**death.script)
            talk = pair.talk()
            talk.user("Hello")
            with pytest.raises(Exception, match=r".") as caught:
                await talk.ask(stream=True)
            mistakes = (KeyError, TypeError, AttributeError, IndexError)
            assert not isinstance(caught.value, mistakes), (death.way, caught.value)
    finally:
        await pair.close()


def _late(deaths: list[Death]) -> list[Death]:
    """One of each way, in the middle of the answer."""
    found: dict[str, list[Death]] = {}
    for death in deaths:
        found.setdefault(death.way, []).append(death)
    return [same[len(same) * 2 // 3] for same in found.values()]
