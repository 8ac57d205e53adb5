"""Ways to choose one of several equals, as ``balance`` offers them.

A *seat* is one of the equals with what is known of it; a *way* picks one seat out of those that may be asked. Ways keep
what they need from one choice to the next (whose turn it is) on themselves and on the seats; what is known of a target
lives on its ``Health`` and outlives them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Literal

from proxy.choosing.capability import Needs
from proxy.choosing.headroom import UNKNOWN, Headroom, read_headroom
from proxy.choosing.health import LATENCY_MEMORY, Health, State
from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.policy import Target
from proxy.price import Price, shown

By = Literal["latency", "cost", "least_busy", "round_robin", "weighted", "headroom", "random"]
On = Literal[
    "rate_limited",
    "overloaded",
    "unavailable",
    "timeout",
    "bad_answer",
    "bad_credential",
    "context_too_long",
    "content_refused",
    "model_not_found",
    "unsupported",
]
# After these another target is asked. What a provider found wrong with a request, or refused for what it says, would
# fail there too.
GO_ON: tuple[On, ...] = (
    "rate_limited",
    "overloaded",
    "unavailable",
    "timeout",
    "bad_answer",
    "bad_credential",
    "context_too_long",
    "model_not_found",
    "unsupported",
)
Draw = Callable[[], float]
# A target that was not chosen for this many choices, nor for some time, has its latency forgotten by and by: it may
# have recovered, and only a request can tell. Both, so that a quiet route does not forget between two requests.
_STALE_AFTER = 200
_FAILED_AFTER = 20
_READ_EVERY = 0.1  # seconds: headers are news at most so often; what is in flight counts at once
_UNPRICED = 10**18  # nano-dollars for a million tokens
_UNSEEN_AND_BUSY = 1e6  # seconds: before its first answer a target is sent one request, not all of them


class Seat:
    """One of the equals: its child and what a way keeps for it. ``health`` where a single leaf is below, else None."""

    __slots__ = (
        "child",
        "chosen",
        "credit",
        "headroom",
        "health",
        "healths",
        "lines",
        "name",
        "place",
        "prices",
        "rate_in",
        "rate_out",
        "read_again",
        "told",
        "weight",
    )

    def __init__(self, place: int, child: Target, weight: float = 1.0, prices: Sequence[Price] = ()) -> None:
        self.place = place
        self.child = child
        self.name = ", ".join(child.leaves())
        self.healths: tuple[Health, ...] = child.healths()
        self.health = self.healths[0] if len(self.healths) == 1 else None
        self.weight = weight
        self.prices = tuple(prices)
        # Without a price it costs more than any other; with several (a node of several leaves) see ``Cost``.
        self.rate_in, self.rate_out = (
            (self.prices[0].input, self.prices[0].output) if self.prices else (_UNPRICED, _UNPRICED)
        )
        self.credit = 0.0  # what it is owed, by weight
        self.chosen = 0  # the number of the choice that it won last
        # What was read of the headers of each leaf; of a single one also here, for those in a hurry.
        self.headroom: list[tuple[Sequence[Header], Headroom]] = [((), UNKNOWN)] * len(self.healths)
        self.told: Sequence[Header] = ()
        self.lines: tuple[tuple[float, float, float], ...] = ()
        self.read_again = 0.0

    def usable(self, now: float) -> bool:
        """Whether a leaf below would be asked now, in the ordinary way."""
        if (health := self.health) is not None:
            return health.usable(now)
        return any(health.usable(now) for health in self.healths)

    def state(self, now: float) -> State:
        """What stands in the way, where it is not usable: for the leaf that is back first."""
        health = self.health or min(self.healths, key=lambda health: health.wait(now))
        state = health.state(now)
        return "open" if state == "half_open" else state

    def triable(self, now: float) -> bool:
        """Whether an ejected leaf below may be tried before its time is over."""
        return any(health.triable(now) for health in self.healths)

    def in_flight(self) -> int:
        """Requests that leaves below are answering, of whatever route."""
        if (health := self.health) is not None:
            return health.in_flight
        return sum([health.in_flight for health in self.healths])


class Way:
    """How to choose. ``why`` is the sentence for people."""

    __slots__ = ()

    why = ""

    def pick(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        """One of ``seats``, of which there are at least two."""
        raise NotImplementedError

    def peek(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat | None:
        """The one that ``pick`` would choose now, without choosing it; None where chance decides between all."""
        raise NotImplementedError

    def figure(self, seat: Seat, x: Exchange, now: float) -> str:
        """What the choice looks at, for people."""
        return f"{seat.in_flight()} in flight"

    def worse(self, seat: Seat, chosen: Seat, x: Exchange, now: float) -> str:
        """Why ``seat`` is not the one, for people."""
        return "another's turn"


class Random(Way):
    """Each the same chance."""

    __slots__ = ("_draw",)

    why = "at random"

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def pick(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        return seats[int(self._draw() * len(seats))]

    def peek(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat | None:
        return None


class RoundRobin(Way):
    """Each in its turn, in the order of the file."""

    __slots__ = ("_next",)

    why = "each in its turn"

    def __init__(self) -> None:
        self._next = 0

    def pick(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        found = self.peek(seats, x, now)
        self._next = found.place + 1
        return found

    def peek(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        due = self._next
        for seat in seats:
            if seat.place >= due:
                return seat
        return seats[0]


class Weighted(Way):
    """By weight and evenly spread, as nginx does it: of 3 and 1 every fourth goes to the second."""

    __slots__ = ()

    why = "by weight, evenly spread"

    def pick(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        best, most, total = seats[0], -math.inf, 0.0
        for seat in seats:
            weight = seat.weight
            total += weight
            credit = seat.credit = seat.credit + weight
            if credit > most:
                best, most = seat, credit
        best.credit -= total
        return best

    def peek(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        return max(seats, key=lambda seat: seat.credit + seat.weight)

    def figure(self, seat: Seat, x: Exchange, now: float) -> str:
        return f"weight {seat.weight:g}"


class _Least(Way):
    """The least of some measure; one of them at random where several are equal."""

    __slots__ = ("_draw",)

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def _least(self, seats: Sequence[Seat], measures: Sequence[float]) -> Seat:
        least = min(measures)
        count = measures.count(least)
        at = measures.index(least)
        for _ in range(int(self._draw() * count) if count > 1 else 0):
            at = measures.index(least, at + 1)
        return seats[at]


class LeastBusy(_Least):
    """The fewest requests in flight."""

    __slots__ = ()

    why = "the fewest requests in flight"

    def pick(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        return self._least(
            seats, [seat.in_flight() if seat.health is None else seat.health.in_flight for seat in seats]
        )

    def peek(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat | None:
        counts = [seat.in_flight() for seat in seats]
        return seats[counts.index(min(counts))] if max(counts) > min(counts) else None

    def worse(self, seat: Seat, chosen: Seat, x: Exchange, now: float) -> str:
        return "busier" if seat.in_flight() > chosen.in_flight() else "as busy; chance decides"


class Latency(Way):
    """Of two at random, the one that will probably be through first (power of two choices, peak EWMA).

    That is its time to the first token and for the expected tokens after it, times the requests that share it. Looking
    at two only keeps many gateways from sending everything to the same target at once.
    """

    __slots__ = ("_choices", "_draw", "_output")

    why = "of two drawn at random, the one that would be through first"

    def __init__(self, draw: Draw, output: int) -> None:
        self._draw = draw
        self._output = output
        self._choices = 0

    def pick(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        count = len(seats)
        draw = self._draw
        one = int(draw() * count)
        other = int(draw() * (count - 1))
        if other >= one:
            other += 1
        first, second = seats[one], seats[other]
        self._choices += 1
        output = self._expected(x)
        best = first if self._load(first, output, now) <= self._load(second, output, now) else second
        best.chosen = self._choices
        return best

    def peek(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        output = self._expected(x)
        return min(seats, key=lambda seat: self._load(seat, output, now))

    def _expected(self, x: Exchange) -> int:
        """Tokens of the answer. Nobody reads the body for it; what the caller allows counts where it is known."""
        needs = x.needs
        if needs is None or needs.output_tokens is None:
            return self._output
        return min(self._output, needs.output_tokens)

    def _load(self, seat: Seat, output: int, now: float) -> float:
        health = seat.health
        if health is not None:
            return self._seconds(seat, health, output, now) * (health.in_flight + 1)
        usable = [health for health in seat.healths if health.usable(now)] or seat.healths
        return min([self._seconds(seat, health, output, now) for health in usable]) * (seat.in_flight() + 1)

    def _seconds(self, seat: Seat, health: Health, output: int, now: float) -> float:
        first = health.first_token
        seconds = first.seconds
        if not seconds:
            if health.in_flight:
                return _UNSEEN_AND_BUSY
            # One that has only failed so far is no new one, but has its chance again after some requests.
            return math.exp((seat.chosen - self._choices) / _FAILED_AFTER) if health.last_failure else 0.0
        seconds += health.per_token.seconds * output
        stale = min((now - first.seen) / LATENCY_MEMORY, (self._choices - seat.chosen) / _STALE_AFTER)
        return seconds * math.exp(-stale) if stale > 0.05 else seconds

    def figure(self, seat: Seat, x: Exchange, now: float) -> str:
        seen = [health for health in seat.healths if health.first_token.seconds]
        if not seen:
            return f"no answer seen yet, {seat.in_flight()} in flight"
        health = min(seen, key=lambda health: health.first_token.seconds)
        each = health.per_token.seconds
        more = f" + {each * 1000:.2g} ms a token" if each else ""
        return f"first token {health.first_token.seconds * 1000:.0f} ms{more}, {seat.in_flight()} in flight"

    def worse(self, seat: Seat, chosen: Seat, x: Exchange, now: float) -> str:
        output = self._expected(x)
        slower = self._load(seat, output, now) > self._load(chosen, output, now)
        return "slower; chosen only where two slower ones are drawn" if slower else "as quick; chance decides"


class MostLeft(_Least):
    """The largest share left of the account's rate limits."""

    __slots__ = ()

    why = "the largest share left of its rate limits"

    def pick(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        most, found = -math.inf, [seats[0]]
        for seat in seats:
            health = seat.health
            if health is None or (seat.told is not health.told and now >= seat.read_again):
                least = self._share(seat, now)
            else:  # as ``Headroom.share`` does it, without a call for each seat, and no further than it may be the most
                least = 1.0
                for base, slope, each in seat.lines:
                    left = base + slope * now - each * health.in_flight
                    if left < least:
                        least = left
                        if left < most:
                            break
            if least > most:
                most, found = least, [seat]
            elif least == most:
                found.append(seat)
        return found[0] if len(found) == 1 else found[int(self._draw() * len(found))]

    def peek(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat | None:
        shares = [self._share(seat, now) for seat in seats]
        return seats[shares.index(max(shares))] if max(shares) > min(shares) else None

    def _share(self, seat: Seat, now: float) -> float:
        return max([self._left(seat, at, health, now) for at, health in enumerate(seat.healths)])

    @staticmethod
    def _left(seat: Seat, at: int, health: Health, now: float) -> float:
        told, known = seat.headroom[at]
        if told is not health.told:
            wall = time.time() - (now - health.told_at)
            known = read_headroom(health.told, health.told_at, wall, known)
            seat.headroom[at] = health.told, known
            if seat.health is not None:
                seat.told, seat.lines, seat.read_again = health.told, known.lines, now + _READ_EVERY
        return known.share(now, health.in_flight)

    def figure(self, seat: Seat, x: Exchange, now: float) -> str:
        if not any(health.told for health in seat.healths):
            return "its limits are not known"
        return f"{max(0.0, self._share(seat, now)):.0%} of its limits left"

    def worse(self, seat: Seat, chosen: Seat, x: Exchange, now: float) -> str:
        less = self._share(seat, now) < self._share(chosen, now)
        return "less is left" if less else "as much is left; chance decides"


class Cost(_Least):
    """The lowest price of this request; of several, the one with the fewest requests in flight."""

    __slots__ = ("_needs", "_output", "_several")

    why = "the lowest price of this request"

    def __init__(self, draw: Draw, output: int, needs: Callable[[Exchange], Needs], seats: Sequence[Seat] = ()) -> None:
        super().__init__(draw)
        self._output = output
        self._needs = needs
        self._several = any(len(seat.prices) > 1 for seat in seats)

    def pick(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat:
        tokens, output = self._size(x)
        if self._several:
            costs = [self._cost(seat, tokens, output) for seat in seats]
        else:
            costs = [seat.rate_in * tokens + seat.rate_out * output for seat in seats]
        least = min(costs)
        if costs.count(least) == 1:
            return seats[costs.index(least)]
        cheapest = [seat for seat, cost in zip(seats, costs, strict=True) if cost == least]
        return self._least(cheapest, [seat.in_flight() for seat in cheapest])

    def peek(self, seats: Sequence[Seat], x: Exchange, now: float) -> Seat | None:
        tokens, output = self._size(x)
        ordered = sorted(seats, key=lambda seat: (self._cost(seat, tokens, output), seat.in_flight()))
        first, last = ordered[0], ordered[-1]
        same = self._cost(first, tokens, output) == self._cost(last, tokens, output)
        return None if same and first.in_flight() == last.in_flight() else first

    def _size(self, x: Exchange) -> tuple[int, int]:
        """Tokens in, and tokens out as far as can be told ahead."""
        needs = self._needs(x)
        allowed = needs.output_tokens
        return needs.input_tokens, self._output if allowed is None else min(self._output, allowed)

    @staticmethod
    def _cost(seat: Seat, tokens: int, output: int) -> int:
        """A measure in the order of cost: of the cheapest leaf below."""
        unknown = _UNPRICED * (tokens + output)
        return min([price.input * tokens + price.output * output for price in seat.prices], default=unknown)

    def figure(self, seat: Seat, x: Exchange, now: float) -> str:
        if not seat.prices:
            return "its price is not known, so it comes last"
        tokens, output = self._size(x)
        cost = min(price.of(tokens, output) for price in seat.prices)
        return f"about {shown(cost)} for {tokens} tokens in and {output} out"

    def worse(self, seat: Seat, chosen: Seat, x: Exchange, now: float) -> str:
        tokens, output = self._size(x)
        same = self._cost(seat, tokens, output) == self._cost(chosen, tokens, output)
        if same:
            return "costs the same and is busier"
        return "costs more" if seat.prices else "not before those with a price"
