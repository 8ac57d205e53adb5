"""Counters that replicas share, through a store that speaks Redis' protocol.

A reservation is one script in the store, over all gauges and by the store's clock; so is a settlement. What requests of
one turn of the loop ask goes out together. Nobody waits for a settlement: they are sent in order, again after a loss,
and each counts once, as the store knows the number of the last one of each replica. Whoever no longer waits for a
reservation when the answer comes (time-out, a caller that has left) has it given back.

While the store cannot be asked, each replica counts for itself, or refuses, as the gauges say.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import sha1
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from proxy.limits.limit import SECONDS, Amounts, Counters, Gauge, Held, Level, Over, Unavailable
from proxy.limits.memory import MemoryCounters
from proxy.limits.windows import PREFIX, RENEW, RESERVE, SETTLE, periods_around

if TYPE_CHECKING:
    from redis.asyncio import Connection

UNREACHABLE = "the store of limits cannot be reached; each replica counts for itself"
FORGOTTEN = f"{UNREACHABLE}; there is more to settle than can be remembered"
TIMEOUT = 1.0  # seconds; a burst of a thousand requests takes the store a third of that
RETRY = 1.0  # seconds between tries while the store is lost
LEASE = 8.0  # seconds after which a place is free whose holder does not renew it
RENEW_EVERY = 2.5  # seconds between renewals
MAX_SETTLEMENTS = 100_000  # that wait for the store; beyond that the oldest are dropped
_PATIENCE = 4  # time-outs for one exchange with the store, with connecting
_LATEST = 2  # time-outs after which the store no longer does what it was asked
_TOGETHER = 500  # reservations, and settlements, in one exchange
_FOREVER = 1e15  # milliseconds since the epoch: the end of a total


class _Script:
    """``name`` is what the store knows it by."""

    def __init__(self, body: str) -> None:
        self.text = body
        self.name = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_RESERVE, _SETTLE, _RENEW = _Script(RESERVE), _Script(SETTLE), _Script(RENEW)


class _Call(NamedTuple):
    """One run of a script. ``number`` orders settlements."""

    script: _Script
    keys: Sequence[bytes]
    argument: bytes
    number: int = 0

    def command(self, *, whole: bool) -> tuple[str | bytes | int, ...]:
        """As it is sent, by name or with the ``whole`` script."""
        begin = ("EVAL", self.script.text) if whole else ("EVALSHA", self.script.name)
        return (*begin, len(self.keys), *self.keys, self.argument)


class _Question(NamedTuple):
    """A call that somebody waits for; ``undo`` takes an answer that came too late."""

    call: _Call
    answer: asyncio.Future[list[Any]]
    undo: Callable[[list[Any]], None]


class _Place(NamedTuple):
    """Where a reservation is kept."""

    member: str
    grains: Sequence[int]
    births: Sequence[int]


class _Lost(Exception):
    """The store did not answer in time."""


class SharedCounters(Counters):
    """Counters in the store at ``url``. ``problem`` is what readers of `/readyz` should know, or "".

    ``start`` keeps places while they are taken, and looks for the store; ``aclose`` ends that. ``wall`` (seconds since
    the epoch) tells near which days and months of a calendar the store's clock is. ``timeout``: seconds that a request
    waits for the store.
    """

    def __init__(self, url: str, *, wall: Callable[[], float] = time.time, timeout: float = TIMEOUT) -> None:
        self.problem = ""
        self._wall = wall
        self._timeout = timeout
        self._link = _Link(url, timeout)
        self._own = MemoryCounters(wall=wall)
        self._replica = os.urandom(8).hex()
        self._last = 0  # number of the last reservation or settlement
        self._held = 0
        self._live: dict[str, list[bytes]] = {}  # by reservation, the keys where it takes a place
        self._questions: deque[_Question] = deque()
        self._settlements: deque[_Call] = deque()
        self._must_renew = self._is_closed = False
        self._task: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None

    @property
    def reserved(self) -> int:
        """Reservations that are not settled."""
        return self._held + self._own.reserved

    def start(self) -> None:
        """Look for the store; keep places from now on."""
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(), name="renew places of requests")

    async def aclose(self) -> None:
        """Send what is settled if the store takes it at once. Places that are taken are free after their lease."""
        if self._task is not None and not self.problem:
            await asyncio.wait([self._task], timeout=_PATIENCE * self._timeout)
        self._is_closed = True
        tasks = [task for task in (self._renewing, self._task) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._renewing = None
        await self._link.close()

    async def drained(self) -> None:
        """Wait until the store knows of all that was settled."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def reserve(self, id: str, gauges: Sequence[Gauge], amounts: Amounts) -> Held | Over:
        """In all gauges or in none. In the store ``id`` has another name, as callers may choose it."""
        self._last += 1
        member = f"{self._replica} {self._last}"

        def undo(said: list[Any]) -> None:
            if said[0] == "held":
                self._change(gauges, amounts, Amounts(0), _Place(member, *said[3:]))

        said = await self._ask(gauges, amounts, member, undo)
        if said is None:
            return await self._own.reserve(id, gauges, amounts)
        if said[0] == "over":
            _, at, shown, reset, wait = said
            gauge = gauges[at]
            return Over(at, Level(shown, _seconds(gauge, reset)), _seconds(gauge, wait))
        used, resets = said[1:3]
        over = [at for at, gauge in enumerate(gauges) if used[at] > gauge.limit.amount]
        places = [_key(gauge) for gauge in gauges if gauge.limit.kind == "concurrent"]
        if places:
            self._live[member] = places
        self._held += 1
        return Held(
            id, gauges, amounts, used, over, lambda at: _seconds(gauges[at], resets[at]), _Place(member, *said[3:])
        )

    def settle(self, held: Held, used: Amounts) -> None:
        """What was used takes the place of what was reserved, soon; only the first time."""
        place = held.slots
        if not isinstance(place, _Place):
            self._own.settle(held, used)
            return
        held.slots = None
        self._held -= 1
        self._live.pop(place.member, None)
        self._change(held.gauges, held.amounts, used, place)

    async def look(self, gauges: Sequence[Gauge]) -> list[Level]:
        """What they show in the store; in this replica while it is lost, if all gauges are open then.

        Raises:
            Unavailable: they are not.
        """
        said = await self._ask(gauges, None, "", lambda _: None)
        if said is None:
            return await self._own.look(gauges)
        return [Level(used, _seconds(gauge, reset)) for gauge, used, reset in zip(gauges, *said[1:3], strict=True)]

    async def _ask(
        self, gauges: Sequence[Gauge], amounts: Amounts | None, member: str, undo: Callable[[list[Any]], None]
    ) -> list[Any] | None:
        """The store's answer; None: this replica decides.

        Raises:
            Unavailable: there is none, and a gauge is closed then.
        """
        if gauges and not self.problem and not self._is_closed:
            call = _Call(_RESERVE, [_key(gauge) for gauge in gauges], self._asked(gauges, amounts, member))
            question = _Question(call, asyncio.get_running_loop().create_future(), undo)
            self._questions.append(question)
            self._wake()
            try:
                return await self._answer(question)
            except _Lost:
                pass  # like those that come now
        if not all(gauge.is_open for gauge in gauges):
            raise Unavailable(UNREACHABLE)
        return None

    def _asked(self, gauges: Sequence[Gauge], amounts: Amounts | None, member: str) -> bytes:
        now = self._wall()
        asked: list[tuple[Any, ...]] = []
        for gauge in gauges:
            limit, shape = gauge.limit, _shape(gauge)
            extent: Any = 1000 * SECONDS[limit.window] if shape == "window" else (0.0, _FOREVER)
            if limit.window == "day" or limit.window == "month":
                extent = [1000 * at for at in periods_around(now, gauge.zone, is_month=limit.window == "month")]
            amount = 0 if amounts is None else amounts.by[limit.kind]
            asked.append((shape, amount, limit.amount, gauge.is_hard, extent))
        return msgspec.msgpack.encode((self._link.deadline(), member, 1000 * LEASE, amounts is not None, asked))

    async def _answer(self, question: _Question) -> list[Any]:
        answer = question.answer
        try:
            async with asyncio.timeout(self._timeout):
                said = await answer
        except BaseException as error:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                question.undo(answer.result())  # it came in the same moment
            if not isinstance(error, TimeoutError):
                raise
            self.problem = self.problem or UNREACHABLE
            self._wake()
            raise _Lost from None
        if said[0] == "late":
            raise _Lost
        return said

    def _change(self, gauges: Sequence[Gauge], before: Amounts, after: Amounts, place: _Place) -> None:
        keys, changes = [f"{PREFIX}settled:{self._replica}".encode()], []
        for gauge, grain, birth in zip(gauges, place.grains, place.births, strict=True):
            kind, by = gauge.limit.kind, after.by[gauge.limit.kind] - before.by[gauge.limit.kind]
            if by or kind == "concurrent":
                keys.append(_key(gauge))
                changes.append((_shape(gauge), by, grain, birth, 1000 * SECONDS.get(gauge.limit.window, 0.0)))
        if not changes:
            return
        if len(self._settlements) >= MAX_SETTLEMENTS:
            self._settlements.popleft()
            self.problem = FORGOTTEN
        self._last += 1
        argument = msgspec.msgpack.encode((self._last, place.member, changes))
        self._settlements.append(_Call(_SETTLE, keys, argument, self._last))
        self._wake()

    async def _renew(self) -> None:
        while True:
            self._must_renew = True
            self._wake()
            await asyncio.sleep(RENEW_EVERY)

    def _renewals(self) -> list[_Call]:
        pairs = [(key, member) for member, keys in self._live.items() for key in keys]
        calls = []
        for at in range(0, len(pairs), _TOGETHER):
            keys, members = zip(*pairs[at : at + _TOGETHER], strict=True)
            calls.append(_Call(_RENEW, keys, msgspec.msgpack.encode((1000 * LEASE, members))))
        return calls

    def _wake(self) -> None:
        """What is said in this turn of the loop goes out in the next."""
        if self._task is None and not self._is_closed:
            self._task = asyncio.create_task(self._exchange(), name="ask the store of limits")

    async def _exchange(self) -> None:
        """Until there is nothing to say, and the store is well."""
        from redis.asyncio import RedisError

        try:
            while self._questions or self._settlements or self._must_renew or self.problem:
                began = time.monotonic()
                try:
                    await self._round()
                    is_well = time.monotonic() - began <= self._timeout
                except (RedisError, OSError, msgspec.DecodeError):
                    is_well = False
                self.problem = "" if is_well else self.problem or UNREACHABLE
                if not is_well:
                    _give_up(self._questions)
                    await asyncio.sleep(RETRY)
        finally:
            self._task = None
            _give_up(self._questions)

    async def _round(self) -> None:
        """Say everything at once, and take the answers.

        Raises:
            RedisError, OSError: the store answered nothing, or errors alone.
        """
        taken = [self._questions.popleft() for _ in range(min(_TOGETHER, len(self._questions)))]
        questions = [question for question in taken if not question.answer.done()]
        settlements = list(islice(self._settlements, _TOGETHER))
        renewals = self._renewals() if self._must_renew else []
        try:
            answers = await self._link.ask([question.call for question in questions] + settlements + renewals)
            for question, said in zip(questions, answers, strict=False):
                if isinstance(said, bytes):
                    _deliver(question, msgspec.msgpack.decode(said))
        finally:
            _give_up(questions)
        if answers and all(isinstance(said, Exception) for said in answers):
            raise answers[0]
        while settlements and self._settlements and self._settlements[0].number <= settlements[-1].number:
            self._settlements.popleft()
        self._must_renew = False


