-- Reads scheduled numbers that are due, and takes none.  Reads only, so it asks for no lease.
--
-- KEYS[1]   scheduled numbers (zset)
-- ARGV[1]   place of the first member that is read, from 0
-- ARGV[2]   how many
-- ARGV[3]   the greatest score that is due
-- ARGV[4]   bytes above which a member is not called: of such a one only its length is returned
-- ARGV[5]   bytes after which no more is read; one member always is
-- ARGV[6]   a place, or -1: the member that should stand there is ARGV[7]
-- ARGV[7]   that member, empty where it is above the size that is called
-- Returns   1 if ARGV[7] stands at its place (else 0 and no more), 1 if no more is due behind what
--           was read, then pairs: a member and its length
local first, many, due = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local longest, enough, place = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local problem = wrong_type(1, 'zset')
if problem then
    return problem
end

local function shown(member)
    return #member > longest and '' or member
end

if place >= 0 then
    local there = redis.call('ZRANGE', KEYS[1], place, place)[1]
    if not there or shown(there) ~= ARGV[7] then
        return {0, 0}
    end
end

-- Looks at twice as many each time, as the claim does: a member of many megabytes keeps Redis for
-- as long as it is copied.
local found, bytes, at_once, is_end = {1, 0}, 0, 8, false
while many > 0 and bytes <= enough and not is_end do
    local some = math.min(at_once, many)
    local members = redis.call('ZRANGE', KEYS[1], first, first + some - 1, 'WITHSCORES')
    is_end = #members < 2 * some
    for index = 1, #members, 2 do
        bytes = bytes + #members[index]
        if tonumber(members[index + 1]) > due then
            is_end = true
            break
        end
        if bytes > enough and #found > 2 then
            is_end = false
            break
        end
        found[#found + 1], found[#found + 2] = shown(members[index]), #members[index]
    end
    first, many, at_once = first + some, many - some, at_once * 2
end
found[2] = is_end and 1 or 0
return found
