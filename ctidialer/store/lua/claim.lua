-- Moves entries from the origin into the in-flight hash and returns {id, value, id, value, ...}.
-- KEYS: lease, in-flight hash, origin (a list, or the zset of scheduled numbers)
-- ARGV: token, number of this claim, how many, 'left' | 'right' | 'due', the greatest score that is
--       due, the header of the values: JSON without its closing brace
local side = ARGV[4]
local refused = lease_lost() or wrong_type(2, 'hash')
    or wrong_type(3, side == 'due' and 'zset' or 'list')
if refused then
    return refused
end

local count = tonumber(ARGV[3])
local prefix = ARGV[1] .. '-' .. ARGV[2] .. '-'
local taken = {}

-- A claim that has been here, or that was called off: what it took is returned again, and nothing
-- more is taken.
if tonumber(ARGV[2]) <= tonumber(redis.call('HGET', KEYS[1], 'claims') or '0') then
    for index = 0, count - 1 do
        local value = redis.call('HGET', KEYS[2], prefix .. index)
        if value then
            taken[#taken + 1] = prefix .. index
            taken[#taken + 1] = value
        end
    end
    return taken
end

local header = ARGV[6] .. ',"taken_at":' .. now()

local function keep(index, entry, more)
    local id = prefix .. index
    local value = header .. more .. '}\n\n' .. entry
    redis.call('HSET', KEYS[2], id, value)
    taken[#taken + 1] = id
    taken[#taken + 1] = value
end

if side == 'left' then
    local entries = redis.call('LRANGE', KEYS[3], 0, count - 1)
    for index = 1, #entries do
        keep(index - 1, entries[index], '')
    end
    if #entries > 0 then
        redis.call('LTRIM', KEYS[3], #entries, -1)
    end
elseif side == 'right' then
    local entries = redis.call('LRANGE', KEYS[3], -count, -1)
    for index = 1, #entries do
        keep(index - 1, entries[#entries - index + 1], '')
    end
    if #entries > 0 then
        redis.call('LTRIM', KEYS[3], 0, -#entries - 1)
    end
else
    local members = redis.call(
        'ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[5], 'WITHSCORES', 'LIMIT', 0, count)
    for index = 1, #members, 2 do
        keep((index - 1) / 2, members[index], ',"score":"' .. members[index + 1] .. '"')
        redis.call('ZREM', KEYS[3], members[index])
    end
end

-- Looking at an empty queue writes nothing.
if #taken > 0 then
    redis.call('HSET', KEYS[1], 'claims', ARGV[2])
end
return taken
