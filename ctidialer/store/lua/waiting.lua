-- What scripts share that move numbers which wait.  A place has three KEYS in a row, of which they
-- name the first: the numbers by due time (zset, member: what the entry carries, as JSON, a line
-- break, the entry), when the next of each place is due (zset), how many wait (hash, by reason).
local REASONS = {'retry', 'hours', 'cap'}

local function wrong_place(first)
    return wrong_type(first, 'zset') or wrong_type(first + 1, 'zset')
        or wrong_type(first + 2, 'hash')
end

local function place_not_allowed(first)
    return not_allowed('ZADD', first, 'ZREM', first, 'ZRANGE', first, 'ZADD', first + 1,
        'ZREM', first + 1, 'HINCRBY', first + 2, 'HDEL', first + 2)
end

-- Returns the two parts of a member and the reason; nil = nobody here has written it.
local function split_waiting(member)
    local cut = string.find(member, '\n', 1, true)
    local carried = cut and string.sub(member, 1, cut - 1)
    -- No text in JSON holds these bytes: a quotation mark in a text has a backslash before it.
    local reason = carried and string.match(carried, '^{.*"reason":"(%l+)".*}$')
    if reason then
        return carried, string.sub(member, cut + 1), reason
    end
end

-- A count that somebody has spoilt is passed over: it goes when the place is empty.
local function count_waiting(first, field, reason, change)
    redis.pcall('HINCRBY', KEYS[first + 2], field .. ':' .. reason, change)
end

local function put_waiting(first, field, due, carried, entry)
    local member = carried .. '\n' .. entry
    local _, _, reason = split_waiting(member)
    if redis.call('ZADD', KEYS[first], 'NX', due, member) == 1 and reason then
        count_waiting(first, field, reason, 1)
    end
end

-- Comes after every change of a place.
local function sum_up(first, field)
    local head = redis.call('ZRANGE', KEYS[first], 0, 0, 'WITHSCORES')
    if head[2] then
        redis.call('ZADD', KEYS[first + 1], head[2], field)
        return
    end
    redis.call('ZREM', KEYS[first + 1], field)
    for _, reason in ipairs(REASONS) do
        redis.call('HDEL', KEYS[first + 2], field .. ':' .. reason)
    end
end
