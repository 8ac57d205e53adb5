"""The words of a condition, each with the place where it stands."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

MAX_LENGTH = 1000  # characters of a condition
_SHOWN = 24  # characters of it that a message repeats

Kind = Literal["text", "number", "time", "zone", "name", "sign", "end"]

_SIGNS = r"==|!=|<=|>=|<|>|\(|\)|\[|\]|,"
_WORD = re.compile(
    r"""(?P<text>'[^'\n]*'|"[^"\n]*")"""
    r"|(?P<time>[0-9]{1,2}:[0-9]{2}(?![0-9:]))"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?[kKmM]?(?![A-Za-z0-9_.]))"
    r"|(?P<zone>[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)+|UTC\b)"
    r"|(?P<name>(?:tags|headers?)\.[A-Za-z0-9_][A-Za-z0-9_.-]*|[A-Za-z_][A-Za-z0-9_]*)"
    rf"|(?P<sign>{_SIGNS})"
)
_BLANK = re.compile(r"\s*")
_SCALE = {"k": 1_000, "m": 1_000_000}
_INSTEAD = {"&&": "and", "||": "or", "!": "not", "=": "==", "&": "and", "|": "or", "<>": "!=", "~": "like"}


class ExpressionError(ValueError):
    """What is wrong with a condition, as a sentence for whoever wrote it."""


class Token(NamedTuple):
    """One word. ``value`` is what a literal stands for; ``at`` counts characters from 0."""

    kind: Kind
    text: str
    value: Any
    at: int


def place(text: str, at: int) -> str:
    """Where in the condition: its character, and what stands there."""
    rest = text[at : at + _SHOWN]
    shown = rest if at + _SHOWN >= len(text) else f"{rest}…"
    return f"at character {at + 1}, `{shown}`" if rest else "at its end"


def tokens(text: str) -> list[Token]:
    """All words of a condition, an ``end`` last.

    Raises:
        ExpressionError: something in it is no word.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"a condition has at most {MAX_LENGTH} characters, not {len(text)}")
    found: list[Token] = []
    at = _blank(text, 0)
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise ExpressionError(_no_word(text, at))
        kind: Any = match.lastgroup
        found.append(Token(kind, match[0], _value(kind, match[0], text, at), at))
        at = _blank(text, match.end())
    found.append(Token("end", "", None, len(text)))
    return found


def _blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return at if match is None else match.end()


def _value(kind: Kind, word: str, text: str, at: int) -> Any:
    if kind == "text":
        return word[1:-1]
    if kind == "number":
        scale = _SCALE.get(word[-1].lower())
        number = float(word if scale is None else word[:-1]) * (scale or 1)
        return int(number) if number.is_integer() else number
    if kind == "time":
        hour, minute = map(int, word.split(":"))
        if hour > 23 or minute > 59:
            raise ExpressionError(f"{place(text, at)}: there is no such time as {word} (00:00 to 23:59)")
        return (hour * 60 + minute) * 60
    return word


def _no_word(text: str, at: int) -> str:
    if text[at] in "'\"":
        return f"{place(text, at)}: the text is not closed"
    for wrong in sorted(_INSTEAD, key=len, reverse=True):
        if text.startswith(wrong, at):
            return f"{place(text, at)}: there is no `{wrong}`; write `{_INSTEAD[wrong]}`"
    return f"{place(text, at)}: this is no value, text, number or sign"
