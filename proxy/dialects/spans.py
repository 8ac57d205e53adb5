"""Where the values of a JSON document stand in its bytes, without decoding what nobody asks for.

For documents that a decoder has read before: what is no valid JSON raises ``ValueError``, but not all of it is noticed.
"""

from __future__ import annotations

import re

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[-+.0-9A-Za-z]++")
# From anywhere outside of a string to behind the next bracket.
_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+[{}\[\]]', re.DOTALL)
_OPENING = frozenset(b"{[")
_QUOTE, _BRACE, _SQUARE = b'"{['

Span = tuple[int, int]


def value_at(body: bytes, at: int) -> Span:
    """The span of the value that begins at ``at`` or behind the space there."""
    start = _skip(body, at)
    first = body[start] if start < len(body) else 0
    if first in _OPENING:
        return start, _behind(body, start)
    found = (_STRING if first == _QUOTE else _SCALAR).match(body, start)
    if found is None:
        raise ValueError(f"no value at byte {start}")
    return found.span()


def members(body: bytes, at: int = 0) -> dict[bytes, Span]:
    """The members of the object at ``at``: name as it is spelled, without quotes → span of its value.

    Raises:
        ValueError: there is no object, or a name is in it twice.
    """
    at = _enter(body, at, _BRACE)
    found: dict[bytes, Span] = {}
    while body[at : at + 1] != b"}":
        name = _STRING.match(body, at)
        if name is None:
            raise ValueError(f"no name at byte {at}")
        colon = _skip(body, name.end())
        span = value_at(body, colon + 1)
        key = body[name.start() + 1 : name.end() - 1]
        if key in found:
            raise ValueError(f"{key!r} is there twice")
        found[key] = span
        at = _next(body, span[1], b"}")
    return found


def items(body: bytes, at: int) -> list[Span]:
    """The spans of the values in the list at ``at``.

    Raises:
        ValueError: there is no list.
    """
    at = _enter(body, at, _SQUARE)
    found: list[Span] = []
    while body[at : at + 1] != b"]":
        found.append(value_at(body, at))
        at = _next(body, found[-1][1], b"]")
    return found


def _enter(body: bytes, at: int, bracket: int) -> int:
    start = _skip(body, at)
    if start >= len(body) or body[start] != bracket:
        raise ValueError(f"no {chr(bracket)} at byte {start}")
    return _skip(body, start + 1)


def _next(body: bytes, at: int, closing: bytes) -> int:
    """The begin of the next member or item, or the bracket that ends them."""
    at = _skip(body, at)
    found = body[at : at + 1]
    if found == b",":
        return _skip(body, at + 1)
    if found != closing:
        raise ValueError(f"neither , nor {closing.decode()} at byte {at}")
    return at


def _skip(body: bytes, at: int) -> int:
    found = _SPACE.match(body, at)
    return at if found is None else found.end()


def _behind(body: bytes, at: int) -> int:
    """Behind the bracket that closes the one at ``at``."""
    depth = 0
    while True:
        found = _BRACKET.match(body, at)
        if found is None:
            raise ValueError("a bracket is not closed")
        at = found.end()
        depth += 1 if body[at - 1] in _OPENING else -1
        if depth == 0:
            return at
