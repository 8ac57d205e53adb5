"""Answers of ``/v1/completions``, which have no neutral form: whether one is whole and good, streamed or not.

https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

_DATA = re.compile(rb"^data: ?(\{.*)$", re.MULTILINE)
_GOOD = "stop"


class _Choice(msgspec.Struct):
    index: int = 0
    text: str = ""
    finish_reason: str | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice] = []
    error: Any = None


_read = msgspec.json.Decoder(_Answer).decode


def flaw_of_text(body: bytes, *, is_sse: bool) -> str | None:
    """Why it is not kept, in few words; None where nothing speaks against it."""
    try:
        answers = [_read(event) for event in _DATA.findall(body)] if is_sse else [_read(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "it cannot be read"
    if any(answer.error is not None for answer in answers):
        return "it failed"
    return _of_choices(choice for answer in answers for choice in answer.choices)


def _of_choices(pieces: Iterable[_Choice]) -> str | None:
    texts: dict[int, str] = {}
    ends: dict[int, str] = {}
    for piece in pieces:
        texts[piece.index] = texts.get(piece.index, "") + piece.text
        if piece.finish_reason is not None:
            ends[piece.index] = piece.finish_reason
    if not texts:
        return "empty"
    for index, text in texts.items():
        end = ends.get(index)
        if end is None:
            return "incomplete"
        if end != _GOOD:
            return f"finished by {end}"
        if not text.strip():
            return "empty"
    return None
