"""Questions and their vectors in a store that speaks Redis' protocol, for all replicas.

Only those that say the same are ever compared, so they lie together in one hash, at most ``MOST_ALIKE`` of them: one
round trip reads them all, with the counts by which answers are invalidated, and what one replica keeps or forgets holds
for the others at once. No index is kept anywhere, and a server without a module for vectors will do. A hash lives as
long as the youngest in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from proxy.caching.room import Given, Moment
from proxy.semantic.memory import MOST_ALIKE
from proxy.store.names import COUNTS, PREFIX, name_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")
_PLACES = PREFIX + b"alike:"
_GIVEN = PREFIX + b"given:"
# What is kept begins with the moment of its keeping, in 16 digits of microseconds by the clock of the store; whatever
# does not is the first to go. ARGV: name, data, lifetime in ms, how many may stay.
_KEEP = """
local place = KEYS[1]
if redis.call('TYPE', place).ok ~= 'hash' then redis.call('DEL', place) end
local time = redis.call('TIME')
redis.call('HSET', place, ARGV[1], string.format('%010d%06d', time[1], time[2]) .. ARGV[2])
while redis.call('HLEN', place) > tonumber(ARGV[4]) do
    local all, oldest, since = redis.call('HGETALL', place), nil, nil
    for at = 1, #all, 2 do
        local kept = tonumber(string.match(all[at + 1], '^' .. string.rep('%d', 16)) or '0')
        if all[at] ~= ARGV[1] and (since == nil or kept < since) then oldest, since = all[at], kept end
    end
    redis.call('HDEL', place, oldest)
end
if redis.call('PTTL', place) < tonumber(ARGV[3]) then redis.call('PEXPIRE', place, ARGV[3]) end
"""
_STAMP = 16  # digits
_read = msgspec.msgpack.Decoder(Given).decode


class Ask(Protocol):
    """Of ``proxy.store.shared_cache.RedisCache``."""

    async def __call__(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        """What ``work`` finds out, in time."""


class RedisQuestions:
    """See ``proxy.caching.room.SharedQuestions``."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def look(self, place: bytes, tags: Sequence[str]) -> tuple[list[tuple[bytes, bytes]], Moment]:
        """One round trip."""
        from redis import ResponseError

        name = (_PLACES + name_of(place)).decode()

        async def work(client: Redis) -> tuple[list[tuple[bytes, bytes]], Moment]:
            pipe = client.pipeline(transaction=False)
            pipe.hgetall(name)
            pipe.hmget(COUNTS.decode(), list(tags))
            found, counts = await pipe.execute(raise_on_error=False)
            if isinstance(counts, Exception):
                raise counts
            if isinstance(found, ResponseError):  # something else lies there
                await client.delete(name)
                return [(b"", b"")], _moment(counts)
            if isinstance(found, Exception):
                raise found
            return [(own, data[_STAMP:]) for own, data in found.items()], _moment(counts)

        return await self._ask(work)

    async def keep(self, place: bytes, name: bytes, data: bytes, lifetime: float) -> None:
        """At most so many: the oldest makes room."""
        arguments = (_PLACES + name_of(place), name, data, max(1, round(lifetime * 1000)), MOST_ALIKE)
        await self._ask(lambda client: client.eval(_KEEP, 1, *arguments))

    async def forget(self, place: bytes, name: bytes) -> None:
        """For all replicas."""
        await self._ask(lambda client: _hdel(client, _PLACES + name_of(place), name))

    async def note(self, request_id: str, hit: Given, lifetime: float) -> None:
        """With names in place of keys."""
        named = hit._replace(place=_PLACES + name_of(hit.place), key=PREFIX + name_of(hit.key))
        data = msgspec.msgpack.encode(named)
        await self._ask(lambda client: client.set(_given(request_id), data, px=max(1, round(lifetime * 1000))))

    async def judge(self, request_id: str, scope: str, *, is_wrong: bool) -> tuple[str, float] | None:
        """Each is judged once, at whichever replica."""
        name = _given(request_id)
        data = await self._ask(lambda client: client.get(name))
        try:
            hit = None if not isinstance(data, bytes) else _read(data)
        except msgspec.DecodeError:
            hit = None
        if hit is None or hit.scope != scope:
            return None

        async def work(client: Redis) -> bool:
            if is_wrong:  # first: who is cut off here says it again
                await _hdel(client, hit.place, hit.name)
                await client.delete(hit.key)
            return bool(await client.delete(name))

        return (hit.route, hit.similarity) if await self._ask(work) else None


def _hdel(client: Redis, place: bytes, name: bytes) -> Awaitable[Any]:
    return client.hdel(place, name)


def _given(request_id: str) -> bytes:
    return _GIVEN + name_of(request_id.encode("utf-8", "replace"))


def _moment(counts: list[Any]) -> Moment:
    return tuple([int(count or 0) for count in counts])
