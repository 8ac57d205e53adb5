"""Signatures that have no place in this dialect travel beside their part and come back to it."""

from __future__ import annotations

from proxy.chat import Part, Reasoning, Text, ToolCall, unseal
from proxy.dialects.anthropic_messages.hidden import ALONE, LAST, NEXT, hide, reveal

CALL = ToolCall(id="c", name="f", arguments="{}")


def _hidden(where: str, signature: str = "SIG") -> Part:
    origin, data = unseal(hide("gemini", signature, where), "anthropic")
    return Reasoning(redacted=data, origin=origin)


def test_parts_without_hidden_signatures_stay_the_same_list() -> None:
    parts: list[Part] = [Text("a"), Reasoning(text="b", signature="s", origin="anthropic"), CALL]
    assert reveal(parts) is parts


def test_a_signature_before_its_call_is_put_back() -> None:
    found = reveal([Text("a"), _hidden(NEXT), CALL, ToolCall(id="d", name="f", arguments="{}")])
    assert found == [
        Text("a"),
        ToolCall(id="c", name="f", arguments="{}", signature="SIG", origin="gemini"),
        ToolCall(id="d", name="f", arguments="{}"),
    ]


def test_a_signature_after_its_part_is_put_back() -> None:
    found = reveal([Text("a"), _hidden(LAST, "1"), CALL, _hidden(LAST, "2")])
    assert found == [
        Text("a", signature="1", origin="gemini"),
        ToolCall(id="c", name="f", arguments="{}", signature="2", origin="gemini"),
    ]


def test_a_signed_text_without_words_is_itself_again() -> None:
    assert reveal([_hidden(ALONE)]) == [Text("", signature="SIG", origin="gemini")]


def test_a_signature_that_belongs_to_nothing_is_left_out() -> None:
    assert reveal([_hidden(LAST), _hidden(NEXT)]) == []
    assert reveal([_hidden(NEXT), Reasoning(text="x")]) == [Reasoning(text="x")]
