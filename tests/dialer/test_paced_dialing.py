"""Dialing for agents through the whole node: Redis, the simulated switch, real sockets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

from ctidialer.contract import keys
from ctidialer.contract.pacing import PacingReport
from ctidialer.contract.status import decode_status
from ctidialer.nodes.pacing import read_pacing
from ctidialer.stage.switch import start_switch
from tests.dialer.queue_case import NUMBERS, QueueCase
from tests.dialer.switch_case import LONG
from tests.support.node import HOST, PASSWORD
from tests.support.redis import new_directory

LOOK = 0.05
OTHER = "other-host"
CALLCENTER = "sales@default"


class PacedDialingTests(QueueCase):
    """The agents are those that a back end writes."""

    async def agents(self, free: int, busy: int = 0) -> None:
        counts = json.dumps({"free": free, "busy": busy})
        await self.call("HSET", keys.at(keys.AGENT_COUNT, HOST), "sales", counts)
        notice = {"type": "config_change", "table": keys.AGENT_COUNT, "key": "sales"}
        await self.call("PUBLISH", f"config@{HOST}", json.dumps(notice))

    async def beat(self, seconds: int) -> None:
        await self.call("SET", keys.at(keys.AGENT_HEART, HOST), "1", "EX", str(seconds))

    async def begin(self, free: int, numbers: int = 80, **params: Any) -> None:
        await self.prepare(free, numbers, **params)
        self.start_dialer()

    async def prepare(self, free: int, numbers: int, **params: Any) -> None:
        await self.beat(3600)
        await self.agents(free)
        await self.usual_tables(**{"agent_group": "sales", "limit": 100, **params})
        await self.put_numbers(NUMBERS[:numbers])

    async def pacing(self) -> PacingReport:
        """Return what the daemon has written of its pacing."""
        while True:
            found = await read_pacing(self.redis, HOST, "t")
            if found is not None and found.pacing is not None:
                return found
            await deferLater(reactor, LOOK)

    async def counted(self, answered: int, abandoned: int) -> None:
        async def is_so() -> bool:
            now = (await self.pacing()).pacing
            return now is not None and (now.answered, now.abandoned) == (answered, abandoned)

        await self.until(f"{abandoned} of {answered} abandoned", is_so)

    async def test_never_more_calls_on_their_way_than_agents_are_free(self) -> None:
        await self.sim(default={"result": "busy", "ring": [0.01, 0.1]})
        await self.begin(3)
        await self.records_of(80)
        self.assertLessEqual(self.most_at_once(), 3)

    async def test_an_agent_more_is_a_call_more(self) -> None:
        await self.sim(default=LONG)
        await self.begin(2)
        await self.dialed(2)
        await self.agents(5)
        await self.dialed(5)
        await self.agents(0)
        await self.hang_up()

    async def test_without_the_heart_nobody_is_called(self) -> None:
        await self.put_canary()
        await self.sim(default={"result": "busy", "ring": 0.05})
        await self.begin(2)
        await self.dialed(3)
        await self.call("DEL", keys.at(keys.AGENT_HEART, HOST))

        async def is_known() -> bool:
            now = (await self.pacing()).pacing
            return now is not None and "cti_agent_heart" in now.problem

        await self.until("the daemon knows that the heart has stopped", is_known)
        placed = len(self.numbers_dialed())
        await self.canary(looks=5)
        self.assertEqual(len(self.numbers_dialed()), placed)
        await self.beat(3600)
        await self.dialed(placed + 3)

    async def test_who_finds_no_agent_is_counted_and_recorded(self) -> None:
        await self.sim(default=LONG)
        await self.begin(1, numbers=1, abandon_time=0.2)
        await self.dialed(1)
        await self.counted(1, 1)
        await self.hang_up()
        (record,) = await self.records_of(1)
        self.assertTrue(record.abandoned)

    async def test_where_nobody_finds_an_agent_the_task_is_braked(self) -> None:
        await self.sim(default={"result": "answer", "talk": 0.5})
        await self.begin(2, abandon_time=0.1, brake_after=4)

        async def is_braked() -> bool:
            raw = await self.call("GET", keys.status(HOST))
            tasks = decode_status(raw).tasks if isinstance(raw, bytes) else ()
            return [task.explained.reason for task in tasks] == ["braked"]

        await self.until("the task is braked", is_braked)
        self.assertTrue(4 <= len(self.numbers_dialed()) <= 6, self.numbers_dialed())
        self.assertTrue(all(record.abandoned for record in await self.records()))

    async def test_who_finds_an_agent_is_counted(self) -> None:
        await self.sim(default={"result": "answer", "talk": 3600, "bridge": 0.05})
        await self.begin(1, numbers=1, abandon_time=30)
        await self.dialed(1)
        await self.counted(1, 0)
        await self.hang_up()
        (record,) = await self.records_of(1)
        self.assertFalse(record.abandoned)

    async def test_for_the_agents_of_mod_callcenter(self) -> None:
        self.switch = await start_switch(
            reactor,
            Path(new_directory(self)),
            {"default": {"result": "answer", "ring": 0.1, "talk": 3600}},
            password=PASSWORD,
            agents=3,
            queue=CALLCENTER,
            handle_time=0.2,
        )
        self.addCleanup(self.switch.kill)
        await self.usual_tables(
            agent_queue=CALLCENTER, destination_extension=CALLCENTER, limit=100, abandon_time=30
        )
        await self.put_numbers(NUMBERS[:12])
        self.start_dialer()
        records = await self.records_of(12)
        agents = {record.agent for record in records}
        self.assertTrue(agents <= {f"agent{at}@default" for at in (1, 2, 3)}, agents)
        self.assertFalse(any(record.abandoned for record in records))
        self.assertLessEqual(self.most_at_once(), 3)
        await self.counted(12, 0)

    async def test_two_hosts_dial_for_the_same_agents(self) -> None:
        await self.sim(default={"result": "busy", "ring": [0.05, 0.2]})
        await self.prepare(3, numbers=60)
        for host in (HOST, OTHER):
            self.start_daemon(name=f"daemon-{host}", host=host)

        async def recorded() -> int:
            return sum([len(await self.records(host)) for host in (HOST, OTHER)])

        await self.until_count("all records", 60, recorded)
        self.assertEqual(await recorded(), 60)
        self.assertLessEqual(self.most_at_once(), 3)

    async def test_the_count_outlives_a_daemon_that_is_killed(self) -> None:
        await self.sim(default=LONG)
        await self.prepare(1, numbers=2, abandon_time=0.2)
        daemon = self.start_daemon(name="first")
        await self.dialed(1)
        await self.counted(1, 1)
        await daemon.kill()
        self.start_daemon(name="second")
        await self.hang_up()
        await self.dialed(2)
        await self.counted(2, 2)
