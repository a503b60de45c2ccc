-- Writes new documents of one task, if the old ones still are as they were read: by order of a
-- person, so without a lease.
--
-- KEYS[1]   tasks of the template (hash)
-- KEYS[2]   tasks of a host (hash)
-- KEYS[3…]  orders for hosts (hash), which get a note of the change; each may be missing
-- ARGV[1]   name of the task
-- ARGV[2]   its document in KEYS[1] as it was read; '' = there was none
-- ARGV[3]   the new one; '' = it stays as it is
-- ARGV[4]   as ARGV[2], in KEYS[2]
-- ARGV[5]   as ARGV[3]
-- ARGV[6]   field of the note
-- ARGV[7]   the note
-- Returns   1, or 0 where somebody else has changed a document meanwhile: nothing was written
local problem = wrong_type(1, 'hash') or wrong_type(2, 'hash')
for index = 1, #KEYS do
    local is_written = index > 2 or ARGV[2 * index + 1] ~= ''
    problem = problem or wrong_type(index, 'hash')
        or is_written and not_allowed('HSET', index) or nil
end
if problem then
    return problem
end

for index = 1, 2 do
    if (redis.call('HGET', KEYS[index], ARGV[1]) or '') ~= ARGV[2 * index] then
        return 0
    end
end
for index = 1, 2 do
    if ARGV[2 * index + 1] ~= '' then
        redis.call('HSET', KEYS[index], ARGV[1], ARGV[2 * index + 1])
    end
end
for index = 3, #KEYS do
    redis.call('HSET', KEYS[index], ARGV[6], ARGV[7])
end
return 1
