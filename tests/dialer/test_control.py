"""An operator's orders, as the daemon heeds them: drain, and the pause of one task."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.control import Control, Edited, Order
from ctidialer.contract.record import Outcome
from ctidialer.dialer.control import Orders
from ctidialer.dialer.dispatch.brakes import Brakes
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.dialer.service import DialerService
from ctidialer.nodes.orders import NodeOrders
from ctidialer.settings import Config, Schedule, Settings
from ctidialer.store.errors import WrongType
from tests.dialer.queue_case import NUMBERS, QueueCase
from tests.dialer.switch_case import LONG
from tests.dialer.world import World
from tests.support.node import HOST

ORDER = Order(1.5, "ann@pbx1", "trunk fault")
SHORT: dict[str, Any] = {"result": "answer", "talk": 0.02}


class ControlCase(QueueCase):
    """The tables are not polled: what is in force at once was published."""

    POLL = 60.0

    async def set_up(self) -> None:
        await super().set_up()
        self.control = NodeOrders(self.redis, HOST)

    def settings(self, host: str = HOST, **node: Any) -> Settings:
        settings = super().settings(host, **node)
        config = Config(poll_interval=self.POLL)
        return replace(settings, config=config, schedule=Schedule(poll_interval=0.05))

    async def condition(self, dialer: DialerService, *missing: Condition) -> None:
        """Wait until these conditions are missing, and no others."""

        async def is_so() -> bool:
            reply: Any = await self.call("PUBSUB", "NUMSUB", keys.at(keys.CHANGE_CHANNEL, HOST))
            return reply[1] > 0 and dialer.parts.readiness.missing == missing

        await self.until(f"missing: {missing}", is_so)

    async def begin(self, **task: Any) -> DialerService:
        await self.usual_tables(**task)
        dialer = self.start_dialer()
        await self.condition(dialer)
        return dialer


class DrainTests(ControlCase):
    async def test_calls_go_on_nothing_new_and_back_in_service(self) -> None:
        await self.sim(default=LONG)
        dialer = await self.begin(limit=2)
        await self.put_numbers(NUMBERS[:6])
        first = await self.dialed(2)
        self.assertTrue(await self.control.drain(ORDER))
        await self.condition(dialer, Condition.IN_SERVICE)
        await self.sim(default=SHORT)
        await self.order(f"uuid_kill {first[0].uuid_asked}")
        await self.records_of(1)
        config = {"line_group": ["g"], "destination_extension": "8888"}
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"s": {"params": config}})
        await self.published(keys.SCHEDULE_CONFIG)
        member = '{"params":{"number":"777","config":"s"}}'
        await self.call("ZADD", keys.at(keys.SCHEDULE_NUMBER, HOST), 1, member)
        # The other call is up all the while; its end is recorded like any other.
        self.assertEqual(len(dialer.parts.calls), 1)
        await self.order(f"uuid_kill {first[1].uuid_asked}")
        records = await self.records_of(2)
        self.assertEqual({record.outcome for record in records}, {Outcome.ANSWERED})
        await self.nothing_in_flight()
        self.assertEqual(await self.queue(), [number.encode() for number in NUMBERS[2:6]])
        self.assertEqual(len(self.switch_log().originates), 2)
        self.assertTrue(await self.control.undo_drain(ORDER))
        records = await self.records_of(7)
        self.assertIn("777", {record.number for record in records})
        self.assert_accounted_for(records)

    async def test_it_survives_a_restart(self) -> None:
        await self.control.drain(ORDER)
        await self.usual_tables()
        await self.put_numbers(NUMBERS[:1])
        for _ in range(2):
            dialer = self.start_dialer()
            await self.condition(dialer, Condition.IN_SERVICE)
            await dialer.stopService()
        self.assertEqual(self.switch_log().originates, ())
        dialer = self.start_dialer()
        await self.condition(dialer, Condition.IN_SERVICE)
        await self.control.undo_drain(ORDER)
        await self.records_of(1)

    async def test_a_number_between_two_calls_waits(self) -> None:
        await self.sim(default={"result": "busy", "ring": 3600})
        dialer = await self.begin()
        await self.put_group(redialer_count=1, rest=200)
        await self.published(keys.LINE_GROUP)

        async def is_read() -> bool:
            return dialer.parts.tables.routes.groups["g"].redials == 1

        await self.until("the group is read", is_read)
        await self.put_numbers(NUMBERS[:1])
        (ringing,) = await self.dialed(1)
        await self.control.drain(ORDER)
        await self.condition(dialer, Condition.IN_SERVICE)
        await self.sim(default=SHORT)
        await self.order(f"uuid_kill {ringing.uuid_asked} USER_BUSY")

        async def rests() -> bool:
            (entry,) = await dialer.parts.store.in_flight()
            return entry.dialing is not None and not entry.dialing.uuid

        await self.until("the number rests", rests)
        await self.control.undo_drain(ORDER)
        (record,) = await self.records_of(1)
        self.assertEqual(len(record.attempts), 2)
        self.assertIs(record.outcome, Outcome.ANSWERED)

    async def test_orders_of_other_hosts_are_not_ours(self) -> None:
        await NodeOrders(self.redis, "fs2").drain(ORDER)
        await self.begin()
        await self.put_numbers(NUMBERS[:1])
        await self.records_of(1)


class PolledTests(ControlCase):
    POLL = 0.1

    async def test_an_order_that_nobody_publishes(self) -> None:
        dialer = await self.begin()
        await self.call("HSET", keys.control(HOST), "drain", "1")
        await self.condition(dialer, Condition.IN_SERVICE)
        await self.call("DEL", keys.control(HOST))
        await self.condition(dialer)


class PauseTests(ControlCase):
    async def test_one_task_rests_and_the_others_go_on(self) -> None:
        await self.put_canary()
        await self.control.pause("t", ORDER)
        dialer = await self.begin()
        await self.put_numbers(NUMBERS[:3])
        await self.canary()
        self.assertEqual(self.numbers_dialed(), [])
        self.assertEqual(len(await self.queue()), 3)
        self.assertTrue(await self.control.resume("t", ORDER))
        await self.dialed(6)
        await self.control.pause("t", ORDER)

        async def is_paused() -> bool:
            run = dialer.parts.runs.get("t")
            return run is not None and run.paused

        await self.until("the task is paused", is_paused)
        await self.put_numbers(NUMBERS[3:4])
        await self.put_task(limit=5)  # an edit does not wake it
        await self.published(keys.TASK)
        await self.canary()
        self.assertEqual(sorted(self.numbers_dialed()), NUMBERS[:3])


class OrderTests(ControlCase):
    """The orders as they stand in Redis."""

    async def test_an_order_given_twice_keeps_its_first_date(self) -> None:
        self.assertTrue(await self.control.pause("t", ORDER))
        self.assertFalse(await self.control.pause("t", Order(2.0, "bob")))
        stands = await self.call("HGET", "cti_dialer_control@fs1", "pause:t")
        self.assertEqual(stands, b'{"since":1.5,"by":"ann@pbx1","why":"trunk fault"}')
        self.assertTrue(await self.control.resume("t", ORDER))
        self.assertFalse(await self.control.resume("t", ORDER))
        self.assertFalse(await self.control.undo_drain(ORDER))

    async def test_a_key_of_another_type(self) -> None:
        await self.call("SET", "cti_dialer_control@fs1", "x")
        with self.assertRaises(WrongType):
            await self.control.drain(ORDER)


class ToldTests(SynchronousTestCase):
    """What the log says of the orders."""

    def told(self, *controls: Control, readiness: Readiness | None = None) -> list[str]:
        runs = TaskRuns("UTC")
        orders = Orders(runs, Brakes(runs, 50), readiness or Readiness())
        with capturedLogs() as events:
            for control in controls:
                orders.obey(control)
        return [formatEvent(event) for event in events]

    def test_who_paused_and_resumed_a_task_and_why(self) -> None:
        paused = Control(paused={"t": ORDER})
        resumed = Control(resumed={"t": Order(2.0, "bob@pbx1", "trunk is back")})
        told = ["Task t is paused by ann@pbx1: trunk fault"]
        self.assertEqual(self.told(paused, paused), told)
        told.append("Task t is resumed by bob@pbx1: trunk is back")
        self.assertEqual(self.told(paused, resumed, resumed), told)

    def test_who_paused_and_resumed_a_schedule_configuration(self) -> None:
        paused = Control(paused_schedules={"c": ORDER})
        resumed = Control(resumed_schedules={"c": Order(2.0, "bob@pbx1")})
        told = ["Schedule configuration c is paused by ann@pbx1: trunk fault"]
        self.assertEqual(self.told(paused, paused), told)
        told.append("Schedule configuration c is resumed by bob@pbx1")
        self.assertEqual(self.told(paused, resumed, resumed), told)

    def test_who_drained_the_node_and_put_it_back(self) -> None:
        drained, back = Control(drain=ORDER), Control(undrained=Order(2.0, "bob"))
        told = [
            "This node is drained by ann@pbx1: trunk fault",
            "This node is back in service by bob",
        ]
        self.assertEqual(self.told(drained, back), told)

    def test_who_edited_a_task_and_what(self) -> None:
        readiness = Readiness()
        first = Control(edited={"t": Edited(ORDER, "limit 5 -> 9")})
        second = Control(edited={"t": Edited(Order(2.0, "bob"), "limit 9 -> 3")})
        self.assertEqual(self.told(first, readiness=readiness), [])
        readiness.met(Condition.TABLES)
        told = [
            "Task t is edited by ann@pbx1: trunk fault (limit 5 -> 9)",
            "Task t is edited by bob (limit 9 -> 3)",
        ]
        self.assertEqual(self.told(first, first, second, readiness=readiness), told)
        readiness.lost(Condition.REDIS)  # what was ordered meanwhile is told afterwards
        self.assertEqual(self.told(Control(), second, readiness=readiness), told[1:])

    def test_an_order_taken_back_by_hand_names_nobody(self) -> None:
        before = Control(drain=Order(), paused={"t": Order()})
        told = ["This node is drained", "Task t is paused", "This node is back in service"]
        self.assertEqual(self.told(before, Control()), [*told, "Task t is resumed"])


class HeldTests(SynchronousTestCase):
    """A number that waits for its next call, with the world in memory."""

    def setUp(self) -> None:
        self.world = World()
        self.world.put_task(limit=1)
        self.world.start()
        self.world.put_numbers("1001", "1002")
        self.world.runs_for(0.1)

    def placed(self) -> int:
        return len(self.world.switch.placed)

    def test_a_paused_task_places_no_further_call_of_a_number(self) -> None:
        self.world.runs.pause(["t"])
        self.world.ends("NORMAL_TEMPORARY_FAILURE", 503)
        self.world.runs_for(3)
        self.assertEqual(self.placed(), 1)
        self.assertEqual(self.world.store.notes[-1].uuid, "")
        self.world.runs.pause([])
        self.world.runs_for(1.1)
        self.assertEqual(self.placed(), 2)
        self.world.ends(answered=True)
        (record,) = self.world.store.records
        self.assertEqual(len(record.attempts), 2)
        self.assertEqual(self.placed(), 3)  # and on with the next number

    def test_limit_zero_is_a_pause(self) -> None:
        self.world.put_task(limit=0)
        self.world.ends("NORMAL_TEMPORARY_FAILURE", 503)
        self.world.runs_for(2)
        self.assertEqual(self.placed(), 1)
        self.world.put_task(limit=1)
        self.world.runs_for(1.1)
        self.assertEqual(self.placed(), 2)

    def test_a_task_that_closes_while_it_is_paused_finishes_its_numbers(self) -> None:
        self.world.runs.pause(["t"])
        self.world.ends("NORMAL_TEMPORARY_FAILURE", 503)
        self.world.put_task(limit=1, enable=False)
        self.world.runs_for(1.1)
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.FAILED)
        self.assertEqual(self.placed(), 1)

    def test_the_drain_of_the_daemon_ends_the_wait(self) -> None:
        self.world.runs.pause(["t"])
        self.world.ends("NORMAL_TEMPORARY_FAILURE", 503)
        self.world.stop()
        self.world.runs_for(0.1)
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(len(self.world.store.flying), 1)

    def test_a_pause_while_the_numbers_are_on_their_way_sends_them_back(self) -> None:
        self.world.ends(answered=True)
        placed = self.placed()
        self.world.ends(answered=True)
        self.world.put_numbers("1003")
        while not self.world.slots.asked:
            self.world.clock.advance(0.01)
        self.world.runs.pause(["t"])
        self.world.runs_for(0.2)
        self.assertEqual((self.placed(), self.world.queue), (placed, ["1003"]))
