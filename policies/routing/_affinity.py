"""Conversations that return to the account that has read them before, as ``balance`` offers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec

from policies.routing._helpers import Seat
from proxy.exchange import Attempt, Exchange
from proxy.policy import Answer
from proxy.prefixes.reading import Mark, Prefix, read_aside, read_prefix
from proxy.prefixes.retention import Retention
from proxy.prefixes.table import Prefixes
from proxy.units import Duration

# Bounded load (Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with bounded loads", 2016): nobody gets more
# than so many times the mean. So few requests in flight are no load for any account, whatever their mean is.
_FREE = 4
Result = Literal["returned", "new", "busy", "out"]


class AffinityConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``scope``: whose requests share what is known. ``lifetime``: for how long an account keeps a prefix after each
    use, where the provider's own is not the one. ``spill``: times the mean of requests in flight that one may have."""

    scope: Literal["key", "team", "organisation"] = "key"
    lifetime: Duration | None = None
    spill: float = 1.5


class Warmth(NamedTuple):
    """Who may be asked for a request. ``until``: place of a seat → when its cache has forgotten the prefix. ``left``:
    why the one with the longest prefix is not asked."""

    seats: Sequence[Seat]
    result: Result
    until: dict[int, float]
    left: str = ""

    def said(self, seat: Seat, now: float) -> str:
        """What came of it, where ``seat`` is asked; for people."""
        until = self.until.get(seat.place)
        if self.result == "new":
            return "no account is warm for this prompt"
        if until is None:
            return self.left
        if self.left:
            return f"{self.left}; {seat.name} has its beginning"
        return f"returns to {seat.name}, warm for {_span(until - now)} more"


class Affinity:
    """Narrows a choice to those that have read the longest beginning of a prompt, as long as they are not overloaded.

    What is known is kept in ``prefixes``, which other pools share: an account is as warm for one as for another.
    """

    __slots__ = ("_by_leaf", "_config", "_prefixes", "_tell")

    def __init__(
        self, config: AffinityConfig, seats: Sequence[Seat], prefixes: Prefixes, tell: Callable[[Result], None]
    ) -> None:
        self._config = config
        self._prefixes = prefixes
        self._tell = tell
        self._by_leaf: dict[str, list[Seat]] = {}
        for seat in seats:
            for leaf in seat.child.leaves():
                self._by_leaf.setdefault(leaf, []).append(seat)

    def read(self, x: Exchange) -> Prefix | None:
        """The prefixes of a request; None if it is none that a provider would cache."""
        if x.endpoint is None:
            return None
        return read_prefix(x.endpoint.dialect, x.body, _owner(x, self._config.scope))

    async def read_aside(self, x: Exchange) -> Prefix | None:
        """The same, off the loop where that takes long."""
        if x.endpoint is None:
            return None
        return await read_aside(x.endpoint.dialect, x.body, _owner(x, self._config.scope))

    def narrow(self, prefix: Prefix, candidates: Sequence[Seat], now: float) -> Warmth:
        """Those of ``candidates`` that are the warmest and not too busy; or those that are not too busy."""
        left = ""
        result: Result = "returned"
        for seats, until in self._warm(prefix):
            usable = [seat for seat in seats if seat in candidates and seat.usable(now)]
            free = [seat for seat in usable if not self._is_busy(seat, candidates)]
            if free:
                return Warmth(free, result, until, left)
            if not left:
                result = "busy" if usable else "out"
                left = "; ".join([_why_not(seat, seat in usable, now) for seat in seats])
        if not left:
            return Warmth(candidates, "new", {})
        rest = [seat for seat in candidates if not self._is_busy(seat, candidates)]
        return Warmth(rest or candidates, result, {}, left)

    def _warm(self, prefix: Prefix) -> Iterator[tuple[list[Seat], dict[int, float]]]:
        """Those that have a prefix, the longest first; and until when."""
        for mark in reversed(prefix.marks):
            until: dict[int, float] = {}
            seats: list[Seat] = []
            for holder in self._prefixes.holders(mark.digest):
                for seat in self._by_leaf.get(holder.target, ()):
                    if seat.place not in until:
                        seats.append(seat)
                    until[seat.place] = max(holder.until, until.get(seat.place, 0.0))
            if seats:
                yield seats, until

    def _is_busy(self, seat: Seat, candidates: Sequence[Seat]) -> bool:
        """Whether it would have more than its share of what is in flight, this request counted."""
        own = seat.in_flight() + 1
        if own <= _FREE:
            return False
        everything = sum([one.in_flight() for one in candidates]) + 1
        return own * len(candidates) > self._config.spill * everything

    def chosen(self, warmth: Warmth, seat: Seat, x: Exchange, now: float) -> None:
        """``seat`` is asked: note it, and count it."""
        if "affinity" not in x.notes:  # what is asked after a failure is no choice of this kind
            self._tell(warmth.result)
        x.notes["affinity"] = warmth.said(seat, now)

    def heed(self, answer: Answer, prefix: Prefix) -> None:
        """Somebody has answered: what it has read is known as soon as its usage is."""
        attempt = answer.attempt
        if attempt is not None and attempt.charge is not None and attempt.retention is not None:
            attempt.charge.then(partial(self._learn, attempt, attempt.charge, attempt.retention, prefix))

    def _learn(self, attempt: Attempt, charge: Any, retention: Retention, prefix: Prefix) -> None:
        row, whole = charge.row, prefix.marks[-1]
        is_told = bool(row.cached_read or row.cache_write_5m or row.cache_write_1h)
        if row.status == "error" or not (is_told or (row.status == "ok" and retention.automatic)):
            return
        for mark in dict.fromkeys((*prefix.marks[:2], whole)):  # the tools and system prompt, the first message, all
            tokens = charge.input_tokens * mark.size // whole.size
            if tokens >= retention.least or (is_told and mark is whole):
                lifetime = self._config.lifetime or self._lifetime(attempt, row, retention, mark, prefix)
                self._prefixes.remember(mark.digest, attempt.target, lifetime)

    def _lifetime(self, attempt: Attempt, row: Any, retention: Retention, mark: Mark, prefix: Prefix) -> float:
        """Seconds. What is read lives on as long as it was written for; marks for an hour stand before others."""
        if prefix.for_a_day and retention.asked:
            return retention.asked
        if row.cache_write_1h and (not row.cache_write_5m or mark is not prefix.marks[-1]):
            return max(retention.marked, retention.lifetime)
        if not row.cached_read:
            return retention.lifetime
        known = [one.lifetime for one in self._prefixes.holders(mark.digest) if one.target == attempt.target]
        return max([retention.lifetime, *known])


def _owner(x: Exchange, scope: str) -> bytes:
    """Whose prefixes these are, and for which model. Nobody's requests are nobody's."""
    who = x.identity
    names = [] if who is None else [who.organisation, who.team, who.key]
    kept = {"key": 3, "team": 2, "organisation": 1}[scope]
    return msgspec.json.encode([x.model, *names[:kept]])


def _why_not(seat: Seat, is_usable: bool, now: float) -> str:
    """For people."""
    if is_usable:
        return f"leaves {seat.name}, which is busy with {seat.in_flight()} requests"
    state = seat.state(now)
    if state == "closed":
        return f"leaves {seat.name}, which cannot take it"
    return f"leaves {seat.name}, which is {'ejected' if state == 'open' else state}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
