-- Publishes what this daemon is doing, for as long as it goes on saying so.
-- KEYS: lease, status
-- ARGV: token, JSON, milliseconds
local refused = lease_lost()
if refused then
    return refused
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1
