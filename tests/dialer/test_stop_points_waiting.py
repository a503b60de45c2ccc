"""The daemon is killed where calls are permitted, and where scheduled numbers wait."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.store.waiting import Waiting
from tests.dialer.test_stop_points import (
    FIRST,
    FIRST_IS_BUSY,
    FIRST_TALKS,
    OTHERS,
    SCHEDULED,
    StopPointCase,
)
from tests.support.node import HOST

HOUR = 3600
ONCE = [{"count": 1, "time": HOUR}, {"count": 1, "time": HOUR, "talk": True}]
CONFIG = keys.at(keys.SCHEDULE_CONFIG, HOST)
TEMPLATE = Waiting(keys.TEMPLATE, Kind.QUEUE, "t")
SCHEDULE = Waiting(HOST, Kind.SCHEDULE, "c")


class PlacesCase(StopPointCase):
    """Says where entries are."""

    async def finals(self) -> list[Record]:
        """Return the last records."""
        return [one for one in await self.records() if one.is_final]

    async def members(self, key: str) -> list[bytes]:
        """Return the members of a zset."""
        found = await self.call("ZRANGE", key, 0, -1)
        assert isinstance(found, list)
        return [member for member in found if isinstance(member, bytes)]

    async def in_one_place_each(self, entries: int, where: Waiting) -> None:
        """Check that each of so many entries waits or has its last record, and is nowhere else."""
        await self.nothing_in_flight()
        self.assertEqual(await self.queue(), [])
        self.assertEqual(await self.call("ZCARD", SCHEDULED), 0)
        members = await self.members(where.key)
        ended = [one.first_id for one in await self.finals()]
        waits = [json.loads(member.split(b"\n")[0])["entry_id"] for member in members]
        self.assertEqual(Counter([*ended, *waits]).most_common(1)[0][1], 1)
        self.assertEqual(len(ended) + len(waits), entries)


class PermitTests(PlacesCase):
    """The first number stands twice in the queue, and may be called once an hour."""

    script = FIRST_TALKS

    async def life(self, point: str) -> int:
        """Kill a daemon at ``point``; return how often the first number was called."""
        await self.usual_tables(limit=1, callee_limit=ONCE, dnc=["out"])
        await self.call("SADD", "out", OTHERS[1])
        await self.put_numbers([FIRST, FIRST, *OTHERS])
        await self.stopped(point)
        self.start_dialer(self.settings(call_check_interval=1.0))

        async def all_over() -> bool:
            return len(await self.finals()) + len(await self.members(TEMPLATE.key)) == 4

        await self.until("each entry waits or has its last record", all_over)
        await self.in_one_place_each(4, TEMPLATE)
        outcomes = {one.number: one.outcome for one in await self.finals()}
        self.assertIs(outcomes[OTHERS[0]], Outcome.ANSWERED)
        self.assertIs(outcomes[OTHERS[1]], Outcome.DNC)
        self.assertEqual(self.dialed_of(OTHERS[1]), 0)
        self.assertEqual(await self.call("ZCARD", TEMPLATE.key), 1)
        counted = await self.members(keys.callee_calls(FIRST))
        self.assertEqual(len([one for one in counted if b" " not in one]), 1, counted)
        return self.dialed_of(FIRST)

    async def test_its_call_was_about_to_be_permitted(self) -> None:
        self.assertEqual(await self.life("before the permit"), 1)

    async def test_the_permit_was_asked_for(self) -> None:
        # The call may have been placed: nobody calls it again, and it counts.
        self.assertEqual(await self.life("permit sent"), 0)

    async def test_its_call_was_permitted(self) -> None:
        self.assertEqual(await self.life("permitted"), 0)

    async def test_its_originate_was_written(self) -> None:
        self.assertEqual(await self.life("originate written"), 1)

    async def test_it_has_answered(self) -> None:
        self.assertEqual(await self.life("answered"), 1)


class ScheduledWaitTests(PlacesCase):
    """A scheduled number is busy, and is called again a second later."""

    script = FIRST_IS_BUSY

    async def life(self, point: str) -> Sequence[Outcome]:
        """Kill a daemon at ``point``; return the outcomes of the first number, oldest first."""
        plan = [{"outcome": ["busy"], "after": 1, "count": 1}]
        params = {"line_group": ["g"], "destination_extension": "8888", "retry_plan": plan}
        await self.usual_tables()
        await self.put(
            CONFIG,
            {"c": {"params": {**params, "limit": 1, "callee_limit": [{"count": 2, "time": HOUR}]}}},
        )
        for index, number in enumerate((FIRST, *OTHERS)):
            member = json.dumps({"params": {"number": number, "config": "c"}})
            await self.call("ZADD", SCHEDULED, str(int(time.time()) - 5 + index), member)
        await self.stopped(point)
        self.start_dialer(self.settings(call_check_interval=1.0))

        async def all_over() -> bool:
            return {one.number for one in await self.finals()} == {FIRST, *OTHERS}

        await self.until("every number has its last record", all_over)
        await self.in_one_place_each(3, SCHEDULE)
        self.assertEqual(await self.call("EXISTS", *SCHEDULE.names), 0)
        records = [one for one in await self.records() if one.number == FIRST]
        self.assertEqual({one.kind for one in records}, {Kind.SCHEDULE})
        self.assertEqual([one.try_number for one in records], list(range(1, len(records) + 1)))
        self.assertEqual(len({one.first_id for one in records}), 1)
        return [one.outcome for one in records]

    async def test_it_was_about_to_be_put_to_wait(self) -> None:
        self.assertEqual(await self.life("before the wait"), [Outcome.UNKNOWN])
        self.assertEqual(self.dialed_of(FIRST), 1)

    async def test_it_was_being_put_to_wait(self) -> None:
        self.assertEqual(await self.life("wait sent"), [Outcome.BUSY, Outcome.ANSWERED])
        self.assertEqual(self.dialed_of(FIRST), 2)

    async def test_it_was_put_to_wait(self) -> None:
        self.assertEqual(await self.life("put to wait"), [Outcome.BUSY, Outcome.ANSWERED])
        self.assertEqual(self.dialed_of(FIRST), 2)

    async def test_it_was_claimed_again(self) -> None:
        point = f"claimed of {SCHEDULE.key}"
        self.assertEqual(await self.life(point), [Outcome.BUSY, Outcome.ANSWERED])
        self.assertEqual(self.dialed_of(FIRST), 2)


class ManyKillsTests(PlacesCase):
    """Many scheduled numbers are busy for ever; the daemon is killed again and again."""

    script: Mapping[str, Any] = {"default": {"result": "busy", "ring": 0.05}}
    numbers = tuple(str(2000 + index) for index in range(30))

    async def test_no_number_is_called_more_often_than_its_cap(self) -> None:
        plan = [{"outcome": ["busy"], "after": 0.5, "count": 5}]
        params = {"line_group": ["g"], "destination_extension": "8888", "retry_plan": plan}
        caps = [{"count": 3, "time": HOUR}]
        await self.usual_tables()
        await self.put(CONFIG, {"c": {"params": {**params, "limit": 6, "callee_limit": caps}}})
        expires = int(time.time()) + HOUR // 2  # so those over their cap end
        for number in self.numbers:
            given = {"number": number, "config": "c", "expires": expires}
            await self.call("ZADD", SCHEDULED, "1", json.dumps({"params": given}))
        for wanted in (10, 30, 60):
            daemon = self.launch(name=f"daemon-{wanted}")
            await self.dialed(wanted)
            await daemon.kill()
            await self.call("DEL", keys.lease(HOST))
        self.start_dialer(self.settings(call_check_interval=1.0))

        async def all_over() -> bool:
            return len(await self.finals()) == len(self.numbers)

        await self.until("every number has its last record", all_over)
        await self.in_one_place_each(len(self.numbers), SCHEDULE)
        called = Counter(self.switch_log().numbers)
        self.assertLessEqual(max(called.values()), 3)
        self.assertEqual({one.number for one in await self.finals()}, set(self.numbers))
        outcomes = {one.outcome for one in await self.finals()}
        self.assertLessEqual(outcomes, {Outcome.CAPPED, Outcome.UNKNOWN, Outcome.BUSY})
        self.assertIn(Outcome.CAPPED, outcomes)
