-- Reads entries from anywhere in a queue, and takes none.
--
-- KEYS[1]   queue (list)
-- ARGV[1]   bytes above which an entry is not read
-- ARGV[2…]  positions (0 is the first one, -1 the last one)
-- Returns   for each position that there is: the entry, or 0 if it is too long
local problem = wrong_type(1, 'list')
if problem then
    return problem
end
local found, most = {}, tonumber(ARGV[1])
for place = 2, #ARGV do
    local entry = redis.call('LRANGE', KEYS[1], ARGV[place], ARGV[place])[1]
    if entry then
        found[#found + 1] = #entry > most and 0 or entry
    end
end
return found
