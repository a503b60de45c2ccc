"""Orders to take a line out of use, put it back and have it tried, as the daemon heeds them."""

from __future__ import annotations

import time
from typing import Any

from msgspec.structs import replace
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.control import Control, LineOff, Order
from ctidialer.contract.line import FaultPolicy, Line
from ctidialer.contract.record import Outcome
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.line_orders import LineOrders
from ctidialer.dialer.service import DialerService
from ctidialer.nodes.orders import NodeOrders
from ctidialer.rules.line_state import CallEnd, Why
from ctidialer.settings import Config, Settings
from tests.dialer.line_case import ANSWERS, UNAVAILABLE, logged, ways
from tests.dialer.queue_case import QueueCase
from tests.dialer.schedule_case import ScheduleTestCase, member
from tests.dialer.switch_case import LONG
from tests.support.node import HOST

ORDER = Order(1.5, "ann@pbx1", "one-way audio")


class TakenOutTests(QueueCase, ScheduleTestCase):
    """A whole node; the tables are not polled: what is in force at once was published."""

    async def set_up(self) -> None:
        await super().set_up()
        self.orders = NodeOrders(self.redis, HOST)
        await self.put_task("canary", number_queue="canary", line_group=["other"])

    def settings(self, host: str = HOST, **node: Any) -> Settings:
        return replace(super().settings(host, **node), config=Config(poll_interval=600.0))

    async def why(self, dialer: DialerService, name: str, why: Why | None) -> None:
        """Wait until a line takes no call for this reason; None = it takes one."""

        async def is_so() -> bool:
            told = dialer.parts.shown.lines([name])[0]
            return told.state == (why.value if why else "free")

        await self.until(f"{name} is {why}", is_so)

    async def test_calls_go_on_and_numbers_take_another_line(self) -> None:
        await self.put_lines("a", "b", count=2)
        await self.put_groups({"g": [["a"], ["b"]]})
        await self.sim(default=LONG)
        dialer = await self.begun(limit=2)
        await self.put_numbers(["1001", "1002"])
        first = await self.dialed(2)
        await self.orders.take_out("a", LineOff(ORDER))
        await self.why(dialer, "a", Why.TAKEN_OUT)
        await self.sim(default=ANSWERS)
        self.assertEqual(len(dialer.parts.calls), 2)
        for call in first:
            await self.order(f"uuid_kill {call.uuid_asked}")
        await self.put_numbers(["1003", "1004", "1005"])
        records = await self.records_of(5)
        self.assertEqual({ways(one)[0][0] for one in records[2:]}, {"b"})
        self.assertEqual({one.outcome for one in records}, {Outcome.ANSWERED})
        self.assert_accounted_for(records)

    async def test_where_all_are_out_no_number_is_spent_and_explain_says_who_and_why(self) -> None:
        await self.orders.take_out("l", LineOff(ORDER))
        dialer = await self.begun()
        await self.put_numbers(["1001", "1002"])

        async def is_said() -> bool:
            return bool(dialer.parts.explainer.explain("t", time.time()).lines)

        await self.until("no line is free", is_said)
        found = dialer.parts.explainer.explain("t", time.time())
        (line,) = found.lines
        self.assertEqual((found.reason.value, line.why), ("no_free_line", Why.TAKEN_OUT))
        said = "no line is free (l: it was taken out of use by ann@pbx1: one-way audio)"
        self.assertEqual(found.text, said)
        self.assertIsNone(found.changes_at)
        status = dialer.parts.shown.status()
        self.assertEqual(status.line_states, {"free": 0, "taken_out": 1})
        self.assertEqual([one.off for one in status.lines], [LineOff(ORDER)])
        await self.canary()
        self.assertEqual(len(await self.queue()), 2)
        self.assertTrue(await self.orders.put_back("l", ORDER))
        await self.records_of(5)

    async def test_it_survives_a_restart_and_ends_by_itself(self) -> None:
        told = logged(self, "Line {line} is")
        until = time.time() + 600
        await self.orders.take_out("l", LineOff(ORDER, until))
        first = await self.begun()
        await self.why(first, "l", Why.TAKEN_OUT)
        await first.stopService()
        dialer = await self.begun()
        await self.why(dialer, "l", Why.TAKEN_OUT)
        self.assertEqual(dialer.parts.shown.lines(["l"])[0].until, until)
        await self.put_numbers(["1001"])
        # Should its time be over before the daemon hears of it, that is said all the same.
        await self.orders.take_out("l", LineOff(ORDER, time.time() + 0.2))
        await self.records_of(1)
        self.assertEqual(told[-1], "Line l is put back into use: the time of the order is over")

    async def test_a_scheduled_number_that_cannot_expire_waits(self) -> None:
        await self.put_line()
        await self.put_group()
        await self.put_config("s")
        await self.orders.take_out("l", LineOff(ORDER))
        dialer = self.start_dialer(self.quick())
        await self.why(dialer, "l", Why.TAKEN_OUT)
        now = time.time()
        await self.plan(member("777", config="s"))

        async def is_put_off() -> bool:
            return any(due > now + 50 for due in (await self.planned()).values())

        await self.until("the number is due again in a minute", is_put_off)
        self.assertEqual(await self.records(), ())

    async def test_a_fallback_can_be_taken_out_too(self) -> None:
        await self.orders.take_out("carrier", LineOff(ORDER))
        await self.put_task(line_group=["carrier"])
        dialer = self.start_dialer()
        await self.put_numbers(["1001"])
        await self.why(dialer, "carrier", Why.TAKEN_OUT)
        self.assertIn("carrier", dialer.parts.shown.line_names())
        await self.canary()
        self.assertEqual(len(await self.queue()), 1)
        await self.orders.put_back("carrier", ORDER)
        await self.records_of(4)
        self.assertNotIn("carrier", dialer.parts.lines.states)

    async def test_a_line_that_rests_after_faults_is_tried_at_once(self) -> None:
        told = logged(self, "Line {line} is")
        await self.put_line(fault_threshold=1, fault_try_interval=3_600_000)
        await self.put_group()
        await self.sim(default=UNAVAILABLE)
        dialer = await self.begun()
        await self.put_numbers(["1001"])
        await self.records_of(1)
        await self.why(dialer, "l", Why.OUT_OF_USE)
        await self.put_numbers(["1002", "1003"])
        await self.orders.try_line("l", ORDER)
        await self.records_of(2)
        await self.why(dialer, "l", Why.OUT_OF_USE)  # the trial failed: it rests again
        await self.sim(default=ANSWERS)
        await self.orders.try_line("l", replace_since(ORDER, 2.0))
        await self.records_of(3)
        await self.why(dialer, "l", None)
        self.assertEqual(told[1], "Line l is tried now by ann@pbx1: one-way audio")

    async def begun(self, **task: Any) -> DialerService:
        if not await self.call("EXISTS", keys.at(keys.LINE_GROUP, HOST)):
            await self.put_line()
            await self.put_group()
        await self.put_task(**task)
        return self.start_dialer()


