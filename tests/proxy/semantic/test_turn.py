"""The last turn, and what is left without it."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.semantic.turn import Turn, last_turn

USER = {"role": "user", "content": "Hi"}


def test_it_is_taken_out() -> None:
    """A text, or parts of text; the body that was given stays as it is."""
    parts = {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "me"}
    body = {"model": "m", "system": "s", "messages": [USER, {"role": "assistant", "content": "Yes?"}, parts]}
    found = last_turn(body)
    assert isinstance(found, Turn)
    assert found.text == "a\nb"
    assert found.rest["messages"] == [*body["messages"][:2], {"role": "user", "name": "me"}]
    assert (found.rest["model"], found.rest["system"]) == ("m", "s")
    assert body["messages"][2] is parts
    assert last_turn({"model": "m", "input": "Hi"}) == Turn("Hi", {"model": "m"})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tools": [{}]}, "tools"),
        ({"functions": [{}]}, "tools"),
        ({"n": 2}, "several"),
        ({"messages": []}, "no conversation"),
        ({"messages": "Hi"}, "no conversation"),
        ({"messages": [USER, {"role": "assistant", "content": "Hello"}]}, "speak last"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}, USER]}, "more than text"),
        ({"messages": [{"role": "assistant", "content": "x", "tool_calls": []}, USER]}, "more than text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "more than text"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "more than text"),
        ({"messages": [{"role": "user", "content": None}]}, "more than text"),
        ({"messages": ["Hi"]}, "more than text"),
        ({"messages": [{"content": "Hi"}]}, "more than text"),
        ({"input": [USER], "messages": None}, "no conversation"),
    ],
)
def test_what_has_none(change: dict[str, Any], why: str) -> None:
    """It says why."""
    found = last_turn({"model": "m", "messages": [USER]} | change)
    assert isinstance(found, str)
    assert why in found
