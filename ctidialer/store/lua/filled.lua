-- Says of each queue whether there is anything in it: 1, else 0.  Reads only, so it asks no lease.
-- KEYS: the queues
local filled = {}
for index = 1, #KEYS do
    filled[index] = redis.call('EXISTS', KEYS[index])
end
return filled
