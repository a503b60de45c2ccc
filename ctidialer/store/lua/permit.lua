-- Notes calls as note.lua does, if nothing forbids to call this number now; counts them.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   entries in flight (hash)
-- ARGV[1]   token of this daemon
-- ARGV[2…]  runs of calls for which the same rules hold.  Each run: how many calls, lists, caps and
--           spellings of each number there are; the lists of numbers not to be called (set, or
--           hash: number -> reason); three for each cap: how many calls, within how many seconds,
--           1 = only conversations; then for each call: id of an entry ('' = only count the
--           conversation), what to note (see note.lua), key of the calls to this callee (zset;
--           '' = no caps), spellings of the number
-- Returns   for each 1, or 0 where there is no such entry; or {'dnc', list, reason}, {'until', unix
--           seconds}, {'type', key, its type, the right one}, {'right', command, key}: then nothing
--           is noted
--
-- The calls of a callee: uuid -> time; 'talk <uuid>' -> time; ' keep' -> seconds after which no cap
-- of any task looks back.  As they are read: a member, its time, the next member…, oldest first.
local problem = lease_lost() or wrong_type(2, 'hash') or not_allowed('HSET', 2)
if problem then
    return problem
end

-- Seconds that calls are kept longer than any cap looks back.  Most callees answer within them, so
-- that the expiry need not be set again for the conversation.
local RINGING = 120

local time = now()
local clock = time + 0
local kinds, expiries, may_count = {}, {}, false

local function unreadable(command, key, answer)
    if string.find(answer['err'], 'WRONGTYPE', 1, true) then
        return {'type', key, redis.call('TYPE', key)['ok'], 'zset'}
    end
    return {'right', command, key}
end

-- Returns why a number of a hash may not be called, nil = it may (again).
local function reason_now(value)
    local is_json, document = pcall(cjson.decode, value)
    if not is_json or type(document) ~= 'table' then
        return value
    end
    local over = tonumber(document['until'])
    if over and over <= clock then
        return nil
    end
    return type(document['reason']) == 'string' and document['reason'] or value
end

-- Returns why a number, whose spellings are ARGV[first] to ARGV[last], may not be called.
local function listed(key, first, last)
    local kind = kinds[key]
    if not kind then
        local answer = redis.pcall('TYPE', key)
        if answer['err'] then
            return {'right', 'TYPE', key}
        end
        kind = answer['ok']
        kinds[key] = kind
    end
    if kind == 'none' then
        return nil
    elseif kind ~= 'set' and kind ~= 'hash' then
        return {'type', key, kind, 'set or a hash'}
    end
    local command = kind == 'set' and 'SMISMEMBER' or 'HMGET'
    local found = redis.pcall(command, key, unpack(ARGV, first, last))
    if found['err'] then
        return {'right', command, key}
    end
    for index = 1, #found do
        local value = found[index]
        local reason = value == 1 and '' or type(value) == 'string' and reason_now(value)
        if reason then
            return {'dnc', key, reason}
        end
    end
end

local function read_calls(key)
    local found = redis.pcall('ZRANGE', key, 0, -1, 'WITHSCORES')
    if found['err'] then
        return nil, unreadable('ZRANGE', key, found)
    end
    return found
end

-- Returns the calls but one, and whether that was among them.
local function without(calls, member)
    for index = 1, #calls, 2 do
        if calls[index] == member then
            table.remove(calls, index)
            table.remove(calls, index)
            return calls, true
        end
    end
    return calls, false
end

-- Returns the time of the latest call but so many, nil = there is none.  One that lies ahead, for
-- the clock was set back, counts as of now: it neither lets a call through nor forbids calls for
-- longer than a cap says.
local function latest_but(more, calls, of_talks)
    for index = #calls - 1, 1, -2 do
        local member = calls[index]
        if (string.sub(member, 1, 5) == 'talk ') == of_talks and member ~= ' keep' then
            if more == 0 then
                return math.min(calls[index + 1], clock)
            end
            more = more - 1
        end
    end
end

-- Returns when the caps allow the next call, nil = now.
local function allowed_at(calls, caps)
    local latest
    for index = 1, #caps do
        local cap = caps[index]
        local over = cap.most < 1 and clock or latest_but(cap.most - 1, calls, cap.of_talks)
        if over and over + cap.seconds > clock then
            latest = math.max(latest or 0, over + cap.seconds)
        end
    end
    return latest
end

local function not_countable(key)
    if may_count then
        return nil
    end
    for _, command in ipairs({'ZADD', 'ZREM', 'PEXPIRE'}) do
        local why, refused_command = refusal(command, key)
        if why then
            return {'right', refused_command, key}
        end
    end
    may_count = true
end

local function set_back(key, calls)
    for index = #calls - 1, 1, -2 do
        if calls[index + 1] + 0 <= clock then
            return
        elseif calls[index] ~= ' keep' then
            redis.call('ZADD', key, 'XX', time, calls[index])
        end
    end
