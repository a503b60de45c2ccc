-- Waits for places of calls that are counted over several hosts (see counting.lua).
--
-- KEYS[1]   lease of the host (hash)
-- ARGV[1]   token of this daemon
-- ARGV[2]   the hosts (zset: host -> until when its lease holds, unix seconds)
-- ARGV[3]   seconds past the end of its lease after which a host's places are free
-- ARGV[4…]  four each: 'wait' | 'sweep' | 'pass', name of a zset, how many places there are ('' =
--           no limit), the least seconds between two starts
-- Returns   four for each zset, as places.lua does; or {'type', …}, {'right', …} in their place
--
-- wait     this host waits for a place, if there is none.
-- sweep    the same, after the places of hosts that are gone were freed.
-- pass     this host waits no more: tells the next one.
local problem = lease_lost()
if problem then
    return problem
end

-- A host whose lease nobody has noted counts as gone from now on.
local function is_gone(name)
    local holds_until = call('ZSCORE', ARGV[2], name)
    if not holds_until then
        call('ZADD', ARGV[2], 'NX', clock, name)
    end
    return holds_until and holds_until + ARGV[3] < clock
end

local function sweep(zset)
    local gone = {}
    for _, member in ipairs(call('ZRANGEBYSCORE', zset.key, '0', '+inf')) do
        local name = string.match(member, '^(.*)\t') or ''
        if gone[name] == nil then
            gone[name] = name ~= host and is_gone(name) or false
        end
        if gone[name] then
            zset.taken = zset.taken - call('ZREM', zset.key, member)
        end
    end
end

local function is_full(zset)
    return zset.count and zset.taken + zset.kept >= zset.count
end

local function step(what, zset)
    if what == 'sweep' and is_full(zset) then
        sweep(zset)
    end
    if what == 'pass' then
        stay(zset)
    elseif is_full(zset) then
        stay(zset, ' full ')
    end
end

local answers = {}
for at = 4, #ARGV, 4 do
    local zset, wrong = look(ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]))
    if wrong then
        answers[#answers + 1] = wrong
    else
        step(ARGV[at], zset)
        told(answers, zset)
    end
end
return answers
