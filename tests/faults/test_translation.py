"""STR-07: every answer that can be said in one format is heard in every other, however its bytes are cut.

The answers are rendered by the fake upstream and understood by the official clients' own types; neither knows the
gateway's translators.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest

from proxy.chat import Chat, Message, Text
from proxy.dialects.dialect import Dialect
from proxy.dialects.table import DIALECTS
from proxy.errors import BadAnswer, UpstreamError
from tests.support import expected
from tests.support.heard.answer import Heard
from tests.support.heard.table import EARS
from tests.support.sayings import cut, saying
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked, Part, Say, Tokens

CONVERSATIONS = 300
OUTBOUND = list(RENDERERS)
INBOUND = [name for name in OUTBOUND if name != "bedrock"]
PAIRS = [(outbound, inbound) for outbound in OUTBOUND for inbound in INBOUND]
_CHAT = Chat(model="m-1", messages=[Message("user", [Text("hi")])], stream=True, include_usage=True)


def read_stream(dialect: Dialect, chunks: list[bytes]) -> list[Any]:
    """All events of a stream, as the gateway reads it: its frames, its reader, its end."""
    frames, reader = dialect.frames(), dialect.reader()
    events: list[Any] = []
    for chunk in chunks:
        for frame in frames.feed(chunk):
            events += reader.feed(frame)
    for frame in frames.finish():
        events += reader.feed(frame)
    if not events or type(events[-1]).__name__ != "End":
        events += reader.finish()
    return events


def write_stream(dialect: Dialect, events: list[Any], chance: random.Random) -> bytes:
    """The events written, handed over in groups of random sizes."""
    writer, out, at = dialect.writer(_CHAT), [], 0
    while at < len(events):
        size = chance.randint(1, 4)
        out.append(writer.feed(events[at : at + size]))
        at += size
    return b"".join(out)


@pytest.mark.parametrize(("outbound", "inbound"), PAIRS, ids=[f"{o}-to-{i}" for o, i in PAIRS])
def test_what_is_said_in_a_stream_is_heard(outbound: str, inbound: str) -> None:
    """300 answers, cut at random bytes: text, thoughts, tools with their arguments, usage, reason to stop, sources."""
    for seed in range(CONVERSATIONS):
        chance, say = random.Random(seed), saying(seed)
        sent = b"".join(RENDERERS[outbound].frames(say, Asked(model="m-1", stream=True)))
        events = read_stream(DIALECTS[outbound], cut(chance, sent))
        written = write_stream(DIALECTS[inbound], events, chance)
        try:
            compare(EARS[inbound].stream(written), say, outbound, inbound, streamed=True)
        except Exception as error:
            error.add_note(f"seed {seed}\n{say}\n{events}\n{written.decode()}")
            raise


@pytest.mark.parametrize(("outbound", "inbound"), PAIRS, ids=[f"{o}-to-{i}" for o, i in PAIRS])
def test_what_is_said_at_once_is_heard(outbound: str, inbound: str) -> None:
    """The same answers whole."""
    for seed in range(CONVERSATIONS):
        say = saying(seed)
        completion = DIALECTS[outbound].read_answer(RENDERERS[outbound].body(say, Asked(model="m-1")))
        written = DIALECTS[inbound].write_answer(completion, _CHAT)
        try:
            compare(EARS[inbound].whole(written), say, outbound, inbound, streamed=False)
        except Exception as error:
            error.add_note(f"seed {seed}\n{say}\n{completion}\n{written.decode()}")
            raise


def compare(heard: Heard, say: Say, outbound: str, inbound: str, *, streamed: bool) -> None:
    """What was heard is what was said, as far as both formats have words for it."""
    assert heard.words == say.text("text", "refusal")
    if say.of("reasoning"):
        assert heard.reasoning == say.text("reasoning")
    said = [(part.name, part.whole) for part in say.of("call")]
    assert [(call.name, call.given) for call in heard.calls] == [(name, loads(text)) for name, text in said]
    if outbound != "gemini" and inbound != "gemini":
        assert [call.id for call in heard.calls] == [part.id for part in say.of("call")]
    assert len({call.id for call in heard.calls}) == len(heard.calls) or inbound == "gemini"
    assert heard.stop in expected.stops(say, outbound, inbound)
    if inbound == "anthropic_messages" and outbound in ("anthropic_messages",):
        assert heard.sequence == say.sequence
    assert say.usage is not None
    assert heard.usage is not None
    wanted = expected.usage(say.usage, outbound, inbound)
    assert _counted(heard.usage, streamed) == _counted(wanted, streamed)
    assert Counter(heard.sources) == Counter((one.url, one.title) for part in say.parts for one in part.sources)
    if say.of("redacted") and outbound in _HIDES and inbound in _HIDES:
        assert len(heard.hidden) == 1
    if any(part.signature for part in say.parts) and _is_proved(say, outbound):
        # Where a part has no place for its proof, that travels as something hidden.
        assert len(heard.proofs) + (len(heard.hidden) if inbound != outbound else 0) >= 1


def _is_proved(say: Say, outbound: str) -> bool:
    """Gemini proves the part after a thought, and wants the proof back only if that is a call."""
    if outbound != "gemini":
        return True
    after = [part.kind for part in say.parts if part.kind not in ("reasoning", "redacted")]
    return after[0] == "call"


# Formats with a word for thoughts that nobody may read.
_HIDES = ("anthropic_messages", "bedrock", "openai_chat", "openai_responses")


def loads(text: str) -> Any:
    """Arguments, decoded."""
    return json.loads(text or "{}")


def _counted(tokens: Tokens, streamed: bool) -> tuple[int, ...]:
    """The classes. A stream of Anthropic's has lifetimes in its first event only: some providers count at the end."""
    apart = (tokens.cache_write_5m, tokens.cache_write_1h)
    written = (sum(apart),) if streamed else apart
    read = (tokens.input, tokens.cached_read, tokens.input_audio, *written)
    return (*read, tokens.output, tokens.reasoning, tokens.output_audio)


