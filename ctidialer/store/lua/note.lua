-- Writes into each entry which call is about to be placed; returns 1, or 0 where there is no entry.
-- KEYS: lease, in-flight hash
-- ARGV: token, then id, second line of the value, id, line, ...
local refused = lease_lost() or wrong_type(2, 'hash')
if refused then
    return refused
end

local noted = {}
for index = 2, #ARGV, 2 do
    local value = redis.call('HGET', KEYS[2], ARGV[index])
    if value then
        local first = string.find(value, '\n', 1, true)
        local second = string.find(value, '\n', first + 1, true)
        redis.call('HSET', KEYS[2], ARGV[index],
            string.sub(value, 1, first) .. ARGV[index + 1] .. string.sub(value, second))
    end
    noted[#noted + 1] = value and 1 or 0
end
return noted
