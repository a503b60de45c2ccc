-- What every script begins with.  KEYS[1] is the host's lease, ARGV[1] this daemon's token.
-- Every check stands before the first write: a script that is refused has changed nothing.

local function lease_lost()
    local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
    if held[1] == ARGV[1] then
        return nil
    end
    return redis.error_reply('LEASELOST ' .. (held[2] or '-'))
end

-- An error that names the key by its index, for a key may hold bytes that no error line can.
local function wrong_type(index, wanted)
    local found = redis.call('TYPE', KEYS[index])['ok']
    if found == wanted or found == 'none' then
        return nil
    end
    return redis.error_reply('KEYTYPE ' .. index .. ' ' .. found .. ' ' .. wanted)
end

local function now()
    local time = redis.call('TIME')
    return string.format('%d.%06d', time[1], time[2])
end
