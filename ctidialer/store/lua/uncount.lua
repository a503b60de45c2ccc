-- Takes calls, or conversations, out of what was counted for their callees.
--
-- KEYS[1]   lease of the host (hash)
-- ARGV[1]   token of this daemon
-- ARGV[2…]  pairs: key of the calls to a callee (zset), the member that goes
-- Returns   for each pair 1, or 0 where it was not counted, or where that key may not be changed
local problem = lease_lost()
if problem then
    return problem
end
local gone = {}
for index = 2, #ARGV, 2 do
    local answer = redis.pcall('ZREM', ARGV[index], ARGV[index + 1])
    gone[#gone + 1] = answer == 1 and 1 or 0
end
return gone
