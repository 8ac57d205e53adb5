"""Two answers joined: blocks keep their numbers, everything ends once, tokens are added up."""

from __future__ import annotations

import pytest

from proxy.chat import (
    Begin,
    Citation,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
    Logprobs,
    Open,
    Reasoning,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.targets.seam import MAX_TEXT, Seam, Told

_CALL = ToolCall(id="c", name="f", arguments="")
_REST: list[Event] = [
    Begin(id="b", model="m"),
    Open(0, 0, Text("c")),
    Delta(0, "text", "d"),
    Close(0, 0),
    Finish(),
    Total(Usage(input=5, output=2)),
    End(),
]


def _told(*events: Event) -> Told:
    told = Told()
    told.feed(list(events))
    return told


def _begun(usage: Usage | None = None) -> Told:
    return _told(Begin(id="a", model="m", usage=usage), Open(0, 0, Text("")), Delta(0, "text", "ab"))


def test_text_goes_on_in_its_block() -> None:
    """No second beginning; one end."""
    assert Seam(_begun()).join(_REST) == [
        Delta(0, "text", "c"),
        Delta(0, "text", "d"),
        Close(0, 0),
        Finish(),
        Total(Usage(input=5, output=2)),
        End(),
    ]


def test_tokens_are_added_up() -> None:
    """As the first told its own; what it did not tell is estimated."""
    told = _begun(Usage(input=3, output=1))
    told.settle(100, len)
    assert Total(Usage(input=8, output=4)) in Seam(told).join(_REST)
    told = _begun()
    told.settle(100, len)
    assert Total(Usage(input=105, output=4)) in Seam(told).join(_REST)


def test_tokens_of_three_are_added_up() -> None:
    """What the second told at its beginning counts once, and so do its words."""
    told = _begun(Usage(input=3, output=1))
    told.settle(100, len)
    told.feed(Seam(told).join([Begin(id="b", model="m", usage=Usage(input=40)), Open(0, 0, Text("cde"))]))
    told.settle(100, len)
    assert told.spent == Usage(input=43, output=5)
    assert Total(Usage(input=48, output=7)) in Seam(told).join(_REST)


def test_a_block_that_was_closed_stays_so() -> None:
    """What follows is another block, with the next number."""
    told = _begun()
    told.feed([Close(0, 0)])
    found = Seam(told).join(_REST)
    assert found[:3] == [Open(0, 1, Text("c")), Delta(0, "text", "d", 1), Close(0, 1)]


def test_a_call_ends_the_open_text() -> None:
    """And has the next number."""
    found = Seam(_begun()).join(
        [Open(0, 0, _CALL), Delta(0, "arguments", "{}"), Close(0, 0), Finish(stop="tool_calls")]
    )
    assert found == [
        Close(0, 0),
        Open(0, 1, _CALL),
        Delta(0, "arguments", "{}", 1),
        Close(0, 1),
        Finish(stop="tool_calls"),
    ]


def test_thoughts_of_the_second_are_left_out() -> None:
    """Its text is not, whatever its number."""
    thought: list[Event] = [Open(0, 0, Reasoning()), Delta(0, "reasoning", "hm"), Close(0, 0)]
    found = Seam(_begun()).join([*thought, Open(0, 1, Text("c")), Close(0, 1)])
    assert found == [Delta(0, "text", "c"), Close(0, 0)]


def test_an_empty_rest_closes_what_is_open() -> None:
    """Every block ends before its choice does."""
    assert Seam(_begun()).join([Finish(), End()]) == [Close(0, 0), Finish(), End()]


def test_what_was_told_is_known() -> None:
    """All text, in the order in which it came."""
    told = _begun()
    told.feed(Seam(told).join(_REST[:3]))
    assert (told.text, told.hindrance(proves=True)) == ("abcd", None)


@pytest.mark.parametrize(
    "event",
    [
        Open(0, 1, _CALL),
        Open(1, 0, Text("")),
        Open(0, 1, Reasoning()),
        Logprobs(0, []),
        Finish(),
        Cite(0, 0, Citation(url="https://example.com")),
        Delta(0, "text", "x" * MAX_TEXT),
    ],
    ids=lambda event: type(event).__name__,
)
def test_only_plain_text_may_go_on(event: Event) -> None:
    """What another model could not finish, or was finished."""
    told = _begun()
    assert told.hindrance(proves=True) is None
    told.feed([event])
    assert told.hindrance(proves=True) is not None


def test_a_call_that_is_complete_is_one() -> None:
    """The other model does not know what came of it."""
    told = _begun()
    told.feed([Close(0, 0), Open(0, 1, _CALL), Close(0, 1)])
    assert told.hindrance(proves=False) is not None


@pytest.mark.parametrize("proves", [True, False])
def test_half_a_thought_is_closed_where_it_needs_no_proof(proves: bool) -> None:
    """And the answer begins behind it."""
    told = _told(Begin(id="a", model="m"), Open(0, 0, Reasoning()), Delta(0, "reasoning", "hm"))
    assert (told.hindrance(proves=proves) is None) != proves
    assert Seam(told).join(_REST)[:2] == [Close(0, 0), Open(0, 1, Text("c"))]


def test_a_proof_of_half_a_text_is_left_out() -> None:
    """Whoever made it has not seen the whole."""
    rest: list[Event] = [Open(0, 0, Text("")), Delta(0, "text", "c"), Delta(0, "signature", "s"), Close(0, 0)]
    assert Seam(_begun()).join(rest) == [Delta(0, "text", "c"), Close(0, 0)]


def test_a_thought_that_is_complete_is_no_hindrance() -> None:
    """The text after it goes on."""
    told = _told(Open(0, 0, Reasoning(text="hm")), Close(0, 0), Open(0, 1, Text("a")))
    assert told.hindrance(proves=True) is None
    assert Seam(told).join([Open(0, 0, Text("b"))]) == [Delta(0, "text", "b", 1)]
