"""Ids of answers and of their items.

Answers that the gateway keeps have ids of its own, so that what refers to one later is known for it, and so do their
items: an item's id tells the answer in which it stands, and where.
"""

from __future__ import annotations

import re
import secrets
from typing import NamedTuple

PREFIX = "resp_sg_"
_OWN = re.compile(r"resp_sg_[0-9a-f]{32}")
_ITEM = re.compile(r"[a-z]{2,4}_sg_([0-9a-f]{32})_([0-9]{1,6})")

_MARK = b"_sg_"
_NAMED = re.compile(rb'"[a-z]{2,4}_sg_[0-9a-f]{32}[_"]')


class Place(NamedTuple):
    """Where an item stands: in which answer, and at which position of its output."""

    response: str
    at: int


def new_id() -> str:
    """An id for an answer of ours."""
    return PREFIX + secrets.token_hex(16)


def is_own(given: str) -> bool:
    """Whether an id may have been made by ``new_id``."""
    return _OWN.fullmatch(given) is not None


def names_own(body: bytes) -> bool:
    """Whether a request names an answer or an item of ours, which no provider knows."""
    return _MARK in body and _NAMED.search(body) is not None


def response_id(given: str) -> str:
    """The id under which an answer is told, given its provider's."""
    if given.startswith("resp_"):
        return given
    return f"resp_{given or secrets.token_hex(16)}"


def item_token(response: str) -> str:
    """What the ids of an answer's items begin with, after the letters for their kind."""
    return response.removeprefix("resp_")


def place_of(item: str) -> Place | None:
    """Where an item of ours stands; None for an id that is not ours."""
    found = _ITEM.fullmatch(item)
    return None if found is None else Place(PREFIX + found[1], int(found[2]))
