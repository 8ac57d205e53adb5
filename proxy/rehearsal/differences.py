"""What another file would change, added up over the requests of the past."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import msgspec

from proxy.ledger.row import Row

K = TypeVar("K")
_MAX_GROUPS = 10_000  # of each kind; what comes beyond is added to one that says so
_OTHERS = "(others)"


class Told(NamedTuple):
    """What a request would meet now.

    ``code`` "" if it is answered; ``refused_by`` is a policy, "" where it is none, ``rule`` what that says of it.
    ``cost`` in nano-dollars. ``unjudged``: what may decide otherwise, as the ledger does not know enough.
    """

    route: str
    target: str
    code: str
    refused_by: str
    rule: str
    cost: int
    is_unpriced: bool
    unjudged: tuple[str, ...]


class Sum(msgspec.Struct):
    """Requests, and nano-dollars of then and now."""

    requests: int = 0
    before: int = 0
    after: int = 0

    def add(self, before: int, after: int, requests: int = 1) -> None:
        """So much more."""
        self.requests += requests
        self.before += before
        self.after += after


class Move(NamedTuple):
    """From one target to another, on routes that may differ too."""

    before: str
    after: str


class Refusal(NamedTuple):
    """By a policy, or "" for targets and routes; with what it says of the rule."""

    by: str
    code: str
    rule: str


class Differences:
    """Grows with every request. ``teams`` and ``models`` (targets) have the money of all attempts."""

    def __init__(self) -> None:
        self.requests = 0
        self.rows = 0
        self.same = 0
        self.failed = 0  # then, and now again
        self.total = Sum()
        self.moved: dict[Move, Sum] = {}
        self.refused: dict[Refusal, Sum] = {}
        self.teams: dict[str, Sum] = {}
        self.models: dict[str, Sum] = {}
        self.unjudged: dict[str, int] = {}
        self.unpriced: dict[str, int] = {}  # by target

    def was(self, row: Row) -> None:
        """An attempt of the past."""
        self.rows += 1
        self._count(row, row.cost, 0)

    def would_be(self, row: Row) -> None:
        """An attempt as it would be."""
        self._count(row, 0, row.cost)
        if "unpriced" in row.flags.split():
            target = f"{row.provider}/{row.model}"
            self.unpriced[target] = self.unpriced.get(target, 0) + 1

    def _count(self, row: Row, before: int, after: int) -> None:
        self.total.add(before, after, 0)
        team = f"{row.organisation}/{row.team}" if row.organisation else "-"
        for groups, name in ((self.teams, team), (self.models, f"{row.provider}/{row.model}")):
            _group(groups, name, _OTHERS).add(before, after, 0)

    def add(self, attempts: list[Row], told: Told) -> None:
        """One request: what it was (its attempts, none of them beside it), and what it would meet."""
        self.requests += 1
        for name in told.unjudged:
            self.unjudged[name] = self.unjudged.get(name, 0) + 1
        answered = next((row for row in attempts if row.status == "ok"), None)
        last = answered or attempts[-1]
        before, cost = f"{last.provider}/{last.model}", sum(row.cost for row in attempts)
        if told.code:
            if answered is None and not told.refused_by and told.route:
                self.failed += 1
            else:
                refusal = Refusal(told.refused_by, told.code, told.rule)
                _group(self.refused, refusal, Refusal(_OTHERS, "", "")).add(cost, told.cost)
        elif told.target == before:
            self.same += 1
        else:
            _group(self.moved, Move(before, told.target), Move(_OTHERS, _OTHERS)).add(cost, told.cost)


def is_beside(row: Row) -> bool:
    """Whether it was sent beside a request, which did not wait for it."""
    return row.variant == "mirror" or "mirror" in row.flags.split()


def _group(groups: dict[K, Sum], key: K, others: K) -> Sum:
    if key not in groups and len(groups) >= _MAX_GROUPS:
        key = others
    return groups.setdefault(key, Sum())


def largest(groups: dict[K, Sum]) -> Iterable[tuple[K, Sum]]:
    """The dearest first, by what it was or would be."""
    return sorted(groups.items(), key=lambda item: (max(item[1].before, item[1].after), item[1].requests), reverse=True)
