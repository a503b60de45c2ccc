-- Keeps what the pacing of a task has learnt and counted, for all hosts that run it; and says who
-- paces: the host that asks first, for as long as it goes on asking.  It also notes when a host
-- wrote last.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   pacing of the task (hash)
-- ARGV[1]   token of this daemon
-- ARGV[2]   name of this host
-- ARGV[3]   seconds for which it wants to pace; 0 = it does not
-- ARGV[4]   milliseconds after which the hash vanishes, unless somebody writes again
-- ARGV[5…]  fields of this host, each with its value; an empty value removes the field
-- Returns   the time (unix seconds), then all fields with their values
local problem = lease_lost() or wrong_type(2, 'hash')
    or not_allowed('HSET', 2, 'HDEL', 2, 'HMGET', 2, 'HGETALL', 2, 'PEXPIRE', 2)
if problem then
    return problem
end
local at = tonumber(now())
local wanted = tonumber(ARGV[3])
local held = redis.call('HMGET', KEYS[2], 'pacer', 'pacer_until')
local is_mine = held[1] == ARGV[2]
local is_free = not held[1] or at >= (tonumber(held[2] or '') or 0)
if wanted > 0 and (is_mine or is_free) then
    redis.call('HSET', KEYS[2], 'pacer', ARGV[2], 'pacer_until', string.format('%.3f', at + wanted))
elseif wanted == 0 and is_mine then
    redis.call('HSET', KEYS[2], 'pacer_until', '0')
end
for index = 5, #ARGV, 2 do
    if ARGV[index + 1] == '' then
        redis.call('HDEL', KEYS[2], ARGV[index])
    else
        redis.call('HSET', KEYS[2], ARGV[index], ARGV[index + 1])
    end
end
if #ARGV > 4 then
    redis.call('HSET', KEYS[2], 'seen:' .. ARGV[2], string.format('%.3f', at))
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
local fields = redis.call('HGETALL', KEYS[2])
table.insert(fields, 1, string.format('%.6f', at))
return fields
