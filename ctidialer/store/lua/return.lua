-- Puts entries back where they were taken from: 1 for each that was in flight, else 0.
-- KEYS: lease, in-flight hash, origin
-- ARGV: token, number up to which claims of this daemon are called off, 'left' | 'right' | 'due',
--       then id, score, id, score, ...; a score of '' is the one with which it was taken.
-- In the order given: the caller names the entry that shall stand first (in a list) last.
local side = ARGV[3]
local refused = lease_lost() or wrong_type(2, 'hash')
    or wrong_type(3, side == 'due' and 'zset' or 'list')
if refused then
    return refused
end

local function put_back(value, score)
    local first = string.find(value, '\n', 1, true)
    local second = string.find(value, '\n', first + 1, true)
    local entry = string.sub(value, second + 1)
    if side == 'left' then
        redis.call('LPUSH', KEYS[3], entry)
    elseif side == 'right' then
        redis.call('RPUSH', KEYS[3], entry)
    else
        if score == '' then
            score = cjson.decode(string.sub(value, 1, first - 1))['score']
        end
        -- A member that the back end has scheduled anew meanwhile keeps its new time.
        redis.call('ZADD', KEYS[3], 'NX', score, entry)
    end
end

local returned = {}
for index = 4, #ARGV, 2 do
    local value = redis.call('HGET', KEYS[2], ARGV[index])
    if value then
        put_back(value, ARGV[index + 1])
        redis.call('HDEL', KEYS[2], ARGV[index])
    end
    returned[#returned + 1] = value and 1 or 0
end

if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], 'claims') or '0') then
    redis.call('HSET', KEYS[1], 'claims', ARGV[2])
end
return returned
