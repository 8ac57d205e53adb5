"""Flags as operators see them, by the API and by the command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec

from proxy.flags.flag import DEFAULT
from proxy.flags.store import Kept
from proxy.flags.table import Place, Table


def rows(table: Table, kept: Sequence[Kept]) -> list[dict[str, Any]]:
    """All of the file, in its order, and what is set for others. ``at``: microseconds since the epoch."""
    known = {one.name: one for one in kept}
    names = dict.fromkeys([*table.places, *known])
    return [_row(name, known.get(name), table.places.get(name, ())) for name in names]


def _row(name: str, kept: Kept | None, places: Sequence[Place]) -> dict[str, Any]:
    return {
        "name": name,
        "value": DEFAULT if kept is None else kept.value,
        "reason": None if kept is None else kept.reason,
        "at": None if kept is None else kept.at,
        "who": None if kept is None else kept.who,
        "places": [msgspec.to_builtins(place) for place in places],
    }


def in_file(place: Any) -> str:
    """What the file says of one place (a row's), for people."""
    enabled = place["enabled"]
    words = [] if enabled is True else ["off" if enabled is False else f"where {enabled}"]
    return ", ".join([*words, *([place["rollout"]] if place["rollout"] else [])]) or "on"


def missing(name: str, known: Iterable[str]) -> str:
    """A sentence for whoever asked for a flag that is not there."""
    names = list(known)
    near = get_close_matches(name, names, 1)
    more = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names[:20])}" if names else "it has none"
    return f"The file has no flag {name[:64]!r}; {more}"
