"""Messages that belong together stay together, and what stays keeps its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.history import History

LIST = {"openai_chat": "messages", "openai_responses": "input", "anthropic_messages": "messages", "gemini": "contents"}


def _system(dialect: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": "Be brief."}] if dialect.startswith("openai") else []


def _user(dialect: str, text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}]} if dialect == "gemini" else {"role": "user", "content": text}


def _says(dialect: str, text: str) -> dict[str, Any]:
    return (
        {"role": "model", "parts": [{"text": text}]} if dialect == "gemini" else {"role": "assistant", "content": text}
    )


def _calls(dialect: str, *ids: str) -> list[dict[str, Any]]:
    """Parallel calls of tools."""
    if dialect == "openai_chat":
        calls = [{"id": one, "type": "function", "function": {"name": "f", "arguments": "{}"}} for one in ids]
        return [{"role": "assistant", "content": None, "tool_calls": calls}]
    if dialect == "openai_responses":
        return [{"type": "function_call", "call_id": one, "name": "f", "arguments": "{}"} for one in ids]
    if dialect == "anthropic_messages":
        return [
            {"role": "assistant", "content": [{"type": "tool_use", "id": i, "name": "f", "input": {}} for i in ids]}
        ]
    return [{"role": "model", "parts": [{"functionCall": {"id": one, "name": "f"}} for one in ids]}]


def _results(dialect: str, *ids: str) -> list[dict[str, Any]]:
    if dialect == "openai_chat":
        return [{"role": "tool", "tool_call_id": one, "content": "ok"} for one in ids]
    if dialect == "openai_responses":
        return [{"type": "function_call_output", "call_id": one, "output": "ok"} for one in ids]
    if dialect == "anthropic_messages":
        return [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": i, "content": "ok"} for i in ids]}]
    return [{"role": "user", "parts": [{"functionResponse": {"id": one, "name": "f"}} for one in ids]}]


def _history(dialect: str, items: list[dict[str, Any]], *, indent: int | None = None) -> History:
    return History(json.dumps({"model": "m", LIST[dialect]: items, "x": [1]}, indent=indent).encode(), dialect)


def _agent(dialect: str) -> list[dict[str, Any]]:
    """An old turn with a call, and one that goes on with two rounds of calls."""
    return [
        *_system(dialect),
        _user(dialect, "one"),
        *_calls(dialect, "a"),
        *_results(dialect, "a"),
        _says(dialect, "done"),
        _user(dialect, "two"),
        *_calls(dialect, "b", "c"),
        *_results(dialect, "b", "c"),
        *_calls(dialect, "d"),
        *_results(dialect, "d"),
    ]


@pytest.mark.parametrize("dialect", LIST)
def test_whole_turns_go_first_then_rounds_of_the_last(dialect: str) -> None:
    items = _agent(dialect)
    history = _history(dialect, items)
    first, second = history.steps
    assert [items[index] for index in first.items] == items[len(_system(dialect)) :][:4]
    assert [items[index] for index in second.items] == [*_calls(dialect, "b", "c"), *_results(dialect, "b", "c")]
    left = json.loads(history.without(first.items + second.items))[LIST[dialect]]
    assert left == [*_system(dialect), _user(dialect, "two"), *_calls(dialect, "d"), *_results(dialect, "d")]


@pytest.mark.parametrize("dialect", LIST)
def test_what_stays_keeps_its_bytes(dialect: str) -> None:
    body = json.dumps({"model": "m", LIST[dialect]: _agent(dialect), "é": [1]}, indent=1, ensure_ascii=False).encode()
    history = History(body, dialect)
    gone = history.steps[0].items
    start, end = history.items[gone[0]].span[0], history.items[gone[-1] + 1].span[0]
    assert history.without(gone) == body[:start] + body[end:]


@pytest.mark.parametrize("dialect", LIST)
def test_a_summary_takes_the_place_of_what_went(dialect: str) -> None:
    history = _history(dialect, _agent(dialect))
    left = json.loads(history.without(history.steps[0].items, "They said “one”."))[LIST[dialect]]
    assert left[len(_system(dialect))] == _user(dialect, "They said “one”.")
    assert left[len(_system(dialect)) + 1] == _user(dialect, "two")


@pytest.mark.parametrize("dialect", LIST)
def test_more_may_be_said(dialect: str) -> None:
    items = _agent(dialect)
    body = _history(dialect, items).with_more("7", "No: “8”?")
    assert json.loads(body)[LIST[dialect]] == [*items, _says(dialect, "7"), _user(dialect, "No: “8”?")]


def test_more_may_be_said_to_a_text_alone() -> None:
    body = History(b'{"input": "Hi", "model":"m"}', "openai_responses").with_more("7", "No")
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "7"}, {"role": "user", "content": "No"}]
    assert json.loads(body) == {"input": said, "model": "m"}
    with pytest.raises(ValueError, match="no messages"):
        History(b"{}", "openai_responses").with_more("7", "No")


def test_results_that_come_late_keep_everything_between() -> None:
    chat = "openai_chat"
    items = [
        _user(chat, "a"),
        *_calls(chat, "1"),
        _user(chat, "b"),
        _says(chat, "c"),
        *_results(chat, "1"),
        _user(chat, "d"),
    ]
    history = _history(chat, items)
    assert [step.items for step in history.steps] == [(0, 1, 2, 3, 4)]


def test_older_functions_are_calls_as_well() -> None:
    items: list[dict[str, Any]] = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "ok"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    assert [step.items for step in _history("openai_chat", items).steps] == [(0, 1, 2, 3)]


def test_pictures_are_not_in_the_text_and_cost_what_a_picture_costs() -> None:
    data = "iVBORw0KGgo" * 20_000
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    items: list[dict[str, Any]] = [
        {"role": "user", "content": [part]},
        _says("openai_chat", "nice"),
        _user("openai_chat", "b"),
    ]
    history = _history("openai_chat", items)
    assert len(history.text((0, 1))) < 300
    assert 800 <= history.steps[0].tokens < 1000


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[],"messages":[]}',
        b'{"messages":["a"]}',
        b'{"messages":[{"role":"user"}',
        b"[]",
    ],
)
def test_what_cannot_be_taken_apart(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        History(body, "openai_chat")


@pytest.mark.parametrize("body", [b'{"input":"Hello"}', b'{"input":null}', b"{}", b'{"input":[]}'])
def test_a_text_alone_has_nothing_that_could_go(body: bytes) -> None:
    assert History(body, "openai_responses").steps == ()


@given(
    dialect=st.sampled_from(sorted(LIST)),
    words=st.lists(st.sampled_from(["user", "says", "call", "calls", "result", "system"]), min_size=1, max_size=14),
)
def test_no_call_goes_without_its_result(dialect: str, words: list[str]) -> None:
    """Whatever the conversation, whatever goes: a result that stays has its call, the system and the end stay."""
    items: list[dict[str, Any]] = []
    waiting: list[str] = []
    for number, word in enumerate(words):
        if word in ("call", "calls"):
            ids = [f"id{number}", f"id{number}b"][: 1 if word == "call" else 2]
            items += _calls(dialect, *ids)
            waiting += ids
        elif word == "result" and waiting:
            items += _results(dialect, waiting.pop(0))
        elif word == "system":
            items += _system(dialect)
        else:
            items.append(_user(dialect, "u") if word == "user" else _says(dialect, "s"))
    history = _history(dialect, items)
    gone: tuple[int, ...] = ()
    for step in history.steps:
        gone += step.items
        left = json.loads(history.without(gone))[LIST[dialect]]
        kept = [item for index, item in enumerate(history.items) if index not in gone]
        assert len(left) == len(kept)
        assert left[-1] == items[-1]
        assert left.count(*_system("openai_chat")) == items.count(*_system("openai_chat"))
        calls = {call for item in kept for call in item.calls}
        assert {result for item in kept for result in item.results} <= calls
