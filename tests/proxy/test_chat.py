"""The neutral form: the little behaviour that it has."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import (
    Chat,
    Losses,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    alternate,
    seal,
    split_system,
    unseal,
)


def _said(*messages: tuple[str, str]) -> list[Message]:
    return [Message(role, [Text(text)]) for role, text in messages]  # type: ignore[arg-type]


def test_neighbours_of_one_role_become_one_message() -> None:
    """And the messages that were given stay as they are."""
    messages = _said(("user", "a"), ("user", "b"), ("assistant", "c"), ("user", "d"))
    merged = alternate(messages)
    assert [(one.role, len(one.parts)) for one in merged] == [("user", 2), ("assistant", 1), ("user", 1)]
    assert len(messages[0].parts) == 1


def test_the_head_of_a_conversation_is_its_system_prompt() -> None:
    """System and developer messages alike; one further down is none of it."""
    head, rest = split_system(_said(("system", "a"), ("developer", "b"), ("user", "c"), ("system", "d")))
    assert head == [Text("a"), Text("b")]
    assert [one.role for one in rest] == ["user", "system"]
    assert split_system(_said(("system", "a"))) == ([Text("a")], [])


@given(origin=st.sampled_from(["anthropic", "gemini", "openai"]), signature=st.text(max_size=50))
def test_a_sealed_signature_finds_back(origin: str, signature: str) -> None:
    assert unseal(seal(origin, signature), "other") == (origin, signature)


@pytest.mark.parametrize("plain", ["EqQBCg==", "", "sg.", "sg.nodot"])
def test_a_signature_without_a_seal_is_of_the_dialect_in_which_it_stands(plain: str) -> None:
    assert unseal(plain, "anthropic") == ("anthropic", plain)


def test_usage_counts_every_token_once() -> None:
    usage = Usage(input=1, cached_read=2, cache_write_5m=4, cache_write_1h=8, input_audio=16, output=32, reasoning=64)
    assert usage.input_total == 31
    assert usage.output_total == 96


def test_losses_are_named_once_and_bounded() -> None:
    losses = Losses()
    assert not losses
    for at in range(100):
        losses.add("top_k")
        losses.add(f"messages[{at}].audio")
    assert list(losses.names)[:2] == ["top_k", "messages[0].audio"]
    assert len(losses.names) == Losses.MAX


def test_a_conversation_can_be_stored_and_read_again() -> None:
    """Its parts are a tagged union."""
    parts: list[Part] = [
        Text("hi"),
        Reasoning(text="hm", signature="s", origin="anthropic"),
        ToolCall(id="c", name="f", arguments="{}"),
    ]
    results: list[Part] = [ToolResult(call_id="c", parts=(Text("42"),))]
    chat = Chat(model="m", messages=[Message("assistant", parts), Message("user", results)])
    stored = msgspec.msgpack.encode(chat)
    assert msgspec.msgpack.decode(stored, type=Chat) == chat
