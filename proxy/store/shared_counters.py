"""Counters that replicas share, through a store that speaks Redis' protocol.

A reservation is one script in the store, over all gauges and by the store's clock; so is a settlement. What requests of
one turn of the loop ask goes out together. Nobody waits for a settlement: they are sent in order, again after a loss,
and each counts once, as the store knows the last one of each replica. Whoever waits for a reservation no longer when
the answer comes (time-out, a caller that has left) has it given back.

While the store cannot be asked, each replica counts for itself, or refuses, as the gauges say.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from proxy.limit import SECONDS, Amounts, Counters, Gauge, Held, Level, Over, Unavailable
from proxy.limits.memory import MemoryCounters
from proxy.limits.windows import bounds_of

if TYPE_CHECKING:
    from redis.asyncio import Connection

UNREACHABLE = "the store of limits cannot be reached; each replica counts for itself"
FORGOTTEN = f"{UNREACHABLE}; what requests really used is no longer remembered for it, as there is too much"
TIMEOUT = 0.25  # seconds that a request waits for the store
RETRY = 1.0  # seconds between tries while the store is lost
LEASE = 8.0  # seconds after which a place is free whose holder does not renew it
RENEW = 2.5  # seconds between renewals
MAX_SETTLEMENTS = 100_000  # that wait for the store; of more the oldest are dropped
_PATIENCE = 4 * TIMEOUT  # seconds for one exchange with the store, with connecting
_LATEST = 2 * TIMEOUT  # seconds after which the store no longer does what it was asked
_TOGETHER = 500  # reservations, and settlements, in one exchange
_TRIES = 5  # of a settlement that the store answers with an error
_PREFIX = "sluicegate:limit:{all}:"  # the braces keep all keys in one place of a cluster

# Both scripts: KEYS are counters. A window is a hash of amounts by grain (a thousandth of it), with their sum and the
# oldest grain, and a sorted set of the grains. A period and a total are a hash. Places are a sorted set by the end of
# their lease. `born` tells a counter from one of the same name that the store has lost.
_COMMON = """
local clock = redis.call('TIME')
local now, born = clock[1] * 1000 + clock[2] / 1000, clock[1] * 1000000 + clock[2]
local function whole(number) return string.format('%.0f', number) end
local function gone(length) return math.floor((now - length) * 1000 / length) - 1 end
"""

# ARGV: {deadline, member, lease, whether to reserve, {{shape, amount, limit, is hard, length or bounds}, ...}}, in ms.
# Answers {now, what, ...}: 'late'; 'over', index, used, reset, wait; 'held' or 'level', used, resets, grains, births.
_RESERVE = (
    _COMMON
    + """
