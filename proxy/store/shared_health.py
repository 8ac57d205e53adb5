"""What replicas tell each other of targets, through a store that speaks Redis' protocol: ejections, limits, drains.

Each of the three has a key of its own for each target, so that none is written over by another. How long it lasts is
how long its key lives: clocks need not agree. That something ended before its time is an entry as well; that a key is
gone says nothing, as the store may have lost it. Once a second one round trip writes what changed here and reads what
others wrote. No request ever waits for the store: while it cannot be reached, each replica decides alone.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from proxy.choosing.health import Health
from proxy.store.client import client_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

NEEDS_EXTRA = "a store needs the extra `redis`: pip install 'sluicegate[redis]'"
UNREACHABLE = "the store cannot be reached; each replica decides alone"
EVERY = 1.0  # seconds between rounds, about
TIMEOUT = 1.0  # seconds for one round, with connecting
_CONNECTIONS = 2
LONGEST_PAUSE = 10.0  # seconds between tries while the store is lost
MAX_NAMES = 1000  # in one round; more take several
LONGEST_NEWS = 86_400.0  # seconds; a wrong entry keeps nobody away for ever
_PREFIX = "sluicegate:health:"
_EARLY = 0.5  # seconds before its end in which a key that is gone has expired, and was not lost
_SAME = 0.2  # seconds between two ends that are taken for one, as both were told over the network
_KINDS = ("open", "limited", "drained")
_Key = tuple[str, str]  # a kind, and a target


def has_extra() -> bool:
    """Whether the client library is installed."""
    return importlib.util.find_spec("redis") is not None


class News(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the store: ``replica`` wrote it, for the ``seq``th time. It holds as long as its key lives.
    ``over``: what was told before has ended."""

    replica: str
    seq: int
    over: bool = False


class _Known(NamedTuple):
    """The entry that the store was last seen to hold, and when what it tells ends, by this process's clock; 0.0: it is
    over."""

    replica: str
    seq: int
    end: float


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
        self._lost_keys: set[_Key] = set()
        self._known: dict[_Key, _Known] = {}
        self._next = 0  # where the next round begins to read
        self._failures = 0
        self._random = random.Random()  # noqa: S311 - spreads the replicas' rounds
        self._task: asyncio.Task[None] | None = None

    def start(self, healths: Mapping[str, Health]) -> None:
        """Share these from now on, and no others. May be called again."""
        for health in self._healths.values():
            health.changed = None
        self._healths = dict(healths)
        self._known = {key: known for key, known in self._known.items() if key[1] in self._healths}
        self._dirty &= self._healths.keys()
        self._lost_keys = {key for key in self._lost_keys if key[1] in self._healths}
        now = time.monotonic()
        for name, health in self._healths.items():
            health.changed = self._changed
            if health.wait(now):
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
        client = client_of(self._url, TIMEOUT, _CONNECTIONS)
        try:
            while True:
                try:
                    async with asyncio.timeout(TIMEOUT):
                        await self._round(client)
                except Exception as error:  # whatever a broken connection makes of it: this never ends by itself
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
        names, sent = self._names(), set(islice(self._dirty, MAX_NAMES))
        if not names:
            await client.ping()
            return
        keys = [(kind, name) for name in names for kind in _KINDS]
        lost = set(islice(self._lost_keys, MAX_NAMES))
        self._dirty -= sent
        self._lost_keys -= lost
        pipe = client.pipeline(transaction=False)
        written = self._write(pipe, sent, lost, time.monotonic())
        pipe.mget([_stored(key) for key in keys])
        try:
            values = (await pipe.execute())[-1]
        except BaseException:
            self._dirty |= sent
            self._lost_keys |= lost
            raise
        for key, known in written.items():
            if key[1] in self._healths:
                self._known[key] = known
        news = self._read(dict(zip(keys, values, strict=True)), time.monotonic())
        if news:
            pipe = client.pipeline(transaction=False)
            for key in news:
                pipe.pttl(_stored(key))
            for (key, entry), left in zip(news.items(), await pipe.execute(), strict=True):
                self._take(key, entry, left)

    def _names(self) -> list[str]:
        """Those to read in this round."""
        names = list(self._healths)
        if len(names) <= MAX_NAMES:
            return names
        begin = self._next % len(names)
        self._next = begin + MAX_NAMES
        return (names + names)[begin : begin + MAX_NAMES]

    def _write(self, pipe: Any, names: set[str], lost: set[_Key], now: float) -> dict[_Key, _Known]:
        """What the store will hold then. What it holds already is not told again."""
        written: dict[_Key, _Known] = {}
        for key in ((kind, name) for name in names & self._healths.keys() for kind in _KINDS):
            known, until = self._known.get(key), self._until(key)
            if until > now:
                if known is None or until != known.end:
                    written[key] = self._set(pipe, key, until, until - now)
            elif known is not None and known.end > now:
                written[key] = self._set(pipe, key, 0.0, known.end - now)
        for key in lost - written.keys():
            if key[1] in self._healths and (until := self._until(key)) > now:
                written[key] = self._set(pipe, key, until, until - now, only_new=True)
        return written

    def _set(self, pipe: Any, key: _Key, end: float, life: float, *, only_new: bool = False) -> _Known:
        self._seq += 1
        entry = News(replica=self._replica, seq=self._seq, over=not end)
        pipe.set(_stored(key), msgspec.json.encode(entry), px=max(1, int(1000 * min(life, LONGEST_NEWS))), nx=only_new)
        return _Known(self._replica, self._seq, end)

    def _read(self, values: dict[_Key, bytes | None], now: float) -> dict[_Key, News]:
        """The entries that are news."""
        news = {}
        for key, value in values.items():
            if key[1] not in self._healths:
                continue  # let go meanwhile
            if value is None:
                self._known.pop(key, None)
                if self._until(key) > now + _EARLY:
                    self._lost_keys.add(key)
                continue
            entry, known = _entry(value), self._known.get(key)
            if entry is None or entry.replica == self._replica:
                continue
            if known is None or (known.replica, known.seq) != (entry.replica, entry.seq):
                news[key] = entry
        return news

    def _until(self, key: _Key) -> float:
        """When it ends, as far as this replica knows."""
        kind, name = key
        until: float = getattr(self._healths[name], f"{kind}_until")
        return until

    def _take(self, key: _Key, entry: News, left: int) -> None:
        """Do as another replica does. What an operator said last holds; of ejections and limits the longer one."""
        kind, name = key
        if left <= 0 or name not in self._healths or name in self._dirty:
            return  # what was found out here meanwhile is written first
        now, health = time.monotonic(), self._healths[name]
        end, until = 0.0 if entry.over else now + min(left / 1000, LONGEST_NEWS), self._until(key)
        if entry.over and kind == "open":
            if until:
                health.heard_closed(now)
        elif abs(end - until) <= _SAME:
            end = until
        elif end > until or entry.over or kind == "drained":
            setattr(health, f"{kind}_until", end)
        else:
            self._dirty.add(name)  # others would take the shorter one for all there is
        self._known[key] = _Known(entry.replica, entry.seq, end)


def _stored(key: _Key) -> str:
    """The name of a key in the store."""
    kind, name = key
    return f"{_PREFIX}{kind}:{name}"


def _entry(value: bytes) -> News | None:
    """An entry; None for what no gateway has written."""
    try:
        return msgspec.json.decode(value, type=News)
    except msgspec.DecodeError:
        return None
