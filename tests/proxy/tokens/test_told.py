"""Where an answer tells of its usage is found, whatever else it holds."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from proxy.tokens.told import read_told, without_usage
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked, Say

USAGE = {"prompt_tokens": 3, "completion_tokens": [None, {"x": "y"}]}


def told(value: Any) -> Any:
    """What JSON tells."""
    return read_told(json.dumps(value).encode())


def test_each_place() -> None:
    assert told({"usage": USAGE, "service_tier": "flex"}).usage == USAGE
    assert told({"usage": USAGE, "service_tier": "flex"}).service_tier == "flex"
    assert told({"usageMetadata": USAGE}).metadata == USAGE
    assert told({"type": "message_start", "message": {"usage": USAGE}}).message.usage == USAGE
    assert told({"response": {"usage": USAGE, "service_tier": "flex"}}).response.service_tier == "flex"


def test_nothing_is_told() -> None:
    for value in ({}, {"choices": [{"usage": USAGE}]}, {"usage": None, "message": None, "response": None}):
        found = told(value)
        assert (found.usage, found.metadata, found.service_tier, found.message, found.response) == (None,) * 5


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "anthropic_messages", "gemini"])
def test_whole_answers_of_each_dialect_tell_it(dialect: str) -> None:
    found = read_told(RENDERERS[dialect].body(Say(), Asked(model="m")))
    assert found is not None
    assert (found.usage is None) == (dialect == "gemini")
    assert (found.metadata is None) == (dialect != "gemini")


@pytest.mark.parametrize("value", [[], 7, "usage", None, {"message": "gone"}, {"response": [1]}, {"message": 5}])
def test_other_shapes_are_none(value: Any) -> None:
    assert told(value) is None


@pytest.mark.parametrize("body", [b"", b"{", b'{"usage":}', b"[1,", b'{"message":"x"', b'{"message":"x","y":}'])
def test_what_is_no_json_is_an_error(body: bytes) -> None:
    """Even where the beginning has said already that nothing is told."""
    with pytest.raises(msgspec.DecodeError):
        read_told(body)


def test_depth_is_bounded() -> None:
    with pytest.raises(RecursionError):
        read_told(b'{"usage":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_all_but_the_usage() -> None:
    """As it stood."""
    body = b'{"a": {"usage": 1.50}, "usage": "much", "usageMetadata": [1], "b": null}'
    assert without_usage(body) == b'{"a":{"usage": 1.50},"b":null}'
    for wrong in (b"", b"[1]", b'{"usage":'):
        with pytest.raises(msgspec.DecodeError):
            without_usage(wrong)
