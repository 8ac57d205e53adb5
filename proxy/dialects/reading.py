"""Reads what a client sent as JSON of a known shape, and says where it is wrong."""

from __future__ import annotations

import re
from typing import Any, NoReturn, TypeVar

import msgspec

from proxy.errors import BadRequest

T = TypeVar("T")

MAX_MESSAGES = 10_000
MAX_TOOLS = 4_096
_WHERE = re.compile(r" - at `(?:key in )?\$\.?(.*)`$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.+)`")
_SHOWN = 300  # characters of a message


def read_json(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """``body`` as the decoder's type.

    Raises:
        BadRequest: with the place of what is wrong in ``param``.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        refuse(error)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8 (byte {error.start}).", code="invalid_json") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}", code="invalid_json") from None


def read_known(body: bytes, known: msgspec.json.Decoder[T], any_: msgspec.json.Decoder[T]) -> T:
    """``body`` as the type of ``known``, which takes no member beyond its own, or else as that of ``any_``, which
    passes over such members. Most requests have none, and need no second look for them.

    Raises:
        BadRequest: as ``read_json``.
    """
    try:
        return known.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_json(body, any_)


def refuse(error: msgspec.ValidationError, at: str = "") -> NoReturn:
    """What msgspec found wrong, as a refusal; ``at`` is where the value stood that it was given."""
    text = str(error)
    found = _WHERE.search(text)
    place = found[1] if found else ""
    what = text[: found.start()] if found else text
    if missing := _MISSING.fullmatch(what):
        place = f"{place}.{missing[1]}" if place else missing[1]
        what = "is required"
    param = f"{at}{'.' if at and place and not place.startswith('[') else ''}{place}"[:_SHOWN]
    raise wrong(param, what) from None


def wrong(param: str, what: str) -> BadRequest:
    """A refusal of one member: ``what`` says what is wrong with it."""
    return BadRequest(f"`{param}`: {what}"[:_SHOWN] if param else what[:_SHOWN], code="invalid_request", param=param)


class Again:
    """A body once more, as plain values: read only when something in it is met that no type describes."""

    __slots__ = ("_body", "_value")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._value: Any = None

    def at(self, *path: str | int) -> Any:
        """The value at a path that is known to be there."""
        if self._value is None:
            self._value = msgspec.json.decode(self._body)
        value = self._value
        for step in path:
            value = value[step]
        return value
