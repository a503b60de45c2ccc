"""Puts in what a campaign dials: numbers, and people who opt out meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chaos.callees import OPTED_OUT
from chaos.load import DOMAIN, Load
from chaos.site import Ground
from ctidialer.contract import keys

LOOK = 0.1
BATCH = 500
SCHEDULE = keys.at(keys.SCHEDULE_NUMBER, DOMAIN)
# Every portion is put in once, whatever becomes of the answer.
PUT_ONCE = """
if redis.call('SADD', KEYS[2], ARGV[2]) == 0 then return 0 end
for index = 3, #ARGV, 2 do
    if ARGV[1] == 'list' then
        redis.call('RPUSH', KEYS[1], ARGV[index])
    else
        redis.call('ZADD', KEYS[1], ARGV[index + 1], ARGV[index])
    end
end
return 1
"""


OPT_OUT = "redis.call('SADD', KEYS[1], ARGV[1]) return redis.call('TIME')"
FIRST_SHARE = 0.2
"""The share of those who opt out that does so at the beginning."""


class Feeding:
    """Feeds ``load``; ``share`` says which share of the faults has struck, from 0 to 1.

    ``opted_out``: when (unix s) a number did so.
    """

    def __init__(self, ground: Ground, load: Load, share: Callable[[], float]) -> None:
        self._ground = ground
        self._load = load
        self._share = share
        self.opted_out: dict[str, float] = {}

    async def put_in(self) -> None:
        """Put half of the numbers in at once, and the others while the faults strike."""
        portions = list(_portions(self._load))
        for index, (key, kind, values) in enumerate(portions):
            while index > len(portions) / 2 and self._share() < index / len(portions) - 0.1:
                await self._ground.pause(LOOK)
            flat = [part for pair in values for part in pair]
            await self._ground.call("EVAL", PUT_ONCE, 2, key, "portions", kind, index, *flat)

    async def opt_out(self) -> None:
        """Let callees opt out, the first before any call and the last with the last faults."""
        numbers = self._load.opting_out
        for index, number in enumerate(numbers):
            while self._share() < index / len(numbers) - FIRST_SHARE:
                await self._ground.pause(LOOK)
            seconds, micros = await self._ground.call("EVAL", OPT_OUT, 1, OPTED_OUT, number)
            self.opted_out[number] = int(seconds) + int(micros) / 1e6


def _portions(load: Load) -> Iterator[tuple[str, str, list[tuple[bytes, str]]]]:
    """Yield key, kind and a few hundred entries with their scores, the sources in turn."""
    sources: list[tuple[str, str, list[tuple[bytes, str]]]] = [
        (queue, "list", [(entry, "") for entry in entries])
        for queue, entries in load.queues.items()
    ]
    sources.append((SCHEDULE, "zset", [(one, repr(due)) for one, due in load.scheduled]))
    for start in range(0, max(len(values) for _, _, values in sources), BATCH):
        for key, kind, values in sources:
            if portion := values[start : start + BATCH]:
                yield key, kind, portion
