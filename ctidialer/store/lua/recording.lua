-- What scripts share that write records: `stream` and `list` are places in KEYS (list nil = none),
-- `channel` is a place in ARGV.
local function no_recording(stream, list, channel)
    local problem = wrong_type(stream, 'stream') or list and wrong_type(list, 'list')
        or not_allowed('XADD', stream, 'HDEL', 2) or list and not_allowed('RPUSH', list) or nil
    if not problem and ARGV[channel] ~= '' and may_ask
            and not may_ask('PUBLISH', ARGV[channel]) then
        problem = refused('', 'PUBLISH', 'ARGV ' .. channel)
    end
    return problem
end

-- Where the right to publish could not be asked for, publishing comes first, before all other
-- writes: all else was tried.  Returns the error with which it is refused.
local function publish_first(channel, record)
    if ARGV[channel] == '' or may_ask then
        return nil
    end
    local answer = redis.pcall('PUBLISH', ARGV[channel], record)
    return type(answer) == 'table' and answer['err']
        and refused(answer['err'], 'PUBLISH', 'ARGV ' .. channel)
end

local function write_record(stream, list, channel, most, record)
    redis.call('XADD', KEYS[stream], 'MAXLEN', '~', most, '*', 'record', record)
    if list then
        redis.call('RPUSH', KEYS[list], record)
    end
    if ARGV[channel] ~= '' and may_ask then
        redis.call('PUBLISH', ARGV[channel], record)
    end
end

-- Says why a list of numbers not to be called (a place in KEYS, nil = none) cannot take one.
local function no_adding(list)
    local kind = list and redis.call('TYPE', KEYS[list])['ok']
    if not list or kind == 'none' or kind == 'set' then
        return list and not_allowed('SADD', list)
    end
    return wrong_type(list, 'hash') or not_allowed('HSET', list)
end

-- Where the right to SADD could not be asked for, this comes before all other writes.  If PUBLISH
-- is refused after it, the number stands on the list already: who opts out is not called meanwhile.
local function add_number(list, number)
    if not list or number == '' then
        return nil
    end
    local is_hash = redis.call('TYPE', KEYS[list])['ok'] == 'hash'
    local command = is_hash and 'HSET' or 'SADD'
    local answer = is_hash and redis.pcall('HSET', KEYS[list], number, 'cti_dnc')
        or redis.pcall('SADD', KEYS[list], number)
    return type(answer) == 'table' and answer['err']
        and refused(answer['err'], command, 'KEYS ' .. list)
end
