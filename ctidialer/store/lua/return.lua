-- Puts entries back where they were taken from.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   entries in flight (hash)
-- KEYS[3]   origin (list, zset of scheduled numbers, or place where numbers wait: see waiting.lua)
-- KEYS[4], KEYS[5]   with 'waiting', the others of that place
-- ARGV[1]   token of this daemon
-- ARGV[2]   number up to which claims of this daemon are called off
-- ARGV[3]   'left' | 'right' | 'due' | 'waiting'
-- ARGV[4]   with 'waiting', the place, as KEYS[4] and KEYS[5] name it
-- ARGV[5…]  pairs: id of an entry, its new score; '' = the one with which it was taken.  The entry
--           that shall stand first in a list comes last.
-- Returns   for each pair 1, or 0 where the entry was not in flight
local side = ARGV[3]
local push = side == 'left' and 'LPUSH' or side == 'right' and 'RPUSH' or 'ZADD'
local waited = side == 'waiting'
local problem = lease_lost() or wrong_type(2, 'hash') or waited and wrong_place(3)
    or wrong_type(3, push == 'ZADD' and 'zset' or 'list')
    or not_allowed('HSET', 1, push, 3, 'HDEL', 2) or waited and place_not_allowed(3)
if problem then
    return problem
end

-- Returns the first line of a value, and the whole entry, also where that has a key of its own.
local function parts(id, value)
    local first = string.find(value, '\n', 1, true)
    local second = string.find(value, '\n', first + 1, true)
    local line, entry = string.sub(value, 1, first - 1), string.sub(value, second + 1)
    if string.find(line, ',"length":', 1, true) then
        return line, redis.call('GET', KEYS[2] .. ':' .. id) or entry, true
    end
    return line, entry, false
end

local function put_back(id, value, score)
    local line, entry, is_apart = parts(id, value)
    local why = is_apart and refusal('SET', KEYS[2] .. ':' .. id)
    if why then
        return refused(why, 'SET', 'KEYS 2 :*')
    end
    if push ~= 'ZADD' then
        redis.call(push, KEYS[3], entry)
    else
        if score == '' then
            score = string.match(line, ',"score":"([^"]*)"')
        end
    end
    if waited then
        local from = select(2, string.find(line, ',"carried":', 1, true)) + 1
        put_waiting(3, ARGV[4], score, string.sub(line, from, -2), entry)
    elseif push == 'ZADD' then
        -- A member that the back end has scheduled anew meanwhile keeps its new time.
        redis.call('ZADD', KEYS[3], 'NX', score, entry)
    end
    redis.call('HDEL', KEYS[2], id)
    if is_apart then
        redis.call('SET', KEYS[2] .. ':' .. id, '', 'PX', 1)
    end
end

local returned = {}
for index = 5, #ARGV, 2 do
    local value = redis.call('HGET', KEYS[2], ARGV[index])
    if value then
        problem = put_back(ARGV[index], value, ARGV[index + 1])
        if problem then -- those before it are back, each of them whole
            break
        end
    end
    returned[#returned + 1] = value and 1 or 0
end
if waited then
    sum_up(3, ARGV[4])
end
if problem then
    return problem
end

if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], 'claims') or '0') then
    redis.call('HSET', KEYS[1], 'claims', ARGV[2])
end
return returned