local deadline, member, lease, reserves, gauges = unpack(cmsgpack.unpack(ARGV[1]))
if deadline > 0 and now > deadline then return cmsgpack.pack({now, 'late'}) end
local function order(key) return PREFIX .. 'order:' .. string.sub(key, #PREFIX + 7) end

local function forget(key, length)
  local old = redis.call('ZRANGEBYSCORE', order(key), '-inf', gone(length))
  if #old == 0 then return end
  local sum = 0
  for _, amount in ipairs(redis.call('HMGET', key, unpack(old))) do sum = sum + (tonumber(amount) or 0) end
  redis.call('HDEL', key, 'oldest', unpack(old))
  redis.call('ZREM', order(key), unpack(old))
  redis.call('HINCRBY', key, 'used', whole(-sum))
  local oldest = redis.call('ZRANGE', order(key), 0, 0)[1]
  if oldest then redis.call('HSET', key, 'oldest', oldest) end
end

local read, add, wait = {}, {}, {}

function read.window(key, gauge)
  local length, here = gauge[5], math.floor(now * 1000 / gauge[5])
  local kept = redis.call('HMGET', key, 'used', 'oldest', 'born', here)
  if kept[2] and tonumber(kept[2]) <= gone(length) then
    forget(key, length)
    kept = redis.call('HMGET', key, 'used', 'oldest', 'born', here)
  end
  local oldest = tonumber(kept[2]) or here
  local one = {used = tonumber(kept[1]) or 0, slot = here, born = tonumber(kept[3]) or born, fresh = not kept[4]}
  one.oldest = kept[2] and oldest
  function one.reset() return one.used > 0 and (oldest + 1) * length / 1000 + length - now or 0 end
  return one
end

function add.window(key, gauge, one)
  if one.fresh then
    local life = whole(gauge[5] * 1.01 + 1000)
    local oldest = math.min(one.oldest or one.slot, one.slot)
    redis.call('HSET', key, 'oldest', oldest, 'born', whole(one.born))
    redis.call('ZADD', order(key), one.slot, one.slot)
    redis.call('PEXPIRE', order(key), life)
    redis.call('HINCRBY', key, one.slot, whole(gauge[2]))
    redis.call('PEXPIRE', key, life)
  else
    redis.call('HINCRBY', key, one.slot, whole(gauge[2]))
  end
  return redis.call('HINCRBY', key, 'used', whole(gauge[2]))
end

function wait.window(key, gauge, one)
  local length, need, from = gauge[5], one.used + gauge[2] - gauge[3], 0
  while true do
    local grains = redis.call('ZRANGE', order(key), from, from + 63)
    if #grains == 0 then return 0 end
    for at, amount in ipairs(redis.call('HMGET', key, unpack(grains))) do
      need = need - (tonumber(amount) or 0)
      if need <= 0 then return math.max(0, (tonumber(grains[at]) + 1) * length / 1000 + length - now) end
    end
    from = from + 64
  end
end

function read.period(key, gauge)
  local bounds, at = gauge[5], 1
  while at < #bounds - 1 and now >= bounds[at + 1] do at = at + 1 end
  local begins, ends = bounds[at], bounds[at + 1]
  local kept = redis.call('HMGET', key, 'used', 'begins', 'ends', 'born')
  local one = {used = 0, slot = 0, born = born, fresh = true, begins = begins, ends = ends}
  if kept[2] and tonumber(kept[2]) >= begins then  -- also when the clock was set back
    one = {used = tonumber(kept[1]), slot = 0, born = tonumber(kept[4]), ends = tonumber(kept[3])}
  end
  function one.reset() return one.used > 0 and math.max(0, one.ends - now) or 0 end
  return one
end

function add.period(key, gauge, one)
  if one.fresh then
    redis.call('DEL', key)
    redis.call('HSET', key, 'begins', one.begins, 'ends', one.ends, 'born', whole(one.born))
    redis.call('PEXPIRE', key, whole(math.max(0, one.ends - now) + 86400000))
  end
  return redis.call('HINCRBY', key, 'used', whole(gauge[2]))
end

function wait.period(key, gauge, one) return math.max(0, one.ends - now) end

function read.total(key)
  local kept = redis.call('HMGET', key, 'used', 'born')
  return {used = tonumber(kept[1]) or 0, slot = 0, born = tonumber(kept[2]) or born, reset = wait.total}
end

function add.total(key, gauge, one)
  redis.call('HSET', key, 'born', whole(one.born))
  local used = redis.call('HINCRBY', key, 'used', whole(gauge[2]))
  redis.call('PEXPIRE', key, 315360000000)
  return used
end

function wait.total() return -1 end

function read.places(key)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  return {used = redis.call('ZCARD', key), slot = 0, born = 0, reset = wait.total}
end

function add.places(key, gauge, one)
  redis.call('ZADD', key, now + lease, member)
  redis.call('PEXPIRE', key, whole(lease + 1000))
  return one.used + 1
end

wait.places = wait.total

local found, worst = {}, nil
for at, gauge in ipairs(gauges) do
  local one = read[gauge[1]](KEYS[at], gauge)
  found[at] = one
  if reserves and gauge[4] and one.used + gauge[2] > gauge[3] then
    local needs = gauge[2] > gauge[3] and -1 or wait[gauge[1]](KEYS[at], gauge, one)
    if not worst or (worst[6] >= 0 and (needs < 0 or needs > worst[6])) then
      worst = {now, 'over', at - 1, one.used, one.reset and one.reset() or -1, needs}
    end
  end
end
if worst then return cmsgpack.pack(worst) end
local used, resets, slots, births = {}, {}, {}, {}
for at, gauge in ipairs(gauges) do
  local one = found[at]
  if reserves then
    one.used = add[gauge[1]](KEYS[at], gauge, one)
    if one.slot > 0 and not one.oldest then one.oldest = one.slot end
  end
  used[at], resets[at], slots[at], births[at] = one.used, one.reset and one.reset() or -1, one.slot, one.born
end
return cmsgpack.pack({now, reserves and 'held' or 'level', used, resets, slots, births})
"""
)
