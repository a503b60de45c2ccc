"""A whole node whose lines are watched from the switch's own log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from ctidialer.contract import keys
from ctidialer.contract.record import AttemptRecord, Record
from ctidialer.settings import Config, Schedule, Settings
from ctidialer.switchsim.calllog import OriginateLine
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST

ANSWERS: dict[str, Any] = {"result": "answer", "talk": 0.02}
UNAVAILABLE: dict[str, Any] = {"result": "sip", "status": 503}
BUSY: dict[str, Any] = {"result": "busy"}


def ways(record: Record) -> list[tuple[str | None, str]]:
    """Return line and line group of every attempt."""
    return [(attempt.line, attempt.line_group) for attempt in record.attempts]


def last(record: Record) -> AttemptRecord:
    """Return the last attempt."""
    return record.attempts[-1]


def gateway(call: OriginateLine) -> str:
    """Return the gateway of ``sofia/gateway/NAME/NUMBER``, which is the line's name here."""
    return call.dial_string.rpartition("}")[2].split("/")[2]


def logged(test: SynchronousTestCase, beginning: str) -> list[str]:
    """Return the list that grows by what is logged in formats that begin so, for one test."""
    lines: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        text = event.get("log_format") or ""
        if text.startswith(beginning):
            lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    test.addCleanup(globalLogPublisher.removeObserver, observe)
    return lines


class LineTestCase(SwitchTestCase):
    """Every line ``x`` of a test dials through the gateway ``x``."""

    async def put_lines(self, *names: str, **params: Any) -> None:
        """Write lines that are all alike."""
        for name in names:
            await self.put_line(name, **params)

    async def put_groups(self, groups: Mapping[str, list[list[str]]], **group: Any) -> None:
        """Write groups by their tiers; ``group`` holds for all of them."""
        for name, tiers in groups.items():
            await self.put_group(name, line=tiers, **group)

    async def change(self, table: str, name: str, document: Mapping[str, Any] | None) -> None:
        """Change one field of a table of the domain (None removes it) and publish that."""
        key = keys.at(table, HOST)
        if document is None:
            await self.call("HDEL", key, name)
        else:
            await self.put(key, {name: document})
        await self.published(table, name)

    async def change_line(self, name: str = "l", **params: Any) -> None:
        """Write a line anew and publish that."""
        await self.put_line(name, **params)
        await self.published(keys.LINE, name)

    async def dial(self, *numbers: str, **params: Any) -> tuple[Record, ...]:
        """Dial numbers through one task and return their records, in the order of their end."""
        await self.put_task(**params)
        await self.put_numbers(numbers)
        self.start_dialer()
        return await self.records_of(len(numbers))

    def quick(self, settings: Settings | None = None, **node: Any) -> Settings:
        """Return settings that look at the schedule often and at the tables hardly ever."""
        return replace(
            settings or self.settings(**node),
            schedule=Schedule(poll_interval=0.1),
            config=Config(poll_interval=600.0),
        )

    async def raw_records(self, host: str = HOST) -> list[dict[str, Any]]:
        """Return the records so far as the JSON that the back ends read."""
        entries: Any = await self.call("XRANGE", keys.records(host), "-", "+")
        return [json.loads(fields[1]) for _, fields in entries]

    def calls_through(self, name: str) -> list[OriginateLine]:
        """Return the calls placed through one gateway so far, oldest first."""
        return [call for call in self.switch_log().originates if gateway(call) == name]

    def most_on(self, name: str, since: float = 0.0) -> int:
        """Return how many calls were up at once on a line at most, from ``since`` on."""
        log = self.switch_log()
        ends = {line.call: line.time for line in log.ends}
        moments = [
            moment
            for call in log.originates
            if gateway(call) == name
            for moment in ((call.time, 1), (ends.get(call.call, float("inf")), -1))
        ]
        # Where one ends in the very moment in which another begins, they are not up together.
        most = up = 0
        for time, step in sorted(moments):
            up += step
            if step > 0 and time >= since:
                most = max(most, up)
        return most
