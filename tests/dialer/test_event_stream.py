"""The stream of events, through the whole daemon, and the writing of it by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, cast

from msgspec.structs import replace
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.call_event import CallEvent, EventKind
from ctidialer.contract.record import Kind
from ctidialer.contract.status import decode_status
from ctidialer.dialer.event_stream import (
    FAILED_INTERVAL,
    FAREWELL_TIMEOUT,
    GATHER_INTERVAL,
    MAX_BATCH,
    MAX_WAITING,
    EventStream,
)
from ctidialer.settings import Records, Settings
from ctidialer.store.errors import NotAllowed, StoreError
from ctidialer.store.store import Store
from tests.dialer.queue_case import NUMBERS
from tests.dialer.schedule_case import ScheduleTestCase, member
from tests.dialer.switch_case import LONG, SwitchTestCase
from tests.support.logbook import Logbook, logged_by
from tests.support.node import HOST

STREAM = "events@fs1"
QUEUE_AGENT = {"cc_agent": "1001@default", "da2_result": "ring"}
TALK = {"result": "answer", "progress": "ringing", "ring": 0.1, "talk": 0.4, "bridge": 0.1}


class EventsCase(SwitchTestCase):
    def telling(self) -> Settings:
        return replace(self.settings(), records=Records(events=STREAM))

    async def events(self) -> list[dict[str, Any]]:
        """Return what stands in the stream, the oldest first."""
        reply = await self.call("XRANGE", STREAM, "-", "+")
        return [json.loads(entry[1][1]) for entry in cast(list[Any], reply)]

    async def events_of(self, count: int) -> list[dict[str, Any]]:
        async def written() -> int:
            return len(await self.events())

        await self.until_count("events", count, written)
        return await self.events()


class WholeDaemonTests(EventsCase):
    async def test_the_life_of_a_call(self) -> None:
        await self.sim(default={**TALK, "variables": QUEUE_AGENT})
        await self.usual_tables(record_variables=["customer", "da2_result"])
        await self.put_numbers(['{"params": {"number": "1001"}, "variables": {"customer": "42"}}'])
        self.start_dialer(self.telling())
        (record,) = await self.records_of(1)
        events = await self.events_of(5)
        self.assertEqual(
            [event["event"] for event in events],
            ["dialing", "ringing", "answered", "bridged", "ended"],
        )
        (attempt,) = record.attempts
        for event in events:
            known = {name: event[name] for name in ("id", "uuid", "task", "number", "attempt")}
            self.assertEqual(
                known,
                {
                    "id": record.id,
                    "uuid": attempt.uuid,
                    "task": "t",
                    "number": "1001",
                    "attempt": 1,
                },
            )
            self.assertEqual((event["line"], event["line_group"]), ("l", "g"))
            self.assertEqual((event["kind"], event["host"]), ("queue", "fs1"))
            self.assertEqual(event["variables"]["customer"], "42")
        times = [event["time"] for event in events]
        self.assertEqual(times, sorted(times))
        told = (attempt.dialed_at, attempt.progress_at, attempt.answered_at, attempt.bridged_at)
        for event, moment in zip(events, (*told, attempt.ended_at), strict=True):
            self.assertApproximates(event["time"], moment, 0.1)
        self.assertEqual([event["agent"] for event in events[:3]], [None] * 3)
        self.assertEqual(events[3]["agent"], "1001@default")
        ended = events[-1]
        self.assertEqual(ended["variables"], {"customer": "42", "da2_result": "ring"})
        self.assertEqual(ended["agent"], "1001@default")
        self.assertEqual((ended["outcome"], ended["answered"]), ("answered", True))
        self.assertEqual((ended["hangup_cause"], ended["q850"]), ("NORMAL_CLEARING", 16))
        self.assertNotIn("outcome", events[0])

    async def test_nothing_is_told_nor_heard_where_nobody_asks(self) -> None:
        await self.sim(default=TALK)
        await self.usual_tables()
        await self.put_numbers(NUMBERS[:3])
        dialer = self.start_dialer()
        await self.records_of(3)
        self.assertEqual(await self.call("EXISTS", STREAM), 0)
        self.assertIsNone(dialer.parts.events)

    async def test_each_call_of_a_redialed_number_is_told(self) -> None:
        tries = [{"result": "busy"}, {"result": "answer", "talk": 0.1}]
        await self.sim(number={"1001": tries})
        await self.usual_tables()
        await self.put_group(redialer_count=1)
        await self.put_numbers(["1001"])
        self.start_dialer(self.telling())
        await self.records_of(1)
        events = await self.events_of(5)
        self.assertEqual(
            [(event["attempt"], event["event"]) for event in events],
            [(1, "dialing"), (1, "ended"), (2, "dialing"), (2, "answered"), (2, "ended")],
        )
        self.assertEqual([events[1]["outcome"], events[4]["outcome"]], ["busy", "answered"])
        self.assertEqual(events[1]["sip_code"], 486)

    async def test_a_number_that_ends_without_a_call(self) -> None:
        await self.usual_tables()
        await self.put_numbers(["not a number"])
        self.start_dialer(self.telling())
        (record,) = await self.records_of(1)
        (event,) = await self.events_of(1)
        self.assertEqual((event["event"], event["outcome"]), ("ended", "invalid"))
        self.assertEqual((event["id"], event["uuid"], event["attempt"]), (record.id, None, 0))

    async def test_a_gateway_that_is_down_is_no_verdict(self) -> None:
        await self.sim(default={"result": "gateway_down"})
        await self.usual_tables()
        await self.put_numbers(["1001"])
        self.start_dialer(self.telling())
        dialing, ended = (await self.events_of(2))[:2]
        self.assertEqual([dialing["event"], ended["event"]], ["dialing", "ended"])
        self.assertIsNone(ended["outcome"])
        self.assertEqual(ended["hangup_cause"], "GATEWAY_DOWN")

    async def test_a_stream_that_cannot_be_written_harms_no_call(self) -> None:
        await self.sim(default={"result": "answer", "talk": 0.05})
        await self.call("SET", STREAM, "no stream")
        await self.usual_tables()
        await self.put_numbers(NUMBERS)
        log = logged_by(self)
        dialer = self.start_dialer(self.telling())
        await self.records_of(len(NUMBERS))
        stream = dialer.parts.events
        assert stream is not None
        self.assertEqual(stream.written, 0)

        async def dropped() -> int:
            return dialer.parts.shown.totals().events_dropped

        await self.until_count("dropped events", 3 * len(NUMBERS), dropped)
        self.assertEqual(len(said(log, "Events are dropped")), 1)
        self.assertIn(STREAM, dialer.parts.shown.troubles()[0])
        self.assertTrue(dialer.parts.shown.is_ready())

    async def test_a_call_that_outlives_its_daemon_is_told_of_to_its_end(self) -> None:
        await self.sim(default=LONG)
        await self.usual_tables(record_variables=["cti_host"])
        await self.put_numbers(["1001"])
        records = f'[records]\nevents = "{STREAM}"'
        first = self.start_daemon("first", node="lease = 1", extra=records)
        (dialing, _) = await self.events_of(2)
        await first.kill()
        second = self.start_daemon("second", node="lease = 1", extra=records)

        async def works() -> bool:
            raw = await self.call("GET", keys.status(HOST))
            status = decode_status(raw) if isinstance(raw, bytes) else None
            return status is not None and status.ready and status.pid == second.pid

        await self.until("the second daemon works", works)
        await self.order(f"sim bridge {dialing['uuid']}")
        await self.events_of(3)
        await self.order(f"uuid_kill {dialing['uuid']}")
        await self.records_of(1)
        events = await self.events_of(4)
        self.assertEqual(
            [event["event"] for event in events], ["dialing", "answered", "bridged", "ended"]
        )
        self.assertEqual(len({(event["uuid"], event["attempt"]) for event in events}), 1)
        self.assertEqual(events[-1]["variables"], {"cti_host": "fs1"})


class ScheduledTests(EventsCase, ScheduleTestCase):
    script = MappingProxyType({"default": {**TALK, "variables": QUEUE_AGENT}})

    async def test_the_life_of_a_scheduled_call(self) -> None:
        await self.usual_schedule()
        await self.put_config(record_variables=["customer"])
        await self.plan(member("1001", variables={"customer": "42"}))
        self.start_dialer(self.quick(self.telling()))
        (record,) = await self.records_of(1)
        events = await self.events_of(5)
        self.assertEqual(
            [event["event"] for event in events],
            ["dialing", "ringing", "answered", "bridged", "ended"],
        )
        (attempt,) = record.attempts
        for event in events:
            self.assertEqual((event["kind"], event["config"]), ("schedule", "c"))
            self.assertNotIn("task", event)
            self.assertEqual((event["id"], event["uuid"]), (record.id, attempt.uuid))
            self.assertEqual((event["number"], event["attempt"]), ("1001", 1))
            self.assertEqual((event["line"], event["line_group"]), ("l", "g"))
            self.assertEqual(event["variables"], {"customer": "42"})
        agents = [event["agent"] for event in events]
        self.assertEqual(agents, [None, None, None, "1001@default", "1001@default"])
        self.assertEqual((events[-1]["outcome"], events[-1]["answered"]), ("answered", True))

    async def test_a_scheduled_number_that_ends_without_a_call(self) -> None:
        await self.usual_schedule()
        await self.plan(member("not a number"))
        self.start_dialer(self.quick(self.telling()))
        (record,) = await self.records_of(1)
        (event,) = await self.events_of(1)
        self.assertEqual((event["event"], event["outcome"]), ("ended", "invalid"))
        self.assertEqual((event["kind"], event["config"]), ("schedule", "c"))
        self.assertEqual((event["id"], event["uuid"], event["attempt"]), (record.id, None, 0))


def said(log: Logbook, words: str) -> list[str]:
    """Return the lines of the log in which these words stand."""
    return [line for one in log if words in (line := formatEvent(one))]


def event(number: str = "1") -> CallEvent:
    return CallEvent(
        event=EventKind.DIALING,
        time=1.0,
        id="a",
        kind=Kind.QUEUE,
        task="t",
        number=number,
        uuid="u",
        attempt=1,
        line=None,
        line_group="g",
        host="fs1",
    )


class _Store:
    """Takes batches when the test says so."""

    def __init__(self) -> None:
        self.batches: list[tuple[Sequence[bytes], Deferred[None]]] = []
        self.problem: StoreError | None = None

    def tell(self, stream: str, most: int, events: Sequence[bytes]) -> Deferred[None]:
        if self.problem is not None:
            return fail(self.problem)
        taken: Deferred[None] = Deferred()
        self.batches.append((events, taken))
        return taken


class WritingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.store = Clock(), _Store()
        self.stream = EventStream(self.clock, cast(Store, self.store), STREAM, 10)
        self.log = logged_by(self)

    def tell(self, count: int) -> None:
        for at in range(count):
            self.stream.tell(event(str(at)))

    def test_events_are_gathered(self) -> None:
        self.tell(3)
        self.assertEqual(self.store.batches, [])
        self.clock.advance(GATHER_INTERVAL)
        ((batch, taken),) = self.store.batches
        self.assertEqual([json.loads(one)["number"] for one in batch], ["0", "1", "2"])
        taken.callback(None)
        self.assertEqual((self.stream.written, self.stream.dropped), (3, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_batch_at_a_time_and_none_too_large(self) -> None:
        self.tell(2 * MAX_BATCH + 1)
        self.clock.pump([GATHER_INTERVAL] * 3)
        self.assertEqual([len(batch) for batch, _ in self.store.batches], [MAX_BATCH])
        for at in range(3):
            self.store.batches[at][1].callback(None)
            self.clock.pump([GATHER_INTERVAL] * 2)
        self.assertEqual([len(batch) for batch, _ in self.store.batches], [MAX_BATCH, MAX_BATCH, 1])

    def test_with_redis_slow_the_newest_are_dropped(self) -> None:
        self.tell(1)
        self.clock.advance(GATHER_INTERVAL)
        self.tell(MAX_WAITING + 7)
        self.assertEqual(self.stream.dropped, 7)
        self.assertEqual(len(said(self.log, "Events are dropped")), 1)
        while self.store.batches:
            self.store.batches.pop(0)[1].callback(None)
            self.clock.advance(GATHER_INTERVAL)
        self.assertEqual(self.stream.written, MAX_WAITING + 1)
        self.assertEqual(said(self.log, "told again"), ["Events are told again; 7 were dropped"])
        self.assertEqual(self.stream.problem, "")

    def test_a_refusal_is_said_once_and_tried_again_in_a_second(self) -> None:
        self.store.problem = NotAllowed("XADD", STREAM)
        self.tell(2)
        self.clock.advance(GATHER_INTERVAL)
        self.tell(3)
        self.assertEqual(self.stream.dropped, 5)
        self.clock.advance(FAILED_INTERVAL)
        self.tell(1)
        self.clock.advance(GATHER_INTERVAL)
        self.assertEqual(self.stream.dropped, 6)
        self.assertEqual(len(said(self.log, "Events are dropped")), 1)
        self.clock.advance(FAILED_INTERVAL)
        self.store.problem = None
        self.tell(1)
        self.clock.advance(GATHER_INTERVAL)
        self.store.batches[0][1].callback(None)
        self.assertEqual(said(self.log, "told again"), ["Events are told again; 6 were dropped"])

    def test_the_end_waits_for_the_last_events_but_not_for_ever(self) -> None:
        self.assertIsNone(self.successResultOf(self.stream.stop()))
        self.tell(1)
        stopped = self.stream.stop()
        self.assertNoResult(stopped)
        self.store.batches[0][1].callback(None)
        self.assertIsNone(self.successResultOf(stopped))
        self.tell(1)
        stopped = self.stream.stop()
        self.clock.advance(FAREWELL_TIMEOUT)
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual(self.clock.getDelayedCalls(), [])
