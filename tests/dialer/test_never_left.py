"""A gateway that FreeSWITCH does not know costs no number, on a whole node."""

from __future__ import annotations

import time
from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.dialer.service import DialerService
from ctidialer.rules.line_state import Why
from tests.dialer.schedule_case import ScheduleTestCase, member
from tests.support.node import HOST

COUNT = 500
NUMBERS = [f"138{index:08d}" for index in range(COUNT)]
SOON: dict[str, Any] = {"count": 1000, "fault_try_interval": 300}


class NeverLeftTests(ScheduleTestCase):
    """``gw`` is the one gateway that there is."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.sim(known_gateways={"gw": "up"})

    async def is_back(self, dialer: DialerService, name: str) -> None:
        """Wait until the way of this name is out of use and all numbers are in their list."""

        async def is_so() -> bool:
            state = dialer.parts.lines.states.get(name)
            is_out = state is not None and state.out_of_use and not state.calls
            return is_out and len(await self.queue()) == COUNT

        await self.until(f"{name} is out of use and no number gone", is_so)

    def reasons(self, dialer: DialerService) -> list[tuple[str, Why]]:
        """Return why no line is free, as ``explain`` says it."""
        found = dialer.parts.explainer.explain("t", time.time())
        self.assertIn("INVALID_GATEWAY", found.lines[0].text)
        return [(busy.name, busy.why) for busy in found.lines]

    async def test_a_name_that_is_no_gateway_burns_no_list(self) -> None:
        await self.put_task(line_group=["carier1"], limit=5)
        await self.put_numbers(NUMBERS)
        dialer = self.start_dialer(self.quick())
        await self.is_back(dialer, "carier1")
        self.assertEqual(self.reasons(dialer), [("carier1", Why.NEVER_LEFT)])
        self.assertEqual(await self.records(), ())
        self.assertEqual([one.decode() for one in await self.queue()], NUMBERS)
        self.assertLessEqual(len(self.switch_log().originates), 5)

    async def test_when_the_gateway_is_there_every_number_has_its_true_outcome(self) -> None:
        await self.put_line("late", **SOON)
        await self.put_group("late", line=[["late"]])
        await self.put_task(line_group=["late"], limit=50)
        await self.put_numbers(NUMBERS)
        dialer = self.start_dialer(self.quick())
        await self.is_back(dialer, "late")
        self.assertEqual(await self.records(), ())
        await self.sim(gateway_state={"late": "up"})
        records = await self.records_of(COUNT)
        self.assertEqual({record.outcome for record in records}, {Outcome.ANSWERED})
        self.assertEqual(sorted(record.number or "" for record in records), NUMBERS)
        self.assertEqual({len(record.attempts) for record in records}, {1})
        self.assertEqual(await self.queue(), [])

    async def test_the_next_group_takes_the_numbers(self) -> None:
        await self.put_task(line_group=["carier1", "gw"], limit=5)
        await self.put_numbers(NUMBERS[:50])
        self.start_dialer(self.quick())
        records = await self.records_of(50)
        self.assertEqual({record.outcome for record in records}, {Outcome.ANSWERED})
        groups = {attempt.line_group for record in records for attempt in record.attempts}
        self.assertEqual(groups, {"gw"})

    async def test_a_group_of_faulty_and_unknown_lines_keeps_its_numbers(self) -> None:
        await self.put_group(line=[["l", "gone"]])
        await self.put(keys.at(keys.LINE, HOST), {"l": "{broken"})
        await self.put_task()
        await self.put_task("canary", line_group=["gw"], number_queue="canary")
        await self.put_numbers(NUMBERS[:3])
        self.start_dialer(self.quick())
        await self.put_numbers(["999"], "canary")
        self.assertEqual([record.number for record in await self.records_of(1)], ["999"])
        self.assertEqual([one.decode() for one in await self.queue()], NUMBERS[:3])

    async def test_a_scheduled_number_is_written_back_or_ends_by_its_expires(self) -> None:
        await self.put_config(line_group=["carier1"])
        at = time.time()
        keeps, ends = member("1001", expires=int(at) + 3600), member("1002")
        await self.plan(keeps, ends)
        self.start()
        (record,) = await self.records_of(1)
        self.assertEqual((record.number, record.outcome), ("1002", Outcome.NO_LINE))

        async def is_planned() -> bool:
            return keeps in await self.planned()

        await self.until("the other one is written back", is_planned)
        self.assertGreater((await self.planned())[keeps], at + 50)

    async def test_an_unknown_configuration_is_waited_for(self) -> None:
        one = member("1001", config="late")
        at = time.time()
        await self.plan(one)
        self.start()

        async def is_written_back() -> bool:
            return (await self.planned()).get(one, 0.0) > at + 50

        await self.until("it is written back", is_written_back)
        self.assertEqual(await self.records(), ())
        await self.put_config("late", line_group=["gw"])
        await self.published(keys.SCHEDULE_CONFIG, "late")
        await self.plan(one)  # as if its minute were over
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.ANSWERED)
