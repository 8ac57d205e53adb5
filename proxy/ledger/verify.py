"""Whether the ledger is in order: every row by itself, rows among one another, and every cost computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import msgspec

from proxy.chat import Usage
from proxy.ledger.export import Selection, Source, pages
from proxy.ledger.row import Row, Status

# Nano-dollars of a usage, by the terms of a price (JSON). Raises ValueError if the terms cannot be read.
Charge = Callable[[bytes, Usage, str], int]
CLASSES = tuple(Usage.__struct_fields__)
_STATUSES = frozenset(get_args(Status))
_OPEN_FOR = 3600 * 1_000_000  # microseconds that an attempt may take
_MOST = 1000  # violations that are kept; all are counted
_TIER = "tier:"  # a flag: the tier of service that the price is of

_GAPS = """SELECT request, count(*), max(number) FROM attempts WHERE request <> '' GROUP BY request
HAVING min(number) <> 1 OR max(number) <> count(*) OR count(DISTINCT number) <> count(*)"""
_TWICE = "SELECT id, count(*) FROM attempts GROUP BY id HAVING count(*) > 1"


class Violation(msgspec.Struct, frozen=True):
    """What is wrong with a row, or with the rows of a request. ``rule`` is a word for machines."""

    rule: str
    id: str  # of the row, or of the request
    text: str


class Sum(msgspec.Struct):
    """Rows that are in order, but worth a look."""

    rows: int = 0
    cost: int = 0  # nano-dollars


class Report(msgspec.Struct):
    """``violations`` are at most a thousand of the ``count`` that were found."""

    rows: int = 0
    cost: int = 0
    count: int = 0
    violations: list[Violation] = []
    open: Sum = msgspec.field(default_factory=Sum)  # under way, or of a process that died within the hour
    bound: Sum = msgspec.field(default_factory=Sum)  # nobody knows what they used: counted at the most they could
    flags: dict[str, Sum] = {}  # by word

    def add(self, violation: Violation) -> None:
        """Count one more, and keep it if there is room."""
        self.count += 1
        if len(self.violations) < _MOST:
            self.violations.append(violation)


def verify(source: Source, charge: Charge, now: int) -> Report:
    """Look at every row. ``now``: microseconds. Memory does not grow with the ledger."""
    report = Report()
    terms = _Terms(source)
    for page in pages(source, Selection()):
        for _, row in page:
            _tally(report, row)
            for rule, text in (*_of_row(row, now), *_of_cost(row, terms, charge)):
                report.add(Violation(rule, row.id, text))
    for id, times in source.each(_TWICE):
        report.add(Violation("id", id, f"{times} rows have this id"))
    for request, attempts, last in source.each(_GAPS):
        text = f"its {attempts} attempts are not numbered from 1 without gaps (the last is {last})"
        report.add(Violation("number", request, text))
    return report


def _tally(report: Report, row: Row) -> None:
    sums = [report.flags.setdefault(word, Sum()) for word in row.flags.split() if not word.startswith(_TIER)]
    if row.status == "open":
        sums.append(report.open)
    if row.source == "bound":
        sums.append(report.bound)
    for one in sums:
        one.rows += 1
        one.cost += row.cost
    report.rows += 1
    report.cost += row.cost


def _of_row(row: Row, now: int) -> Iterator[tuple[str, str]]:
    """Of what a row says by itself."""
    if row.status not in _STATUSES:
        yield "status", f"the status {row.status!r} is unknown"
    if row.status == "open":
        if now - row.opened > _OPEN_FOR:
            yield "open", f"opened {(now - row.opened) // _OPEN_FOR} h ago and never settled"
    elif row.settled < row.opened:
        yield "settled", "settled before it was opened" if row.settled else "has a result, but was never settled"
    for name in (*CLASSES, "cost", "bound_input", "bound_output", "bound_cost", "saved", "saved_input", "saved_output"):
        if getattr(row, name) < 0:
            yield "negative", f"{name} is {getattr(row, name)}"
    used = sum(getattr(row, name) for name in (*CLASSES, "cost", "bound_input", "bound_output", "bound_cost"))
    if row.cache and (used or row.status != "ok"):
        yield "cache", "answered from a cache, but something was used"
    if not row.cache and (row.saved or row.saved_input or row.saved_output):
        yield "cache", "something was saved, but no cache has answered"
    if row.cost > row.bound_cost and not row.flags:
        yield "bound", f"cost {row.cost} is over its bound {row.bound_cost}, and no flag says why"


def _of_cost(row: Row, terms: _Terms, charge: Charge) -> Iterator[tuple[str, str]]:
    """Whether the cost follows from the tokens."""
    if row.status == "open" or row.source == "bound":
        return
    if not row.price:
        if row.cost:
            yield "price", f"cost {row.cost}, but no price"
        return
    if row.source in ("", "none") and row.status != "ok":  # it ended before anything was used
        if row.cost:
            yield "cost", f"cost {row.cost}, but nothing was used"
        return
    kept = terms.of(row.price)
    if kept is None:
        yield "price", f"the terms of its price {row.price} are not kept"
        return
    usage = Usage(**{name: getattr(row, name) for name in CLASSES})
    if min(getattr(usage, name) for name in CLASSES) < 0:
        return  # was told already
    tier = next((word.removeprefix(_TIER) for word in row.flags.split() if word.startswith(_TIER)), "")
    try:
        expected = charge(kept, usage, tier)
    except ValueError as error:
        yield "price", f"the terms of its price {row.price} cannot be read: {error}"
        return
    if expected != row.cost:
        yield "cost", f"cost {row.cost}, but its tokens at the price {row.price} cost {expected}"


class _Terms:
    """Of prices, as they are kept beside the rows; within bounds."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[str, bytes | None] = {}

    def of(self, version: str) -> bytes | None:
        if version not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            found: list[tuple[Any, ...]] = self._source.query("SELECT terms FROM prices WHERE version = ?", (version,))
            self._known[version] = bytes(found[0][0]) if found else None
        return self._known[version]
