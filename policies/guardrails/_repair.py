"""JSON in the words of models: in fences, among sentences, with a comma too many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

_FENCED = re.compile(r"```[ \t]*(?:json[c5]?|javascript|js)?[ \t]*\r?\n(.*?)```", re.DOTALL | re.IGNORECASE)
_PIECES = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]]', re.DOTALL)
_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+")|,(\s*+[}\]])', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}
_MOST = 8  # beginnings that are tried
_DEEPEST = 100
_LONGEST = 100_000  # characters of a text that is searched


def decoded(text: str) -> Any:
    """The value that a text is.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return msgspec.json.decode(text.strip())
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"this is no JSON: {error}") from None


def repaired(text: str) -> str | None:
    """The JSON in ``text``, as it stands there but for commas before closing brackets; None if there is none."""
    if len(text) > _LONGEST:
        return None
    text = text.strip().lstrip("\ufeff")
    for found in (*(match[1] for match in _FENCED.finditer(text)), text, *_closed(text)):
        for tried in (found, _COMMA.sub(lambda match: match[1] or match[2], found)):
            tried = tried.strip()
            if tried[:1] in _CLOSING and _is_json(tried):
                return tried
    return None


def _is_json(text: str) -> bool:
    try:
        decoded(text)
    except ValueError:
        return False
    return True


def _closed(text: str) -> Iterator[str]:
    """The first pieces of a text from a bracket to the one that closes it."""
    at = 0
    for _ in range(_MOST):
        start = min((found for mark in _CLOSING if (found := text.find(mark, at)) >= 0), default=-1)
        if start < 0:
            return
        end = _end(text, start)
        if end is not None:
            yield text[start:end]
        at = end or start + 1


def _end(text: str, start: int) -> int | None:
    open_: list[str] = []
    for piece in _PIECES.finditer(text, start):
        mark = piece[0]
        if mark in _CLOSING:
            open_.append(_CLOSING[mark])
            if len(open_) > _DEEPEST:
                return None
        elif mark in "}]":
            if not open_ or mark != open_.pop():
                return None
            if not open_:
                return piece.end()
    return None
