"""Calls in answers: what is told, in what order, and how an answer ends. The wire is in ``tests/e2e``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from policies.guardrails import _calls
from policies.guardrails._calls import Judge, Ruling, Watched, guarded, is_stream
from proxy.chat import (
    Choice,
    Close,
    Completion,
    Delta,
    End,
    Event,
    Finish,
    Open,
    Part,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.policy import Answer


class Played:
    """Pieces whose bytes are numbers of events in ``script``; what is written is kept."""

    def __init__(self, script: list[Event]) -> None:
        self.script = script
        self.told: list[Event] = []

    def split(self, chunk: bytes) -> list[bytes]:
        """One byte an event."""
        return [bytes([at]) for at in chunk]

    def read(self, event: bytes) -> list[Event]:
        """The event of this number."""
        return [self.script[event[0]]]

    def write(self, events: list[Event]) -> bytes:
        """A byte for each."""
        self.told += events
        return b"." * len(events)


def _judge(action: Ruling) -> Judge:
    async def rules(call: ToolCall) -> Ruling:
        return action if call.name == "bad" or "bad" in call.arguments else "pass"

    return Judge(rules, "No.")


async def _watched(script: list[Event], action: Ruling, size: int = 1) -> tuple[list[Event], bool]:
    """What was told, and whether the provider was left before its end."""
    left: list[bool] = []
    played = Played(script)

    async def chunks() -> AsyncIterator[bytes]:
        whole = bytes(range(len(script)))
        for at in range(0, len(whole), size):
            yield whole[at : at + size]

    answer = Answer(200, [], chunks=chunks(), close=lambda: left.append(True))
    async for _ in Watched(answer, played, _judge(action)):
        pass
    return played.told, bool(left)


def _call(block: int, name: str, *pieces: str, choice: int = 0) -> list[Event]:
    opened = Open(choice, block, ToolCall(id=f"id{block}", name=name, arguments=""))
    return [opened, *(Delta(choice, "arguments", piece, block) for piece in pieces), Close(choice, block)]


def _text(block: int, text: str) -> list[Event]:
    return [Open(0, block, Text("")), Delta(0, "text", text, block), Close(0, block)]


END: list[Event] = [Finish(stop="tool_calls"), Total(Usage(input=1)), End()]


@pytest.mark.parametrize("size", [1, 3, 99])
async def test_what_is_allowed_is_told_as_it_was_said(size: int) -> None:
    script = [*_text(0, "Hm."), *_call(1, "a", "{", "}"), *END]
    assert await _watched(script, "block", size) == (script, False)


@pytest.mark.parametrize("size", [1, 3, 99])
@pytest.mark.parametrize("call", [_call(2, "bad", "{}"), _call(2, "a", "b", "a", "d")])
async def test_a_call_that_is_denied_ends_the_answer(call: list[Event], size: int) -> None:
    before = [*_text(0, "Hm."), *_call(1, "a", "{}")]
    told, left = await _watched([*before, *call, *_text(3, "Done."), *END], "block", size)
    assert left
    assert told[: len(before)] == before
    refusal: list[Event] = [Open(0, 2, Refusal("")), Delta(0, "refusal", "No.", 2), Close(0, 2)]
    assert told[len(before) :] == [*refusal, Finish(choice=0, stop="content_filter"), End()]


async def test_blocks_that_are_open_are_closed_first() -> None:
    told, _ = await _watched([Open(0, 0, Text("")), Delta(0, "text", "Hm."), *_call(1, "bad"), *END], "block")
    assert told[2] == Close(0, 0)


async def test_what_is_removed_leaves_no_gap() -> None:
    script = [*_call(0, "bad", "{}"), *_call(1, "a", "{}"), *_text(2, "Done."), *END]
    told, left = await _watched(script, "remove")
    assert told[0] == Open(0, 0, ToolCall(id="id1", name="a", arguments=""))
    assert [getattr(event, "block", None) for event in told] == [0, 0, 0, 1, 1, 1, None, None, None]
    assert not left


async def test_without_calls_nothing_stops_for_them() -> None:
    told, _ = await _watched([*_call(0, "bad"), *END], "remove")
    assert told[0] == Finish(stop="stop")


async def test_calls_at_the_same_time() -> None:
    """Their pieces may come mixed."""
    one, two = _call(0, "a", "1", "2"), _call(1, "bad", "3")
    told, _ = await _watched([one[0], two[0], one[1], two[1], one[2], two[2], one[3], *END], "remove")
    assert told == [*one, *END]


async def test_a_call_that_never_ends_is_never_told() -> None:
    told, _ = await _watched(_call(0, "a", "{")[:-1], "remove")
    assert told == []


async def test_calls_that_are_too_long_to_be_held() -> None:
    piece = "x" * (_calls.MAX_HELD // 4 + 1)
    told, left = await _watched([*_call(0, "a", *[piece] * 4), *END], "remove")
    assert left
    assert told[-2] == Finish(choice=0, stop="content_filter")


async def test_other_actions_only_note() -> None:
    script = [*_call(0, "bad", "{}"), *END]
    assert (await _watched(script, "pass"))[0] == script


def _said(*parts: Part) -> Completion:
    return Completion(id="", model="", choices=[Choice(parts=list(parts), stop="tool_calls")])


GOOD, BAD = ToolCall(id="1", name="a", arguments="{}"), ToolCall(id="2", name="bad", arguments="{}")


async def test_whole_answers() -> None:
    fine = _said(Text("Hm."), GOOD)
    assert not await guarded(fine, _judge("block"))
    blocked, removed, empty = _said(Text("Hm."), GOOD, BAD), _said(Text("Hm."), GOOD, BAD), _said(BAD)
    assert await guarded(blocked, _judge("block"))
    assert (blocked.choices[0].parts, blocked.choices[0].stop) == ([Refusal("No.")], "content_filter")
    assert await guarded(removed, _judge("remove"))
    assert (removed.choices[0].parts, removed.choices[0].stop) == ([Text("Hm."), GOOD], "tool_calls")
    assert await guarded(empty, _judge("remove"))
    assert (empty.choices[0].parts, empty.choices[0].stop) == ([], "stop")


def test_what_was_kept_of_a_stream_is_one() -> None:
    assert is_stream(Answer(200, [(b"content-type", b"Text/Event-Stream; charset=utf-8")], body=b""))
    assert is_stream(Answer(200, [], is_sse=True))
    assert not is_stream(Answer(200, [(b"content-type", b"application/json")], body=b""))
