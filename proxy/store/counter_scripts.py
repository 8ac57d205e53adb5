"""What a store does for shared counters, in its own language: reserve in all gauges or in none, settle, renew places.

Times are microseconds of the store's clock. A window that slides is a hash of a thousand parts, each by its number,
with the list of these numbers in order; a period of a calendar is a hash; a total is a number; places are a sorted
set by the end of their lease.
"""

from __future__ import annotations

import hashlib

# A gauge is six arguments: s(liding), c(alendar), t(otal) or p(laces), in upper case where it is hard; its limit; the
# amount; and of a window its length, of a period when it begins and ends and when the next one ends (microseconds).
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local deadline, mode, member, life, lease = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if deadline > 0 and now > deadline then return {-1, now} end

local function whole(number) return string.format('%.0f', number) end
local function negative(amount) return amount:sub(1, 1) == '-' and amount:sub(2) or '-' .. amount end
local function over_in(one, number) return (number + 1) * one.grain + one.window - now end

local function begin_grain(one)
  local life = whole(math.ceil((one.window + 2 * one.grain) / 1000))
  redis.call('RPUSH', one.order, whole(one.number))
  redis.call('PEXPIRE', one.order, life)
  redis.call('PEXPIRE', one.key, life)
end

local sliding = {}
function sliding.turn(one)
  one.window = one.a
  one.order, one.grain = one.key .. ':order', one.window / 1000
  one.number = math.floor(now / one.grain)
  one.last = tonumber(redis.call('LINDEX', one.order, -1) or -1)
  if one.last == one.number + 1 then
    one.number = one.last
  elseif one.last > one.number then -- the clock was set back: all of it counts from now on
    local used = redis.call('HGET', one.key, 'used') or '0'
    redis.call('DEL', one.key, one.order)
    redis.call('HSET', one.key, 'used', used, whole(one.number), used)
    begin_grain(one)
    one.last = one.number
  end
  local first = redis.call('LINDEX', one.order, 0)
  while first and over_in(one, first) <= 0 do
    redis.call('LPOP', one.order)
    local amount = redis.call('HGET', one.key, first) or '0'
    redis.call('HDEL', one.key, first)
    if amount ~= '0' then redis.call('HINCRBY', one.key, 'used', negative(amount)) end
    first = redis.call('LINDEX', one.order, 0)
  end
  if not first then
    one.last = -1
    redis.call('DEL', one.key)
  end
  one.used = first and redis.call('HGET', one.key, 'used') or '0'
end
function sliding.add(one)
  local number = whole(one.number)
  redis.call('HINCRBY', one.key, number, one.amount)
  one.used = whole(redis.call('HINCRBY', one.key, 'used', one.amount))
  if one.last ~= one.number then begin_grain(one) end
  return number
end
function sliding.wait(one)
  local too_much = one.used + one.amount - one.limit
  for _, number in ipairs(redis.call('LRANGE', one.order, 0, -1)) do
    too_much = too_much - (redis.call('HGET', one.key, number) or 0)
    if too_much <= 0 then return over_in(one, number) end
  end
  return -1
end
function sliding.reset(one)
  local at = 0
  local number = redis.call('LINDEX', one.order, at)
  while number and redis.call('HGET', one.key, number) == '0' do
    at = at + 1
    number = redis.call('LINDEX', one.order, at)
  end
  return number and over_in(one, number) or 0
end

local calendar = {}
function calendar.turn(one)
  local known = redis.call('HMGET', one.key, 'ends', 'used')
  one.ends, one.used = tonumber(known[1] or 0), known[2] or '0'
  if now >= one.ends then -- only the clock of the store ends a period, whatever that of the asker says
    local begins, ends, next = one.a, one.b, one.c
    one.fresh, one.used = true, '0'
    if now < begins then
      one.ends = begins - math.floor((begins - now) / (ends - begins)) * (ends - begins)
    elseif now < ends then
      one.ends = ends
    else
      one.ends = next + math.max(0, math.floor((now - next) / (next - ends)) + 1) * (next - ends)
    end
    if one.ends <= now then one.ends = one.ends + ends - begins end
  end
