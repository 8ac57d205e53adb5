"""Kept answers in a store that speaks Redis' protocol, for all replicas.

What has a tag is forgotten by counting: every look-up reads, in the same round
trip, how often each of its tags was invalidated, and an entry is good only with the counts of the look-up before it.
The store should not evict those counts, which every look-up reads: without them, what was forgotten may come back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from proxy.caching.room import NAME, Caches, Moment, StoreFailed
from proxy.store.client import client_of
from proxy.store.names import COUNTS, PREFIX, name_of
from proxy.store.shared_questions import RedisQuestions
from proxy.units import Secret

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")
TIMEOUT = 0.1
PAUSE = 1.0  # seconds for which a store that failed is left alone
MAX_COUNTS = 10_000  # tags with a count of their own
_CONNECTIONS = 32
# Counts of single tags that have become too many are forgotten only together with everything that was kept by them.
_INVALIDATE = """
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then
    local all = redis.call('HINCRBY', KEYS[1], 'all', 1)
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'all', all)
end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
"""


def share_answers(take: Callable[[str, Callable[[], Caches]], Caches], url: Secret | None) -> None:
    """Let what is kept be that of all replicas, where the file names a store. ``take``: of ``proxy.runtime.Shared``."""
    caches = take(NAME, Caches)
    shared = None if url is None else RedisCache(url.reveal())
    caches.shared, caches.questions = shared, None if shared is None else RedisQuestions(shared.ask)


class RedisCache:
    """See ``proxy.caching.room.SharedStore``. ``timeout``: seconds for one question."""

    def __init__(self, url: str, now: Callable[[], float] = time.monotonic, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._now = now
        self._timeout = timeout
        self._alone_until = 0.0
        self._client: Redis | None = None

    async def find(self, key: bytes, tags: Sequence[str]) -> tuple[bytes | None, Moment]:
        """One round trip."""

        async def work(client: Redis) -> tuple[bytes | None, Moment]:
            pipe = client.pipeline(transaction=False)
            pipe.get(PREFIX + name_of(key))
            pipe.hmget(COUNTS, list(tags))
            data, counts = await pipe.execute()
            return data, tuple([int(count or 0) for count in counts])

        return await self.ask(work)

    async def keep(self, key: bytes, data: bytes, lifetime: float) -> None:
        """In place of what was there."""
        await self.ask(lambda client: client.set(PREFIX + name_of(key), data, px=max(1, round(lifetime * 1000))))

    async def invalidate(self, tag: str) -> None:
        """At once, for all replicas."""
        self._alone_until = 0.0  # an operator wants to know
        await self.ask(lambda client: client.eval(_INVALIDATE, 1, COUNTS, tag.encode(), MAX_COUNTS))

    async def discard(self, key: bytes) -> None:
        """Forget one."""
        await self.ask(lambda client: client.delete(PREFIX + name_of(key)))

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def ask(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        """What ``work`` finds out, in time.

        Raises:
            StoreFailed: it does not, or did not a moment ago.
        """
        from redis.asyncio import RedisError

        if self._now() < self._alone_until:
            raise StoreFailed("left alone")
        if self._client is None:
            self._client = client_of(self._url, self._timeout, _CONNECTIONS)
        try:
            async with asyncio.timeout(self._timeout):
                return await work(self._client)
        except (RedisError, OSError) as error:  # TimeoutError is one, too
            self._alone_until = self._now() + PAUSE
            raise StoreFailed(type(error).__name__) from error
