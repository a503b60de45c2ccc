-- Reads whole tables in one step, where MULTI is not allowed.  Reads only, so it asks for no lease.
--
-- ARGV[1]   the keys: a JSON array.  As KEYS, one that may not be read would hide all others.
-- Returns   for each key its type and the answer to HGETALL, which may be an error
local answers = {}
for _, key in ipairs(cjson.decode(ARGV[1])) do
    answers[#answers + 1] = redis.pcall('TYPE', key)
    answers[#answers + 1] = redis.pcall('HGETALL', key)
end
return answers