end
function calendar.add(one)
  if one.fresh then
    redis.call('HSET', one.key, 'ends', whole(one.ends), 'used', one.amount)
    redis.call('PEXPIRE', one.key, whole(math.ceil((one.ends - now) / 1000) + 1))
    one.used = one.amount
  else
    one.used = whole(redis.call('HINCRBY', one.key, 'used', one.amount))
  end
  return whole(one.ends)
end
function calendar.wait(one) return one.ends - now end
function calendar.reset(one) return one.ends - now end

local total = {}
function total.turn(one) one.used = redis.call('GET', one.key) or '0' end
function total.add(one)
  one.used = whole(redis.call('INCRBY', one.key, one.amount))
  return '-'
end
function total.wait() return -1 end

local places = {}
function places.turn(one)
  redis.call('ZREMRANGEBYSCORE', one.key, '-inf', whole(now))
  one.used = whole(redis.call('ZCARD', one.key))
end
function places.add(one)
  redis.call('ZADD', one.key, whole(now + lease * 1000), member)
  redis.call('PEXPIRE', one.key, whole(lease))
  one.used = whole(one.used + 1)
  return '-'
end
function places.wait() return -1 end

local kinds = {s = sliding, c = calendar, t = total, p = places}
local function reset(one)
  if not one.of.reset then return -1 end
  return tonumber(one.used) > 0 and one.of.reset(one) or 0
end

local gauges, refused, longest = {}, nil, 0
for at = 1, #KEYS - 1 do
  local from = 6 * at
  local one = {
    key = KEYS[at + 1], of = kinds[ARGV[from]:lower()], limit = ARGV[from + 1], amount = ARGV[from + 2],
    a = tonumber(ARGV[from + 3]), b = tonumber(ARGV[from + 4]), c = tonumber(ARGV[from + 5])
  }
  gauges[at] = one
  one.of.turn(one)
  local is_hard = ARGV[from] ~= ARGV[from]:lower()
  if mode == 'reserve' and is_hard and one.used + one.amount > tonumber(one.limit) then
    local wait = tonumber(one.amount) > tonumber(one.limit) and -1 or one.of.wait(one)
    if not refused or (longest >= 0 and (wait < 0 or wait > longest)) then refused, longest = at, wait end
  end
end
if refused then
  local one = gauges[refused]
  return {0, now, refused - 1, one.used, reset(one), longest}
end
local told, slots = {1, now}, {}
for at, one in ipairs(gauges) do
  if mode == 'reserve' then slots[at] = one.of.add(one) end
  told[2 * at + 1], told[2 * at + 2] = one.used, reset(one)
end
if mode == 'reserve' then redis.call('SET', KEYS[1], table.concat(slots, ' '), 'PX', life) end
return told
"""

# KEYS: the note of the reservation, and the gauges that change. Of each: its number among all, its kind, by how much.
_SETTLE = """
local note = redis.call('GET', KEYS[1])
local slots = {}
if note then
  redis.call('DEL', KEYS[1])
  for slot in note:gmatch('%S+') do slots[#slots + 1] = slot end
end
for at = 2, #KEYS do
  local key, slot = KEYS[at], slots[ARGV[3 * at - 4] + 1]
  local kind, by = ARGV[3 * at - 3], ARGV[3 * at - 2]
  if kind == 'p' then
    redis.call('ZREM', key, ARGV[1])
  elseif slot and kind == 't' then
    redis.call('INCRBY', key, by)
  elseif slot and kind == 'c' and redis.call('HGET', key, 'ends') == slot then
    redis.call('HINCRBY', key, 'used', by)
  elseif slot and kind == 's' and redis.call('HEXISTS', key, slot) == 1 then
    redis.call('HINCRBY', key, slot, by)
    redis.call('HINCRBY', key, 'used', by)
  end
end
return 1
"""

_RENEW = """
local time = redis.call('TIME')
local ends = string.format('%.0f', time[1] * 1000000 + time[2] + ARGV[1] * 1000)
for at, key in ipairs(KEYS) do
  redis.call('ZADD', key, ends, ARGV[at + 1])
  redis.call('PEXPIRE', key, ARGV[1])
end
return 1
"""


class Script:
    """A script, and the name by which a store knows it once it has seen it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.name = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


RESERVE, SETTLE, RENEW = Script(_RESERVE), Script(_SETTLE), Script(_RENEW)