def _deliver(question: _Question, said: list[Any]) -> None:
    if question.answer.done():  # nobody waits any more
        question.undo(said)
    else:
        question.answer.set_result(said)


def _give_up(questions: deque[_Question] | list[_Question]) -> None:
    for question in questions:
        if not question.answer.done():
            question.answer.set_exception(_Lost())
    questions.clear()


def _key(gauge: Gauge) -> bytes:
    return f"{PREFIX}count:{gauge.key}".encode(errors="surrogatepass")


def _shape(gauge: Gauge) -> str:
    return "places" if gauge.limit.kind == "concurrent" else "window" if gauge.limit.window in SECONDS else "period"


def _seconds(gauge: Gauge, told: float) -> float | None:
    """Of milliseconds until something, rounded up; None for never."""
    if told < 0 or gauge.limit.window == "total":
        return None
    return told / 1000 + 1e-6 if told else 0.0


class _Link:
    """One connection, made when it is needed."""

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._connection: Connection | None = None
        self._ahead: float | None = None  # milliseconds from the monotonic clock to the store's, or a little less

    def deadline(self) -> float:
        """Milliseconds by the store's clock after which it is too late to do what is asked now; 0.0: not known."""
        return 0.0 if self._ahead is None else self._ahead + 1000 * (time.monotonic() + _LATEST * self._timeout)

    async def ask(self, calls: Sequence[_Call]) -> list[Any]:
        """Answers and errors, in order.

        Raises:
            RedisError, OSError: there are none; what is asked may have been done.
        """
        from redis.exceptions import NoScriptError

        try:
            async with asyncio.timeout(_PATIENCE * self._timeout):
                clock, *answers = await self._send([("TIME",), *(call.command(whole=False) for call in calls)])
                for at, call in enumerate(calls):
                    if isinstance(answers[at], NoScriptError):
                        answers[at] = (await self._send([call.command(whole=True)]))[0]
        except BaseException:
            await self.close()
            raise
        if isinstance(clock, Exception):
            raise clock
        self._ahead = 1000 * (int(clock[0]) - time.monotonic()) + int(clock[1]) / 1000
        return answers

    async def _send(self, commands: Sequence[tuple[str | bytes | int, ...]]) -> list[Any]:
        from redis.asyncio import ConnectionPool, ResponseError

        if self._connection is None:
            made: Connection = ConnectionPool.from_url(self._url, protocol=2).make_connection()  # type: ignore[no-untyped-call]
            self._connection = made
            await made.connect()  # type: ignore[no-untyped-call]
        await self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)
        answers: list[Any] = []
        for _ in commands:
            try:
                answers.append(await self._connection.read_response(disable_decoding=True))
            except ResponseError as error:
                answers.append(error)
        return answers

    async def close(self) -> None:
        """The next call makes a new connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
