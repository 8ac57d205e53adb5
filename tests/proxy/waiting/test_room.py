"""The room: who is next, how many at once, how long it will take. Its clock is the test's."""

from __future__ import annotations

import itertools
import random

import pytest

from proxy.choosing.health import Health
from proxy.errors import Overloaded, RateLimited, UpstreamError
from proxy.waiting.room import Room, Ticket

SEED = 7


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A fresh one."""
    return Clock()


def ticket_in(room: Room, clock: Clock, rank: float | None = None) -> Ticket:
    """One that waits; as it comes, unless told otherwise."""
    ticket = Ticket(clock.now)
    ticket.key = (clock.now if rank is None else rank, room.number())
    room.join(ticket)
    return ticket


def limit(room: Room, clock: Clock, seconds: float | None, *, error: UpstreamError | None = None) -> Ticket:
    """Somebody was limited for so long."""
    ticket = Ticket(clock.now)
    room.grant(ticket)
    room.limited(ticket, error or RateLimited("", retry_after=seconds), ())
    return ticket


def granted(tickets: list[Ticket]) -> list[int]:
    """Which of them may go."""
    return [at for at, ticket in enumerate(tickets) if ticket.granted]


async def test_release_doubles(clock: Clock) -> None:
    """After a limit one goes; whoever is not limited again lets two more follow."""
    room = Room(clock)
    limit(room, clock, 5)
    tickets = [ticket_in(room, clock) for _ in range(20)]
    room.pump()
    assert granted(tickets) == []
    clock.now += 5.01
    sizes = []
    while len(room):
        room.pump()
        wave = [ticket for ticket in tickets if ticket.granted]
        sizes.append(len(wave))
        for ticket in wave:
            room.passed(ticket)
        for ticket in wave:
            room.ended(ticket)
    assert sizes[0] == 1
    assert all(after <= 2 * before for before, after in itertools.pairwise(sizes))
    assert max(sizes) >= 4


async def test_limited_again(clock: Clock) -> None:
    """Who is limited again is first again, and nobody else is sent to hear the same."""
    room = Room(clock)
    limit(room, clock, 5)
    tickets = [ticket_in(room, clock) for _ in range(5)]
    clock.now += 5.01
    room.pump()
    assert granted(tickets) == [0]
    room.limited(tickets[0], RateLimited("", retry_after=7), ())
    late = ticket_in(room, clock)
    room.join(tickets[0])
    assert room.ahead(tickets[0]) == 0
    clock.now += 6.9
    room.pump()
    assert granted([*tickets, late]) == []
    clock.now += 0.2
    room.pump()
    assert granted([*tickets, late]) == [0]


async def test_newcomers_do_not_overtake(clock: Clock) -> None:
    """While somebody waits, nobody goes past the line."""
    room = Room(clock)
    at_first = room.free
    assert at_first
    limit(room, clock, 1)
    assert not room.free
    ticket = ticket_in(room, clock)
    clock.now += 2
    assert not room.free
    room.pump()
    assert ticket.granted
    assert not room.free  # it is not known yet whether it is limited again
    room.passed(ticket)
    assert room.free


async def test_slots(clock: Clock) -> None:
    """No more than there are slots; one that leaves, waiting or not, makes room for the next."""
    room, order = Room(clock), random.Random(SEED)
    room.slots = 3
    tickets = [ticket_in(room, clock) for _ in range(30)]
    gone: set[int] = set()
    while len(gone) < 30:
        assert room.running == len(granted(tickets)) <= 3
        at = order.choice([at for at in range(30) if at not in gone])
        gone.add(at)
        room.leave(tickets[at])
    assert room.running == len(room) == 0


@pytest.mark.parametrize("retry_after", [0.0, 1e-9])
async def test_no_busy_loop(clock: Clock, retry_after: float) -> None:
    """A provider that limits for no time at all is asked less and less often."""
    room = Room(clock)
    rests = []
    for _ in range(8):
        limit(room, clock, retry_after)
        rests.append(room.rest_until - clock.now)
        clock.now = room.rest_until + 0.001
    assert rests[0] == pytest.approx(0.05)
    assert sum(rests) > 5


async def test_unknown_end(clock: Clock) -> None:
    """Where nobody tells when a limit ends, it is looked at after a second, then twice that."""
    room = Room(clock)
    for expected in (1, 2, 4, 8, 16, 30, 30):
        limit(room, clock, None, error=Overloaded(""))
        assert room.rest_until - clock.now == pytest.approx(expected)
        clock.now = room.rest_until + 0.001


async def test_first_target_counts(clock: Clock) -> None:
    """The line moves when the first of the targets is back, not the last that was asked."""
    room, soon, later = Room(clock), Health("a/b"), Health("c/d")
    soon.limited_until, later.limited_until = clock.now + 2, clock.now + 60
    ticket = Ticket(clock.now)
    room.grant(ticket)
    room.limited(ticket, RateLimited("", retry_after=60), (soon, later))
    assert room.rest_until == clock.now + 2


class Provider:
    """Takes so many in each window; a window begins with its first request."""

    def __init__(self, clock: Clock, per_window: int, window: float) -> None:
        self._clock, self._per_window, self._window = clock, per_window, window
        self._end = self._left = 0.0

    def ask(self) -> float:
        """Seconds to wait; 0: it was answered."""
        if self._clock.now >= self._end:
            self._end, self._left = self._clock.now + self._window, self._per_window
        self._left -= 1
        return 0.0 if self._left >= 0 else self._end - self._clock.now


@pytest.mark.parametrize("per_window", [1, 3, 10, 50])
@pytest.mark.parametrize("window", [2.0, 20.0, 60.0])
async def test_estimates(clock: Clock, per_window: int, window: float) -> None:
    """Whoever waits is told at least half of what it will be, and no more than twice of it and a window."""
    room, provider = Room(clock), Provider(clock, per_window, window)
    told: dict[int, tuple[float, float]] = {}

    def ask(ticket: Ticket) -> None:
        wait = provider.ask()
        if wait:
            room.limited(ticket, RateLimited("", retry_after=wait), ())
            if not ticket.position:
                ticket.key = (ticket.arrived, room.number())
                told[id(ticket)] = clock.now, room.estimate(room.ahead(ticket))
            room.join(ticket)
        else:
            room.passed(ticket)
            room.ended(ticket)
            since, estimate = told.get(id(ticket), (clock.now, 0.0))
            waited = clock.now - since
            assert waited <= 2 * estimate + 0.2
            assert estimate <= 2 * waited + window

    for _ in range(per_window + 1):
        first = Ticket(clock.now)
        room.grant(first)
        ask(first)
        clock.now += 0.01
    tickets = []
    for _ in range(per_window * 3):
        tickets.append(Ticket(clock.now))
        tickets[-1].key = (clock.now, room.number())
        told[id(tickets[-1])] = clock.now, room.estimate(room.ahead(tickets[-1]))
        room.join(tickets[-1])
    tickets.append(first)
    while len(room) or room.running:
        room.pump()
        ready = [ticket for ticket in tickets if ticket.granted]
        for ticket in ready:
            ask(ticket)
        clock.now = clock.now + 0.01 if ready else max(clock.now, room.rest_until) + 0.001


async def test_estimate_of_slots(clock: Clock) -> None:
    """With slots, a place in the line takes as long as answers take."""
    room = Room(clock)
    room.slots = 2
    for _ in range(3):
        ticket = Ticket(clock.now)
        room.grant(ticket)
        clock.now += 4
        room.passed(ticket)
        room.ended(ticket, whole=True)
    for _ in range(6):
        ticket_in(room, clock)
    assert room.estimate(4) == pytest.approx(12, rel=0.1)


async def test_cancelled_turn(clock: Clock) -> None:
    """A turn that comes to somebody who has just gone is the next one's."""
    room = Room(clock)
    limit(room, clock, 1)
    first, second = ticket_in(room, clock), ticket_in(room, clock)
    clock.now += 1.1
    room.pump()
    assert (first.granted, second.granted) == (True, False)
    room.leave(first)
    assert second.granted
    room.leave(first)
    assert room.running == 1


async def test_forgotten(clock: Clock) -> None:
    """A limit that is over, with nobody waiting, stands in nobody's way."""
    room = Room(clock)
    limit(room, clock, 1)
    ticket = ticket_in(room, clock)
    room.leave(ticket)
    clock.now += 1.1
    tickets = [Ticket(clock.now) for _ in range(4)]
    room.pump()
    for each in tickets:
        assert room.free
        room.grant(each)
