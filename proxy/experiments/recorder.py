"""From a request that has ended to its records, which wait in memory until they are written."""

from __future__ import annotations

import time
from collections.abc import Callable

from proxy.exchange import Exchange
from proxy.experiments.plan import subject_hash
from proxy.experiments.tables import CANARY, NO_SUBJECT, Record
from proxy.stream import Outcome

MOST_WAITING = 50_000  # records; beyond that new ones are dropped, and counted
_CACHE = b"x-sluicegate-cache"
_HITS = (b"hit", b"semantic", b"stale")
_CONTENT_REFUSED = ("content_refused", "content_filter")
_CLIENT_LEFT = 499


class Recorder:
    """Collects records. ``dropped`` is told how many were lost."""

    __slots__ = ("_dropped", "_now", "keeps_all", "waiting")

    def __init__(self, dropped: Callable[[int], None], now: Callable[[], float] = time.time) -> None:
        self.waiting: list[Record] = []
        self.keeps_all = False  # also requests in no experiment, so that feedback finds them
        self._dropped = dropped
        self._now = now

    def ended(self, x: Exchange, outcome: Outcome | None, end: str | None, seconds: float) -> None:
        """A request has ended: see ``proxy.app.Listener``. What it cost may be known a moment later."""
        if not (x.exposures or x.releases) and not (self.keeps_all and x.route):
            return
        at = round((self._now() - seconds) * 1e6)
        open_ = [one.charge for one in x.attempts if one.charge is not None and not one.charge.is_settled]
        if not open_:
            self._record(x, outcome, seconds, at)
            return
        left = len(open_)

        def settled() -> None:
            nonlocal left
            left -= 1
            if not left:
                self._record(x, outcome, seconds, at)

        for charge in open_:
            charge.then(settled)

    def _record(self, x: Exchange, outcome: Outcome | None, seconds: float, at: int) -> None:
        room = MOST_WAITING - len(self.waiting)
        found = records(x, outcome, seconds, at)
        if room < len(found):
            self._dropped(len(found) - max(room, 0))
        self.waiting += found[: max(room, 0)]

    def take(self) -> list[Record]:
        """All that wait; they are the caller's now."""
        found, self.waiting = self.waiting, []
        return found

    def put_back(self, records: list[Record]) -> None:
        """They could not be written."""
        room = MOST_WAITING - len(self.waiting)
        if len(records) > room:
            self._dropped(len(records) - max(room, 0))
        self.waiting[:0] = records[: max(room, 0)]


def records(x: Exchange, outcome: Outcome | None, seconds: float, at: int) -> list[Record]:
    """One for each experiment that the request was in, and each canary that hears of it; one for none.

    ``at``: when it came, in microseconds.
    """
    charges = [one.charge for one in x.attempts]
    known = [charge for charge in charges if charge is not None]
    status = outcome.status if outcome is not None else _CLIENT_LEFT
    code = outcome.code if outcome is not None else None
    refused = code in _CONTENT_REFUSED or any(one.reason in _CONTENT_REFUSED for one in x.attempts[-1:])
    tail = (
        x.request_id,
        x.notes.get("job"),
        scope_of_team(x),
        at,
        seconds,
        None if outcome is None or outcome.first_byte is None else outcome.first_byte - x.received,
        None if len(known) < len(charges) else sum(charge.cost for charge in known),
        sum(charge.input_tokens for charge in known),
        sum(charge.output_tokens for charge in known),
        status,
        code,
        outcome is not None and not refused and (status >= 400 or not outcome.complete),
        refused,
        code is not None and code.startswith("guardrail"),
        any(name == _CACHE and value in _HITS for name, value in x.reply_headers),
        x.stream,
    )
    found = [
        Record(experiment, subject_hash(experiment, subject), variant, *tail)
        for experiment, (variant, subject) in x.exposures.items()
    ]
    found += [
        Record(f"{CANARY}{name}", subject_hash(name, x.request_id), f"{side} {mark}", *tail)
        for name, (side, mark) in x.releases.items()
    ]
    return found or [Record("", NO_SUBJECT, "", *tail)]


def scope_of_team(x: Exchange) -> str:
    """Who may say something of the answer: the team that has asked, "" for all without a key."""
    who = x.identity
    return "" if who is None else f"{who.organisation}/{who.team}"
