-- What scripts share that count calls over several hosts: on a line, on a gateway, of a task.  Each
-- of these is one zset:
--
--   <host>\t<id>    -> when that host took a place there (unix seconds)
--   ' next'         -> below 0: the moment from which on the next call may start there
--   ' full <host>'  -> below 0: when that host last found no place, and waits for one
--   ' turn <host>'  -> below 0: the moment up to which that host has had its share of the starts
--   ' free <n>'     -> below 0: the moment of a start that was given and given back
--
-- A host that has had its share leaves the starts that come to the others; but what nobody has
-- taken by its time, anybody may have.
--
-- The host is the one of the lease, KEYS[1].  These scripts run for each call, and most of their
-- time goes into making functions and tables: so there are few.  The steps of one script share what
-- was read of a zset, and the starts that they give are written once, by `finish`.
local AHEAD = 0.05     -- seconds by which a host is told to come before its start
local WAITS_FOR = 12   -- seconds after which a host that has not asked again waits no more
local TURNS_FOR = 1    -- seconds, and STARTS_FOR starts, after which a host that has asked for none
local STARTS_FOR = 8   -- has no share
local FORGOTTEN = 60   -- seconds after which nothing is known of it any more
local MOST_AHEAD = 0.5 -- seconds by which a start is given ahead of its time
local GRACE = 0.02     -- seconds after its time in which a start is left to the others

local call, host = redis.call, string.match(KEYS[1], '@(.*)')
local time = call('TIME')
local clock, may_count = time[1] + time[2] / 1e6, false
local NONE = {}
local known = {}       -- zsets by key, as they stand after the steps so far

local function look_at_turn(zset, name, of, at)
    if of == host then
        zset.turn = at
    elseif at >= clock - TURNS_FOR - STARTS_FOR * zset.interval then
        zset.turns = zset.turns == NONE and {} or zset.turns
        zset.turns[#zset.turns + 1] = at
    elseif at < clock - FORGOTTEN then
        call('ZREM', zset.key, name)
    end
end

local function look_at_free(zset, name, at)
    if at <= clock then
        call('ZREM', zset.key, name)
    elseif not zset.free or at < zset.free then
        zset.free, zset.free_name = at, name
    end
end

-- Reads what stands below 0; `kept` places are for hosts that have waited longer than this one.
local function look_below(zset, found)
    local waiting, own = {}, {}
    for index = 1, #found, 2 do
        local name, at = found[index], -found[index + 1]
        local kind, of = string.sub(name, 1, 6), string.sub(name, 7)
        if name == ' next' then
            zset.next = at
        elseif kind == ' turn ' then
            look_at_turn(zset, name, of, at)
        elseif kind == ' free ' then
            look_at_free(zset, name, at)
        elseif of == host then
            own[kind] = at
        elseif at >= clock - WAITS_FOR and kind == ' full ' then
            waiting[#waiting + 1] = {at, of}
        end
    end
    for _, other in ipairs(waiting) do
        if not own[' full '] or other[1] < own[' full '] then
            zset.kept = zset.kept + 1
        end
    end
    zset.waiting, zset.own = waiting, next(own) and own
end

local function write_starts(zset)
    if zset.has_given then
        call('ZADD', zset.key, -zset.next, ' next', -zset.turn, ' turn ' .. host)
        zset.has_given = false
    end
end

-- The next step that needs this zset reads it again.
local function forget(zset)
    write_starts(zset)
    known[zset.key] = nil
end

-- What a script that gives starts does last.
local function finish()
    for _, zset in pairs(known) do
        write_starts(zset)
    end
end

-- Reads a zset that has `count` places (nil or false = no limit) and `interval` seconds between two
-- starts; or returns nil, and why it cannot be used.
local function look(key, count, interval)
    local zset = known[key]
    if zset and zset.count == count and zset.interval == interval then
        return zset
    elseif zset then
        forget(zset)
    end
    local found = redis.pcall('ZRANGEBYSCORE', key, '-inf', '(0', 'WITHSCORES')
    if found['err'] then
        local kind = redis.pcall('TYPE', key)
        return nil, kind['err'] and {'right', 'TYPE', key} or {'type', key, kind['ok'], 'zset'}
    end
    if not may_count then
        local why, command = refusal('ZADD', key)
        if not why then
            why, command = refusal('ZREM', key)
        end
        if why then
            return nil, {'right', command, key}
        end
        may_count = true
    end
    zset = {key = key, count = count, taken = count and call('ZCARD', key) - #found / 2 or 0,
        interval = interval, next = 0, turn = 0, turns = NONE, kept = 0, waiting = false,
        own = false, has_given = false}
    if found[1] then
        look_below(zset, found)
    end
    known[key] = zset
    return zset
end

-- Tells the host that has waited longest that there is a place.
local function tell(zset)
    local first
    for _, other in ipairs(zset.waiting or {}) do
        if not first or other[1] < first[1] then
            first = other
        end
    end
    if first then
        -- Without the right to publish that host finds the place when it looks again by itself.
        redis.pcall('PUBLISH', 'config@' .. first[2], cjson.encode(
            {type = 'config_change', table = 'cti_dialer_calls', key = zset.key}))
    end
end

local function next_start(zset, start)
    zset.next = start
    call('ZADD', zset.key, -start, ' next')
end

-- Who asks again goes to the end of those that wait.  kind nil = waits no more.
local function stay(zset, kind)
    for before in pairs(not kind and zset.own or {}) do
        call('ZREM', zset.key, before .. host)
    end
    zset.own = kind and {[kind] = clock} or false
    if kind then
        call('ZADD', zset.key, -clock, kind .. host)
    elseif zset.count and zset.taken < zset.count then
        tell(zset)
    end
    zset.kept = zset.waiting and #zset.waiting or 0
end

-- Puts four for a zset into the answers: the places that are taken or kept, microseconds until
-- this host should try again for a start, and how many hosts share the starts; without a rate,
-- how many wait for a place, and this one; how many of the places are kept.
local function told(answers, zset)
    local size = #answers
    answers[size + 4] = zset.kept
    if zset.interval == 0 and zset.next == 0 then
        answers[size + 1], answers[size + 2] = zset.taken + zset.kept, 0
        answers[size + 3] = zset.waiting and #zset.waiting + 1 or 1
        return
    end
    local before = 0 -- those whose turn is first come one after the other
    for _, turn in ipairs(zset.turns) do
        before = turn < zset.turn and before + zset.interval or before
    end
    local again = zset.next - AHEAD + before
    if zset.turn > zset.next then
        again = math.max(again, math.min(zset.turn - AHEAD, zset.next + GRACE + before))
    end
    answers[size + 1], answers[size + 2] = zset.taken + zset.kept, math.max(0, again - clock) * 1e6
    answers[size + 3] = #zset.turns + 1
end
