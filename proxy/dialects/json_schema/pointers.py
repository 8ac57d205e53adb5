"""Where the references of one schema lead, and which of them lead back to themselves."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from proxy.dialects.reading import wrong

_MAX_REFERENCES = 1000  # different ones in one schema
_MAX_VISITS = 200_000  # values looked at for finding circles


class Pointers:
    """Resolves references within ``root``; what was found out is kept, as schemas refer to the same place often."""

    __slots__ = ("_at", "_direct", "_reach", "_root", "_visits")

    def __init__(self, root: Any, at: str) -> None:
        self._root = root
        self._at = at
        self._direct: dict[str, frozenset[str]] = {}
        self._reach: dict[str, frozenset[str]] = {}
        self._visits = 0

    def resolve(self, reference: str, path: str) -> Any:
        """What ``reference`` (``#``, ``#/$defs/a``) points to.

        Raises:
            BadRequest: nothing is there.
        """
        value = self._root
        for step in steps(reference):
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and step.isdecimal() and len(step) < 6 and int(step) < len(value):
                value = value[int(step)]
            else:
                raise wrong(f"{path}.$ref", f"nothing is at {reference[:80]!r} of this schema")
        return value

    def is_cyclic(self, reference: str, path: str) -> bool:
        """Whether following references from there leads back there."""
        if reference not in self._reach:
            self._reach[reference] = self._reached(reference, path)
        return reference in self._reach[reference]

    def _reached(self, start: str, path: str) -> frozenset[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            new = self._named(waiting.pop(), path) - found
            found |= new
            waiting += new
        return frozenset(found)

    def _named(self, reference: str, path: str) -> frozenset[str]:
        """The references that stand in what ``reference`` points to."""
        known = self._direct.get(reference)
        if known is None:
            if len(self._direct) >= _MAX_REFERENCES:
                raise wrong(self._at, f"has more than {_MAX_REFERENCES} different references")
            known = self._direct[reference] = self._search(self.resolve(reference, path))
        return known

    def _search(self, value: Any) -> frozenset[str]:
        found: set[str] = set()
        waiting = [value]
        while waiting:
            self._visits += 1
            if self._visits > _MAX_VISITS:
                raise wrong(self._at, "refers to itself in too many ways")
            one = waiting.pop()
            if isinstance(one, dict):
                reference = one.get("$ref")
                if isinstance(reference, str) and is_local(reference):
                    found.add(reference)
                waiting += [inner for key, inner in one.items() if key not in ("$defs", "definitions")]
            elif isinstance(one, list):
                waiting += one
        return frozenset(found)


def is_local(reference: str) -> bool:
    """Whether a reference points into the schema that it stands in, by a JSON pointer."""
    return reference == "#" or reference.startswith("#/")


def steps(reference: str) -> list[str]:
    """The keys and indexes that a local reference names one after the other."""
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.split("/")[1:]]


def definition(reference: str) -> tuple[str, str] | None:
    """``("$defs", name)`` of a reference to a definition of the outermost schema."""
    found = steps(reference)
    return (found[0], found[1]) if len(found) == 2 and found[0] in ("$defs", "definitions") else None
