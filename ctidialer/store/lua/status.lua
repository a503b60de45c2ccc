-- Publishes what this daemon is doing, for as long as it goes on saying so.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   status (string)
-- ARGV[1]   token of this daemon
-- ARGV[2]   status: JSON
-- ARGV[3]   milliseconds after which it vanishes
-- Returns   1
--
-- HDEL needs no memory, and what comes after it in a script is not refused for want of it: while
-- Redis is full the status is what says so.
local problem = lease_lost() or not_allowed('HDEL', 1)
if problem then
    return problem
end
redis.call('HDEL', KEYS[1], '')
problem = not_allowed('SET', 2)
if problem then
    return problem
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1
