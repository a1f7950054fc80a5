"""What Redis does to runs in one step: these scripts, in Lua, for Redis 6.2 and newer.

A script writes nothing before everything that may be refused has been looked at, and begins with
a command that a full Redis refuses: it is carried out as a whole or not at all. The first key
says where in a cluster it runs; the others follow from the run's id and lie in the same slot.
"""

from typing import Final

from gateway.runs import keys

_NAMES: Final = "\n".join(
    f"local {name} = '{getattr(keys, name)}'"
    for name in (
        "RUN",
        "EVENTS",
        "VERSIONS",
        "FACTS",
        "INDEX",
        "LIVE",
        "SUCCESSFUL",
        "UNSUCCESSFUL",
        "EXPIRING",
        "IDEMPOTENCY",
        "REMEMBERED",
    )
)
_REMOVE: Final = """
local function remove(id)
  local created = string.match(redis.call('HGET', FACTS, id) or '', '^%d+')
  redis.call('UNLINK', RUN .. id, EVENTS .. id)
  redis.call('HDEL', VERSIONS, id)
  redis.call('HDEL', FACTS, id)
  if created then redis.call('ZREM', INDEX, created .. ':' .. id) end
  for _, set in ipairs({LIVE, SUCCESSFUL, UNSUCCESSFUL, EXPIRING}) do
    redis.call('ZREM', set, id)
  end
end
"""

_KNOWN: Final = """
local function known(once, request, now, remembered_s)
  local used = once ~= '' and redis.call('HGET', IDEMPOTENCY, once)
  if not used then return nil end
  local at, first, digest = string.match(used, '^(%S+) (%S+) (.*)$')
  if now - at >= tonumber(remembered_s) then return nil end
  if digest ~= request then return {'reused', first} end
  return {redis.call('EXISTS', RUN .. first) == 1 and 'made' or 'deleted', first}
end
"""

# KEYS: idempotency. ARGV: digest of the idempotency key, digest of the request, now, how long a key
# is remembered (s).
FIND: Final = (
    _NAMES + _KNOWN + "return known(ARGV[1], ARGV[2], ARGV[3], ARGV[4]) or {'unknown', ''}"
)

# KEYS: run. ARGV: id, manifest, status, time of creation, the same in ms, facts, '1' to terminate
# it, how many may be live, digest of the idempotency key ('' for none), digest of the request, how
# long a key is remembered (s), schema.
# A run of this id is there already when the answer to an earlier call was lost.
CREATE: Final = (
    _NAMES
    + _KNOWN
    + """
local id, now, once = ARGV[1], ARGV[4], ARGV[9]
if redis.call('EXISTS', KEYS[1]) == 1 then return {'made', id} end
local found = known(once, ARGV[10], now, ARGV[11])
if found then return found end
if redis.call('ZCARD', LIVE) >= tonumber(ARGV[8]) then return {'too many', id} end
redis.call('HSET', KEYS[1], 'manifest', ARGV[2], 'status', ARGV[3], 'version', 0, 'created', now,
  'schema', ARGV[12])
if ARGV[7] == '1' then redis.call('HSET', KEYS[1], 'terminate', 1) end
redis.call('HSET', VERSIONS, id, '0 Pending')
redis.call('HSET', FACTS, id, ARGV[5] .. ' ' .. ARGV[6])
redis.call('ZADD', INDEX, 0, ARGV[5] .. ':' .. id)
redis.call('ZADD', LIVE, 0, id)
if once ~= '' then
  redis.call('HSET', IDEMPOTENCY, once, now .. ' ' .. id .. ' ' .. ARGV[10])
  redis.call('ZADD', REMEMBERED, now, once)
end
return {'made', id}
"""
)

