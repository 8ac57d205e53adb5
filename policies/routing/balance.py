"""Divide requests over equals: by latency, price, load, what is left of their limits, weight, turn or chance."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Literal

from msgspec.structs import replace

from policies.routing._affinity import Affinity, AffinityConfig, Warmth
from policies.routing._helpers import (
    GO_ON,
    By,
    Cost,
    Latency,
    LeastBusy,
    MostLeft,
    Random,
    RoundRobin,
    Seat,
    Way,
    Weighted,
)
from proxy.choosing.capability import Needs
from proxy.choosing.health import State
from proxy.errors import UpstreamError, decisive
from proxy.exchange import Exchange
from proxy.policy import Answer, Choice, CompileContext, Config, Node, Target
from proxy.prefixes.reading import Prefix
from proxy.prefixes.table import NAME as PREFIXES
from proxy.prefixes.table import Prefixes

# An equal may do better, but what is too long for one, or unknown to it, is so for all equals alike.
_GO_ON = frozenset(GO_ON) - {"context_too_long", "model_not_found"}
_MOST_ASKED = 3  # of one request: no outage is multiplied by the size of a pool


class BalanceConfig(Config, frozen=True):
    """``of``: equals, each a target or ``{weight, target}``; ``by``: how to choose; ``expected_output``: tokens of an
    answer whose length the caller does not bound lower, for ``latency`` and ``cost``. ``affinity``: who has read the
    beginning of a prompt before is asked first.

    A plain list stands for ``of``.
    """

    of: tuple[Any, ...]
    by: By = "latency"
    expected_output: int = 500
    affinity: Literal["prefix"] | AffinityConfig | None = None


class Balance(Node):
    """One of several equals for each request; when it fails, another that was not asked yet.

    Limited, drained and ejected ones are left out. But where more than half of them are ejected that says more of the
    whole than of each (*panic*): then ejected ones are candidates again, each at most once a second, so that the first
    that works is back at once, and none that is broken costs more than that.
    """

    __slots__ = ("_affinity", "_by", "_seats", "_way")

    Config = BalanceConfig
    shorthand: ClassVar[str] = "of"

    def __init__(
        self,
        seats: tuple[Seat, ...],
        by: By,
        way: Way,
        needs: Callable[[Exchange], Needs],
        affinity: Affinity | None = None,
    ) -> None:
        super().__init__(tuple(seat.child for seat in seats), needs)
        self._affinity = affinity
        self._by = by
        self._seats = seats
        self._way = way

    @classmethod
    def compile(
        cls, config: BalanceConfig, context: CompileContext, draw: Callable[[], float] = random.random
    ) -> Target | None:
        seats: list[Seat] = []
        for at, item in enumerate(config.of):
            weighted = isinstance(item, dict) and "target" in item
            value, place = (item["target"], f"of[{at}].target") if weighted else (item, f"of[{at}]")
            weight = float(item.get("weight", 1)) if weighted else 1.0
            child = context.target(value, place)
            if child is not None and (weight > 0 or config.by != "weighted"):
                prices = child.prices() if config.by == "cost" else ()
                known = sorted((price for price in prices if price is not None), key=lambda price: price.input)
                seats.append(Seat(len(seats), child, weight, known))
        if len(seats) < 2:
            return seats[0].child if seats else None
        way = _way(config, context.needs, draw, seats)
        return cls(tuple(seats), config.by, way, context.needs, _affinity(config, context, seats))

    async def send(self, x: Exchange) -> Answer:
        prefix = None if self._affinity is None else await self._affinity.read_aside(x)
        now = time.monotonic()
        able = self._able(x)
        candidates, out = self._standing(able, now)
        panic = False
        if out:
            candidates, panic = self._with_trials(candidates, out, now, trial=x.trial)
            if candidates:
                tried = {seat.place for seat in candidates} if panic or x.trial else ()
                x.skipped += [(seat.name, state) for seat, state in out if seat.place not in tried]
            else:
                candidates = list(able)  # none will be asked: each says why not
        failures: list[UpstreamError] = []
        asked = 0
        while candidates:
            seat = self._pick(candidates, x, now, prefix)
            x.notes["balance"] = self._note(seat, failures)
            try:
                answer = await self._ask(seat, x, trial=panic and not seat.usable(now))
                if prefix is not None and self._affinity is not None:
                    self._affinity.heed(answer, prefix)
                return answer
            except UpstreamError as error:
                failures.append(error)
                if not error.skipped:
                    asked += 1
                    if error.meaning not in _GO_ON or asked == _MOST_ASKED:
                        break
            candidates.remove(seat)
            now = time.monotonic()
            if panic:  # one try of an ejected one for a request, as long as others work
                candidates = [seat for seat in candidates if seat.usable(now)] or candidates
            if now >= x.deadline:
                break
        raise decisive(failures)

    def _pick(self, candidates: Sequence[Seat], x: Exchange, now: float, prefix: Prefix | None) -> Seat:
        """One of them: where some are warm, one of those."""
        warmth = None
        if prefix is not None and self._affinity is not None:
            warmth = self._affinity.narrow(prefix, candidates, now)
            candidates = warmth.seats
        seat = candidates[0] if len(candidates) == 1 else self._way.pick(candidates, x, now)
        if warmth is not None and self._affinity is not None:
            self._affinity.chosen(warmth, seat, x, now)
        return seat

    def _able(self, x: Exchange) -> Sequence[Seat]:
        """The seats that can do what the request needs."""
        children = self.able(x)
        if children is self.children:
            return self._seats
        kept = {id(child) for child in children}
        return [seat for seat in self._seats if id(seat.child) in kept]

    @staticmethod
    def _standing(seats: Sequence[Seat], now: float) -> tuple[list[Seat], list[tuple[Seat, State]]]:
        """Who may be asked now in the ordinary way; who may not, and why."""
        candidates: list[Seat] = []
        out: list[tuple[Seat, State]] = []
        for seat in seats:
            health = seat.health
            # Most are well, which is seen here without a call.
            if (
                health is not None
                and not (health.open_until or health.limited_until > now or health.drained_until > now)
            ) or seat.usable(now):
                candidates.append(seat)
            else:
                out.append((seat, seat.state(now)))
        return candidates, out

    @staticmethod
    def _with_trials(
        candidates: list[Seat], out: list[tuple[Seat, State]], now: float, *, trial: bool
    ) -> tuple[list[Seat], bool]:
        """The candidates with those ejected ones that may be tried, if so many are ejected; and whether that is so."""
        ejected = [seat for seat, state in out if state == "open"]
        panic = 2 * len(ejected) > len(candidates) + len(out)
        if not (panic or trial):
            return candidates, False
        both = candidates + [seat for seat in ejected if seat.triable(now)]
        return sorted(both, key=_place), panic  # whose turn it is goes by their places

    @staticmethod
    async def _ask(seat: Seat, x: Exchange, *, trial: bool) -> Answer:
        if not trial or x.trial:
            return await seat.child.send(x)
        x.trial = True
        try:
            return await seat.child.send(x)
        finally:
            x.trial = False

    def _note(self, seat: Seat, failures: Sequence[UpstreamError]) -> str:
        if not failures:
            return f"{seat.name} by {self._by}"
        return f"{seat.name} by {self._by}, after {', '.join([failure.meaning for failure in failures])}"

    def explain(self, x: Exchange) -> Choice:
        now = time.monotonic()
        lacking = self.lacking(x)
        able = [seat for seat in self._seats if seat.place not in lacking]
        candidates, out = self._standing(able, now)
        candidates, panic = self._with_trials(candidates, out, now, trial=False)
        warmth = self._warmth(x, candidates, now)
        among = warmth.seats if warmth is not None else candidates
        chosen = among[0] if len(among) == 1 else self._way.peek(among, x, now) if among else None
        choices = []
        for seat in self._seats:
            choice = seat.child.explain(x)
            figures = self._way.figure(seat, x, now)
            if seat.place in lacking:
                why = f"left out: {lacking[seat.place]}"
            elif seat not in candidates:
                why = f"left out: {_left_out(seat, now)}; {figures}"
            elif seat not in among:
                why = f"another is warm for this prompt: {figures}; {choice.why}"
            elif chosen is None or seat is chosen:
                choices.append(replace(choice, why=f"{figures}; {choice.why}"))
                continue
            else:
                why = f"{self._way.worse(seat, chosen, x, now)}: {figures}; {choice.why}"
            choices.append(replace(choice, chosen=False, why=why))
        why = f"by {self._by}: {self._way.why}"
        if warmth is not None:
            why = f"{warmth.said(chosen or among[0], now)}; {'else ' if warmth.until else ''}{why}"
        if panic:
            why += "; more than half are ejected, so each of those is tried once a second"
        return Choice("balance", any(choice.chosen for choice in choices), why, tuple(choices))

    def _warmth(self, x: Exchange, candidates: Sequence[Seat], now: float) -> Warmth | None:
        """Who is warm for a request that is only explained."""
        prefix = self._affinity.read(x) if self._affinity is not None and candidates else None
        return self._affinity.narrow(prefix, candidates, now) if prefix is not None and self._affinity else None


_place = attrgetter("place")


def _affinity(config: BalanceConfig, context: CompileContext, seats: Sequence[Seat]) -> Affinity | None:
    if config.affinity is None:
        return None
    settings = AffinityConfig() if config.affinity == "prefix" else config.affinity

    def tell(result: str) -> None:
        context.tell("affinity.chosen", route=context.route, result=result)

    return Affinity(settings, seats, context.shared(PREFIXES, Prefixes), tell)


def _left_out(seat: Seat, now: float) -> str:
    """Why a seat is no candidate, for people."""
    wait = min(health.wait(now) for health in seat.healths)
    return f"{seat.state(now)} for {wait:.0f} s" if wait else "ejected, and being tried by another request"


def _way(
    config: BalanceConfig, needs: Callable[[Exchange], Needs], draw: Callable[[], float], seats: Sequence[Seat]
) -> Way:
    """The way of choosing that the file names."""
    ways: dict[By, Callable[[], Way]] = {
        "latency": lambda: Latency(draw, config.expected_output),
        "cost": lambda: Cost(draw, config.expected_output, needs, seats),
        "least_busy": lambda: LeastBusy(draw),
        "round_robin": RoundRobin,
        "weighted": Weighted,
        "headroom": lambda: MostLeft(draw),
        "random": lambda: Random(draw),
    }
    return ways[config.by]()
