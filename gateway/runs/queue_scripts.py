"""What the queue does in Redis, each in one step that no other replica can see half done.

``incomplete`` is SAQ's (0.26): every job by the time it is due, 0 while somebody has it in hand.
Added to it: ``owners`` (job id to ``worker:take`` of who has it in hand), ``woken`` (those in hand
that are due again at once) and ``workers`` (worker to when it was last heard of, by Redis' clock).

A script that has written once is not stopped half way when Redis is full.
"""

from typing import Final

TURN: Final = """
local incomplete, owners, woken, workers = unpack(KEYS)
local me, token, now, wanted = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

for i = 5, #ARGV, 3 do
  local job, held, due = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  -- Who was thought dead has lost its jobs to others, who may be at work on them.
  if redis.call('HGET', owners, job) == held then
    redis.call('HDEL', owners, job)
    local is_woken = redis.call('SREM', woken, job) == 1
    if due == '' then
      redis.call('ZREM', incomplete, job)
      redis.call('DEL', job)
    else
      redis.call('ZADD', incomplete, is_woken and now or math.max(now, due), job)
    end
  end
end

-- What a worker takes that is not among the living would be taken from it at once.
if wanted == 0 or not redis.call('ZSCORE', workers, me) then return {} end
local due = redis.call(
  'ZRANGEBYSCORE', incomplete, '(0', now, 'WITHSCORES', 'LIMIT', 0, wanted)
for i = 1, #due, 2 do
  redis.call('ZADD', incomplete, 0, due[i])
  redis.call('HSET', owners, due[i], token)
  redis.call('SREM', woken, due[i])
end
return due
"""
"""Put jobs back, and take those that are due, the earliest first.

ARGV: worker, token of this take, now, jobs wanted, and for each job put back: its id, the token
under which it was taken, when it is due (empty: it has ended). Gives id and due time of each job
taken, in turn.
"""

ROLL_CALL: Final = """
local incomplete, owners, workers = unpack(KEYS)
local me, presence, now = ARGV[1], ARGV[2], ARGV[3]
local lease, outage = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local time_here = time[1] + time[2] / 1000000

-- When nobody at all was heard of, Redis was away, or its clock jumped: held against nobody.
local newest = redis.call('ZREVRANGE', workers, 0, 0, 'WITHSCORES')[2]
if newest and math.abs(time_here - newest) > outage then
  for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
    redis.call('ZINCRBY', workers, time_here - newest, worker)
  end
end
if presence == 'leaving' then
  redis.call('ZREM', workers, me)
else
  redis.call('ZADD', workers, time_here, me)
end
redis.call('ZREMRANGEBYSCORE', workers, '-inf', time_here - lease)

local is_alive = {}
for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do is_alive[worker] = true end
local mine = {}
local taken = redis.call('HGETALL', owners)
for i = 1, #taken, 2 do
  local job, token = taken[i], taken[i + 1]
  local worker = string.match(token, '^[^:]+')
  if not is_alive[worker] then
    redis.call('HDEL', owners, job)
    redis.call('ZADD', incomplete, now, job)
  elseif worker == me then
    table.insert(mine, job)
    table.insert(mine, token)
  end
end
return mine
"""
"""Show that this worker lives, or that it leaves, and make the jobs of the dead due now.

ARGV: worker, ``present`` or ``leaving``, now, seconds of silence after which a worker is dead,
seconds of silence of all workers that are an outage of Redis. Gives id and token of each job that
this worker has in hand by Redis' account, in turn.
"""

WAKE: Final = """
local incomplete, woken, job = unpack(KEYS)
local now = tonumber(ARGV[1])
local due = tonumber(redis.call('ZSCORE', incomplete, job) or '-1')
if due > now then
  redis.call('ZADD', incomplete, now, job)
elseif due == 0 then
  redis.call('SADD', woken, job)
end
"""
"""Make a job due now; if it is in hand, as soon as it is put back. ARGV: now."""