# KEYS: run, events. ARGV: id, version, status, phase, how many events to keep, time of the end (''
# before it), when it expires ('' for never), schema; then each event.
# The schema of the newest gateway that wrote into a run stays.
# A call is a repeat if the run is one version further and has the status that is to be saved.
SAVE: Final = (
    _NAMES
    + """
local id, version, phase = ARGV[1], ARGV[2] + 1, ARGV[4]
local run = redis.call('HMGET', KEYS[1], 'version', 'terminate', 'schema')
if not run[1] then return 'gone' end
local saved = run[2] and 'terminate' or 'saved'
if run[1] ~= ARGV[2] then
  local is_repeat = run[1] == tostring(version)
    and redis.call('HGET', KEYS[1], 'status') == ARGV[3]
  return is_repeat and saved or 'stale'
end
if not redis.call('ZSCORE', LIVE, id) then return 'stale' end
local function written(schema) return tonumber(string.match(schema or '1', '^%d+') or 1) end
local schema = written(run[3]) > written(ARGV[8]) and run[3] or ARGV[8]
if #ARGV > 8 then redis.call('RPUSH', KEYS[2], unpack(ARGV, 9)) end
redis.call('HSET', KEYS[1], 'status', ARGV[3], 'version', version, 'schema', schema)
redis.call('HSET', VERSIONS, id, version .. ' ' .. phase)
local excess = #ARGV > 8 and redis.call('LLEN', KEYS[2]) - ARGV[5] or 0
if excess > 0 then
  local dropped = redis.call('LINDEX', KEYS[2], excess - 1)
  redis.call('HSET', KEYS[1], 'dropped', string.match(dropped, '^%S+'))
  redis.call('LTRIM', KEYS[2], excess, -1)
end
if ARGV[6] ~= '' then
  redis.call('ZREM', LIVE, id)
  redis.call('ZADD', phase == 'Successful' and SUCCESSFUL or UNSUCCESSFUL, ARGV[6], id)
  if ARGV[7] ~= '' then redis.call('ZADD', EXPIRING, ARGV[7], id) end
end
return saved
"""
)

# KEYS: run. ARGV: id.
TERMINATE: Final = (
    _NAMES
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then return 'gone' end
if not redis.call('ZSCORE', LIVE, ARGV[1]) then return 'finished' end
return redis.call('HSETNX', KEYS[1], 'terminate', 1) == 1 and 'now' or 'already'
"""
)

# KEYS: run. ARGV: id, '1' to delete it whether it has ended or not.
DELETE: Final = (
    _NAMES
    + _REMOVE
    + """
local is_there = redis.call('EXISTS', KEYS[1]) == 1
if is_there and ARGV[2] ~= '1' and redis.call('ZSCORE', LIVE, ARGV[1]) then return 'under way' end
remove(ARGV[1])
return is_there and 'deleted' or 'gone'
"""
)

# KEYS: run, events. ARGV: version and number of an event. Gives the id of the newest that was
# dropped, and the later ones, newest first.
READ_EVENTS: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local version, number, later = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for place = -1, -redis.call('LLEN', KEYS[2]), -1 do
  local event = redis.call('LINDEX', KEYS[2], place)
  local its_version, its_number = string.match(event, '^(%d+)-(%d+) ')
  its_version, its_number = tonumber(its_version), tonumber(its_number)
  if its_version < version or its_version == version and its_number <= number then break end
  later[#later + 1] = event
end
return {redis.call('HGET', KEYS[1], 'dropped') or '0-0', later}
"""

# KEYS: live. ARGV: where to begin, how many to look at. Gives the last one that was looked at
# ('' at the end), and those that are there: what somebody deleted by hand is dropped.
LIVE_IDS: Final = (
    _NAMES
    + _REMOVE
    + """
local looked_at = redis.call('ZRANGEBYLEX', LIVE, ARGV[1], '+', 'LIMIT', 0, ARGV[2])
local there = {}
for _, id in ipairs(looked_at) do
  if redis.call('EXISTS', RUN .. id) == 1 then there[#there + 1] = id else remove(id) end
end
return {#looked_at == tonumber(ARGV[2]) and looked_at[#looked_at] or '', there}
"""
)

# KEYS: live. ARGV: now, the oldest end of a Successful run and of others, how many of each to keep,
# the oldest use of an idempotency key, how many to remove at most. Gives how many runs went.
COLLECT: Final = (
    _NAMES
    + _REMOVE
    + """
local most, gone = tonumber(ARGV[7]), 0
local function drop(ids)
  for _, id in ipairs(ids) do remove(id) end
  gone = gone + #ids
end
local function until_time(set, time)
  return redis.call('ZRANGEBYSCORE', set, '-inf', time, 'LIMIT', 0, most - gone)
end
drop(until_time(EXPIRING, ARGV[1]))
drop(until_time(SUCCESSFUL, ARGV[2]))
drop(until_time(UNSUCCESSFUL, ARGV[3]))
for set, kept in pairs({[SUCCESSFUL] = ARGV[4], [UNSUCCESSFUL] = ARGV[5]}) do
  local excess = math.min(redis.call('ZCARD', set) - kept, most - gone)
  if excess > 0 then drop(redis.call('ZRANGE', set, 0, excess - 1)) end
end
local old = redis.call('ZRANGEBYSCORE', REMEMBERED, '-inf', ARGV[6], 'LIMIT', 0, most)
for _, once in ipairs(old) do
  redis.call('HDEL', IDEMPOTENCY, once)
  redis.call('ZREM', REMEMBERED, once)
end
return {gone, #old}
"""
)
