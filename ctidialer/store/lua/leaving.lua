-- What scripts share that leave the places of calls (see counting.lua).  When a place is left, the
-- host that has waited longest is told.
local function leave_members(zset, rest, ...)
    local gone = call('ZREM', zset.key, ...)
    zset.taken = zset.taken - gone
    if gone > 0 and rest > 0 then
        next_start(zset, math.max(zset.next, clock + rest))
    end
    if gone > 0 and zset.waiting then
        tell(zset)
    end
end

-- Leaves the places that a JSON array says, five members for each: the id of the call, the name of
-- the zset, how many places there are (false = no limit), the least seconds between two starts, the
-- seconds for which it rests.  Returns for each what `told` says, or {'type', …} or {'right', …}.
function leave_places(said)
    local steps, answers = cjson.decode(said), {}
    for at = 1, #steps, 5 do
        local zset, wrong = look(steps[at + 1], steps[at + 2], steps[at + 3])
        if wrong then
            answers[#answers + 1] = wrong
        else
            leave_members(zset, steps[at + 4], host .. '\t' .. steps[at])
            told(answers, zset)
        end
    end
    return answers
end
