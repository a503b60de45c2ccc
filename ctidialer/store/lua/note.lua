-- Notes in entries in flight which call is about to be placed, or that it was answered.
--
-- KEYS[1]   lease of the host (hash)
-- KEYS[2]   entries in flight (hash)
-- ARGV[1]   token of this daemon
-- ARGV[2…]  pairs: id of an entry, and what to note: the second line of its value (JSON), or
--           'answered <uuid> <unix seconds>' for the call that the second line names
-- Returns   for each pair 1, or 0 where there is no such entry, or it names another call
local problem = lease_lost() or wrong_type(2, 'hash') or not_allowed('HSET', 2)
if problem then
    return problem
end

local noted = {}
for index = 2, #ARGV, 2 do
    noted[#noted + 1] = note(ARGV[index], ARGV[index + 1])
end
return noted
