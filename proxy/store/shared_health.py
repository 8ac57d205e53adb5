"""What replicas tell each other of targets, through a store that speaks Redis' protocol: ejections, limits, drains.

One key for each target holds the newest news of one replica, as times that are left, so that clocks need not agree; it
expires with the news. Once a second one round trip writes what changed here and reads what others wrote. No request
ever waits for the store: while it cannot be reached, each replica decides alone.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from proxy.health import Health

if TYPE_CHECKING:
    from redis.asyncio import Redis

NEEDS_EXTRA = "a store needs the extra `redis`: pip install 'sluicegate[redis]'"
UNREACHABLE = "the store cannot be reached; each replica decides alone"
EVERY = 1.0  # seconds between rounds, about
TIMEOUT = 1.0  # seconds for one round, with connecting
LONGEST_PAUSE = 10.0  # seconds between tries while the store is lost
MAX_NAMES = 1000  # in one round; more take several
LONGEST_NEWS = 86_400.0  # seconds; a wrong entry keeps nobody away for ever
_PREFIX = "sluicegate:health:"
_EARLY = 0.5  # seconds before its end in which a key that is gone has expired, and was not deleted


def has_extra() -> bool:
    """Whether the client library is installed."""
    return importlib.util.find_spec("redis") is not None


class News(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the store: milliseconds that were left when ``replica`` wrote it, for the ``seq``th time."""

    replica: str
    seq: int
    open_ms: int = 0
    limited_ms: int = 0
    drained_ms: int = 0

    @property
    def life(self) -> int:
        """Milliseconds for which there is something to tell."""
        return max(self.open_ms, self.limited_ms, self.drained_ms)


class _Taken(NamedTuple):
    """What was taken over from another replica: until when, by this process's clock; 0.0: nothing."""

    replica: str
    open_until: float
    limited_until: float
    drained_until: float


