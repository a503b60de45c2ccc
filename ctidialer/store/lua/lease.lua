-- Takes, prolongs or gives up the host's lease (a hash that expires by Redis' own clock).
-- KEYS: lease
-- ARGV: token, 'hold' | 'release', milliseconds, holder: JSON without its closing brace
-- Returns {1} = prolonged, {2} = begun, {0, holder, milliseconds left} = another daemon has it.
local refused = wrong_type(1, 'hash')
if refused then
    return refused
end

local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] and held[1] ~= ARGV[1] then
    return {0, held[2] or '', redis.call('PTTL', KEYS[1])}
end
if ARGV[2] == 'release' then
    redis.call('DEL', KEYS[1])
    return {1}
end
if not held[1] then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1],
        'token', ARGV[1], 'holder', ARGV[4] .. ',"since":' .. now() .. '}')
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {held[1] and 1 or 2}
