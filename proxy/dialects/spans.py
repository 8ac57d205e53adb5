"""Where the values of a JSON document stand in its bytes, without decoding what nobody asks for.

For documents that a decoder has read before: what is no valid JSON raises ``ValueError``, but not all of it is noticed.
"""

from __future__ import annotations

import re

_SPACE = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb"[-+.0-9A-Za-z]++")
_GAP = re.compile(rb"[ \t\r\n,]*+")
_COLON = re.compile(rb"[ \t\r\n]*+:[ \t\r\n]*+")
_STOP = re.compile(rb'["{}\[\]]')
_OPENING = frozenset(b"{[")
_QUOTE, _BRACE, _SQUARE = b'"{['
_BACKSLASH = ord("\\")

Span = tuple[int, int]


def value_at(body: bytes, at: int) -> Span:
    """The span of the value that begins at ``at`` or behind the space there."""
    start = _skip(body, at)
    first = body[start] if start < len(body) else 0
    if first in _OPENING:
        return start, _behind(body, start)
    if first == _QUOTE:
        return start, _behind_string(body, start + 1)
    found = _SCALAR.match(body, start)
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
        if body[at : at + 1] != b'"':
            raise ValueError(f"no name at byte {at}")
        end = _behind_string(body, at + 1)
        key = body[at + 1 : end - 1]
        colon = _COLON.match(body, end)
        if colon is None:
            raise ValueError(f"no colon at byte {end}")
        span = value_at(body, colon.end())
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
        found = _STOP.search(body, at)
        if found is None:
            raise ValueError("a bracket is not closed")
        at = found.end()
        mark = body[at - 1]
        if mark == _QUOTE:
            at = _behind_string(body, at)
        elif mark in _OPENING:
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return at


def _behind_string(body: bytes, at: int) -> int:
    """Behind the quote that ends the string whose text begins at ``at``. Long strings are searched, not matched: that
    is ten times faster."""
    while True:
        quote = body.find(b'"', at)
        if quote < 0:
            raise ValueError("a string is not closed")
        at = before = quote
        while body[before - 1] == _BACKSLASH:
            before -= 1
        if (quote - before) % 2 == 0:
            return quote + 1
        at = quote + 1


def where(body: bytes, name: bytes, value: bytes) -> Span:
    """The span of the member ``name`` of the document, which a decoder has found to be ``value``.

    Raises:
        ValueError: there is no such member.
    """
    spelled = b'"%b"' % name
    found: list[int] = []
    at = body.find(spelled)
    while at >= 0:
        colon = _COLON.match(body, at + len(spelled))
        if colon is not None and body.startswith(value, colon.end()):
            found.append(colon.end())
        at = body.find(spelled, at + len(spelled))
    if len(found) == 1:
        return found[0], found[0] + len(value)
    top = members(body)  # further down there is an equal one
    if name not in top:
        raise ValueError(f"no {name!r}")
    return top[name]


def item_spans(body: bytes, at: int, values: list[bytes]) -> list[Span]:
    """The spans of the items of the list at ``at``, which a decoder has found to be ``values``."""
    found: list[Span] = []
    at += 1
    for value in values:
        gap = _GAP.match(body, at)
        start = at if gap is None else gap.end()
        if not body.startswith(value, start):
            raise ValueError(f"another item at byte {start}")
        at = start + len(value)
        found.append((start, at))
    return found
