"""The policy `queue`: a fair line, bounded, left by whoever goes; told in time when it takes too long."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from policies.limits.queue import PrioritiesConfig, Queue, QueueConfig
from proxy.choosing.capability import Needs
from proxy.errors import NoTarget, Overloaded, RateLimited, Rejected, UpstreamError
from proxy.exchange import Attempt, Exchange, Identity, Reply
from proxy.policy import Answer
from proxy.units import Duration
from proxy.waiting.room import Room
from tests.policies.conftest import Context, Scripted

T = TypeVar("T")
MakeExchange = Callable[..., Exchange]


class Kept(Context):
    """A context whose shared state stays, as over reloads."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Any] = {}

    def shared(self, key: str, factory: Callable[[], T]) -> T:
        found: T = self.kept.setdefault(key, factory())
        return found


class Limiting(Scripted):
    """Refuses until it is opened; writes down whom it has answered. Its answers flow until ``finish``."""

    def __init__(self, rest: float = 0.05) -> None:
        super().__init__("sim/model")
        self.rest = rest
        self.open = False
        self.order: list[str] = []
        self.at_once = self.most = 0
        self.flowing: list[Attempt] = []

    async def send(self, x: Exchange) -> Answer:
        self.sent += 1
        if not self.open:
            raise RateLimited("limited", retry_after=self.rest)
        self.order.append(x.request_id)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        attempt = Attempt(self.name, time.monotonic())
        attempt.ends = self._over
        x.attempts.append(attempt)
        self.flowing.append(attempt)
        answer = Answer(200, [(b"content-type", b"application/json")], body=b"{}", target=self.name)
        answer.attempt = attempt
        return answer

    def _over(self, failure: str | None) -> None:
        self.at_once -= 1


@pytest.fixture
def named(exchange: MakeExchange) -> MakeExchange:
    """An exchange with a name, of a tier, with a size in tokens."""

    def make(name: str, *, tier: str = "", tokens: int = 0, stream: bool = False) -> Exchange:
        x = exchange()
        x.request_id, x.needs, x.stream = name, Needs(input_tokens=tokens), stream
        x.identity = Identity("acme", "search", name, tier=tier)
        return x

    return make


async def settle(queue: Queue, size: int, room: Room) -> None:
    """Wait until so many are in line."""
    async with asyncio.timeout(5):
        while len(room) != size:
            await asyncio.sleep(0)


def made(context: Any, **config: Any) -> tuple[Queue, Room]:
    """A queue and its room."""
    queue = Queue.compile(QueueConfig(**config), context)
    return queue, context.shared("queue chat", Room)


async def line_up(queue: Queue, room: Room, target: Limiting, *line: Exchange) -> list[asyncio.Task[Answer]]:
    """Let all of them wait; then the limit ends. They are answered one by one."""
    tasks = []
    for number, x in enumerate(line, 1):
        tasks.append(asyncio.create_task(queue.send(x, target)))
        await settle(queue, number, room)
    target.open = True
    return tasks


async def serve_all(target: Limiting, tasks: list[asyncio.Task[Answer]]) -> list[str]:
    """End each answer as it comes."""
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0.001)
        while target.flowing:
            target.flowing.pop().end()
    await asyncio.gather(*tasks)
    return target.order


async def test_tiers(named: MakeExchange) -> None:
    """The higher tier goes first; within one, who came first; who has none is like `basic`."""
    queue, room = made(Kept(), max_in_flight=1)
    target = Limiting()
    line = [named("free", tier="free"), named("none"), named("basic", tier="basic"), named("premium", tier="premium")]
    line.append(named("enterprise", tier="enterprise"))
    tasks = await line_up(queue, room, target, *line)
    assert await serve_all(target, tasks) == ["enterprise", "premium", "none", "basic", "free"]


async def test_short_before_long(named: MakeExchange) -> None:
    """Of one tier the shorter goes first; the longest of a higher tier still goes before all of them."""
    queue, room = made(Kept(), max_in_flight=1)
    target = Limiting()
    line = [named("long", tokens=50_000), named("short", tokens=20), named("middle", tokens=2000)]
    line.append(named("premium", tier="premium", tokens=1_000_000))
    tasks = await line_up(queue, room, target, *line)
    assert await serve_all(target, tasks) == ["premium", "short", "middle", "long"]


