-- Reads the first entries of a queue, and takes none.
--
-- KEYS[1]   queue (list)
-- ARGV[1]   how many entries
-- ARGV[2]   bytes after which no more is read; one entry always is
-- Returns   the entries, the first one first
local many, enough = tonumber(ARGV[1]), tonumber(ARGV[2])
local problem = wrong_type(1, 'list')
if problem then
    return problem
end
local found, bytes = {}, 0
while #found < many and bytes <= enough do
    local entry = redis.call('LRANGE', KEYS[1], #found, #found)[1]
    bytes = bytes + (entry and #entry or 0)
    if not entry or #found > 0 and bytes > enough then
        break
    end
    found[#found + 1] = entry
end
return found
