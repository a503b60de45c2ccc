-- Appends the record of each entry that is still in flight, and ends its flight.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   entries in flight (hash)
-- KEYS[3]   records (stream)
-- KEYS[4…]  records for a back end (list), a list of numbers not to be called (set, or hash:
--           number -> reason); each may be missing
-- ARGV[1]   token of this daemon
-- ARGV[2]   about how many records the stream keeps
-- ARGV[3]   channel on which each record is published; '' = none
-- ARGV[4]   ids of those entries that have a key of their own, KEYS[2]:<id>, each with a blank
--           after it
-- ARGV[5]   which of KEYS is the list of numbers not to be called; 0 = none
-- ARGV[6]   the places that these calls leave (see leaving.lua)
-- ARGV[7…]  three each: id of an entry, its record, the number that goes to that list ('' = none)
-- Returns   for each three 1, or 0 where the entry was not in flight; with places that are left,
--           that list and what leaving.lua says
local dnc = ARGV[5] ~= '0' and tonumber(ARGV[5])
local list, apart = KEYS[4] and dnc ~= 4 and 4, ARGV[4]
local problem = lease_lost() or wrong_type(2, 'hash') or no_recording(3, list, 3)
    or no_adding(dnc)
for id in string.gmatch(apart, '(%S+) ') do
    local why = refusal('SET', KEYS[2] .. ':' .. id)
    problem = problem or why and refused(why, 'SET', 'KEYS 2 :*')
end
if problem then
    return problem
end

local settled = {}
for index = 7, #ARGV, 3 do
    local id, record = ARGV[index], ARGV[index + 1]
    local is_there = redis.call('HEXISTS', KEYS[2], id)
    if is_there == 1 then
        problem = add_number(dnc, ARGV[index + 2]) or publish_first(3, record)
        if problem then
            return problem
        end
        write_record(3, list, 3, ARGV[2], record)
        redis.call('HDEL', KEYS[2], id)
        if apart ~= '' and string.find(' ' .. apart, ' ' .. id .. ' ', 1, true) then
            redis.call('SET', KEYS[2] .. ':' .. id, '', 'PX', 1)
        end
    end
    settled[#settled + 1] = is_there
end
return leave_places and {settled, leave_places(ARGV[6])} or settled
