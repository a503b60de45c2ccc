"""The examples of the original description, as its users write them, dialed end to end."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from time import time
from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.record import Kind, Outcome
from ctidialer.dialer.service import DialerService
from ctidialer.rules.calling_hours import Closed
from tests.contract.seed_examples import (
    NOTICE,
    NUMBER,
    SCHEDULE_CONFIG,
    SCHEDULED_NUMBER,
    TASK,
)
from tests.dialer.line_case import LineTestCase, ways
from tests.support.node import HOST

GROUP = "外呼使用的线路组"
LINE = "中继线路"
QUEUE = "号码队列"
CALLEE = "被叫号码".encode()
CALLER = "主叫号码"
CONFIG = "cti_schedule_dialer_config@domain里面的任务名字"
CODECS = "pcma,pcmu,g729"
HOUR = 10
"""An hour well inside the example's work hours, 8:00 to 12:00."""


def zone_where_it_is_ten() -> tuple[str, int]:
    """Return a time zone in which it is past ten now, and the weekday there (0 = Sunday)."""
    now = datetime.now(UTC)
    offset = (HOUR - now.hour + 12) % 24 - 12
    weekday = datetime.fromtimestamp(now.timestamp() + offset * 3600, UTC).isoweekday() % 7
    # The names of these zones count hours west of Greenwich.
    return f"Etc/GMT{-offset:+d}", weekday


def of_today(task: bytes, weekday: int) -> bytes:
    """Return the example with other dates and, should it be a weekend, that day as a work day."""
    changed, count = re.subn(rb'("start_time": ")2020(-1-20)', rb"\g<1>2021\g<2>", task)
    changed, more = re.subn(rb'("stop_time": ")2020(-1-22)', rb"\g<1>2999\g<2>", changed)
    assert (count, more) == (1, 1)
    days = b"[1,2,3,4,5]" if weekday in range(1, 6) else b"[%d]" % weekday
    return changed.replace(b"[1,2,3,4,5]", days)