class SharedHealth:
    """Shares the state of targets while it runs. ``told(event, fields)`` hears ``store.lost`` and ``store.back``."""

    def __init__(self, url: str) -> None:
        self.problem = ""  # what readers of `/readyz` should know
        self.told: Callable[[str, dict[str, Any]], None] | None = None
        self._url = url
        self._replica = os.urandom(8).hex()
        self._seq = 0
        self._healths: dict[str, Health] = {}
        self._dirty: set[str] = set()
        self._taken: dict[str, _Taken] = {}
        self._published: dict[str, float] = {}  # until when an entry of ours tells something
        self._last: dict[str, tuple[str, int]] = {}  # the newest news that was read
        self._next = 0  # where the next round begins to read
        self._failures = 0
        self._random = random.Random()  # noqa: S311 - spreads the replicas' rounds
        self._task: asyncio.Task[None] | None = None

    def start(self, healths: Mapping[str, Health]) -> None:
        """Share these from now on, and no others. May be called again."""
        for health in self._healths.values():
            health.changed = None
        self._healths = dict(healths)
        for kept in (self._taken, self._published, self._last):
            for name in kept.keys() - self._healths.keys():
                del kept[name]
        self._dirty &= self._healths.keys()
        now = time.monotonic()
        for name, health in self._healths.items():
            health.changed = self._changed
            if name not in self._published and name not in self._taken and health.wait(now):
                self._dirty.add(name)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="share the state of targets")

    async def aclose(self) -> None:
        """Share nothing any more."""
        task, self._task = self._task, None
        for health in self._healths.values():
            if health.changed == self._changed:  # else somebody else shares it by now
                health.changed = None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _changed(self, health: Health) -> None:
        self._dirty.add(health.name)

    async def _run(self) -> None:
        from redis.asyncio import RedisError

        client = _client(self._url)
        try:
            while True:
                try:
                    async with asyncio.timeout(TIMEOUT):
                        await self._round(client)
                except (RedisError, OSError) as error:
                    self._lost(error)
                else:
                    self._found()
                await asyncio.sleep(self._pause())
        finally:
            await client.aclose()

    def _pause(self) -> float:
        longest = min(LONGEST_PAUSE, EVERY * 2.0 ** min(self._failures, 10)) if self._failures > 1 else EVERY
        return longest * self._random.uniform(0.8, 1.0)

    def _lost(self, error: Exception) -> None:
        self._failures += 1
        if self.problem:
            return
        self.problem = UNREACHABLE
        # What was taken over stays until its time; that its key is gone later may mean that the store began anew.
        self._taken.clear()
        self._last.clear()
        if self.told is not None:
            self.told("store.lost", {"reason": type(error).__name__})  # its text may hold the address

    def _found(self) -> None:
        self._failures = 0
        if self.problem:
            self.problem = ""
            if self.told is not None:
                self.told("store.back", {})

    async def _round(self, client: Redis) -> None:
        """Write what changed here, read what changed elsewhere."""
        if self.problem:  # it may have forgotten everything
            self._dirty |= self._published.keys()
        sent = set(islice(self._dirty, MAX_NAMES))
        names = self._names()
        if not names:
            await client.ping()
            return
        self._dirty -= sent
        now = time.monotonic()
        pipe = client.pipeline(transaction=False)
        published, recovered = self._write(pipe, sent, now)
        pipe.mget([_PREFIX + name for name in names])
        try:
            values = (await pipe.execute())[-1]
        except BaseException:
            self._dirty |= sent
            raise
        self._published |= published
        for name in recovered:
            self._published.pop(name, None)
            self._taken.pop(name, None)
        news = self._read(dict(zip(names, values, strict=True)), now)
        if news:
            pipe = client.pipeline(transaction=False)
            for name in news:
                pipe.pttl(_PREFIX + name)
            for (name, entry), left in zip(news.items(), await pipe.execute(), strict=True):
                self._take(name, entry, left)

    def _names(self) -> list[str]:
        """Those to read in this round."""
        names = list(self._healths)
        if len(names) <= MAX_NAMES:
            return names
        begin = self._next % len(names)
        self._next = begin + MAX_NAMES
        return (names + names)[begin : begin + MAX_NAMES]

    def _write(self, pipe: Any, names: Iterable[str], now: float) -> tuple[dict[str, float], list[str]]:
        """What is told, with its end, and what has recovered."""
        published: dict[str, float] = {}
        recovered = []
        for name in names:
            health = self._healths.get(name)
            if health is None:
                continue
            entry = self._own(health, now)
            if entry.life:
                pipe.set(_PREFIX + name, msgspec.json.encode(entry), px=entry.life)
                published[name] = now + entry.life / 1000
            elif health.state(now) == "closed" and (name in self._published or name in self._taken):
                pipe.delete(_PREFIX + name)
                recovered.append(name)
        return published, recovered

    def _own(self, health: Health, now: float) -> News:
        """What this replica has found out itself: what it was told is not told again."""
        taken = self._taken.get(health.name)
        self._seq += 1
        left = {}
        for name in ("open", "limited", "drained"):
            until = getattr(health, f"{name}_until")
            if taken is None or until != getattr(taken, f"{name}_until"):
                left[f"{name}_ms"] = int(1000 * min(max(0.0, until - now), LONGEST_NEWS))
        return News(replica=self._replica, seq=self._seq, **left)

    def _read(self, values: dict[str, bytes | None], now: float) -> dict[str, News]:
        """The entries that are news; what is gone before its time has recovered elsewhere."""
        news = {}
        for name, value in values.items():
            if value is None:
                self._gone(name, now)
                continue
            entry = _entry(value)
            if entry is None or entry.replica == self._replica:
                continue
            self._published.pop(name, None)  # written over
            if self._last.get(name) != (entry.replica, entry.seq):
                news[name] = entry
        return news

    def _gone(self, name: str, now: float) -> None:
        self._last.pop(name, None)
        health = self._healths.get(name)
        taken, published = self._taken.pop(name, None), self._published.pop(name, None)
        if health is None or name in self._dirty:
            return  # something newer is known here
        if taken is not None:
            if health.open_until == taken.open_until > now + _EARLY:
                health.heard_closed(now)
            self._release(health, taken, "limited_until", "drained_until")
        elif published is not None and published > now + _EARLY:
            if health.open_until:
                health.heard_closed(now)
            health.limited_until = health.drained_until = 0.0

    def _release(self, health: Health, taken: _Taken, *fields: str) -> None:
        """Forget what was taken over, unless something local has gone beyond it."""
        for field in fields:
            if getattr(taken, field) and getattr(health, field) == getattr(taken, field):
                setattr(health, field, 0.0)

    def _take(self, name: str, entry: News, left: int) -> None:
        """Extend by what another replica tells; ``left`` of its milliseconds are left by now."""
        health = self._healths.get(name)
        if health is None or left <= 0:
            return
        now = time.monotonic()
        passed = max(0, entry.life - left)
        before = self._taken.get(name)
        until: dict[str, float] = {}
        for kind in ("open", "limited", "drained"):
            field = f"{kind}_until"
            told = getattr(entry, f"{kind}_ms")
            end = now + min((told - passed) / 1000, LONGEST_NEWS)
            known = getattr(before, field, 0.0)
            if end > now and end > getattr(health, field):
                setattr(health, field, end)
                known = end
            elif before is not None and before.replica == entry.replica and not told:
                if kind == "open" and known and known == health.open_until:
                    health.heard_closed(now)
                else:
                    self._release(health, before, field)
                known = 0.0
            until[field] = known
        self._taken[name] = _Taken(entry.replica, **until)
        self._last[name] = (entry.replica, entry.seq)


def _entry(value: bytes) -> News | None:
    """An entry; None for what no gateway has written."""
    try:
        return msgspec.json.decode(value, type=News)
    except msgspec.DecodeError:
        return None


def _client(url: str) -> Redis:
    """A client that gives up at once: the next round is the next try."""
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    made: Redis = Redis.from_url(
        url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0), max_connections=2
    )
    return made
