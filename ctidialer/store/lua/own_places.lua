-- Sets right which places a host has: after a start, after an outage, after an edit of the tables.
--
-- KEYS[1]   lease of the host (hash)
-- ARGV[1]   token of this daemon
-- ARGV[2…]  for each zset (see counting.lua): its name, how many ids, how many doubtful ones, the
--           ids for which this host has a place there, the ids which keep it if they have one; all
--           other places of this host are given back
-- Returns   for each zset {how many places of this host were wrong, the doubtful ids that have
--           one…}; or {'type', key, its type, the right one}, {'right', command, key}
local problem = lease_lost()
if problem then
    return problem
end
local host, clock = string.match(KEYS[1], '@(.*)'), now()

local function set_right(key, first, doubtful, last)
    local found = redis.pcall('ZRANGE', key, 0, -1)
    if found['err'] then
        local kind = redis.pcall('TYPE', key)
        return kind['err'] and {'right', 'TYPE', key} or {'type', key, kind['ok'], 'zset'}
    end
    for _, command in ipairs({'ZADD', 'ZREM'}) do
        local why, refused_command = refusal(command, key)
        if why then
            return {'right', refused_command, key}
        end
    end
    local answer, wrong, left, kept, start = {0}, 0, {}, {}, host .. '\t'
    for index = first, last do
        (index < doubtful and left or kept)[start .. ARGV[index]] = true
    end
    for _, member in ipairs(found) do
        if left[member] then
            left[member] = nil
        elseif kept[member] then
            answer[#answer + 1] = string.sub(member, #start + 1)
        elseif string.sub(member, 1, #start) == start or member == ' full ' .. host
                or member == ' slow ' .. host or member == ' turn ' .. host then
            redis.call('ZREM', key, member)
            wrong = wrong + 1
        end
    end
    for member in pairs(left) do
        redis.call('ZADD', key, clock, member)
        wrong = wrong + 1
    end
    answer[1] = wrong
    return answer
end

local answers, at = {}, 2
while at < #ARGV do
    local doubtful = at + 3 + ARGV[at + 1]
    local last = doubtful - 1 + ARGV[at + 2]
    answers[#answers + 1] = set_right(ARGV[at], at + 3, doubtful, last)
    at = last + 1
end
return answers
