-- Reads single fields of several tables in one step.  Reads only, so it asks for no lease.
--
-- ARGV[1]   a JSON array of arrays: a key and an array of field names, which is not empty
-- Returns   for each key its type and the values of the fields in order, or an error in their place
local AT_ONCE = 1000
local answers = {}
for _, wanted in ipairs(cjson.decode(ARGV[1])) do
    local key, names, values = wanted[1], wanted[2], {}
    for first = 1, #names, AT_ONCE do
        local last = math.min(first + AT_ONCE - 1, #names)
        local found = redis.pcall('HMGET', key, unpack(names, first, last))
        if found['err'] then
            values = found
            break
        end
        for index, value in ipairs(found) do
            values[first + index - 1] = value
        end
    end
    answers[#answers + 1] = redis.pcall('TYPE', key)
    answers[#answers + 1] = values
end
return answers
