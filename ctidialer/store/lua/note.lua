-- Notes in entries in flight which call is about to be placed, or that it was answered.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   entries in flight (hash)
-- ARGV[1]   token of this daemon
-- ARGV[2…]  pairs: id of an entry, and what to note: the second line of its value (JSON), or
--           'answered <uuid> <unix seconds>' for the call that the second line names
-- Returns   for each pair 1, or 0 where there is no such entry, or it names another call
local problem = lease_lost() or wrong_type(2, 'hash') or not_allowed('HSET', 2)
if problem then
    return problem
end

-- A uuid is letters, digits and '_.:-', so it stands in the JSON as it is; no text in JSON holds
-- the bytes ',"answered_at":', for a quotation mark in a text has a backslash before it.
local function with_answer(line, uuid, at)
    local start = '{"uuid":"' .. uuid .. '"'
    if string.sub(line, 1, #start) ~= start then
        return nil
    end
    if string.find(line, ',"answered_at":', 1, true) then
        return line
    end
    return string.sub(line, 1, -2) .. ',"answered_at":' .. at .. '}'
end

local function note(id, what)
    local value = redis.call('HGET', KEYS[2], id)
    local first = value and string.find(value, '\n', 1, true)
    local second = first and string.find(value, '\n', first + 1, true)
    if not second then
        return 0
    end
    local line = what
    local uuid, at = string.match(what, '^answered (%S+) (%S+)$')
    if uuid then
        line = with_answer(string.sub(value, first + 1, second - 1), uuid, at)
    end
    if not line then
        return 0
    end
    redis.call('HSET', KEYS[2], id, string.sub(value, 1, first) .. line .. string.sub(value, second))
    return 1
end

local noted = {}
for index = 2, #ARGV, 2 do
    noted[#noted + 1] = note(ARGV[index], ARGV[index + 1])
end
return noted