class SeedTests(LineTestCase):
    """Chinese names of tasks, queues, groups and lines; every byte as it stands there."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.put_line(LINE, dialstring="sofia/gateway/ims/${destination_number}")
        await self.put_group(GROUP, line=[[LINE]])
        self.zone, self.weekday = zone_where_it_is_ten()

    def start(self) -> DialerService:
        """Start a dialer in the zone where it is ten o'clock."""
        return self.start_dialer(self.quick(timezone=self.zone))

    def assert_as_in_the_example(self, caller: str) -> None:
        """Check the one call that was placed."""
        (call,) = self.switch_log().originates
        self.assertEqual(call.number, "13800138000")
        self.assertTrue(call.dial_string.endswith("sofia/gateway/ims/13800138000"))
        self.assertEqual((call.extension, call.dialplan, call.context), ("8888", "XML", "default"))
        self.assertEqual(call.variables["origination_caller_id_number"], caller)
        self.assertEqual(call.variables["absolute_codec_string"], CODECS)
        self.assertEqual(call.variables["cti_line_group_name"], GROUP)
        self.assertEqual(call.variables["cti_line_name"], LINE)

    async def test_the_task_as_it_stands_is_past_its_stop_time(self) -> None:
        await self.put(keys.at(keys.TASK, keys.TEMPLATE), {"任务名字": TASK})
        await self.put_numbers([NUMBER], QUEUE)
        dialer = self.start()
        await self.until("the task is known", _is_known(dialer, "任务名字"))
        run: Any = dialer.parts.runs.get("任务名字")
        self.assertTrue(run.task.enabled)
        self.assertFalse(run.opening.open)
        self.assertIs(run.opening.closed, Closed.AFTER_STOP)
        self.assertIsNone(run.opening.changes_at)
        self.assertEqual(dialer.parts.tables.faults, {})
        dialer.parts.queue_dialer.tick()
        self.assertEqual(await self.queue(QUEUE), [NUMBER])

    async def test_the_task_with_dates_of_today(self) -> None:
        await self.put(
            keys.at(keys.TASK, keys.TEMPLATE), {"任务名字": of_today(TASK, self.weekday)}
        )
        entry = NUMBER.replace(CALLEE, b"13800138000")
        await self.put_numbers([entry], QUEUE)
        self.start()
        (record,) = await self.records_of(1)
        self.assertEqual((record.task, record.entry), ("任务名字", entry))
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(ways(record), [(LINE, GROUP)])
        self.assert_as_in_the_example(CALLER)
        self.assert_accounted_for([record])

    async def test_the_task_outside_its_work_hours(self) -> None:
        """The same task twelve time zones on: it is past ten in the evening there."""
        later = re.sub(r"[+-]\d+", lambda sign: f"{(int(sign[0]) + 24) % 24 - 12:+d}", self.zone)
        task = of_today(TASK, self.weekday).replace(
            b'"limit":100', b'"limit":100, "timezone": "%s"' % later.encode()
        )
        task = re.sub(rb'"work_week": \[[0-9,]*\]', b'"work_week": [0,1,2,3,4,5,6]', task)
        await self.put(keys.at(keys.TASK, keys.TEMPLATE), {"任务名字": task})
        await self.put_numbers([NUMBER], QUEUE)
        dialer = self.start()
        await self.until("the task is known", _is_known(dialer, "任务名字"))
        run: Any = dialer.parts.runs.get("任务名字")
        self.assertIs(run.opening.closed, Closed.OUTSIDE_HOURS)
        self.assertGreater(run.opening.changes_at, time() + 8 * 3600)
        self.assertEqual(await self.queue(QUEUE), [NUMBER])

    async def test_the_number_as_it_stands_is_no_number(self) -> None:
        """It says "the callee's number" in Chinese; it ends in a record, word for word."""
        await self.put(
            keys.at(keys.TASK, keys.TEMPLATE), {"任务名字": of_today(TASK, self.weekday)}
        )
        await self.put_numbers([NUMBER], QUEUE)
        self.start()
        await self.records_of(1)
        (document,) = await self.raw_records()
        self.assertEqual(document["outcome"], "invalid")
        self.assertEqual(document["entry"].encode(), NUMBER)
        self.assertIn("$.params.number", document["reason"])
        self.assertEqual(self.switch_log().originates, ())

    async def test_the_host_table_and_the_notice(self) -> None:
        """A task of the host with the example's notice, which names the task ``test``."""
        dialer = self.start()
        await self.until("ready", _is_ready(dialer))
        await self.put_numbers(["13800138000"], QUEUE)
        await self.put(keys.at(keys.TASK, HOST), {"test": of_today(TASK, self.weekday)})
        await self.call("PUBLISH", f"config@{HOST}", NOTICE)
        (record,) = await self.records_of(1)
        self.assertEqual(record.task, "test")
        self.assert_as_in_the_example(CALLER)

    async def test_the_schedule(self) -> None:
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {CONFIG: SCHEDULE_CONFIG})
        member = SCHEDULED_NUMBER.replace(b'"' + CALLEE, b'"13800138000', 1)
        await self.call("ZADD", keys.at(keys.SCHEDULE_NUMBER, HOST), int(time()), member)
        self.start()
        (record,) = await self.records_of(1)
        self.assertEqual((record.kind, record.task, record.entry), (Kind.SCHEDULE, CONFIG, member))
        self.assertIs(record.outcome, Outcome.ANSWERED)
        # The configuration's caller beats the number's own, which differs in the example.
        self.assert_as_in_the_example(CALLER)

    async def test_the_scheduled_number_as_it_stands_is_no_number(self) -> None:
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {CONFIG: SCHEDULE_CONFIG})
        await self.call("ZADD", keys.at(keys.SCHEDULE_NUMBER, HOST), 1, SCHEDULED_NUMBER)
        self.start()
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.INVALID)
        self.assertEqual(record.entry, SCHEDULED_NUMBER)

    async def test_plain_numbers_as_the_seed_allows(self) -> None:
        await self.put(
            keys.at(keys.TASK, keys.TEMPLATE), {"任务名字": of_today(TASK, self.weekday)}
        )
        await self.put_numbers(["13800138000", "  02088886666\r\n", "+8613800138000"], QUEUE)
        self.start()
        await self.records_of(3)
        self.assertEqual(
            self.switch_log().numbers, ("13800138000", "02088886666", "+8613800138000")
        )

    async def test_both_tables_are_one_task(self) -> None:
        """What the host leaves out is the template's; the template's variables win."""
        host: dict[str, Any] = json.loads(of_today(TASK, self.weekday))
        host["params"] = {"destination_extension": "9999"}
        host["variables"]["origination_caller_id_number"] = "主机"
        host["variables"]["origination_caller_id_name"] = "主叫名字"
        await self.put(
            keys.at(keys.TASK, keys.TEMPLATE), {"任务名字": of_today(TASK, self.weekday)}
        )
        await self.put(keys.at(keys.TASK, HOST), {"任务名字": host})
        await self.put_numbers(["13800138000"], QUEUE)
        self.start()
        await self.records_of(1)
        (call,) = self.switch_log().originates
        self.assertEqual(call.extension, "9999")
        self.assertEqual(call.variables["origination_caller_id_number"], CALLER)
        self.assertEqual(call.variables["origination_caller_id_name"], "主叫名字")


def _is_known(dialer: DialerService, task: str) -> Any:
    async def is_known() -> bool:
        return dialer.parts.runs.get(task) is not None

    return is_known


def _is_ready(dialer: DialerService) -> Any:
    async def is_ready() -> bool:
        return dialer.parts.readiness.gate.is_open

    return is_ready
