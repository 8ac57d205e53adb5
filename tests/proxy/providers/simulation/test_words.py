"""What is said, before any format."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.config.model import convert
from proxy.providers.simulation.behaviour import Behaviours, Config
from proxy.providers.simulation.request import Asked
from proxy.providers.simulation.words import Words, say


def _say(fields: dict[str, Any], **config: Any) -> Words:
    asked = msgspec.convert({"messages": [{"role": "user", "content": "one two three"}], **fields}, Asked)
    return say(asked, b"body", "m", Behaviours(convert(config, Config)).of("m"))


def test_a_stop_sequence_ends_the_text() -> None:
    """One or several."""
    assert _say({"stop": " two"}, text="echo").text == "one"
    assert _say({"stop": ["three", "two"]}, text="echo").text == "one "


def test_a_demanded_format_is_json() -> None:
    """By schema, as chat completions and responses write it."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    for fields in (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}},
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": schema}}},
    ):
        assert isinstance(msgspec.json.decode(_say(fields).text)["n"], int)
    assert msgspec.json.decode(_say({"response_format": {"type": "json_object"}}).text)
    assert _say({"response_format": {"type": "text"}}, text="echo").text == "one two three"


def test_the_number_of_tokens_can_be_set() -> None:
    """Longer and shorter than the text, none, and cut by the caller's limit."""
    assert len(_say({}, tokens=1000).pieces) == 1000
    assert len(_say({}, tokens=2).pieces) == 2
    assert _say({}, tokens=0).pieces == []
    cut = _say({"max_tokens": 5}, tokens=1000)
    assert (len(cut.pieces), cut.finish) == (5, "length")


def test_templates_are_text_and_not_code() -> None:
    """Braces of any other kind stay."""
    assert _say({}, text="{model} {0} {message.__class__}").text == "m {0} {message.__class__}"


def test_one_call_if_the_caller_wants_no_parallel_ones() -> None:
    """Whatever the setting."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert len(_say({"tools": tools}, tool_calls={"count": 3}).calls) == 3
    assert len(_say({"tools": tools, "parallel_tool_calls": False}, tool_calls={"count": 3}).calls) == 1
    assert _say({"tools": tools}, tool_calls={"count": 0}).finish == "stop"
