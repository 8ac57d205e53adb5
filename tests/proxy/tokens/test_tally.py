"""What the events of an answer tell: its text, its usage, its tier."""

from __future__ import annotations

import pytest

from proxy.chat import Begin, Close, Delta, Event, Finish, Open, Reasoning, Refusal, Text, ToolCall, Total, Usage
from proxy.dialects.table import DIALECTS
from proxy.gather import events_of
from proxy.tokens.encodings import count
from proxy.tokens.tally import Tally
from tests.support.sayings import saying
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked

_BEGIN = Begin(id="a", model="m")


def tally(*events: Event) -> Tally:
    """What is known behind these."""
    found = Tally()
    for event in events:
        found.feed([event])
    return found


def test_nothing_has_been_said_yet() -> None:
    found = tally(_BEGIN, Open(0, 0, Text("")), Delta(0, "text", ""))
    assert (found.has_begun, found.size, found.tokens("gpt-4o"), found.usage(), found.tier()) == (False, 0, 0, None, "")


@pytest.mark.parametrize("part", [Text("Hello"), Refusal("Hello"), Reasoning(text="Hello")])
def test_what_a_part_brings_at_once_and_piece_by_piece(part: Text | Refusal | Reasoning) -> None:
    found = tally(_BEGIN, Open(0, 0, part), Delta(0, "text", " there"), Close(0, 0), Finish())
    assert found.has_begun
    assert found.size == len("Hello there")
    assert found.tokens("gpt-4o") == count("Hello there", "gpt-4o") == 2


def test_a_call_is_its_name_and_its_arguments() -> None:
    whole = tally(Open(0, 0, ToolCall(id="c", name="search", arguments='{"q":"x"}')))
    pieces = tally(
        Open(0, 0, ToolCall(id="c", name="search", arguments="")),
        Delta(0, "arguments", '{"q":'),
        Delta(0, "arguments", '"x"}'),
    )
    assert whole.tokens("gpt-4o") == pieces.tokens("gpt-4o") == count('search{"q":"x"}', "gpt-4o")


def test_a_signature_is_not_said() -> None:
    assert not tally(Open(0, 0, Reasoning()), Delta(0, "signature", "c2lnbmVk" * 9)).has_begun


def test_an_answer_counts_the_same_whole_and_streamed() -> None:
    """However the provider sends it: the same text is found."""
    for seed in range(100):
        say = saying(seed)
        renderer = RENDERERS["anthropic_messages"]
        reader, streamed = DIALECTS["anthropic_messages"].reader(), Tally()
        for frame in renderer.frames(say, Asked(model="m", stream=True)):
            streamed.feed(reader.feed(frame))
        whole = tally(*events_of(DIALECTS["anthropic_messages"].read_answer(renderer.body(say, Asked(model="m")))))
        assert whole.has_begun == streamed.has_begun
        if not say.of("call"):  # whose JSON is written anew in a whole answer
            assert whole.tokens("gpt-4o") == streamed.tokens("gpt-4o"), seed


def test_the_last_total_counts() -> None:
    """What was told at the beginning holds until then."""
    begin = Begin(id="a", model="m", usage=Usage(input=9, output=1), service_tier="priority")
    assert tally(begin).usage() == Usage(input=9, output=1)
    assert tally(begin, Total(Usage(input=9, output=4)), Total(Usage(input=9))).usage() == Usage(input=9)
    assert tally(begin).tier() == "priority"
    assert tally(Begin(id="a", model="m", service_tier="default")).tier() == ""


def test_what_is_too_long_is_estimated() -> None:
    piece = Delta(0, "text", "a" * (1 << 20))
    kept = tally(*[piece] * 4)
    beyond = tally(*[piece] * 8)
    assert beyond.size == kept.size == 4 << 20
    assert beyond.tokens("gpt-4o") == kept.tokens("gpt-4o") + (1 << 20)
