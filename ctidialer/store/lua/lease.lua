-- Takes, prolongs or gives up the host's lease (a hash that expires by Redis' own clock).
--
-- KEYS[1]   lease of the host (hash)
-- ARGV[1]   token of this daemon
-- ARGV[2]   'hold' | 'release'
-- ARGV[3]   milliseconds after which it lapses
-- ARGV[4]   holder: JSON without its closing brace
-- ARGV[5]   the hosts (zset: host -> until when its lease holds, unix seconds); not among KEYS, for
--           the lease holds also where this user has no right to it
-- ARGV[6]   name of this host
-- Returns   {1} = prolonged or given up, {2} = begun,
--           {0, holder, milliseconds left} = another daemon has it
local problem = wrong_type(1, 'hash')
if problem then
    return problem
end

local held = redis.call('HMGET', KEYS[1], 'token', 'holder')
if held[1] and held[1] ~= ARGV[1] then
    return {0, held[2] or '', redis.call('PTTL', KEYS[1])}
end

-- Where it cannot be known before whether DEL is allowed, it is what is done first.
local function delete()
    local answer = redis.pcall('DEL', KEYS[1])
    if type(answer) == 'table' and answer['err'] then
        return refused(answer['err'], 'DEL', 'KEYS 1')
    end
end

-- Others count the calls of a host that is gone by this for a while.
local function note_until(seconds)
    redis.pcall('ZADD', ARGV[5], string.format('%.3f', tonumber(now()) + seconds), ARGV[6])
end

if ARGV[2] == 'release' then
    problem = delete()
    if not problem then
        note_until(0)
    end
    return problem or {1}
end
if held[1] then
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    note_until(ARGV[3] / 1000)
    return {1}
end
-- The lease is taken although Redis is full, as the status is told: PEXPIRE and DEL need no memory.
problem = not_allowed('PEXPIRE', 1, 'HSET', 1, 'DEL', 1) or delete()
if problem then
    return problem
end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'holder', ARGV[4] .. ',"since":' .. now() .. '}')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
note_until(ARGV[3] / 1000)
return {2}