def replace_since(order: Order, since: float) -> Order:
    """Return the same order of another time."""
    return Order(since, order.by, order.why)


class ToldTests(SynchronousTestCase):
    """What the log says of the orders, and when their time is over."""

    line = Line("l", "user/1", faults=FaultPolicy(threshold=1, try_interval=60.0))

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.lines = LineAccounts()
        self.orders = LineOrders(self.clock, self.lines, "UTC")
        self.addCleanup(self.orders.stop)

    def told(self, *controls: Control, advance: float = 0.0) -> list[str]:
        with capturedLogs() as events:
            for control in controls:
                self.orders.obey(control)
            self.clock.pump([3000.0] * int(advance // 3000) + [advance % 3000])
        return [formatEvent(event) for event in events]

    def test_who_took_a_line_out_and_put_it_back_and_why(self) -> None:
        out = Control(lines_off={"l": LineOff(ORDER)})
        back = Control(lines_on={"l": Order(2.0, "bob", "mended")})
        said = "Line l is taken out of use by ann@pbx1: one-way audio"
        self.assertEqual(self.told(out, out), [said])
        self.assertTrue(self.lines.is_taken_out("l"))
        self.assertEqual(self.told(back, back), ["Line l is put back into use by bob: mended"])
        self.assertFalse(self.lines.is_taken_out("l"))
        self.assertEqual(dict(self.lines.states), {})

    def test_the_end_of_its_time_is_told_then_and_not_before(self) -> None:
        until = self.clock.seconds() + 7200
        out = Control(lines_off={"l": LineOff(ORDER, until), "m": LineOff(Order())})
        said = self.told(out)
        self.assertIn(
            "Line l is taken out of use until 2023-11-15 00:13:20 (UTC) by ann@pbx1: one-way audio",
            said,
        )
        self.assertEqual(self.told(advance=7199), [])
        over = "Line l is put back into use: the time of the order is over"
        self.assertEqual(self.told(advance=2), [over])
        self.assertFalse(self.lines.is_taken_out("l"))
        self.assertTrue(self.lines.is_taken_out("m"))
        self.assertEqual(self.told(out), [])  # it stands in Redis still, and means nothing more

    def test_an_order_that_is_given_anew_is_told_with_its_new_time(self) -> None:
        self.told(Control(lines_off={"l": LineOff(ORDER)}))
        again = self.told(Control(lines_off={"l": LineOff(ORDER, self.clock.seconds() + 60)}))
        self.assertEqual(len(again), 1)
        self.assertIn("until 2023-11-14 22:14:20 (UTC)", again[0])

    def test_a_trial_is_told_only_where_there_is_one_to_make(self) -> None:
        tried = Control(lines_tried={"l": ORDER})
        self.assertEqual(self.told(tried), [])
        now = self.clock.seconds()
        self.lines.started(self.line, "g", now)
        self.lines.ended(self.line, "g", now, CallEnd(False))
        self.assertEqual(self.told(tried), [])  # that order was heeded before
        again = Control(lines_tried={"l": replace_since(ORDER, 9.0)})
        self.assertEqual(self.told(again), ["Line l is tried now by ann@pbx1: one-way audio"])
