"""Whether conditions can hold at all: found by trying all ways in which they could, up to a bound."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

_MOST_STEPS = 2_000  # tried before giving up, which counts as: they can


class Span(msgspec.Struct, frozen=True):
    """Numbers from ``low`` to ``high``; open ends do not belong to it."""

    low: float = 0.0
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def both(self, other: Span) -> Span:
        """What lies in this and the other."""
        low, open_low = max((self.low, self.open_low), (other.low, other.open_low))
        high, closed = min((self.high, not self.open_high), (other.high, not other.open_high))
        return Span(low, high, open_low, not closed)

    @property
    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.open_low or self.open_high))


class Words(msgspec.Struct, frozen=True):
    """These texts, or all but these."""

    of: frozenset[str | bool]
    but: bool = False

    def both(self, other: Words) -> Words:
        """What is in this and the other."""
        if self.but and other.but:
            return Words(self.of | other.of, but=True)
        if self.but:
            return Words(other.of - self.of)
        return Words(self.of - other.of if other.but else self.of & other.of)

    @property
    def is_empty(self) -> bool:
        return not self.of and not self.but


class Atom(msgspec.Struct, frozen=True):
    """The value ``key`` is one of a set."""

    key: str
    set: Span | Words


class Every(msgspec.Struct, frozen=True):
    """Every one of these."""

    of: tuple[Logic, ...]


class Some(msgspec.Struct, frozen=True):
    """At least one of these."""

    of: tuple[Logic, ...]


Logic = Atom | Every | Some


def negate(logic: Logic) -> Logic:
    """Just when it does not hold."""
    if isinstance(logic, Every):
        return Some(tuple(negate(one) for one in logic.of))
    if isinstance(logic, Some):
        return Every(tuple(negate(one) for one in logic.of))
    found = logic.set
    if isinstance(found, Words):
        return Atom(logic.key, Words(found.of, but=not found.but))
    below = Span(0.0, found.low, False, not found.open_low)
    above = Span(found.high, math.inf, not found.open_high, False)
    return Some(tuple(Atom(logic.key, span) for span in (below, above) if not span.is_empty and span.low < math.inf))


def possible(conditions: Sequence[Logic], known: dict[str, frozenset[str]]) -> bool:
    """Whether some request could meet all conditions. ``known``: all that a text can be, by key."""
    return _Search(known).meets(list(conditions), {})


class _Search:
    def __init__(self, known: dict[str, frozenset[str]]) -> None:
        self._known = known
        self._steps = 0

    def meets(self, pending: list[Logic], facts: dict[str, Span | Words]) -> bool:
        """Whether everything pending can hold beside the facts."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            return True
        choices: list[Some] = []
        pending, facts = list(pending), dict(facts)
        while pending:
            one = pending.pop()
            if isinstance(one, Every):
                pending.extend(one.of)
            elif isinstance(one, Some):
                choices.append(one)
            elif not self._add(one, facts):
                return False
        if not choices:
            return True
        first, *others = sorted(choices, key=lambda choice: len(choice.of))
        return any(self.meets([option, *others], facts) for option in first.of)

    def _add(self, atom: Atom, facts: dict[str, Span | Words]) -> bool:
        """Take it as a fact; False if that contradicts another."""
        before = facts.get(atom.key)
        if before is None and isinstance(atom.set, Words):
            if atom.key in self._known:
                before = Words(frozenset(self._known[atom.key]))
            elif any(isinstance(word, bool) for word in atom.set.of):
                before = Words(frozenset({True, False}))
        both = atom.set if before is None else before.both(atom.set)  # type: ignore[arg-type]  # one key, one type
        facts[atom.key] = both
        return not both.is_empty