@pytest.mark.parametrize("outbound", OUTBOUND)
def test_a_stream_that_ends_early_is_never_whole(outbound: str) -> None:
    """At every byte before the last event's last: an error, and no end."""
    for seed in range(6):
        say = saying(1000 + seed)
        frames = RENDERERS[outbound].frames(say, Asked(model="m-1", stream=True))
        sent, whole = b"".join(frames), _complete_from(outbound, frames)
        for end in range(0, whole, 1 if len(sent) < 3000 else 7):
            with pytest.raises(BadAnswer):
                read_stream(DIALECTS[outbound], [sent[:end]])


def _complete_from(outbound: str, frames: list[bytes]) -> int:
    """The length from which on nothing is missing that matters: the last event may lack its blank line."""
    last = frames[-1]
    if outbound == "openai_chat":
        return sum(map(len, frames[:-1])) + len(b"data: [DONE]")
    return sum(map(len, frames[:-1])) + (len(last.rstrip(b"\n")) if outbound != "bedrock" else len(last))


def test_parallel_calls_that_come_in_turns_stay_apart() -> None:
    """Their pieces are mixed on the wire; formats with one block at a time get them one after the other, or an error
    is raised: never one call with the arguments of two."""
    calls = [Part(kind="call", id=f"call_{at}", name="f", pieces=['{"a', f'": {at}', "}"]) for at in range(3)]
    say = Say(parts=calls, stop="tool_calls", tangled=True)
    sent = b"".join(RENDERERS["openai_chat"].frames(say, Asked(model="m-1", stream=True)))
    for inbound in INBOUND:
        try:
            events = read_stream(DIALECTS["openai_chat"], [sent])
        except UpstreamError:
            continue
        written = write_stream(DIALECTS[inbound], events, random.Random(1))
        assert [call.given for call in EARS[inbound].stream(written).calls] == [{"a": at} for at in range(3)]


def test_chunks_without_a_choice_are_harmless() -> None:
    """Azure begins with one for its filter; the usage comes in one; some services send them to keep alive."""
    say = Say(parts=[Part(kind="text", pieces=["a", "b"])])
    frames = RENDERERS["openai_chat"].frames(say, Asked(model="m-1", stream=True))
    empty = b'data: {"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[]}\n\n'
    for at in range(len(frames)):
        sent = b"".join([*frames[:at], empty, b": keep-alive\n\n", *frames[at:]])
        for inbound in INBOUND:
            written = write_stream(DIALECTS[inbound], read_stream(DIALECTS["openai_chat"], [sent]), random.Random(at))
            heard = EARS[inbound].stream(written)
            assert heard.text == "ab"
            assert heard.usage is not None
            assert heard.usage.output == 7
