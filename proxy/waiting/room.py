"""The room in which the requests of one route wait: who is next, when, and how long that will take.

Whoever waits has a *ticket*, and tickets stand in one order that never changes: by the moment of arrival, less what a
priority is worth. So a request that has waited long enough is before every later one, whatever its priority. When a
limit is over one request is let through, to see; each that is not limited again lets two more follow. All times are of
one monotonic clock.
"""

from __future__ import annotations

import asyncio
import math
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence

from proxy.choosing.health import Health
from proxy.errors import UpstreamError

SETTLED = 1.0  # seconds after which a request that was let through is taken not to be limited
LOOK_EVERY = 1.0  # seconds between looks whether a limit has ended before its time
_EARLY = 0.005  # seconds by which a timer, or somebody else's clock, may be early
_MEMORY = 60.0  # seconds in which what was seen of the rate loses most of its weight
_IDLE = 1.0  # seconds of a pause between requests that count as time in which requests pass
_FIRST_REST, _LONGEST_REST = 1.0, 30.0  # seconds: a limit whose end nobody told; doubled each time
_SHORTEST_REST = 0.05  # seconds, doubled as well: no provider's answer makes this a busy loop
_KNOWN = 0.5  # requests that were seen to pass lately: with fewer, nothing is known of the rate
_MAX_PROMISED = 10_000  # places of requests that are answered later
_GUESSED = 2.0  # requests that pass between one limit and the next, where nothing is known


class Ticket:
    """A request's place. ``key`` orders; ``turn`` is done when it may go."""

    __slots__ = ("arrived", "granted", "key", "position", "sent", "turn", "unproven")

    def __init__(self, arrived: float) -> None:
        self.arrived = arrived
        self.key = (arrived, 0)
        self.position = 0  # when it began to wait, from 1; 0: it did not
        self.granted = False  # it was let through, and may hold one of the slots
        self.unproven = False  # it may be limited yet
        self.sent = 0.0  # when it was let through
        self.turn: asyncio.Future[None] | None = None


