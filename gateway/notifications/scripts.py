"""What Redis does about notices in one step."""

from typing import Final

_PUT: Final = """
local function put(notice, was, room, first_receiver, first_stream)
  local full = {}
  for number = first_receiver, #ARGV do
    local stream = KEYS[number - first_receiver + first_stream]
    if redis.call('XLEN', stream) >= tonumber(room) then
      full[#full + 1] = ARGV[number]
    else
      redis.call('SADD', KEYS[1], ARGV[number])
      redis.call('XADD', stream, '*', 'was', was, 'notice', notice)
    end
  end
  return full
end
"""
# KEYS: names of receivers, then the stream of each receiver. ARGV: how many entries a stream may
# have, notice, then the name of each receiver. Gives the names of those that had no room.
ADD: Final = f"{_PUT}\nreturn put(ARGV[2], '', ARGV[1], 3, 2)"
# KEYS: names of receivers, phases, when they were, then the stream of each receiver. ARGV: how many
# entries a stream may have, notice, question, for how long the verdict is known (s), its phase, how
# long to remember it (s), how many to remember, then the name of each receiver. Gives false if the
# verdict is no other than before, else as above. One that is older than the newest known changes
# nothing; a first one that is Successful is no news, and not remembered: callers choose how many
# there are. What is ahead of the clock was written before that was set back, or by another Redis.
# A call whose answer was lost may be repeated.
CHANGE: Final = f"""
{_PUT}
local question, phase, remember_s = ARGV[3], ARGV[5], tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local at = now - ARGV[4]
local known = tonumber(redis.call('ZSCORE', KEYS[3], question))
local was
if known and known > now - remember_s then was = redis.call('HGET', KEYS[2], question) end
if was and at < known and known <= now then return false end
if not was and phase == 'Successful' then return false end
redis.call('ZADD', KEYS[3], string.format('%.6f', at), question)
redis.call('HSET', KEYS[2], question, phase)
local old = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - remember_s, 'LIMIT', 0, 10)
if redis.call('ZCARD', KEYS[3]) - #old > tonumber(ARGV[7]) then
  old[#old + 1] = redis.call('ZRANGE', KEYS[3], #old, #old)[1]
end
for _, each in ipairs(old) do
  redis.call('ZREM', KEYS[3], each)
  redis.call('HDEL', KEYS[2], each)
end
redis.call('EXPIRE', KEYS[2], remember_s)
redis.call('EXPIRE', KEYS[3], remember_s)
if was == phase then return false end
return put(ARGV[2], was or '', ARGV[1], 8, 4)
"""
# KEYS: names of receivers, the stream of one that is not known here. ARGV: its name, how old an
# entry may be (ms), how many to drop at most. Gives how many were dropped. An empty stream is left
# to whoever knows its receiver.
SWEEP: Final = """
local time = redis.call('TIME')
local last = string.format('%.0f', time[1] * 1000 - ARGV[2])
local old = redis.call('XRANGE', KEYS[2], '-', last, 'COUNT', ARGV[3])
for _, row in ipairs(old) do redis.call('XDEL', KEYS[2], row[1]) end
if #old > 0 and redis.call('XLEN', KEYS[2]) == 0 then
  redis.call('DEL', KEYS[2])
  redis.call('SREM', KEYS[1], ARGV[1])
end
return #old
"""
