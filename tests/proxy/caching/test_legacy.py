"""Which answers of `/v1/completions` are whole and good. CAC-02."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.caching.legacy import flaw_of_text


def piece(text: str, finish: str | None = None, index: int = 0) -> dict[str, Any]:
    """A choice."""
    return {"index": index, "text": text, "finish_reason": finish, "logprobs": None}


def whole(*choices: dict[str, Any], **more: Any) -> bytes:
    """An answer."""
    return json.dumps({"id": "cmpl-1", "object": "text_completion", "choices": choices} | more).encode()


def streamed(*events: bytes) -> bytes:
    """A stream of answers."""
    return b"".join(b"data: " + event + b"\n\n" for event in (*events, b"[DONE]"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (whole(piece("Hello", "stop")), None),
        (whole(piece("Hello", "stop"), piece("Hi", "stop", 1)), None),
        (whole(piece("Hello", "length")), "finished by length"),
        (whole(piece("Hello", "stop"), piece("Hi", "content_filter", 1)), "finished by content_filter"),
        (whole(piece("Hello")), "incomplete"),
        (whole(piece(" \n", "stop")), "empty"),
        (whole(), "empty"),
        (whole(piece("Hello", "stop"), error={"message": "?"}), "it failed"),
        (b'{"choices": 7}', "it cannot be read"),
        (b"no", "it cannot be read"),
    ],
)
def test_a_whole_answer(body: bytes, expected: str | None) -> None:
    """Every choice must have ended by itself, and say something."""
    assert flaw_of_text(body, is_sse=False) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((whole(piece("Hel")), whole(piece("lo")), whole(piece("", "stop")), whole(usage={})), None),
        ((whole(piece("Hel")), whole(piece("lo"))), "incomplete"),
        ((whole(piece("Hel")), whole(piece("lo", "length"))), "finished by length"),
        ((whole(piece("One", "stop")), whole(piece("Two", None, 1))), "incomplete"),
        ((whole(piece("", "stop")),), "empty"),
        ((whole(piece("One", "stop")), b'{"error": {"message": "?"}}'), "it failed"),
        ((), "empty"),
    ],
)
def test_a_stream(events: tuple[bytes, ...], expected: str | None) -> None:
    """The same, piece by piece."""
    assert flaw_of_text(streamed(*events), is_sse=True) == expected