async def test_old_ticket(named: MakeExchange) -> None:
    """Who is limited again has lost nothing: the next turn is still the first one's."""
    queue, room = made(Kept(), max_in_flight=1)
    target = Limiting(rest=0.2)
    tasks = [asyncio.create_task(queue.send(named("first"), target))]
    await settle(queue, 1, room)
    tasks.append(asyncio.create_task(queue.send(named("second"), target)))
    await settle(queue, 2, room)
    async with asyncio.timeout(5):
        while target.sent < 2:
            await asyncio.sleep(0.005)
    target.open = True
    assert await serve_all(target, tasks) == ["first", "second"]


async def test_ageing(named: MakeExchange) -> None:
    """A free request that has waited long enough goes before a premium one that comes then."""
    queue, room = made(Kept(), max_in_flight=1, ageing=Duration(0.02))
    target = Limiting(rest=0.3)
    old = asyncio.create_task(queue.send(named("free", tier="free"), target))
    await settle(queue, 1, room)
    await asyncio.sleep(0.1)
    tasks = [asyncio.create_task(queue.send(named(f"premium {n}", tier="premium"), target)) for n in range(5)]
    await settle(queue, 6, room)
    target.open = True
    assert (await serve_all(target, [old, *tasks]))[0] == "free"


async def test_bounded(named: MakeExchange) -> None:
    """A full line refuses at once, and says when to come back."""
    queue, room = made(Kept(), max_size=2)
    target = Limiting(rest=2)
    tasks = [asyncio.create_task(queue.send(named(str(n)), target)) for n in range(2)]
    await settle(queue, 2, room)
    with pytest.raises(RateLimited) as refused:
        await queue.send(named("third"), target)
    assert refused.value.error_code == "queue_full"
    assert refused.value.retry_after is not None
    assert refused.value.retry_after >= 1.5
    assert target.sent == 1  # the first found the limit; nobody else was sent to it
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(room) == 0


async def test_in_flight(named: MakeExchange) -> None:
    """Never more than `max_in_flight` answers flow at once, cancelled callers included."""
    queue, room = made(Kept(), max_in_flight=3)
    target = Limiting()
    target.open = True
    tasks = [asyncio.create_task(queue.send(named(str(n)), target)) for n in range(30)]
    await asyncio.sleep(0)
    for task in tasks[5:30:5]:
        task.cancel()
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        if target.flowing:
            target.flowing.pop().end()
    assert target.most == 3
    assert len(target.order) == 25
    while target.flowing:
        target.flowing.pop().end()
    assert (room.running, len(room)) == (0, 0)


async def test_other_failures(named: MakeExchange) -> None:
    """Waiting does not help against a failure that is no limit, nor when every breaker is open."""
    queue, room = made(Kept())
    for failure in (Rejected("no"), NoTarget("none", retry_after=3)):
        with pytest.raises(UpstreamError) as raised:
            await queue.send(named("a"), Scripted("sim/x", failure))
        assert raised.value is failure
    assert (room.running, len(room)) == (0, 0)


@pytest.mark.parametrize("failure", [RateLimited("", retry_after=90), Overloaded("")])
async def test_refuses(named: MakeExchange, failure: UpstreamError) -> None:
    """A wait beyond the caller's patience is refused at once, with the true one."""
    queue, _ = made(Kept(), patience=Duration(0.5), on_long_wait="refuse")
    x = named("a")
    started = time.monotonic()
    with pytest.raises(UpstreamError) as refused:
        await queue.send(x, Scripted("sim/x", failure))
    assert type(refused.value) is type(failure)
    assert refused.value.retry_after == pytest.approx(failure.retry_after or 1.0, abs=0.2)
    assert refused.value.headers[0][0] == b"retry-after"
    assert time.monotonic() - started < 0.4
    assert x.notes["refused_by"] == "queue"


async def test_deadline(named: MakeExchange) -> None:
    """The caller's own deadline is kept, also where nobody could know that it would not be."""
    queue, room = made(Kept(), max_in_flight=1)
    target = Limiting()
    target.open = True
    await queue.send(named("first"), target)
    x = named("second")
    x.deadline = time.monotonic() + 1.3
    with pytest.raises(RateLimited):
        await queue.send(x, target)
    assert target.order == ["first"]
    assert len(room) == 0


