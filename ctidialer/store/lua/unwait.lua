-- Ends the waiting of numbers, with their records: by order of a person, so without a lease.
--
-- KEYS[1]   the place where they wait: see waiting.lua; also KEYS[2] and KEYS[3]
-- KEYS[4]   records (stream)
-- KEYS[5…]  records for a back end (list), a queue that gets the entries anew (list); each may be
--           missing
-- ARGV[1]   about how many records the stream keeps
-- ARGV[2]   channel on which each record is published; '' = none
-- ARGV[3]   the place, as KEYS[2] and KEYS[3] name it
-- ARGV[4]   which of KEYS is the queue; 0 = none
-- ARGV[5]   the command that puts an entry behind all others there: RPUSH, or LPUSH
-- ARGV[6…]  pairs: a member, its record
-- Returns   for each pair 1, or 0 where it waits no more
local queue, field, push = ARGV[4] ~= '0' and tonumber(ARGV[4]), ARGV[3], ARGV[5]
local list = KEYS[5] and queue ~= 5 and 5
local problem = wrong_place(1) or no_recording(4, list, 2) or place_not_allowed(1)
    or queue and (wrong_type(queue, 'list') or not_allowed(push, queue)) or nil
if problem then
    return problem
end

local function unwait(member, record)
    local _, entry, reason = split_waiting(member)
    problem = publish_first(2, record)
    if problem then
        return problem
    end
    write_record(4, list, 2, ARGV[1], record)
    if queue then
        redis.call(push, KEYS[queue], entry or member)
    end
    redis.call('ZREM', KEYS[1], member)
    if reason then
        count_waiting(1, field, reason, -1)
    end
end

-- Each number is whole, whatever becomes of the next.
local ended = {}
for index = 6, #ARGV, 2 do
    local is_there = redis.call('ZSCORE', KEYS[1], ARGV[index])
    problem = is_there and unwait(ARGV[index], ARGV[index + 1])
    if problem then
        break
    end
    ended[#ended + 1] = is_there and 1 or 0
end
if #ended > 0 then
    sum_up(1, field)
end
return problem or ended
