"""What the daemon says of itself, as it stands in Redis."""

from __future__ import annotations

import os
import time
from functools import partial

from ctidialer.contract import keys
from ctidialer.contract.control import Order
from ctidialer.contract.status import NodeStatus
from ctidialer.nodes.orders import NodeOrders
from tests.dialer.queue_case import NUMBERS
from tests.dialer.status_case import StatusCase
from tests.support.node import HOST


class StatusTests(StatusCase):
    async def test_a_node_at_work(self) -> None:
        await self.sim(default={"result": "answer", "talk": 30})
        await self.usual_tables(limit=2)
        await self.put_task("closed", start_time="2099-1-1 0:00")
        await self.put_task("off", enable=False)
        await self.put_task("bad", limit="many")
        await self.put_line("l", count=2)
        await self.put_line("idle")
        await self.put_numbers(NUMBERS[:5])
        began = time.time()
        self.start_dialer(self.settings(max_calls=50))
        await self.dialed(2)
        status = await self.status_when("two calls", lambda status: status.calls == 2)
        self.assertEqual((status.host, status.domain, status.pid), (HOST, HOST, os.getpid()))
        self.assertEqual(status.timezone, "Asia/Shanghai")
        self.assertTrue(began - 1 < status.started < status.at < time.time() + 1)
        self.assertTrue(status.ready)
        self.assertEqual((status.missing, status.drain), ((), None))
        self.assertEqual((status.freeswitch_up, status.freeswitch_trouble), (True, None))
        self.assertEqual((status.numbers, status.placed, status.max_calls), (2, 2, 50))
        self.assertEqual(status.task_count, 4)
        self.assertEqual(status.closed, {"before_start": 1, "disabled": 1, "invalid": 1})
        (task,) = status.tasks
        self.assertEqual((task.name, task.calls, task.limit), ("t", 2, 2))
        self.assertEqual((task.number_queue, task.explained.reason), ("q", "limit_reached"))
        (line,) = status.lines
        self.assertEqual((line.name, line.state, line.calls, line.count), ("l", "full", 2, 2))
        self.assertEqual(status.line_states, {"free": 1, "full": 1})
        self.assertEqual((status.line_count, status.lines_in_use), (2, 1))
        ttl = await self.call("PTTL", keys.status(HOST))
        assert isinstance(ttl, int)
        self.assertTrue(0 < ttl <= 3500)
        await self.hang_up()
        await self.dialed(4)
        await self.hang_up()
        status = await self.status_when("records", lambda status: bool(status.outcomes))
        self.assertIn("answered", status.outcomes)
        self.assertGreater(status.cps, 0)

        async def all_dialed() -> bool:
            await self.hang_up()
            return len(await self.records()) == 5

        await self.until("five records", all_dialed)

    async def test_it_is_renewed_every_second_and_goes_with_the_daemon(self) -> None:
        dialer = self.start_dialer()
        first = await self.status_when("a status", lambda status: True)
        # Each may be late by itself: what is looked at is how many there are in some seconds.
        last = first
        for _ in range(3):
            at = last.at
            last = await self.status_when("a later one", partial(_is_later, at))
        self.assertGreater(last.at - first.at, 1.9)
        await dialer.stopService()

        async def is_gone() -> bool:
            return await self.call("EXISTS", keys.status(HOST)) == 0

        await self.until("the status is gone", is_gone)

    async def test_freeswitch_away_and_back(self) -> None:
        await self.usual_tables()
        self.start_dialer()
        await self.status_when("ready", lambda status: status.ready)
        await self.switch.kill()

        def is_away(status: NodeStatus) -> bool:
            return not status.freeswitch_up

        status = await self.status_when("FreeSWITCH is away", is_away)
        self.assertFalse(status.ready)
        self.assertEqual(status.missing[0].condition, "freeswitch_away")
        self.assertIn("FreeSWITCH is away: ", status.missing[0].problem)
        self.assertTrue(status.freeswitch_trouble)

    async def test_drained(self) -> None:
        order = Order(1700000000.0, "ann@pbx1")
        await NodeOrders(self.redis, HOST).drain(order)
        self.start_dialer()
        status = await self.status_when("drained", lambda status: status.drain is not None)
        self.assertEqual(status.drain, order)
        self.assertIn("drained by ann@pbx1 since 2023-11-15", status.missing[0].problem)

    async def test_a_line_out_of_use(self) -> None:
        await self.sim(default={"result": "sip", "status": 503})
        await self.usual_tables()
        await self.put_line("l", fault_threshold=1, fault_try_interval=60_000)
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer()
        (record,) = await self.records_of(1)
        status = await self.status_when("a line out of use", lambda status: bool(status.lines))
        (line,) = status.lines
        self.assertEqual((line.state, line.calls, line.faults), ("out_of_use", 0, 1))
        self.assertGreater(line.until or 0, record.ended_at + 59)
        self.assertEqual(
            (status.line_states, status.lines_in_use), ({"free": 0, "out_of_use": 1}, 0)
        )


def _is_later(at: float, status: NodeStatus) -> bool:
    return status.at > at
