"""Markers for prompt caches stand where the policy says, at most four, and never beside the caller's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import Cache, Chat, Message, Part, PromptCache, Reasoning, Text, Tool, ToolCall, ToolResult
from proxy.dialects.prompt_cache import MAX_MARKERS, place, resolved

HOUR = Cache("1h")


def chat_of(*messages: Message, **more: Any) -> Chat:
    return Chat(model="m", messages=list(messages), **more)


def marks(chat: Chat) -> list[tuple[int, int]]:
    """(message, part) of every marker; message -1 stands for the tools."""
    tools = [(-1, at) for at, tool in enumerate(chat.tools) if tool.cache]
    return tools + [
        (at, index)
        for at, message in enumerate(chat.messages)
        for index, part in enumerate(message.parts)
        if getattr(part, "cache", None)
    ]


def test_markers_stand_on_the_last_tool_the_end_of_the_system_prompt_and_the_last_message() -> None:
    chat = chat_of(
        Message("system", [Text("a"), Text("b")]),
        Message("developer", [Text("c")]),
        Message("user", [Text("d")]),
        Message("user", [ToolResult(call_id="1", parts=()), Text("e")]),
        tools=[Tool(name="x"), Tool(name="y")],
    )
    placed = place(chat, PromptCache(cache=HOUR))
    assert marks(placed) == [(-1, 1), (1, 0), (3, 1)]
    assert placed.tools[1].cache == HOUR
    assert marks(chat) == []


def test_positions_count_from_the_first_message_after_the_system_prompt() -> None:
    chat = chat_of(Message("system", [Text("s")]), *(Message("user", [Text(str(at))]) for at in range(3)))
    placed = place(chat, PromptCache(tools=False, system=False, messages=(0, -2, 1, 7, -9)))
    assert marks(placed) == [(1, 0), (2, 0)]


def test_no_more_than_four_markers_are_placed() -> None:
    chat = chat_of(
        Message("system", [Text("s")]), *(Message("user", [Text("u")]) for _ in range(9)), tools=[Tool(name="t")]
    )
    assert len(marks(place(chat, PromptCache(messages=(0, 1, 2, 3, 4))))) == MAX_MARKERS


@pytest.mark.parametrize(
    "chat",
    [
        chat_of(Message("user", [Text("a", cache=Cache())]), Message("user", [Text("b")])),
        chat_of(Message("user", [Text("a")]), tools=[Tool(name="t", cache=Cache())]),
        chat_of(Message("user", [Text("a")]), cache=Cache()),
        chat_of(Message("user", [ToolResult(call_id="1", parts=(Text("a", cache=Cache()),))])),
    ],
)
def test_a_request_with_a_marker_of_the_callers_is_left_alone(chat: Chat) -> None:
    assert place(chat, PromptCache()) is chat


@pytest.mark.parametrize(
    ("parts", "marked"),
    [
        ([Text("a"), Reasoning(text="thought")], [(0, 0)]),
        ([Text("a"), Text("")], [(0, 0)]),
        ([ToolCall(id="1", name="t", arguments="{}")], [(0, 0)]),
        ([Reasoning(text="thought")], []),
    ],
)
def test_the_last_part_that_can_carry_a_marker_carries_it(parts: list[Part], marked: list[tuple[int, int]]) -> None:
    assert marks(place(chat_of(Message("assistant", parts)), PromptCache())) == marked


@given(st.lists(st.integers(-9, 9)), st.integers(0, 3), st.integers(0, 5))
def test_positions_become_indexes_of_the_messages_that_are_there(positions: list[int], head: int, count: int) -> None:
    found = resolved(positions, head, head + count)
    expected = [list(range(head, head + count))[at] for at in positions if -count <= at < count]
    assert found == list(dict.fromkeys(expected))
