-- Moves entries from a queue, or from where they waited, into the entries in flight.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   entries in flight (hash).  An entry above the size that is called goes to a key of its
--           own, KEYS[2]:<id> (string); in flight are its beginning and its length.
-- KEYS[3]   origin (list, zset of scheduled numbers, or place where numbers wait: see waiting.lua)
-- KEYS[4], KEYS[5]   with 'waiting', the others of that place
-- ARGV[1]   token of this daemon
-- ARGV[2]   number of this claim
-- ARGV[3]   how many entries
-- ARGV[4]   'left' | 'right' | 'due' | 'waiting'
-- ARGV[5]   with 'due', the greatest score that is due; waiting numbers are due by Redis' clock
-- ARGV[6]   first line of the values: JSON without its opening and its closing brace
-- ARGV[7]   bytes above which an entry is not called
-- ARGV[8]   bytes after which no more is taken; one entry always is
-- ARGV[9]   bytes that are kept in flight of an entry that is not called
-- ARGV[10]  with 'waiting', the place, as KEYS[4] and KEYS[5] name it
-- ARGV[11…] with 'due', to take these members and no others, as far as they are there and due:
--           pairs of a member and ''; or '' and a place, for a member there that is too long to be
--           called
-- Returns   pairs: id of an entry, its value in flight
local count, side = tonumber(ARGV[3]), ARGV[4]
local longest, enough = tonumber(ARGV[7]), tonumber(ARGV[8])
local push = side == 'left' and 'LPUSH' or side == 'right' and 'RPUSH' or 'ZADD'
local is_zset, waited = push == 'ZADD', side == 'waiting'
local problem = lease_lost() or wrong_type(2, 'hash') or waited and wrong_place(3)
    or wrong_type(3, is_zset and 'zset' or 'list')
if problem then
    return problem
end

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

local due = waited and now() or ARGV[5]

-- Returns `many` entries, and the scores of members of a zset, from the place `from` on.
local function look(from, many)
    local entries, scores = {}, {}
    if side == 'left' then
        return redis.call('LRANGE', KEYS[3], from, from + many - 1), scores
    elseif side == 'right' then
        local last = redis.call('LRANGE', KEYS[3], -from - many, -from - 1)
        for index = #last, 1, -1 do
            entries[#entries + 1] = last[index]
        end
        return entries, scores
    end
    local members = redis.call(
        'ZRANGEBYSCORE', KEYS[3], '-inf', due, 'WITHSCORES', 'LIMIT', from, many)
    for index = 1, #members, 2 do
        entries[#entries + 1], scores[#scores + 1] = members[index], members[index + 1]
    end
    return entries, scores
end

-- Looks at twice as many each time, and no further than to the first that is too much: an entry of
-- many megabytes keeps Redis for as long as it is copied.
local function choose()
    local chosen, scores, bytes, many = {}, {}, 0, 1
    while #chosen < count and bytes <= enough do
        local entries, theirs = look(#chosen, math.min(many, count - #chosen))
        for index = 1, #entries do
            bytes = bytes + #entries[index]
            if #chosen > 0 and bytes > enough then
                return chosen, scores
            end
            chosen[#chosen + 1], scores[#chosen + 1] = entries[index], theirs[index]
        end
        if #entries == 0 then
            break
        end
        many = many * 2
    end
    return chosen, scores
end

local function named(member, place)
    if place == '' then
        return member, redis.call('ZSCORE', KEYS[3], member)
    end
    local there = redis.call('ZRANGE', KEYS[3], place, place, 'WITHSCORES')
    if there[1] and #there[1] > longest then
        return there[1], there[2]
    end
end

local function choose_named()
    local chosen, scores, bytes = {}, {}, 0
    for index = 11, #ARGV, 2 do
        local entry, score = named(ARGV[index], ARGV[index + 1])
        if score and tonumber(score) <= tonumber(ARGV[5]) then
            bytes = bytes + #entry
            if #chosen > 0 and bytes > enough then
                break
            end
            chosen[#chosen + 1], scores[#scores + 1] = entry, score
        end
    end
    return chosen, scores
end

problem = #ARGV > 10 and not_allowed('ZSCORE', 3, 'ZRANGE', 3)
if problem then
    return problem
end
local entries, scores = (#ARGV > 10 and choose_named or choose)()
if #entries == 0 then -- looking at an empty queue writes nothing
    return taken
end

-- What is taken can be put back, too.
problem = not_allowed('HSET', 2, 'HSET', 1, is_zset and 'ZREM' or 'LTRIM', 3,
    push, 3, 'HDEL', 2) or waited and place_not_allowed(3)
if problem then
    return problem
end
local last = #entries
for index = 1, waited and 0 or #entries do
    if #entries[index] > longest then
        local why = refusal('SET', KEYS[2] .. ':' .. prefix .. '0')
        if why and index == 1 then
            return refused(why, 'SET', 'KEYS 2 :*')
        end
        last = why and index - 1 or last
        break
    end
end

local start = ARGV[6] .. ',"taken_at":' .. now()

local function keep(id, line, entry)
    local value = line .. '}\n\n' .. entry
    redis.call('HSET', KEYS[2], id, value)
    taken[#taken + 1] = id
    taken[#taken + 1] = value
end

local function take(id, entry, score)
    local line = start .. (score and ',"score":"' .. score .. '"' or '')
    if #entry > longest then
        redis.call('SET', KEYS[2] .. ':' .. id, entry)
        line = '{"v":2,' .. line .. ',"length":' .. string.format('%d', #entry)
        entry = string.sub(entry, 1, tonumber(ARGV[9]))
    else
        line = '{"v":1,' .. line
    end
    keep(id, line, entry)
end

-- A member that nobody here has written is never due: people find it among those that wait.
local function take_waiting()
    local number = 0
    for index, member in ipairs(entries) do
        local carried, entry, reason = split_waiting(member)
        if carried then
            keep(prefix .. number, '{"v":3,' .. start .. ',"score":"' .. scores[index]
                .. '","carried":' .. carried, entry)
            redis.call('ZREM', KEYS[3], member)
            count_waiting(3, ARGV[10], reason, -1)
            number = number + 1
        else
            redis.call('ZADD', KEYS[3], 'XX', '+inf', member)
        end
    end
    sum_up(3, ARGV[10])
end

if waited then
    take_waiting()
else
    for index = 1, last do
        take(prefix .. (index - 1), entries[index], scores[index])
    end
end
if side == 'left' then
    redis.call('LTRIM', KEYS[3], last, -1)
elseif side == 'right' then
    redis.call('LTRIM', KEYS[3], 0, -last - 1)
elseif side == 'due' then
    for index = 1, last do
        redis.call('ZREM', KEYS[3], entries[index])
    end
end
redis.call('HSET', KEYS[1], 'claims', ARGV[2])
return taken
