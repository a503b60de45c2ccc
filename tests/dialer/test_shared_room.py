"""Queue tasks and scheduled numbers share what the node may do (``max_calls``)."""

from __future__ import annotations

import json
import time
from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from tests.support.node import HOST, NodeTestCase

TALK: dict[str, Any] = {"default": {"result": "answer", "talk": 0.1}}
SCHEDULED = 12


class SharedRoomTests(NodeTestCase):
    """Neither waits for ever while the other has work, or looks for some."""

    script = TALK

    async def put_scheduled(self) -> None:
        config = {"params": {"line_group": ["g"], "destination_extension": "8888"}}
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"c": config})
        for index in range(SCHEDULED):
            member = json.dumps({"params": {"number": f"139{index:08d}", "config": "c"}})
            key = keys.at(keys.SCHEDULE_NUMBER, HOST)
            await self.call("ZADD", key, str(int(time.time()) - 1), member)

    async def scheduled_are_done(self) -> bool:
        kinds = [record.kind for record in await self.records()]
        return kinds.count(Kind.SCHEDULE) == SCHEDULED

    async def test_tasks_with_empty_queues_leave_room_for_scheduled_numbers(self) -> None:
        # They ask for all that the node may do, twenty times a second, and get nothing.
        await self.usual_tables(limit=20)
        await self.put_task("other", limit=20, number_queue="other")
        await self.put_scheduled()
        self.start_dialer(self.settings(max_calls=20))
        await self.until("the scheduled numbers are called", self.scheduled_are_done)

    async def test_a_full_node_takes_turns(self) -> None:
        await self.usual_tables(limit=20)
        await self.put_numbers(f"138{index:08d}" for index in range(1000))
        await self.put_scheduled()
        self.start_dialer(self.settings(max_calls=4))
        await self.until("the scheduled numbers are called", self.scheduled_are_done)
        records = await self.records()
        queued = [record for record in records if record.kind is Kind.QUEUE]
        self.assertGreater(len(queued), SCHEDULED // 2)
        self.assertLess(len(queued), 400)
