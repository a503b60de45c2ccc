-- Ends the first entries of a queue with their records: by order of a person, so without a lease.
--
-- KEYS[1]   queue (list)
-- KEYS[2]   records (stream)
-- KEYS[3]   records for a back end (list); may be missing
-- ARGV[1]   about how many records the stream keeps
-- ARGV[2]   channel on which each record is published; '' = none
-- ARGV[3…]  pairs: an entry, its record, in the order of the queue
-- Returns   how many were ended: up to the first that does not stand at the head of the queue
local list = KEYS[3] and 3
local problem = wrong_type(1, 'list') or no_recording(2, list, 2)
    or not_allowed('LRANGE', 1, 'LTRIM', 1)
if problem then
    return problem
end
local ended = 0
for index = 3, #ARGV, 2 do
    if redis.call('LRANGE', KEYS[1], 0, 0)[1] ~= ARGV[index] then
        break
    end
    problem = publish_first(2, ARGV[index + 1])
    if problem then
        return problem
    end
    write_record(2, list, 2, ARGV[1], ARGV[index + 1])
    redis.call('LTRIM', KEYS[1], 1, -1)
    ended = ended + 1
end
return ended
