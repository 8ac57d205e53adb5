"""Answers of every form through a filter: whole, in a stream, in a stream that came at once, and what is no text."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import msgspec
import pytest

from policies.guardrails.pii import Pii, PiiConfig
from proxy.chat import (
    Begin,
    Choice,
    Close,
    Completion,
    Delta,
    End,
    Event,
    Finish,
    Open,
    Part,
    Reasoning,
    Text,
    ToolCall,
)
from proxy.dialects.paths import endpoint_for
from proxy.dialects.table import DIALECTS
from proxy.exchange import Exchange, Reply
from proxy.filter import Halt
from proxy.filters.filtered import filtered
from proxy.gather import events_of
from proxy.policy import Answer
from proxy.translation.answers import completion_of
from proxy.translation.attempt import read
from tests.proxy.filters.test_filtering import Upper
from tests.support.guards import Guarded
from tests.support.scale import often

PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini": "/v1beta/models/m:streamGenerateContent",
}
ASKED = {
    "openai_chat": {"model": "m", "messages": [{"role": "user", "content": "x"}]},
    "openai_responses": {"model": "m", "input": "x"},
    "anthropic_messages": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "x"}]}]},
}
SAID = Completion(
    id="i",
    model="m",
    choices=[
        Choice(parts=[Text("hello"), ToolCall(id="c1", name="tool", arguments='{"key":"value"}')], stop="tool_calls")
    ],
)
BOTH = pytest.mark.parametrize("name", PATHS)


def exchange(name: str, path: str = "") -> Exchange:
    x = Exchange("req_test", "POST", path or PATHS[name], b"", [], time.monotonic(), 0)
    x.endpoint = endpoint_for("POST", x.path)
    x.body, x.model, x.stream = json.dumps(ASKED[name]).encode(), "m", True
    return x


def answer(body: bytes, kind: bytes, cut: int = 0) -> Answer:
    """At once, or in pieces of ``cut`` bytes."""
    headers = [(b"content-type", kind)]
    if not cut:
        return Answer(200, headers, body=body)

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), cut):
            yield body[at : at + cut]

    return Answer(200, headers, chunks=chunks(), is_sse=kind.startswith(b"text/event-stream"))


async def told(found: Answer) -> bytes:
    """All of it."""
    if found.body is not None:
        return found.body
    assert found.chunks is not None
    return b"".join([chunk async for chunk in found.chunks])


@BOTH
@pytest.mark.parametrize("cut", [0, 7, 10_000])
async def test_streams(name: str, cut: int) -> None:
    x = exchange(name)
    body = DIALECTS[name].writer(read(x)).feed(events_of(SAID))
    found = answer(body, b"text/event-stream", cut)
    assert await filtered(x, found, Upper()) is None
    if cut:  # another one, further out
        assert await filtered(x, found, Upper()) is None
    text = await told(found)
    assert b"HELLO" in text
    assert b"hello" not in text
    assert text.count(b"HELLO") == body.count(b"hello")


@BOTH
async def test_whole_answers_change_only_where_a_filter_has(name: str) -> None:
    x = exchange(name)
    body = DIALECTS[name].write_answer(SAID, read(x))
    found = answer(body, b"application/json", 50)
    assert await filtered(x, found, Upper("never")) is None
    assert b"HELLO" in (found.body or b"")
    untouched = answer(body, b"application/json")
    quiet = Upper()
    quiet.feed = lambda delta: [delta]  # type: ignore[method-assign]
    assert await filtered(x, untouched, quiet) is None
    assert untouched.body == body


@BOTH
@pytest.mark.parametrize("stream", [False, True])
async def test_a_halt_is_said_in_the_callers_dialect(name: str, stream: bool) -> None:
    x = exchange(name)
    dialect = DIALECTS[name]
    body = dialect.writer(read(x)).feed(events_of(SAID)) if stream else dialect.write_answer(SAID, read(x))
    found = answer(body, b"text/event-stream" if stream else b"application/json", 30 if stream else 0)
    assert await filtered(x, found, Upper("hell")) is None
    text = await told(found)
    assert b"hello" not in text
    assert b"No." in text
    assert any(word in text for word in (b"content_filter", b'"refusal"', b"SAFETY"))


async def test_what_cannot_be_looked_into_is_the_filters_to_decide() -> None:
    class Closed(Upper):
        """Wants to see everything."""

        def unread(self, what: str) -> Halt | None:
            """Stops it."""
            return Halt(what)

    x = exchange("openai_chat", "/v1/completions")
    for found in (
        answer(b"{broken", b"application/json"),
        answer(b"%PDF", b"application/pdf"),
        answer(b"\xff", b"text/plain"),
    ):
        reply = await filtered(x, found, Closed())
        assert isinstance(reply, Reply)
        assert (reply.status, reply.code) == (400, "guardrail_blocked")
        assert await filtered(x, found, Upper()) is None
    audio = answer(b"ID3", b"audio/mpeg", 1)
    assert await filtered(x, audio, Closed()) is None
    assert await told(audio) == b"ID3"


async def test_other_endpoints_and_choices() -> None:
    x = exchange("openai_chat", "/v1/completions")
    body = {"id": "i", "choices": [{"index": 0, "text": "a"}, {"index": 1, "text": "b", "logprobs": {"tokens": ["b"]}}]}
    found = answer(json.dumps(body).encode(), b"application/json")
    assert await filtered(x, found, Upper()) is None
    assert [choice["text"] for choice in msgspec.json.decode(found.body or b"")["choices"]] == ["A", "B"]
    assert b'"b"' not in (found.body or b"")
    text = answer(b"spoken words", b"text/plain")
    assert await filtered(x, text, Upper()) is None
    assert text.body == b"SPOKEN WORDS"


async def test_what_repeats_a_text_in_pieces_is_read_as_that_text() -> None:
    """Whether the text itself is there or not; and it stays where there is nothing in it."""
    pieces = ["ada@", "example", ".org"]
    content = [{"token": piece, "bytes": [1], "logprob": -0.1, "top_logprobs": []} for piece in pieces]
    for text in ("".join(pieces), "fine"):
        body = {"choices": [{"index": 0, "message": {"content": text}, "logprobs": {"content": content}}]}
        left = await _guarded(json.dumps(body).encode(), "/v1/chat/completions")
        assert left["choices"][0]["logprobs"] is None
        assert "ada@" not in json.dumps(left)
    body["choices"][0]["logprobs"] = {"content": content[1:]}
    assert await _guarded(json.dumps(body).encode(), "/v1/chat/completions") == body
    words = [{"word": piece, "start": 0.0, "end": 0.1} for piece in ("4111", "1111", "1111", "1111")]
    transcript = {"text": "fine", "words": words, "segments": [{"text": "fine", "tokens": [7]}]}
    left = await _guarded(json.dumps(transcript).encode(), "/v1/audio/transcriptions")
    assert left == {"text": "fine", "words": [], "segments": []}


async def _guarded(body: bytes, path: str) -> Any:
    """What the guard for personal data leaves of an answer."""
    guard, x = Guarded(Pii, PiiConfig()).guard, exchange("openai_chat", path)
    x.state.append(None)
    await guard.on_request(x)
    found, filter_ = answer(body, b"application/json"), guard.open_stream(x)
    assert filter_ is not None
    assert await filtered(x, found, filter_) is None
    return json.loads(found.body or b"")


SENSITIVE = "Mail ada@example.org, or call +49 30 1234567; 4111 1111 1111 111 is no card."
HARMLESS = "Mail [EMAIL], or call [PHONE]; 4111 1111 1111 111 is no card."


def pieces(at: int) -> list[Event]:
    """A thought and a text, each told in two pieces."""
    out: list[Event] = [Begin(id="i", model="m")]
    parts: list[Part] = [Reasoning(), Text("")]
    for block, part in enumerate(parts):
        kind = "text" if block else "reasoning"
        out.append(Open(0, block, part))
        out += [Delta(0, kind, text, block) for text in (SENSITIVE[:at], SENSITIVE[at:]) if text]  # type: ignore[arg-type]
        out.append(Close(0, block))
    return [*out, Finish(), End()]


@pytest.mark.soak
@BOTH
async def test_no_cut_of_a_stream_makes_a_difference(name: str) -> None:
    """Neither where the model's words are cut nor where their bytes are."""
    guard, random = Guarded(Pii, PiiConfig()).guard, Random(7)
    for _ in range(often(20, 300)):
        x = exchange(name)
        x.state.append(None)
        await guard.on_request(x)
        body = DIALECTS[name].writer(read(x)).feed(pieces(random.randrange(len(SENSITIVE))))
        found = answer(body, b"text/event-stream", random.randrange(1, len(body)))
        filter_ = guard.open_stream(x)
        assert filter_ is not None
        await filtered(x, found, filter_)
        text = await told(found)
        assert b"ada@" not in text
        assert b"1234567" not in text
        heard = completion_of(x, text, is_sse=True)
        assert heard is not None
        assert [part.text for part in heard.choices[0].parts if isinstance(part, Text)] == [HARMLESS]