end

local function forget(key, calls, keep)
    for index = 1, #calls, 2 do
        if calls[index] ~= ' keep' then
            if calls[index + 1] + keep > clock then
                return
            end
            redis.call('ZREM', key, calls[index])
        end
    end
end

local function expire(key, keep)
    if not expiries[keep] then
        expiries[keep] = string.format('%d', math.ceil((keep + RINGING) * 1000))
    end
    redis.call('PEXPIRE', key, expiries[keep])
end

-- Counts a call, or a conversation; keep: ' keep', as it stands.  Where the key expires is right
-- already if it was set for a call not long ago.
local function count(key, member, keep, longest, is_set)
    if longest > keep then
        keep, is_set = longest, false
        redis.call('ZADD', key, keep, ' keep', time, member)
    else
        redis.call('ZADD', key, time, member)
    end
    if not is_set then
        expire(key, keep)
    end
    return keep
end

-- A call that was noted before, whose answer was lost, and that may no longer be placed: it is
-- noted that there is none.
local function take_back(id, uuid, key, is_counted)
    local value = redis.call('HGET', KEYS[2], id)
    local first = string.find(value, '\n', 1, true)
    local start = '{"uuid":"' .. uuid .. '"'
    if string.sub(value, first + 1, first + #start) == start then
        redis.call('HSET', KEYS[2], id, string.sub(value, 1, first) .. '{"uuid":""'
            .. string.sub(value, first + 1 + #start))
    end
    if is_counted then
        redis.call('ZREM', key, uuid)
    end
end

-- Returns what forbids the call at ARGV[at]; calls: what the caps hold for, nil = nothing.
local function forbidden(run, at, calls)
    for index = 1, #run.lists do
        local why = listed(run.lists[index], at + 3, at + run.length - 1)
        if why then
            return why
        end
    end
    local from = calls and allowed_at(calls, run.caps)
    return from and {'until', string.format('%.6f', from)}
end

local function uuid_of(what)
    return string.sub(what, 10, string.find(what, '"', 10, true) - 1) -- after '{"uuid":"'
end

-- Notes and counts the call at ARGV[at], if nothing forbids it.  One that was counted before, and
-- whose answer was lost, is placed only now: it counts as of now, and the caps are asked anew.
local function place(run, at)
    local id, what, key = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    local calls, wrong, is_counted, uuid
    if key ~= '' then
        uuid = uuid_of(what)
        calls, wrong = read_calls(key)
        wrong = wrong or not_countable(key)
        if calls then
            calls, is_counted = without(calls, uuid)
        end
    end
    wrong = wrong or forbidden(run, at, calls)
    if wrong then
        if redis.call('HEXISTS', KEYS[2], id) == 0 then
            return 0
        elseif wrong[1] == 'dnc' or wrong[1] == 'until' then
            take_back(id, uuid_of(what), key, is_counted)
        end
    elseif note(id, what) == 0 then
        return 0
    elseif calls then
        local keep = calls[1] == ' keep' and calls[2] + 0 or 0
        forget(key, calls, count(key, uuid, keep, run.longest, false))
    end
    if calls then
        set_back(key, calls)
    end
    return wrong or 1
end

-- Notes the answer at ARGV[at], and counts the conversation.
local function answer(run, at)
    local id, what, key = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    local uuid = answered_call(what)
    local talk = 'talk ' .. uuid
    local times = redis.pcall('ZMSCORE', key, ' keep', uuid, talk)
    local wrong = times['err'] and unreadable('ZMSCORE', key, times) or not_countable(key)
    if wrong then
        return wrong
    elseif id ~= '' and note(id, what) == 0 then
        return 0
    elseif not times[3] then
        local is_set = times[2] and times[2] + RINGING > clock
        count(key, talk, times[1] and times[1] + 0 or 0, run.longest, is_set)
    end
    return 1
end

-- Returns the rules of the run that begins at ARGV[at], and where its calls begin.
local function read_run(at)
    local lists = at + 4
    local caps = lists + ARGV[at + 1]
    local calls = caps + 3 * ARGV[at + 2]
    local run = {calls = ARGV[at], length = 3 + ARGV[at + 3], longest = 0, lists = {}, caps = {}}
    for index = lists, caps - 1 do
        run.lists[#run.lists + 1] = ARGV[index]
    end
    for index = caps, calls - 1, 3 do
        local cap = {most = ARGV[index] + 0, seconds = ARGV[index + 1] + 0,
            of_talks = ARGV[index + 2] == '1'}
        run.caps[#run.caps + 1] = cap
        run.longest = math.max(run.longest, cap.seconds)
    end
    return run, calls
end

local noted, at = {}, 2
while at < #ARGV do
    local run
    run, at = read_run(at)
    for _ = 1, run.calls do
        noted[#noted + 1] = (is_answer(ARGV[at + 1]) and answer or place)(run, at)
        at = at + run.length
    end
end
return noted
