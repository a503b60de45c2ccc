-- Says which of many commands this user may not use.  Changes nothing.
--
-- No KEYS: Redis itself refuses a script whose KEYS the user may not touch, and names none of them.
-- ARGV[1]   lease of the host (hash)
-- ARGV[2]   token of this daemon; '' = it only asks
-- ARGV[3…]  pairs: command, key or channel
-- Returns   the positions of the pairs that are refused, from 0; or the error of a first write,
--           where Redis takes none now
-- Says why one is refused, and which; a command may have a second word behind '|'.
local function refused_of(command, key)
    local first, second = string.match(command, '^(.-)|(.*)$')
    if not first then
        return refusal(command, key)
    elseif may_ask and not may_ask(first, second, key) then
        return 'no right', command
    end
end

local missing = {}
for index = 3, #ARGV, 2 do
    local problem, command = refused_of(ARGV[index], ARGV[index + 1])
    if problem then
        local answer = refused(problem, command, '')
        if string.sub(answer['err'], 1, 10) ~= 'NOTALLOWED' then
            return answer
        end
        missing[#missing + 1] = (index - 3) / 2
    end
end
if #missing == 0 and ARGV[2] ~= '' and redis.call('HGET', ARGV[1], 'token') == ARGV[2] then
    redis.call('HSET', ARGV[1], 'token', ARGV[2])
end
return missing
