-- What scripts share that note in an entry in flight which call is about to be placed, or that it
-- was answered.

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

-- What is noted is JSON, or 'answered <uuid> <unix seconds>'.
local function is_answer(what)
    return string.byte(what) == 97 -- an 'a'
end

local function answered_call(what)
    local blank = string.find(what, ' ', 10, true)
    return string.sub(what, 10, blank - 1), string.sub(what, blank + 1)
end

local function note(id, what)
    local value = redis.call('HGET', KEYS[2], id)
    local first = value and string.find(value, '\n', 1, true)
    local second = first and string.find(value, '\n', first + 1, true)
    if not second then
        return 0
    end
    local line = what
    if is_answer(what) then
        line = with_answer(string.sub(value, first + 1, second - 1), answered_call(what))
    end
    if not line then
        return 0
    end
    line = string.sub(value, 1, first) .. line .. string.sub(value, second)
    redis.call('HSET', KEYS[2], id, line)
    return 1
end
