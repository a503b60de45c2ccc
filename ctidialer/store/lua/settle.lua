-- Appends the record of each entry that is still in flight, and ends its flight: 1, else 0.
-- KEYS: lease, in-flight hash, stream of records, list of records (may be missing)
-- ARGV: token, length of the stream, channel ('' = none), then id, record, id, record, ...
local refused = lease_lost() or wrong_type(2, 'hash') or wrong_type(3, 'stream')
    or (KEYS[4] and wrong_type(4, 'list'))
if refused then
    return refused
end

local settled = {}
for index = 4, #ARGV, 2 do
    local is_there = redis.call('HEXISTS', KEYS[2], ARGV[index])
    if is_there == 1 then
        local record = ARGV[index + 1]
        redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'record', record)
        if KEYS[4] then
            redis.call('RPUSH', KEYS[4], record)
        end
        if ARGV[3] ~= '' then
            redis.call('PUBLISH', ARGV[3], record)
        end
        redis.call('HDEL', KEYS[2], ARGV[index])
    end
    settled[#settled + 1] = is_there
end
return settled