class Accepting:
    """Takes everything over."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, float]] = []

    async def accept(self, x: Exchange, *, kind: str, estimate: float) -> Reply | None:
        """As jobs do it."""
        self.taken.append((kind, estimate))
        return Reply(202, b'{"id":"queue_%d"}' % len(self.taken))


async def test_accepts(named: MakeExchange) -> None:
    """Where there are jobs, such a request is taken over; within a job it waits; a stream is refused."""
    queue, room = made(Kept(), patience=Duration(0.5))
    target, jobs = Limiting(rest=3), Accepting()
    x = named("a")
    x.jobs = jobs
    assert (await queue.send(x, target)).status == 202
    ((kind, estimate),) = jobs.taken
    assert kind == "queue"
    assert estimate == pytest.approx(3, abs=0.5)
    stream = named("b", stream=True)
    stream.jobs, stream.deadline = jobs, time.monotonic() + 1
    with pytest.raises(RateLimited):
        await queue.send(stream, target)
    inner = named("c")
    inner.notes["job"] = "queue_1"
    task = asyncio.create_task(queue.send(inner, target))
    await settle(queue, 1, room)
    task.cancel()


async def test_promised_places(named: MakeExchange) -> None:
    """Who was accepted counts as waiting: each is told a longer wait, and comes back to its own place."""
    queue, room = made(Kept(), patience=Duration(0.5), max_in_flight=1)
    target, jobs = Limiting(rest=0.7), Accepting()
    for number in range(4):
        x = named(str(number))
        x.jobs = jobs
        told = json.loads((await queue.send(x, target)).body or b"")
        assert told["position"] == number + 1
    waits = [wait for _, wait in jobs.taken]
    assert all(later > sooner + 0.2 for sooner, later in itertools.pairwise(waits))
    back = []
    for number in (4, 2, 3, 1):
        inner = named(str(number))
        inner.notes["job"] = f"queue_{number}"
        back.append(asyncio.create_task(queue.send(inner, target)))
        await settle(queue, len(back), room)
    target.open = True
    assert await serve_all(target, back) == ["1", "2", "3", "4"]


async def test_reload(named: MakeExchange) -> None:
    """A line stays as it is when its policy is compiled anew."""
    context = Kept()
    queue, room = made(context)
    target = Limiting(rest=0.2)
    first = asyncio.create_task(queue.send(named("first"), target))
    await settle(queue, 1, room)
    again, same = made(context, max_in_flight=1)
    assert same is room
    second = asyncio.create_task(again.send(named("second"), target))
    await settle(again, 2, room)
    target.open = True
    assert await serve_all(target, [first, second]) == ["first", "second"]


async def test_held_line(named: MakeExchange) -> None:
    """A streaming client reads comments while it waits; when it goes, its place is free and nobody was asked."""
    queue, room = made(Kept())
    target = Limiting(rest=20)
    answer = await queue.send(named("a", stream=True), target)
    assert answer.is_sse
    assert answer.chunks is not None
    assert await anext(answer.chunks) == b": waiting, position 1\n\n"
    assert len(room) == 1
    assert answer.close is not None
    answer.close()
    await settle(queue, 0, room)
    unread = await queue.send(named("b", stream=True), target)
    unread.discard()
    await settle(queue, 0, room)
    assert target.sent == 1


async def test_held_failure(named: MakeExchange) -> None:
    """What goes wrong after the wait is raised by the stream, which says it to the client."""
    queue, room = made(Kept())
    target = Limiting(rest=1.2)
    answer = await queue.send(named("a", stream=True), target)
    assert answer.chunks is not None
    await anext(answer.chunks)
    target.failure = Rejected("no such thing")
    target.send = Scripted.send.__get__(target)  # type: ignore[method-assign]
    with pytest.raises(Rejected):
        await anext(answer.chunks)
    assert (room.running, len(room)) == (0, 0)


def test_priorities_are_merged(named: MakeExchange) -> None:
    """A tier that is not named keeps its priority, and explain tells it."""
    queue, _ = made(Kept(), priorities=PrioritiesConfig(free=2))
    assert "priority 2 (free)" in queue.explain(named("a", tier="free"))
    assert "priority 1 (basic)" in queue.explain(named("a"))
