"""Counters: windows that slide, periods of a calendar, totals, and places that are taken.

In memory first, and then the same as scripts for a store that speaks Redis' protocol, which count by its clock. In
memory ``add`` gives back a slot, by which the amount can be changed later (``change``) as long as it still counts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import inf, ulp
from typing import Any
from zoneinfo import ZoneInfo

from proxy.limits.limit import SECONDS, Limit

_QUARTER = 900.0  # seconds; days begin at multiples of that everywhere
GRAINS = 1000  # parts of a window that slides; what is added within one part is one entry


class Entry:
    """What was added from ``first`` to ``latest``, in monotonic seconds."""

    __slots__ = ("amount", "first", "latest")

    def __init__(self, amount: int, at: float) -> None:
        self.amount = amount
        self.first = self.latest = at


class Total:
    """What was ever added; also places that are taken. The others begin as this does.

    ``used`` is what it shows. ``by_wall``: its times are seconds since the epoch; else they are monotonic. ``due`` is
    when ``turn`` has something to do; ``seen`` is when it was used last, in monotonic seconds.
    """

    __slots__ = ("due", "seen", "used")

    by_wall = False

    def __init__(self) -> None:
        self.used = 0
        self.due = inf
        self.seen = 0.0

    def turn(self, now: float) -> None:
        """Forget what is too old."""

    def add(self, amount: int, now: float) -> Any:
        """Count ``amount``. Where ``due`` has come, call ``turn`` before."""
        self.used += amount

    def change(self, slot: Any, by: int, now: float) -> None:
        """Another amount for what was added, if it still counts."""
        self.used += by

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        """Seconds until ``amount`` fits below ``limit`` if nothing else comes; None: time does not help."""
        return None

    def reset(self, now: float) -> float | None:
        """Seconds until some of what was added is free again, 0 while there is nothing; None: never by time."""
        return None


class Sliding(Total):
    """What was added in the last ``seconds``: never less than that.

    An entry counts until its latest part is too old, so its first part counts for a thousandth of the window more.
    """

    __slots__ = ("_entries", "_grain", "seconds")

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self._grain = seconds / GRAINS
        self._entries: list[Entry] = []  # an empty deque is ten times as large, and most have few entries

    def turn(self, now: float) -> None:
        entries, seconds = self._entries, self.seconds
        gone = 0
        for entry in entries:
            if entry.latest + seconds > now:
                break
            self.used -= entry.amount
            gone += 1
        del entries[:gone]
        self.due = entries[0].latest + seconds if entries else inf

    def add(self, amount: int, now: float) -> Entry:
        """Count ``amount``; ``now`` may also be in the past."""
        self.used += amount
        entries = self._entries
        if not entries:
            self.due = now + self.seconds
        else:
            last = entries[-1]
            since = now - last.first
            if since < 0.0:
                return self._insert(amount, now)
            if since < self._grain:
                last.amount += amount
                last.latest = max(last.latest, now)
                return last
        made = Entry(amount, now)
        entries.append(made)
        return made

    def _insert(self, amount: int, at: float) -> Entry:
        """Where it belongs among later ones, as part of a neighbour if one is near."""
        entries = self._entries
        place = len(entries) - 1
        while place and entries[place - 1].first > at:
            place -= 1
        for near in (entries[place - 1] if place else None, entries[place]):
            if near is not None and max(near.latest, at) - min(near.first, at) < self._grain:
                near.amount += amount
                near.first, near.latest = min(near.first, at), max(near.latest, at)
                return near
        made = Entry(amount, at)
        entries.insert(place, made)
        self.due = entries[0].latest + self.seconds
        return made

    def change(self, slot: Any, by: int, now: float) -> None:
        if now < slot.latest + self.seconds:
            slot.amount += by
            self.used += by

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        if amount > limit:
            return None
        too_much = self.used + amount - limit
        for entry in self._entries:
            too_much -= entry.amount
            if too_much <= 0:
                return _until(entry.latest + self.seconds, now)
        return 0.0

    def reset(self, now: float) -> float:
        for entry in self._entries:
            if entry.amount:
                return _until(entry.latest + self.seconds, now)
        return 0.0


class Calendar(Total):
    """What was added in this day or month of ``zone``. The period only moves forward: a clock that is set back neither
    gives anything back nor counts twice."""

    __slots__ = ("_began", "_is_month", "_number", "_zone")

    by_wall = True

    def __init__(self, *, is_month: bool, zone: str) -> None:
        super().__init__()
        self._is_month = is_month
        self._zone = ZoneInfo(zone)
        self._number = 0
        self._began = self.due = 0.0  # seconds since the epoch; this period ends when the next is due

    def turn(self, now: float) -> None:
        if now >= self.due:
            self._number += 1
            self.used = 0
            self._began, self.due = bounds_of(now, self._zone, is_month=self._is_month)

    def covers(self, at: float) -> bool:
        """Whether a moment is in this period."""
        return self._began <= at < self.due

    def add(self, amount: int, now: float) -> int:
        self.used += amount
        return self._number

    def change(self, slot: Any, by: int, now: float) -> None:
        if slot == self._number:
            self.used += by

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        return None if amount > limit else _until(self.due, now)

    def reset(self, now: float) -> float:
        return _until(self.due, now) if self.used else 0.0


def counter(limit: Limit, zone: str) -> Total:
    """An empty counter for ``limit``."""
    seconds = SECONDS.get(limit.window)
    if seconds is not None:
        return Sliding(seconds)
    if limit.window in ("day", "month"):
        return Calendar(is_month=limit.window == "month", zone=zone)
    return Total()


def bounds_of(now: float, zone: ZoneInfo, *, is_month: bool) -> tuple[float, float]:
    """Seconds since the epoch at which the day or month of ``now`` begins and ends in ``zone``."""
    here = datetime.fromtimestamp(now, UTC).astimezone(zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if not is_month:
        return midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()
    first = midnight.replace(day=1)
    return first.timestamp(), (first + timedelta(days=32)).replace(day=1).timestamp()


@lru_cache(1000)
def _periods(near: float, zone: str, is_month: bool) -> tuple[float, float, float, float]:
    began, ends = bounds_of(near, ZoneInfo(zone), is_month=is_month)
    before, after = (bounds_of(at, ZoneInfo(zone), is_month=is_month) for at in (began - 1, ends + 1))
    return before[0], began, ends, after[1]


def periods_around(now: float, zone: str, *, is_month: bool) -> tuple[float, float, float, float]:
    """Seconds since the epoch at which the day or month before that of ``now`` begins, that itself, the next one, and
    the one after that. The same for a quarter of an hour."""
    return _periods(now // _QUARTER * _QUARTER, zone, is_month)


def _until(due: float, now: float) -> float:
    """Seconds, so that a clock that shows ``now`` and goes on by them has reached ``due``: rounding takes nothing."""
    wait = due - now
    return max(0.0, wait if now + wait >= due else wait + ulp(due))


# In a store

PREFIX = "sluicegate:limit:{all}:"  # the braces keep all keys in one place of a cluster
# KEYS of all scripts are counters; times are milliseconds. A window is a hash of amounts by grain (a thousandth of it),
# with their sum and the oldest grain, and a sorted set of the grains. A period is a hash. Places are a sorted set by
# the ends of their leases. `born` tells a counter from one of the same name that the store has lost.
_COMMON = f"""
local PREFIX, call = '{PREFIX}', redis.call
local clock = call('TIME')
local now, born = clock[1] * 1000 + clock[2] / 1000, clock[1] * 1000000 + clock[2]
local function whole(number) return string.format('%.0f', number) end
local function gone(length) return math.floor((now - length) * 1000 / length) - 1 end
"""

# ARGV: {deadline, member, lease, whether to reserve, {{shape, amount, limit, is hard, length or bounds}, ...}}.
# Answers {'late'}, {'over', index, used, reset, wait} or {'held', used, resets, grains, births}; -1 is never.
RESERVE = (
    _COMMON
    + """
