-- Says how many calls are counted on what hosts share, and whose they are (see counting.lua).  It
-- only reads, so it asks for no lease.
--
-- ARGV[1]   the hosts (zset: host -> until when its lease holds, unix seconds)
-- ARGV[2]   how many calls are looked at one by one, in all
-- ARGV[3…]  names of zsets
-- Returns   the time (unix seconds); then for each zset a list: how many calls are counted there,
--           then three for each host that has some: its name, how many, until when its lease holds
--           or has held ('' = nobody knows).  Hosts are left out of what comes after ARGV[2] calls.
--           An empty list in place of a zset that cannot be read
local left, ends = tonumber(ARGV[2]), {}

-- Returns until when the lease of a host holds.
local function holds_until(host)
    if not ends[host] then
        local score = redis.pcall('ZSCORE', ARGV[1], host)
        ends[host] = type(score) == 'string' and score or ''
    end
    return ends[host]
end

local function hosts_of(key)
    local counts, names = {}, {}
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '0', '+inf')) do
        local host = string.match(member, '^(.*)\t') or ''
        if not counts[host] then
            names[#names + 1], counts[host] = host, 0
        end
        counts[host] = counts[host] + 1
    end
    return names, counts
end

local function told(key)
    local below = redis.pcall('ZRANGEBYSCORE', key, '-inf', '(0')
    local all = not below['err'] and redis.pcall('ZCARD', key)
    if type(all) ~= 'number' then
        return {}
    end
    local answer = {all - #below}
    left = left - answer[1]
    if left < 0 or answer[1] == 0 then
        return answer
    end
    local names, counts = hosts_of(key)
    for _, host in ipairs(names) do
        answer[#answer + 1] = host
        answer[#answer + 1] = counts[host]
        answer[#answer + 1] = holds_until(host)
    end
    return answer
end

local answers = {now()}
for index = 3, #ARGV do
    answers[#answers + 1] = told(ARGV[index])
end
return answers
