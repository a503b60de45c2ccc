-- Says which of many queues hold anything.  Reads only, so it asks for no lease.
--
-- ARGV[1]   names of the queues: a JSON array.  As KEYS, a thousand of them would cost the daemon
--           a millisecond.
-- Returns   the positions of the filled ones in the array, from 0
local filled = {}
for index, queue in ipairs(cjson.decode(ARGV[1])) do
    -- One that may not be looked at counts as filled: the claim says why it cannot be used.
    if redis.pcall('EXISTS', queue) ~= 0 then
        filled[#filled + 1] = index - 1
    end
end
return filled
