"""Streams that are gone on with, in every dialect: each official client sees one answer, by the rules of its format."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from proxy.dialects.resume import PROMPT
from tests.support import expected
from tests.support.gateway import Gateway
from tests.support.heard.answer import Heard
from tests.support.journal import JournalReader, body_of
from tests.support.pairs import INBOUND, MODELS, PROVIDERS, spoken
from tests.support.talk.table import CLIENTS
from tests.support.talk.talk import Talk, Wishes
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.failures import SECRET
from tests.upstream.say import Asked, Part, Say, Tokens

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
PIECES = ["One, ", "two, ", "thr"]
REST = ["ee, ", "four."]
HANDS = [
    ("openai_chat", "anthropic_messages"),
    ("openai_responses", "gemini"),
    ("anthropic_messages", "bedrock"),
    ("gemini", "openai_chat"),
    ("bedrock", "openai_responses"),
    ("anthropic_messages", "anthropic_messages"),
]
ERRORS = {
    "openai_chat": b'data: {"error": {"message": "boom", "type": "server_error", "code": null}}\n\n',
    "openai_responses": b'event: error\ndata: {"type": "error", "code": "server_error", "message": "boom"}\n\n',
    "anthropic_messages": b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error"}}\n\n',
    "gemini": b'data: {"error": {"code": 503, "message": "boom", "status": "UNAVAILABLE"}}\n\n',
}
_AWS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}
_NUMBERS = itertools.count(1)


def _name(first: str, second: str) -> str:
    return f"{first}-{second}"


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """A route for each pair of hands, and one whose second is a Claude that goes on by itself."""
    lines = ["timeouts: {gap: 400ms}", "health: {enabled: false}", "retries: {max: 0}", "providers:"]
    for name, text in PROVIDERS.items():
        lines.append(f"  {name}: {{{text.format(secret=SECRET, origin=upstream_process.origin)}}}")
    lines.append("routes:")
    for first, second in HANDS:
        one, two = (f"{provider}/{MODELS[provider].format(at)}" for provider, at in ((first, "a"), (second, "b")))
        target = f"target: {{fallback: [{one}, {two}]}}"
        lines.append(f"  {_name(first, second)}: {{models: [{_name(first, second)}], mid_stream: continue, {target}}}")
    return module_gateway("\n".join(lines) + "\n", env=_AWS | {"AWS_EC2_METADATA_DISABLED": "true"})


@pytest.fixture
def journal(upstream: FakeUpstream) -> JournalReader:
    """What happens from now on."""
    upstream.journal().mark()
    return upstream.journal()


@pytest.fixture
async def talk(running: Gateway) -> AsyncIterator[Callable[[str, str], Talk]]:
    """A conversation of a client with a route; closed after the test."""
    made: list[Talk] = []

    def start(inbound: str, route: str) -> Talk:
        made.append(CLIENTS[inbound](running.origin, "", route, Wishes()))
        made[-1].user("Count.")
        return made[-1]

    yield start
    for one in made:
        await one.close()


def _says(*parts: Part, **more: Any) -> Say:
    return Say(parts=list(parts), **more)


_WHOLE = _says(Part(kind="text", pieces=PIECES))
_SECOND = _says(Part(kind="text", pieces=REST), usage=Tokens(input=20, output=5))


def _broken(dialect: str, model: str, told: int, how: str, say: Say = _WHOLE) -> dict[str, Any]:
    """The script of a stream that breaks off behind so many pieces of text."""
    frames = RENDERERS[dialect].frames(say, Asked(model=model, stream=True))
    words = [json.dumps(piece, ensure_ascii=False)[1:-1].encode() for piece in PIECES[:told]]
    last = next(at for at, frame in enumerate(frames) if words[-1] in frame)
    body = b"".join(frames[: last + 1])
    script = {"content_type": RENDERERS[dialect].content_type, "framing": "chunked"}
    if how == "error":
        return {**script, "body64": base64.b64encode(body + ERRORS[dialect]).decode()}
    whole = base64.b64encode(body + b"\n").decode()  # it must not seem to end well
    return {**script, "body64": whole, "die_at": len(body), "how": how, "headers": {"connection": "close"}}


def _check(inbound: str, heard: Heard, told: int) -> None:
    assert heard.text == "".join(PIECES[:told] + REST)
    assert not heard.refusal
    assert not heard.calls
    assert heard.stop in expected.STOPS[inbound]["stop"]


@pytest.mark.parametrize("hands", HANDS, ids=lambda hands: _name(*hands))
@pytest.mark.parametrize("inbound", INBOUND)
async def test_every_client_sees_one_answer(
    inbound: str, hands: tuple[str, str], journal: JournalReader, upstream: FakeUpstream, talk: Any
) -> None:
    """However the first breaks off; the second is asked with what was told, and its usage is not all."""
    first, second = hands
    one, two = MODELS[first].format("a"), MODELS[second].format("b")
    dialect = spoken(inbound, first)
    upstream.tell(two, say=msgspec.to_builtins(_SECOND))
    ways = ["fin", "truncate"] + ["error"] * (dialect in ERRORS)
    for told, how in zip(itertools.cycle(range(1, len(PIECES) + 1)), ways, strict=False):
        upstream.tell(one, **_broken(dialect, one, told, how))
        journal.mark()
        heard = await talk(inbound, _name(*hands)).ask(stream=True)
        _check(inbound, heard, told)
        asked = [body_of(entry).decode() for entry in journal.requests()]
        assert len(asked) == 2, how
        assert "".join(PIECES[:told]) in asked[1]
        assert "".join(PIECES[:told]) not in asked[0]
        assert heard.usage is not None
        assert heard.usage.prompt > 20
        assert heard.usage.completion > 5


async def test_the_next_question_goes_on_from_the_whole(
    journal: JournalReader, upstream: FakeUpstream, running: Gateway
) -> None:
    """What is kept of a conversation is what its caller has seen, under the id that it has seen."""
    first, second = HANDS[1]
    upstream.tell(MODELS[first].format("a"), **_broken(first, MODELS[first].format("a"), 2, "fin"))
    upstream.tell(MODELS[second].format("b"), say=msgspec.to_builtins(_SECOND))
    wire = await Wire.open(running.port)
    asked = {"model": _name(first, second), "stream": True}
    await wire.request("POST", "/v1/responses", {**asked, "input": "Count."})
    await wire.head()
    events = [json.loads(event.data) async for event in wire.events() if event.data]
    (completed,) = [event["response"] for event in events if event["type"] == "response.completed"]
    assert {event["response"]["id"] for event in events if "response" in event} == {completed["id"]}
    upstream.tell(MODELS[first].format("a"), say=msgspec.to_builtins(_SECOND))
    journal.mark()
    await wire.exchange("POST", "/v1/responses", {**asked, "input": "On.", "previous_response_id": completed["id"]})
    wire.close()
    assert "".join(PIECES[:2] + REST) in body_of(journal.requests()[0]).decode()


async def test_claude_gets_the_beginning_as_its_own(journal: JournalReader, upstream: FakeUpstream, talk: Any) -> None:
    """No word of ours stands behind it, and none if it ends with white space is left out."""
    first, second = HANDS[0]
    one, two = MODELS[first].format("a"), MODELS[second].format("b")
    upstream.tell(two, say=msgspec.to_builtins(_SECOND))
    for told in (3, 2):
        upstream.tell(one, **_broken(first, one, told, "fin"))
        journal.mark()
        await talk("openai_chat", _name(first, second)).ask(stream=True)
        *_, last = json.loads(body_of(journal.requests()[1]))["messages"]
        words = last["content"] if isinstance(last["content"], str) else last["content"][0]["text"]
        assert (last["role"], words) == (("assistant", "".join(PIECES)) if told == 3 else ("user", PROMPT))


async def test_a_request_passes_as_it_is(journal: JournalReader, upstream: FakeUpstream, running: Gateway) -> None:
    """To a provider who speaks the caller's dialect: what we do not know is for it."""
    first, second = HANDS[0]
    upstream.tell(MODELS[first].format("a"), say=msgspec.to_builtins(_WHOLE))
    wire = await Wire.open(running.port)
    body = {"frobnicate": [1], "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    status, _ = await wire.exchange("POST", "/v1/chat/completions", {"model": _name(first, second), **body})
    wire.close()
    assert (status, wire.header("x-sluicegate-dropped")) == (200, None)
    (asked,) = journal.requests()
    assert body_of(asked) == json.dumps({"model": MODELS[first].format("a"), **body}).encode()


async def test_it_is_logged_and_counted(upstream: FakeUpstream, running: Gateway) -> None:
    """Who went on, after how much, and why; that the answer was degraded."""
    first, second = HANDS[0]
    one, two = MODELS[first].format("a"), MODELS[second].format("b")
    upstream.tell(one, **_broken(first, one, 2, "hang"))
    upstream.tell(two, say=msgspec.to_builtins(_SECOND))
    wire = await Wire.open(running.port)
    body = {"model": _name(first, second), "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    await wire.exchange("POST", "/v1/chat/completions", body)
    wire.close()
    line = await running.logged("request", request_id=wire.header("x-request-id"))
    assert line["degraded"] == "timeout"
    assert line["notes"]["continued"] == f"by {second}/{two} after 10 characters: upstream_timeout"
    assert [attempt[:2] for attempt in line["attempts"]] == [
        [f"{first}/{one}", "upstream_timeout"],
        [f"{second}/{two}", "ok"],
    ]
    metrics = running.get("/metrics")[1].decode()
    assert f'sluicegate_broken_streams_total{{result="continued",route="{_name(first, second)}"}}' in metrics
