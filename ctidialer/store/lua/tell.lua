-- Appends events to the stream that tells of calls while they are up.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   events (stream)
-- ARGV[1]   token of this daemon
-- ARGV[2]   about how many events the stream keeps
-- ARGV[3…]  events: JSON, the oldest first
-- Returns   how many there were
local problem = lease_lost() or wrong_type(2, 'stream') or not_allowed('XADD', 2)
if problem then
    return problem
end
for index = 3, #ARGV do
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'event', ARGV[index])
end
return #ARGV - 2
