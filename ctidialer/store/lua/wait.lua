-- Ends the flight of entries that are to wait, with or without the record of a try that has ended.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   entries in flight (hash)
-- KEYS[3]   the place where they wait: see waiting.lua; also KEYS[4] and KEYS[5]
-- KEYS[6]   records (stream)
-- KEYS[7…]  records for a back end (list), a list of numbers not to be called (set, or hash:
--           number -> reason); each may be missing
-- ARGV[1]   token of this daemon
-- ARGV[2]   about how many records the stream keeps
-- ARGV[3]   channel on which each record is published; '' = none
-- ARGV[4]   the place, as KEYS[4] and KEYS[5] name it
-- ARGV[5]   which of KEYS is the list of numbers not to be called; 0 = none
-- ARGV[6]   the places that the calls of these tries leave (see leaving.lua)
-- ARGV[7…]  five each: id of an entry, when it is due (unix seconds), what it carries, its record
--           ('' = none), the number that goes to that list ('' = none)
-- Returns   for each five 1, or 0 where the entry was not in flight; with places that are left,
--           that list and what leaving.lua says
local dnc, field = ARGV[5] ~= '0' and tonumber(ARGV[5]), ARGV[4]
local list = KEYS[7] and dnc ~= 7 and 7
local problem = lease_lost() or wrong_type(2, 'hash') or wrong_place(3)
    or no_recording(6, list, 3) or place_not_allowed(3) or no_adding(dnc)
if problem then
    return problem
end

local function wait(id, value, due, carried, record, number)
    local first = string.find(value, '\n', 1, true)
    local second = string.find(value, '\n', first + 1, true)
    if string.find(string.sub(value, 1, first), ',"length":', 1, true) then
        return redis.error_reply('ERR the entry ' .. id .. ' is too long to wait')
    end
    problem = add_number(dnc, number) or record ~= '' and publish_first(3, record)
    if problem then
        return problem
    end
    put_waiting(3, field, due, carried, string.sub(value, second + 1))
    if record ~= '' then
        write_record(6, list, 3, ARGV[2], record)
    end
    redis.call('HDEL', KEYS[2], id)
end

-- Each entry is whole, whatever becomes of the next.
local waits = {}
for index = 7, #ARGV, 5 do
    local value = redis.call('HGET', KEYS[2], ARGV[index])
    problem = value
        and wait(ARGV[index], value, unpack(ARGV, index + 1, index + 4))
    if problem then
        break
    end
    waits[#waits + 1] = value and 1 or 0
end
if #waits > 0 then
    sum_up(3, field)
end
return problem or leave_places and {waits, leave_places(ARGV[6])} or waits