local deadline, member, lease, reserves, gauges = unpack(cmsgpack.unpack(ARGV[1]))
if deadline > 0 and now > deadline then return cmsgpack.pack({'late'}) end
local read, add, wait = {}, {}, {}
local function order(key) return PREFIX .. 'order:' .. string.sub(key, #PREFIX + 7) end
local function free(grain, length) return math.max(0, (grain + 1) * length / 1000 + length - now) end

local function forget(key, length)
  local old, sum = call('ZRANGEBYSCORE', order(key), '-inf', gone(length)), 0
  for _, amount in ipairs(#old > 0 and call('HMGET', key, unpack(old)) or {}) do sum = sum + (tonumber(amount) or 0) end
  call('HDEL', key, 'oldest', unpack(old))
  call('ZREMRANGEBYSCORE', order(key), '-inf', gone(length))
  call('HINCRBY', key, 'used', whole(-sum))
  local oldest = call('ZRANGE', order(key), 0, 0)[1]
  if oldest then call('HSET', key, 'oldest', oldest) end
end

function read.window(key, length)
  local here = math.floor(now * 1000 / length)
  local used, oldest, birth, amount = unpack(call('HMGET', key, 'used', 'oldest', 'born', here))
  if oldest and tonumber(oldest) <= gone(length) then
    forget(key, length)
    return read.window(key, length)
  end
  local one = {used = tonumber(used) or 0, slot = here, born = tonumber(birth) or born, is_new = not amount}
  one.oldest = math.min(tonumber(oldest) or here, here)
  function one.reset() return one.used > 0 and free(one.oldest, length) or 0 end
  return one
end

function add.window(key, length, one, amount)
  call('HINCRBY', key, one.slot, whole(amount))
  if one.is_new then
    local life = whole(length * 1.01 + 1000)
    call('HSET', key, 'oldest', one.oldest, 'born', whole(one.born))
    call('ZADD', order(key), one.slot, one.slot)
    call('PEXPIRE', key, life)
    call('PEXPIRE', order(key), life)
  end
  return call('HINCRBY', key, 'used', whole(amount))
end

function wait.window(key, length, one, need)
  local grains = call('ZRANGE', order(key), 0, 63)
  for from = 64, 1e6, 64 do
    if #grains == 0 then return 0 end
    for at, amount in ipairs(call('HMGET', key, unpack(grains))) do
      need = need - (tonumber(amount) or 0)
      if need <= 0 then return free(tonumber(grains[at]), length) end
    end
    grains = call('ZRANGE', order(key), from, from + 63)
  end
end

function read.period(key, bounds)
  local at = 1
  while at < #bounds - 1 and now >= bounds[at + 1] do at = at + 1 end
  local one = {used = 0, slot = 0, born = born, begins = bounds[at], ends = bounds[at + 1], is_new = true}
  local used, begins, ends, birth = unpack(call('HMGET', key, 'used', 'begins', 'ends', 'born'))
  if begins and tonumber(begins) >= one.begins then  -- later, if the clock was set back: it stays the later one
    one = {used = tonumber(used), slot = 0, born = tonumber(birth), ends = tonumber(ends)}
  end
  function one.reset() return one.used > 0 and math.max(0, one.ends - now) or 0 end
  return one
end

function add.period(key, bounds, one, amount)
  if one.is_new then
    call('DEL', key)
    call('HSET', key, 'begins', one.begins, 'ends', one.ends, 'born', whole(one.born))
  end
  call('PEXPIRE', key, whole(math.min(math.max(0, one.ends - now) + 86400000, 315360000000)))
  return call('HINCRBY', key, 'used', whole(amount))
end

function wait.period(key, bounds, one) return math.max(0, one.ends - now) end

function read.places(key)
  call('ZREMRANGEBYSCORE', key, '-inf', now)
  return {used = call('ZCARD', key), slot = 0, born = 0, reset = wait.places}
end

function add.places(key, _, one)
  call('ZADD', key, now + lease, member)
  call('PEXPIRE', key, whole(lease + 1000))
  return one.used + 1
end

function wait.places() return -1 end

local found, worst = {}, nil
for at, gauge in ipairs(gauges) do
  local shape, amount, limit, is_hard, extent = unpack(gauge)
  local one = read[shape](KEYS[at], extent)
  found[at] = one
  if reserves and is_hard and one.used + amount > limit then
    local needs = amount > limit and -1 or wait[shape](KEYS[at], extent, one, one.used + amount - limit)
    if not worst or (worst[5] >= 0 and (needs < 0 or needs > worst[5])) then
      worst = {'over', at - 1, one.used, one.reset(), needs}
    end
  end
end
if worst then return cmsgpack.pack(worst) end
local used, resets, slots, births = {}, {}, {}, {}
for at, gauge in ipairs(gauges) do
  local one = found[at]
  if reserves then one.used = add[gauge[1]](KEYS[at], gauge[5], one, gauge[2]) end
  used[at], resets[at], slots[at], births[at] = one.used, one.reset(), one.slot, one.born
end
return cmsgpack.pack({'held', used, resets, slots, births})
"""
)

# KEYS begin with that of the last number. ARGV: {number, member, {{shape, by, grain, birth, length}, ...}}.
SETTLE = (
    _COMMON
    + """
local number, member, changes = unpack(cmsgpack.unpack(ARGV[1]))
if (tonumber(call('GET', KEYS[1])) or 0) >= number then return 0 end
call('SET', KEYS[1], whole(number), 'PX', 3600000)
for at, change in ipairs(changes) do
  local key, shape, by, grain, birth, length = KEYS[at + 1], unpack(change)
  if shape == 'places' then
    call('ZREM', key, member)
  else
    local known, amount = unpack(call('HMGET', key, 'born', grain))
    local counts = shape ~= 'window' or (amount and grain > gone(length))
    if counts and tonumber(known) == birth then
      if shape == 'window' then call('HINCRBY', key, grain, whole(by)) end
      call('HINCRBY', key, 'used', whole(by))
    end
  end
end
return 1
"""
)

# KEYS and members belong together. ARGV: {lease, members}.
RENEW = (
    _COMMON
    + """
local lease, members = unpack(cmsgpack.unpack(ARGV[1]))
for at, member in ipairs(members) do
  call('ZADD', KEYS[at], now + lease, member)
  call('PEXPIRE', KEYS[at], whole(lease + 1000))
end
return 1
"""
)
