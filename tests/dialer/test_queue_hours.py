"""When a task dials, by the real clock: all its times are computed from now."""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from tests.dialer.queue_case import NUMBERS, QueueCase
from tests.support.node import outcomes

ZONE = ZoneInfo("Asia/Shanghai")


class HoursTests(QueueCase):
    """A task dials inside its hours only."""

    async def test_closed_and_open_tasks(self) -> None:
        await self.put_line()
        await self.put_group()
        await self.put_canary()
        for open_now, hours in ((False, _closed()), (True, _open())):
            for at, params in enumerate(hours):
                name = f"{open_now}{at}"
                await self.put_task(name, number_queue=name, **params)
                await self.put_numbers([f"13{int(open_now)}{at}"], name)
        self.start_dialer()
        await self.canary()
        await self.records_of(3 + len(_open()))
        self.assertEqual(
            sorted(self.numbers_dialed()), sorted(f"131{at}" for at in range(len(_open())))
        )
        for at, params in enumerate(_closed()):
            self.assertEqual(await self.queue(f"False{at}"), [f"130{at}".encode()], params)

    async def begun(self) -> None:
        """Start a daemon, and wait until it dials."""
        await self.put_line()
        await self.put_group()
        await self.put_canary()
        self.start_dialer()
        await self.canary(1)

    async def test_a_task_opens_and_closes_by_itself(self) -> None:
        """Calls that are up when it closes go on; no further one starts."""
        await self.begun()
        await self.sim(default={"result": "answer", "talk": 5})
        await self.put_numbers(NUMBERS)
        opens = math.ceil(time.time()) + 2
        closes = opens + 4
        await self.put_task(limit=3, start_time=_clock(opens), stop_time=_clock(closes))
        await self.published(keys.TASK)
        records = (await self.records_of(1 + 3))[1:]
        for record in records:
            self.assertTrue(opens <= record.taken_at < closes < record.ended_at, record)
        await self.canary()
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 3})
        self.assertEqual(len(await self.queue()), len(NUMBERS) - 3)

    async def test_no_redial_after_the_task_has_closed(self) -> None:
        await self.begun()
        await self.put_group(redialer_count=9, rest=5000)
        await self.published(keys.LINE_GROUP)
        await self.sim(number={NUMBERS[0]: {"result": "busy"}})
        await self.put_numbers(NUMBERS[:1])
        await self.put_task(stop_time=_clock(math.ceil(time.time()) + 4))
        await self.published(keys.TASK)
        _, record = await self.records_of(2)
        self.assertEqual((record.outcome, len(record.attempts)), (Outcome.BUSY, 1))
        self.assertIn("closed", record.reason)


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, ZONE):%Y-%m-%d %H:%M:%S}"


def _from_now(hours: float) -> datetime:
    return datetime.now(ZONE) + timedelta(hours=hours)


def _span(begin: float, end: float, form: str = "%Y-%m-%d %H:%M") -> dict[str, str]:
    return {"begin": f"{_from_now(begin):{form}}", "end": f"{_from_now(end):{form}}"}


def _hours(begin: float, end: float) -> list[dict[str, str]]:
    return [_span(begin, end, "%H:%M:%S")]


def _weekday(days: int) -> int:
    return int(f"{_from_now(24 * days):%w}")


def _closed() -> list[dict[str, Any]]:
    """Return params of tasks that are closed now, whatever the time."""
    yesterday_to_tomorrow = _span(-24, 24)
    return [
        {"start_time": f"{_from_now(1):%Y-%m-%d %H:%M}"},
        {"stop_time": f"{_from_now(-1):%Y-%m-%d %H:%M:%S}"},
        {"work_hour": _hours(2, 3)},
        {"work_time": _hours(-3, -2)},
        {"work_week": [_weekday(3)]},
        {"work_hour": [{**_hours(-1, 1)[0], "wday": _weekday(3)}]},
        {"holiday": [yesterday_to_tomorrow]},
        {"work_hour": _hours(-1, 1), "holiday": [yesterday_to_tomorrow]},
        {"timezone": "Pacific/Kiritimati", "work_hour": _hours(-1, 1)},  # six hours from Shanghai
    ]


def _open() -> list[dict[str, Any]]:
    """Return params of tasks that are open now, whatever the time."""
    return [
        {"start_time": f"{_from_now(-1):%Y-%m-%d %H:%M}", "stop_time": f"{_from_now(1):%F %T}"},
        {"work_hour": _hours(-1, 1)},
        {"work_hour": [*_hours(3, 4), *_hours(-1, 1)], "work_time": _hours(2, 3)},
        {"work_week": [_weekday(-1), str(_weekday(0)), _weekday(1)]},
        {"holiday": [_span(2, 3), _span(-3, -2)]},
        {"work_hour": None, "start_time": None},
    ]
