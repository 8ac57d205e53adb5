"""From the pieces of an answer to the whole of it, and back."""

from __future__ import annotations

from proxy.chat import (
    Begin,
    Choice,
    Citation,
    Cite,
    Close,
    Completion,
    Delta,
    End,
    Event,
    Finish,
    Logprobs,
    Open,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.gather import Gather, events_of


def _gathered(events: list[Event]) -> Completion:
    gather = Gather()
    gather.feed(events)
    return gather.completion()


def test_pieces_become_parts_in_the_order_of_their_blocks() -> None:
    """Also when two tool calls come in turns."""
    made = _gathered(
        [
            Begin(id="a", model="m", created=7),
            Open(0, 0, Reasoning(origin="anthropic")),
            Delta(0, "reasoning", "hm", 0),
            Delta(0, "signature", "S", 0),
            Close(0, 0),
            Open(0, 1, Text("He")),
            Delta(0, "text", "llo", 1),
            Cite(0, 1, Citation(url="https://a.example")),
            Close(0, 1),
            Open(0, 2, ToolCall(id="c1", name="f", arguments="")),
            Open(0, 3, ToolCall(id="c2", name="g", arguments="")),
            Delta(0, "arguments", '{"a":', 2),
            Delta(0, "arguments", "{}", 3),
            Delta(0, "arguments", "1}", 2),
            Close(0, 2),
            Close(0, 3),
            Finish(choice=0, stop="tool_calls"),
            Total(Usage(input=3, output=4)),
            End(),
        ]
    )
    assert made == Completion(
        id="a",
        model="m",
        created=7,
        choices=[
            Choice(
                stop="tool_calls",
                parts=[
                    Reasoning(text="hm", signature="S", origin="anthropic"),
                    Text("Hello", citations=(Citation(url="https://a.example"),)),
                    ToolCall(id="c1", name="f", arguments='{"a":1}'),
                    ToolCall(id="c2", name="g", arguments="{}"),
                ],
            )
        ],
        usage=Usage(input=3, output=4),
    )


def test_an_answer_without_its_end_is_of_unknown_stop() -> None:
    made = _gathered([Begin(id="a", model="m"), Open(0, 0, Text("x"))])
    assert made.choices == [Choice(parts=[Text("x")], stop="other")]
    assert made.usage is None


def test_a_whole_answer_comes_back_from_its_events() -> None:
    """Several choices, a refusal, log-probabilities."""
    whole = Completion(
        id="a",
        model="m",
        choices=[
            Choice(parts=[Text("x")], logprobs=[{"token": "x"}]),
            Choice(parts=[Refusal("no")], index=1, stop="refusal"),
            Choice(parts=[], index=2, stop="content_filter", reason="SAFETY"),
        ],
        usage=Usage(output=1),
    )
    events = events_of(whole)
    assert isinstance(events[-1], End)
    assert any(isinstance(event, Logprobs) for event in events)
    assert _gathered(events) == whole
