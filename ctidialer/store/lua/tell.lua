-- Appends to a stream that is for watching: events of calls, or what happened in a minute.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   the stream
-- ARGV[1]   token of this daemon
-- ARGV[2]   about how many entries the stream keeps
-- ARGV[3]   name of the one field of each entry
-- ARGV[4…]  the entries: JSON, the oldest first
-- Returns   how many there were
local problem = lease_lost() or wrong_type(2, 'stream') or not_allowed('XADD', 2)
if problem then
    return problem
end
for index = 4, #ARGV do
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', ARGV[3], ARGV[index])
end
return #ARGV - 3
