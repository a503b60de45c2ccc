-- Appends the record of each entry that is still in flight, and ends its flight.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   entries in flight (hash)
-- KEYS[3]   records (stream)
-- KEYS[4]   records for a back end (list); may be missing
-- ARGV[1]   token of this daemon
-- ARGV[2]   about how many records the stream keeps
-- ARGV[3]   channel on which each record is published; '' = none
-- ARGV[4]   ids of those entries that have a key of their own, KEYS[2]:<id>, with a blank after each
-- ARGV[5…]  pairs: id of an entry, its record
-- Returns   for each pair 1, or 0 where the entry was not in flight
local has_list, channel, apart = KEYS[4] ~= nil, ARGV[3], ARGV[4]
local problem = lease_lost() or wrong_type(2, 'hash') or wrong_type(3, 'stream')
    or has_list and wrong_type(4, 'list') or not_allowed('XADD', 3, 'HDEL', 2)
    or has_list and not_allowed('RPUSH', 4) or nil
if not problem and channel ~= '' and may_ask and not may_ask('PUBLISH', channel) then
    problem = refused('', 'PUBLISH', 'ARGV 3')
end
for id in string.gmatch(apart, '(%S+) ') do
    local why = refusal('SET', KEYS[2] .. ':' .. id)
    problem = problem or why and refused(why, 'SET', 'KEYS 2 :*')
end
if problem then
    return problem
end

local function publish(record)
    local answer = redis.pcall('PUBLISH', channel, record)
    return type(answer) == 'table' and answer['err']
end

local settled = {}
for index = 5, #ARGV, 2 do
    local id, record = ARGV[index], ARGV[index + 1]
    local is_there = redis.call('HEXISTS', KEYS[2], id)
    if is_there == 1 then
        -- Where the right to publish could not be asked for, publishing comes first: all else was
        -- tried.  Where it could, what may still be refused comes first: the first write.
        problem = channel ~= '' and not may_ask and publish(record)
        if problem then
            return refused(problem, 'PUBLISH', 'ARGV 3')
        end
        redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'record', record)
        if has_list then
            redis.call('RPUSH', KEYS[4], record)
        end
        if channel ~= '' and may_ask then
            redis.call('PUBLISH', channel, record)
        end
        redis.call('HDEL', KEYS[2], id)
        if apart ~= '' and string.find(' ' .. apart, ' ' .. id .. ' ', 1, true) then
            redis.call('SET', KEYS[2] .. ':' .. id, '', 'PX', 1)
        end
    end
    settled[#settled + 1] = is_there
end
return settled
