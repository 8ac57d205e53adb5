"""Prefixes: a turn has all those of the turn before it, and nothing else has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.prefixes import reading
from proxy.prefixes.reading import LONGEST, SHORTEST, read_prefix

LONG = "A long text, which every account would have to read again. " * 50
DIALECTS = ["openai_chat", "openai_responses", "anthropic_messages", "gemini"]
MARK = {"cache_control": {"type": "ephemeral"}}


def _body(dialect: str, said: list[str], system: str = LONG, tool: str = "find", **more: Any) -> bytes:
    """A conversation whose turns change between user and assistant."""
    roles = ["user", "assistant"] * len(said)
    messages = [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]
    if dialect == "openai_chat":
        tools = [{"type": "function", "function": {"name": tool}}]
        body = {"tools": tools, "messages": [{"role": "system", "content": system}, *messages]}
    elif dialect == "openai_responses":
        body = {"tools": [{"type": "function", "name": tool}], "instructions": system, "input": messages}
    elif dialect == "anthropic_messages":
        body = {"tools": [{"name": tool}], "system": system, "messages": messages}
    else:
        contents = [{"role": one["role"], "parts": [{"text": one["content"]}]} for one in messages]
        body = {"tools": [{"functionDeclarations": [{"name": tool}]}], "contents": contents}
        body["systemInstruction"] = {"parts": [{"text": system}]}
    return json.dumps(body | more).encode()


def _digests(dialect: str, body: bytes, owner: bytes = b"ada") -> list[bytes]:
    found = read_prefix(dialect, body, owner)
    assert found is not None
    return [mark.digest for mark in found.marks]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_turn_has_the_prefixes_of_the_one_before(dialect: str) -> None:
    """Whatever parameters, in whatever order the members come."""
    before = _digests(dialect, _body(dialect, ["Hi", "Yes?", "Go"], temperature=0.5, model="m"))
    turn = json.loads(_body(dialect, ["Hi", "Yes?", "Go", "Done.", "More"], model="n", stream=True))
    after = _digests(dialect, json.dumps(dict(reversed(turn.items()))).encode())
    assert after[: len(before)] == before
    assert len(before) == 4, "one of tools and system prompt, and one after each message"
    assert len(after) == 6


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_differs_has_nothing_in_common_from_there_on(dialect: str) -> None:
    """Tools, system prompt, a message, whose it is."""
    plain = _digests(dialect, _body(dialect, ["Hi", "Yes?", "Go"]))
    for other in (_body(dialect, ["Hi", "Yes?", "Go"], tool="seek"), _body(dialect, ["Hi", "Yes?", "Go"], LONG + "!")):
        assert not set(_digests(dialect, other)) & set(plain)
    assert not set(_digests(dialect, _body(dialect, ["Hi", "Yes?", "Go"]), b"ben")) & set(plain)
    edited = _digests(dialect, _body(dialect, ["Hi", "No?", "Go"]))
    assert [one == other for one, other in zip(plain, edited, strict=True)] == [True, True, False, False]


def test_system_messages_at_the_head_are_one_prefix() -> None:
    """As the system prompt elsewhere; one that comes later is a message."""
    messages = [
        {"role": "system", "content": LONG},
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "It is late."},
    ]
    head = read_prefix("openai_chat", json.dumps({"messages": messages[:2]}).encode(), b"")
    whole = read_prefix("openai_chat", json.dumps({"messages": messages}).encode(), b"")
    assert head is not None
    assert whole is not None
    assert len(whole.marks) == 3
    assert whole.marks[0] == head.marks[-1]


def _marked(messages: list[Any], at: int, *, first: bool = False) -> bytes:
    """As a client of Anthropic sends it: a list around the text of the message that is marked."""
    sent = [dict(message) for message in messages]
    text = {"type": "text", "text": sent[at]["content"]}
    sent[at]["content"] = [MARK | text if first else text | MARK]
    return json.dumps({"system": [{"type": "text", "text": LONG, **MARK}], "messages": sent}).encode()


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.booleans(), st.data())
def test_marks_that_move_change_nothing(said: list[str], first: bool, data: st.DataObject) -> None:
    """Whatever is said, also about marks."""
    said = [*said, 'Write "cache_control": {"type": "ephemeral"}, please']
    messages = [{"role": "user", "content": text} for text in said]
    places = [data.draw(st.integers(0, len(said) - 1)) for _ in range(2)]
    one, other = (_digests("anthropic_messages", _marked(messages, at, first=False)) for at in places)
    assert one == other
    assert len(set(one)) == len(said) + 1
    spaced = _marked(messages, places[0], first=first)
    compact = json.dumps(json.loads(spaced), separators=(",", ":")).encode()
    assert len(_digests("anthropic_messages", compact)) == len(one)


def test_what_is_said_of_marks_is_text() -> None:
    """Two texts that differ in the words of a mark alone are two texts."""
    said = ['{"cache_control": {"type": "ephemeral"}, "a": 1}', '{"a": 1}']
    one, other = (_digests("anthropic_messages", _marked([{"role": "user", "content": text}], 0)) for text in said)
    assert one[0] == other[0]
    assert one[1] != other[1]


def test_a_text_alone_is_a_message() -> None:
    """Of the Responses API."""
    body = json.dumps({"input": LONG}).encode()
    found = read_prefix("openai_responses", body, b"")
    assert found is not None
    assert [mark.size for mark in found.marks] == [len(json.dumps(LONG))]


def test_a_day_is_asked_for() -> None:
    """And the default is no day."""
    for told, expected in (("24h", True), ("in_memory", False)):
        found = read_prefix("openai_chat", _body("openai_chat", ["Hi"], prompt_cache_retention=told), b"")
        assert found is not None
        assert found.for_a_day is expected


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (None, _body("openai_chat", ["Hi"])),
        ("openai_embeddings", _body("openai_chat", ["Hi"])),
        ("openai_chat", b'{"messages": []}' + b" " * SHORTEST),
        ("openai_chat", _body("openai_chat", ["Hi"], system="short")),
        ("openai_chat", _body("openai_chat", ["Hi"])[:-1]),
        ("openai_chat", b"\xff" * SHORTEST),
        ("openai_chat", b'{"messages": [{"role": "\xff"}], "a": "%b"}' % (b" " * SHORTEST)),
        ("openai_chat", b"[" * 100_000),
        ("openai_chat", b'{"messages": %b%b}' % (b"[" * 100_000, b"]" * 100_000)),
        ("openai_chat", json.dumps({"messages": [{}] * 6000}).encode()),
        ("openai_chat", b" " * LONGEST + b"{}"),
    ],
    ids=lambda value: None,
)
def test_what_is_no_conversation_has_none(dialect: str | None, body: bytes) -> None:
    """Nor what is too short to be cached, broken, or too much to be looked at."""
    assert read_prefix(dialect, body, b"") is None


@given(st.binary(max_size=400))
def test_no_bytes_raise(body: bytes) -> None:
    """The provider will judge them."""
    for dialect in DIALECTS:
        read_prefix(dialect, b'{"messages": [%b], "x": "%b"}' % (body, b" " * SHORTEST), b"")


def test_the_work_is_bounded() -> None:
    """Of many messages those at both ends end prefixes; of a long one its ends and its length count."""
    said = [f"message {at} " * 20 for at in range(1000)]
    found = read_prefix("openai_chat", _body("openai_chat", said), b"")
    assert found is not None
    assert len(found.marks) <= 1 + reading._FIRST + reading._LAST
    assert found.marks[-1].size > 100_000
    long = "x" * 200_000
    one, other, longer = (
        _digests("openai_chat", _body("openai_chat", [text]))
        for text in (long, long[:100_000] + "y" + long[100_001:], long + "x")
    )
    assert one == other
    assert one[-1] != longer[-1]
    assert one[0] == longer[0]
