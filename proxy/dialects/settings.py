"""Numbers that a request sets for its answer (`max_tokens`, `temperature` …), read and changed in the caller's bytes.

A member that is there twice is changed twice: of two the gateway reads the last, and a provider may read the first.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from proxy.dialects.members import Edit, Members, apply
from proxy.dialects.places import PLACES, Place
from proxy.editing import Change

_NULL = b"null"


def changed(body: bytes, dialect: str, changes: Mapping[str, Change]) -> bytes:
    """``body`` with the parameters ``changes`` names set anew, all other bytes untouched; the same object if none is.

    A change is asked for every number that is there, or once with None where there is none, and then added.

    Raises:
        ValueError: ``body`` is no JSON object.
    """
    places = PLACES[dialect]
    top: list[tuple[Place, Change]] = []
    inner: list[tuple[Place, Change]] = []
    for name, change in changes.items():
        if (place := places.get(name)) is not None:
            (inner if place.within else top).append((place, change))
    members = Members(body)
    edits: list[Edit] = []
    add = _edit(body, members, top, edits)
    if inner:
        _edit_within(body, members, inner, edits, add)
    if add:
        edits += members.edits(add=add)
    return apply(body, edits) if edits else body


def _edit_within(
    body: bytes, members: Members, inner: list[tuple[Place, Change]], edits: list[Edit], add: dict[str, bytes]
) -> None:
    """The same in the member that holds them, which is added if it is not there."""
    spelled = inner[0][0].within
    around = [member for member in members.found if member.name in spelled]
    objects = [member for member in around if body[member.value[0] : member.value[0] + 1] == b"{"]
    for member in objects:
        within = Members(body, member.value)
        if missing := _edit(body, within, inner, edits):
            edits += within.edits(add=missing)
    if objects:
        return
    missing = {place.names[0]: value for place, change in inner if (value := _told(change(None))) is not None}
    if not missing:
        return
    whole = b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), value) for name, value in missing.items())
    if around:  # null
        edits += [(*member.value, whole) for member in around]
    else:
        add[spelled[0]] = whole


def _edit(body: bytes, members: Members, wanted: list[tuple[Place, Change]], edits: list[Edit]) -> dict[str, bytes]:
    """Adds to ``edits`` what changes in members that are there; returns those that are missing, with their values."""
    missing: dict[str, bytes] = {}
    for place, change in wanted:
        found = [member for member in members.found if member.name in place.names]
        empty = [member for member in found if body[slice(*member.value)] == _NULL]
        for member in found:
            number = number_of(body[slice(*member.value)])
            if number is not None and (value := _told(change(number))) is not None:
                edits.append((*member.value, value))
        if len(empty) == len(found) and (value := _told(change(None))) is not None:
            if empty:
                edits.append((*empty[-1].value, value))
            else:
                missing[place.names[0]] = value
    return missing


def number_of(raw: bytes) -> float | None:
    """The number that a value is, also in quotes, as Google's API takes it; None for anything else."""
    try:
        value = msgspec.json.decode(raw)
        if isinstance(value, str):
            value = float(value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value == value else None


def _told(value: float | None) -> bytes | None:
    if value is None:
        return None
    return msgspec.json.encode(int(value) if float(value).is_integer() else value)
