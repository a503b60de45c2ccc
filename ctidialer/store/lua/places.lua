-- Takes places for calls that are counted over several hosts (see counting.lua), or leaves them.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   entries in flight (hash)
-- ARGV[1]   token of this daemon
-- ARGV[2…]  for each step: 'take' | 'leave' | 'back', an id (to leave: one a line), an entry in
--           flight ('' = none), what to note in it (see noting.lua; with 'back' the start,
--           microseconds), how many zsets; then for each zset four: its name, how many places there
--           are ('' = no limit), the least seconds between two starts, the seconds for which it
--           rests when a place is left
-- Returns   for each step four and four for each zset, all in one list: which zset refuses,
--           counted from 1, 0 = none; microseconds until the call may start; 1 = noted, 0 = no such
--           entry, -1 = not to be noted (yet); the start (unix microseconds); for each zset what
--           `told` says.
--           For a step of which nothing was done one of {'type', key, its type, the right one},
--           {'right', command, key}
--
-- All of the places are taken or none.  The start comes up to MOST_AHEAD seconds from now; if it
-- comes at once, the call is noted in the same step.  A start that is given back is given again, if
-- its time has not passed.
local problem = call('HGET', KEYS[1], 'token') ~= ARGV[1] and lease_lost()
if problem then
    return problem
end

local may_note, answers = false, {}

local function not_notable()
    local kind = call('TYPE', KEYS[2])['ok']
    local why, command = refusal('HSET', KEYS[2])
    may_note = not why
    if kind ~= 'hash' and kind ~= 'none' then
        return {'type', KEYS[2], kind, 'hash'}
    end
    return why and {'right', command, KEYS[2]}
end

-- Returns why a zset refuses; nil = it does not.
local function why_not(zset)
    if zset.count and zset.taken + zset.kept >= zset.count then
        return ' full '
    end
    if zset.next > clock + MOST_AHEAD or zset.next > clock and zset.turn > clock + MOST_AHEAD then
        return ' slow '
    end
end

local function set_turn(zset, moment)
    zset.turn = moment
    call('ZADD', zset.key, -moment, ' turn ' .. host)
end

-- Says to the others that this host wants starts, too.
local function want(zset)
    stay(zset)
    if zset.interval > 0 and zset.turn < clock - (TURNS_FOR + STARTS_FOR * zset.interval) / 2 then
        set_turn(zset, clock)
    end
end

-- A start that was given back is earlier than all that come, so nothing else may hold the call up.
local function free_start(zsets)
    local zset = zsets[1]
    return #zsets == 1 and zset.free and zset.turn <= clock + MOST_AHEAD and zset.free
end

local function give_start(zset, start, is_free)
    local share = (#zset.turns + 1) * zset.interval
    zset.turn = math.min(math.max(zset.turn, clock) + share, clock + MOST_AHEAD + share)
    zset.has_given = true
    if is_free then
        call('ZREM', zset.key, zset.free_name)
        forget(zset) -- there may be another free one
    else
        zset.next = start + zset.interval
    end
end

local function take(zsets, at)
    local start, refusing, noted = clock, 0, -1
    local free = free_start(zsets)
    for place, zset in ipairs(zsets) do
        local why = why_not(zset)
        refusing = refusing == 0 and why and not (free and why == ' slow ') and place or refusing
        start = zset.next > start and zset.next or start
    end
    if refusing > 0 then
        for _, zset in ipairs(zsets) do
            local why = why_not(zset)
            if why == ' slow ' then
                want(zset)
            else
                stay(zset, why)
            end
        end
        return refusing, 0, -1, 0
    end
    free = free and free < start
    start = free and zsets[1].free or start
    if ARGV[at + 2] ~= '' and start == clock then
        noted = note(ARGV[at + 2], ARGV[at + 3])
    end
    local member = host .. '\t' .. ARGV[at + 1]
    for _, zset in ipairs(noted ~= 0 and zsets or {}) do
        if zset.count then
            zset.taken = zset.taken + call('ZADD', zset.key, clock, member)
        end
        if zset.interval > 0 then
            give_start(zset, start, free)
        end
        if zset.own then
            stay(zset)
        end
    end
    return 0, start - clock, noted, start
end

local function leave(zsets, at)
    local members = {}
    for id in string.gmatch(ARGV[at + 1], '[^\n]+') do
        members[#members + 1] = host .. '\t' .. id
    end
    for place, zset in ipairs(zsets) do
        leave_members(zset, tonumber(ARGV[at + 4 + 4 * place]), unpack(members))
    end
    return 0, 0, -1, 0
end

-- The last start that was given comes again by itself; one before others waits for its time.
local function back(zsets, at)
    local start = ARGV[at + 3] / 1e6
    for _, zset in ipairs(zsets) do
        if zset.next > 0 and zset.next <= start + zset.interval + 1e-5 then
            next_start(zset, math.min(zset.next, start))
        elseif start > clock then
            call('ZADD', zset.key, -start, ' free ' .. ARGV[at + 3])
        end
        if zset.turn > clock then
            set_turn(zset, zset.turn - (#zset.turns + 1) * zset.interval)
        end
        forget(zset) -- there is a free start, or another last one
    end
    return 0, 0, -1, 0
end

local STEPS = {take = take, leave = leave, back = back}
local at = 2
while at < #ARGV do
    local many = tonumber(ARGV[at + 4])
    local wrong = ARGV[at + 2] ~= '' and not may_note and not_notable()
    local zsets = {}
    for place = 1, many do
        local name = at + 1 + 4 * place
        local zset, why = look(ARGV[name], tonumber(ARGV[name + 1]), tonumber(ARGV[name + 2]))
        zsets[place], wrong = zset, wrong or why
    end
    local size = #answers
    if wrong then
        answers[size + 1] = wrong
    else
        local refusing, seconds, noted, start = STEPS[ARGV[at]](zsets, at)
        answers[size + 1], answers[size + 2], answers[size + 3] = refusing, seconds * 1e6, noted
        answers[size + 4] = start * 1e6
        for _, zset in ipairs(zsets) do
            told(answers, zset)
        end
    end
    at = at + 5 + 4 * many
end
finish()
return answers
