"""Agents who vanish while they are dialed for: the real daemon, Redis, the switch and its own log.

What was placed when is read off the switch's log.  A machine that is busy may take its time: a
call is late only if it came a second after the agents had gone, and after a call that the daemon
has placed because of something that was written later still.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ctidialer.contract import keys
from ctidialer.rules.prediction.keeping import decode
from tests.dialer.queue_case import QueueCase
from tests.dialer.switch_case import LONG

AGENTS = 3
CALLCENTER = "sales@default"
NAMES = [f"agent{at}@default" for at in range(1, AGENTS + 1)]
RINGS: dict[str, Any] = {"result": "busy", "ring": [0.2, 0.5]}
MANY = [f"137{index:08d}" for index in range(4000)]
WITHIN = 1.0
"""Seconds after which no call may be placed for agents who are gone."""


class VanishingCase(QueueCase):
    """Agents who get calls that ring and end, one after the other, until the agents are gone."""

    script: Mapping[str, Any] = {"default": RINGS}

    async def begin(self, **params: Any) -> None:
        await self.put_canary()
        await self.usual_tables(limit=100, **params)
        await self.put_numbers(MANY)
        self.start_daemon()
        await self.dialed(3 * AGENTS)

    def times(self) -> tuple[list[float], list[float]]:
        """Return when the calls of the task were placed, and those of the canary."""
        placed = self.switch_log().originates
        canaries = [line.time for line in placed if line.number.startswith("999")]
        return [line.time for line in placed if not line.number.startswith("999")], canaries

    async def assert_no_call_after(self, gone: float) -> None:
        """Check that nobody is called although the daemon goes on for as long as that takes."""
        await self.canary()
        known = self.times()[1][-1]
        last = max(gone, known) + WITHIN
        while self.times()[1][-1] <= last:
            await self.canary(looks=1)
        late = [moment - gone for moment in self.times()[0] if moment > last]
        self.assertEqual(late, [])

    async def assert_each_call_is_recorded(self) -> None:
        """Check that each call of the task, on its way then or before, has its record."""
        dialed = Counter(self.numbers_dialed())

        async def recorded() -> int:
            return sum(not str(one.number).startswith("999") for one in await self.records())

        await self.until_count("a record of each call", len(dialed), recorded)
        found = Counter(one.number for one in await self.records())
        self.assertEqual({number: found[number] for number in dialed}, dict(dialed))
        self.assertEqual(set(dialed.values()), {1})
        await self.nothing_in_flight()


class TableAgentsVanishTests(VanishingCase):
    """The agents are those that a back end writes."""

    async def agents(self, state: str) -> None:
        now = time.time()
        params = {"group": ["sales"], "state": state, "time": now}
        await self.put(keys.at(keys.AGENT, "fs1"), {name: {"params": params} for name in NAMES})
        for name in NAMES:
            await self.published(keys.AGENT, name)

    async def begin(self, **params: Any) -> None:
        await self.call("SET", keys.at(keys.AGENT_HEART, "fs1"), "1", "EX", "3600")
        await self.agents("idle")
        await super().begin(agent_group="sales", **params)

    async def test_the_heart_stops(self) -> None:
        await self.begin()
        await self.call("DEL", keys.at(keys.AGENT_HEART, "fs1"))
        await self.assert_no_call_after(time.time())
        await self.assert_each_call_is_recorded()

    async def test_all_of_them_leave(self) -> None:
        await self.begin()
        await self.agents("out")
        await self.assert_no_call_after(time.time())
        await self.assert_each_call_is_recorded()

    async def test_they_come_back(self) -> None:
        await self.begin()
        await self.agents("out")
        await self.canary()
        placed = len(self.times()[0])
        await self.agents("idle")
        await self.dialed(placed + len(self.times()[1]) + AGENTS)


class CallcenterAgentsVanishTests(VanishingCase):
    """The agents are those of the simulated mod_callcenter."""

    async def begin(self, **params: Any) -> None:
        address = f"127.0.0.1:{self.switch.port}"
        await self.switch.kill()
        self.switch = await self.start_switch(listen=address, agents=AGENTS, queue=CALLCENTER)
        await super().begin(agent_queue=CALLCENTER, destination_extension=CALLCENTER, **params)

    async def say(self, status: str) -> None:
        """Give all agents a status."""
        for name in NAMES:
            await self.order(f"callcenter_config agent set status {name} '{status}'")

    async def test_they_log_out(self) -> None:
        await self.begin()
        await self.say("Logged Out")
        await self.assert_no_call_after(time.time())
        await self.assert_each_call_is_recorded()

    async def test_freeswitch_goes_and_comes_back_without_them(self) -> None:
        await self.begin()
        address = f"127.0.0.1:{self.switch.port}"
        await self.switch.kill()
        self._socket = None
        placed = len(self.times()[0])
        plan = {
            "queues": [CALLCENTER],
            "agents": [{"name": name, "status": "Logged Out"} for name in NAMES],
        }
        self.switch = await self.start_switch(listen=address, callcenter=plan)
        await self.canary(looks=5)
        self.assertEqual(len(self.times()[0]), placed)
        await self.assert_each_call_is_recorded()
        await self.say("Available")
        await self.dialed(placed + len(self.times()[1]) + AGENTS)


class KilledTests(QueueCase):
    """The daemon is killed while it dials ahead."""

    script: Mapping[str, Any] = {"default": {**LONG, "talk": 0.05, "bridge": 0.01}}

    async def learnt(self, answers: int) -> float:
        """Wait until so many answers are written as learnt, and never fewer than before; return
        how many."""
        most = 0.0

        async def seen() -> int:
            nonlocal most
            raw = await self.call("HGET", keys.pacing(keys.TEMPLATE, "t"), "learnt")
            now = sum(decode(raw).ring.answered) if isinstance(raw, bytes) else 0.0
            self.assertGreaterEqual(now, 0.999 * most, "what was learnt is lost")
            most = max(most, now)
            return int(now)

        await self.until_count(f"{answers} answers learnt", answers, seen)
        return most

    async def counted(self) -> int:
        """Return the answers that were counted in the period."""
        ledger = await self.call("HGET", keys.pacing(keys.TEMPLATE, "t"), "ledger:fs1")
        return int(json.loads(ledger)["answers"]) if isinstance(ledger, bytes) else 0

    async def test_neither_what_was_learnt_nor_the_count_is_lost(self) -> None:
        await self.call("SET", keys.at(keys.AGENT_HEART, "fs1"), "1", "EX", "3600")
        counts = '{"free": 3, "busy": 0}'
        await self.call("HSET", keys.at(keys.AGENT_COUNT, "fs1"), "sales", counts)
        await self.usual_tables(
            agent_group="sales", dial_mode="predictive", limit=3, cps=5, abandon_time=30
        )
        await self.put_numbers(MANY)
        daemon = self.start_daemon(name="first")
        await self.learnt(30)
        await daemon.kill()
        await self.call("DEL", "q")
        learnt, counted = await self.learnt(30), await self.counted()
        self.assertGreater(counted, 0)

        self.start_daemon(name="second")
        await self.put_numbers(MANY[-200:])
        await self.learnt(int(learnt) + 5)
        await self.until_count("what was counted, and more", counted + 10, self.counted)
        answered = sum(end.answered for end in self.switch_log().ends)
        self.assertLessEqual(await self.counted(), answered)
