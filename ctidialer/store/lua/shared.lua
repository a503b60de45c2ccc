-- What every script begins with: the checks that stand before its first write.
--
-- A script is not rolled back when a command in it is refused, so one that is to be refused must be
-- refused before it has changed anything.  Types are asked for beforehand, and so are the rights of
-- this user.  For want of memory, replicas or a disk Redis refuses the first write of a script, or
-- none: the first write of each of ours is one that needs memory.
--
-- KEYS[1] is always the lease of the host, ARGV[1] the token of this daemon.

local may_ask = redis.acl_check_cmd -- nil before Redis 7
local leave_places -- of leaving.lua, in scripts that have it

-- Arguments with which a command changes nothing: it fails after its rights were looked at, or
-- finds nothing.  Some have none: a script that needs PUBLISH or DEL runs it first.
local function harmless(command)
    if command == 'HSET' then return 'a', 'b', 'c' end
    if command == 'XADD' then return 'x', 'f', 'v' end
    if command == 'ZADD' then return 'NX', 'XX', '0', '' end
    if command == 'SET' then return '', 'PX', 'x' end
    if command == 'ZREM' then return '\0 nobody has put this here \0' end
    if command == 'GETRANGE' then return '0', '0' end
    if string.find(' LTRIM LRANGE ZRANGE ZRANGEBYSCORE ', ' ' .. command .. ' ', 1, true) then
        return 'x', 'x'
    end
    if command == 'PEXPIRE' then return 'x' end
    if command == 'HINCRBY' then return 'a', 'x' end
    local of_one = ' HDEL HEXISTS HGET HMGET LPUSH RPUSH SMISMEMBER ZMSCORE ZSCORE '
    if string.find(of_one, ' ' .. command .. ' ', 1, true) then
        return ''
    end
end

local CAN_BE_TRIED = ' EXISTS GET GETRANGE HDEL HEXISTS HGET HINCRBY HLEN HMGET HSET LLEN LPUSH'
    .. ' LRANGE LTRIM PEXPIRE PTTL RPUSH SET TIME TYPE XADD XLEN ZADD ZCARD ZRANGE ZRANGEBYSCORE'
    .. ' SMISMEMBER ZMSCORE ZREM ZSCORE '

local function is_harmless(problem)
    for _, words in ipairs({'wrong number of arguments', 'not an integer', 'not a float',
            'Invalid stream ID', 'at the same time', 'WRONGTYPE'}) do
        if string.find(problem, words, 1, true) then
            return true
        end
    end
    return false
end

-- Says why Redis refuses a command on a key, and which command that is, as found out by running it;
-- nil = it does not.
local function tried(command, key)
    if not string.find(CAN_BE_TRIED, ' ' .. command .. ' ', 1, true) then
        return nil
    end
    local is_push = command == 'LPUSH' or command == 'RPUSH'
    local problem = is_push and tried('LTRIM', key)
    if problem then
        return problem, 'LTRIM'
    end
    local answer
    if key == '' then
        answer = redis.pcall(command)
    else
        answer = redis.pcall(command, key, harmless(command))
    end
    problem = type(answer) == 'table' and answer['err']
    if is_push and not problem then -- what was pushed is cut off again
        redis.call('LTRIM', key, command == 'LPUSH' and 1 or 0, command == 'LPUSH' and -1 or -2)
    end
    if problem and not is_harmless(problem) then
        return problem, command
    end
end

local function refusal(command, key)
    if not may_ask then
        return tried(command, key)
    end
    if not may_ask(command, key) then
        return 'no right', command
    end
end

-- What is no matter of rights keeps its own code, which before Redis 7 stands inside the text.
local function refused(problem, command, place)
    local code, rest = string.match(problem, '%-?(%u%u%u%u*) ([^\r\n]*)')
    if code and code ~= 'ERR' and code ~= 'NOPERM' then
        return redis.error_reply(code .. ' ' .. rest)
    end
    return redis.error_reply('NOTALLOWED ' .. command .. ' ' .. place)
end

-- An error if one of these commands is refused; it names the key by its place, for a key may hold
-- bytes that no error line can.  Takes pairs: command, index of the key.
local function not_allowed(...)
    local needs = {...}
    for index = 1, #needs, 2 do
        local problem, command = refusal(needs[index], KEYS[needs[index + 1]])
        if problem then
            return refused(problem, command, 'KEYS ' .. needs[index + 1])
        end
    end
end

local function lease_lost()
    local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
    if held[1] == ARGV[1] then
        return nil
    end
    return redis.error_reply('LEASELOST ' .. (held[2] or '-'))
end

local function wrong_type(index, wanted)
    local found = redis.call('TYPE', KEYS[index])['ok']
    if found == wanted or found == 'none' then
        return nil
    end
    return redis.error_reply('KEYTYPE ' .. index .. ' ' .. found .. ' ' .. wanted)
end

local function now()
    local time = redis.call('TIME')
    return time[1] .. '.' .. string.sub('00000' .. time[2], -6)
end