class Room:
    """All tickets of one route. ``slots``: how many may be let through at once, None: any number."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.slots: int | None = None
        self.running = 0  # let through, with their answers still flowing
        self.rest_until = 0.0
        self._clock = clock
        self._waiting: list[tuple[tuple[float, int], Ticket]] = []
        self._number = 0
        self._promised: dict[str, tuple[tuple[float, int], float]] = {}  # id → key, when it is given up
        self._promised_keys: list[tuple[float, int]] = []  # sorted
        self._window = math.inf  # how many may be let through before one of them is seen not to be limited
        self._unproven = 0
        self._limits_in_a_row = 0
        self._healths: Sequence[Health] = ()  # those of the targets that were asked last, and could be asked
        self._timer: asyncio.TimerHandle | None = None
        self._passed = 0.0  # requests that were answered, fading
        self._busy = 0.0  # seconds in which they were, fading as well
        self._seen = clock()
        self._service = 0.0  # seconds that a request holds its slot, on average
        self._answer = 0.0  # seconds until its answer begins

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def free(self) -> bool:
        """Whether a newcomer may go at once."""
        return not self._waiting and self._may_pass(self._clock())

    def number(self) -> int:
        """A number for each ticket: of equal keys the older first."""
        self._number += 1
        return self._number

    # Coming and going

    def join(self, ticket: Ticket) -> None:
        """Begin to wait, or go on with it, at the place that the ticket's key gives."""
        self._advance()
        ticket.turn = asyncio.get_running_loop().create_future()
        insort(self._waiting, (ticket.key, ticket), key=_key)
        ticket.position = ticket.position or self.ahead(ticket) + 1
        self.pump()

    def leave(self, ticket: Ticket) -> None:
        """Do not wait any longer. A turn that has just come goes to the next."""
        self._advance()
        if ticket.granted:
            self._end(ticket)
        else:
            at = self._place(ticket)
            if at < len(self._waiting) and self._waiting[at][1] is ticket:
                del self._waiting[at]
        self.pump()

    def grant(self, ticket: Ticket) -> None:
        """Let it through."""
        ticket.granted = True
        ticket.sent = self._clock()
        self.running += 1
        if self._window < math.inf:
            ticket.unproven = True
            self._unproven += 1
            asyncio.get_running_loop().call_later(SETTLED, self._settle, ticket)
        if ticket.turn is not None and not ticket.turn.done():
            ticket.turn.set_result(None)

    async def granted(self, ticket: Ticket, seconds: float) -> bool:
        """Wait for its turn; False, and it waits no longer, if that does not come within ``seconds``."""
        assert ticket.turn is not None
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await ticket.turn
        except TimeoutError:
            if not ticket.granted:
                self.leave(ticket)
                return False
        except BaseException:
            self.leave(ticket)
            raise
        return True

    def passed(self, ticket: Ticket) -> None:
        """Its answer has begun."""
        self._advance()
        self._passed += 1.0
        self._limits_in_a_row = 0
        self._answer = _average(self._answer, self._clock() - ticket.sent)
        self._prove(ticket)
        self.pump()

    def ended(self, ticket: Ticket, *, whole: bool = False) -> None:
        """It holds nothing any more. ``whole``: it was answered, and that took as long as an answer takes."""
        if ticket.granted:
            if whole:
                self._service = _average(self._service, self._clock() - ticket.sent)
            self._end(ticket)
            self.pump()

    def limited(self, ticket: Ticket, error: UpstreamError, healths: Sequence[Health]) -> None:
        """It was limited: nobody goes until that is over, and then one."""
        self._advance()
        now = self._clock()
        if self.rest_until <= now:
            self._limits_in_a_row += 1
        wait = max(self._rest(now, error, healths), _SHORTEST_REST * 2 ** min(self._limits_in_a_row - 1, 6))
        self.rest_until = max(self.rest_until, now + wait)
        self._healths = [health for health in healths if not health.usable(now)]
        self._window = 1
        self._end(ticket)
        self.pump()

    def _rest(self, now: float, error: UpstreamError, healths: Sequence[Health]) -> float:
        """Seconds until the first of the targets may be asked again."""
        waits = [wait for health in healths if (wait := health.wait(now)) > 0]
        if not waits or (not error.skipped and error.meaning != "rate_limited"):
            guessed = min(_LONGEST_REST, _FIRST_REST * 2 ** min(self._limits_in_a_row - 1, 10))
            waits.append(guessed if error.retry_after is None else error.retry_after)
        return min(waits)

    def promise(self, identity: str, key: tuple[float, int], wait: float) -> None:
        """Keep a place for a request that will come back under this name in about so many seconds."""
        now = self._clock()
        self.claim(identity)
        while self._promised:
            first = next(iter(self._promised))
            if len(self._promised) < _MAX_PROMISED and self._promised[first][1] > now:
                break
            self.claim(first)
        self._promised[identity] = key, now + 2 * wait + _MEMORY
        insort(self._promised_keys, key)

    def claim(self, identity: str) -> tuple[float, int] | None:
        """The key of the place that was kept, which is given up with that."""
        key, _ = self._promised.pop(identity, (None, 0.0))
        if key is not None:
            del self._promised_keys[bisect_left(self._promised_keys, key)]
        return key

    # Letting through

    def pump(self) -> None:
        """Let through who may go, and come back when the next may."""
        now = self._clock()
        while self._waiting and self._may_pass(now):
            self.grant(self._waiting.pop(0)[1])
        if not self._waiting and not self._unproven and now >= self.rest_until:
            self._window = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and self.rest_until > now:
            after = min(self.rest_until - now + _EARLY, LOOK_EVERY)
            self._timer = asyncio.get_running_loop().call_later(after, self._wake)

    def _may_pass(self, now: float) -> bool:
        return (
            now >= self.rest_until
            and self._unproven < self._window
            and (self.slots is None or self.running < self.slots)
        )

    def _wake(self) -> None:
        now = self._clock()
        if self.rest_until > now and any(health.usable(now) for health in self._healths):
            self.rest_until = now  # somebody, or another route, knows that it is over
        self.pump()

    def _settle(self, ticket: Ticket) -> None:
        if ticket.unproven:
            self._prove(ticket)
            self.pump()

    def _prove(self, ticket: Ticket) -> None:
        if ticket.unproven:
            ticket.unproven = False
            self._unproven -= 1
            if self.rest_until <= self._clock():
                self._window += 1

    def _end(self, ticket: Ticket) -> None:
        if ticket.unproven:
            ticket.unproven = False
            self._unproven -= 1
        if ticket.granted:
            ticket.granted = False
            self.running -= 1

    # How long it will take

    def ahead(self, ticket: Ticket) -> int:
        """How many are before it, with those who will come back for their place."""
        return self._place(ticket) + bisect_left(self._promised_keys, ticket.key)

    def _place(self, ticket: Ticket) -> int:
        return bisect_left(self._waiting, ticket.key, key=_key)

    def estimate(self, ahead: int) -> float:
        """Seconds that somebody will wait who has so many before him."""
        self._advance()
        now = self._clock()
        rest = max(0.0, self.rest_until - now)
        wait = rest
        if rest or self._window < math.inf:
            passed, span = self._passed, self._busy + rest
            if passed < _KNOWN:
                passed, span = _GUESSED, max(span, _FIRST_REST)
            wait += ahead * span / passed + math.log2(ahead + 1) * min(SETTLED, self._answer)
        if self.slots is not None and self.running + ahead >= self.slots:
            turns = math.ceil((ahead + 1) / self.slots)
            wait = max(wait, rest + turns * (self._service or max(SETTLED, self._answer)))
        return wait

    def _advance(self) -> None:
        """Let what was seen fade, and count the time that requests had to pass in."""
        now = self._clock()
        elapsed = now - self._seen
        fading = math.exp(-elapsed / _MEMORY)
        is_busy = bool(self._waiting) or self.rest_until > self._seen
        self._passed *= fading
        self._busy = self._busy * fading + (elapsed if is_busy else min(elapsed, _IDLE))
        self._seen = now


def _key(item: tuple[tuple[float, int], Ticket]) -> tuple[float, int]:
    return item[0]


def _average(old: float, new: float) -> float:
    return new if not old else 0.8 * old + 0.2 * new
