"""A back end that writes a whole campaign at once gets the calls that the finished tables say.

Whatever it publishes of it: nothing, only the task, or the task before all the rest.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from ctidialer.contract import keys
from ctidialer.contract.notice import ConfigChange, encode_notice
from ctidialer.dialer.service import DialerService
from ctidialer.settings import Config
from tests.dialer.line_case import LineTestCase, gateway
from tests.support.node import HOST

TEMPLATE = keys.at(keys.TASK, keys.TEMPLATE)
LINES = keys.at(keys.LINE, HOST)
GROUPS = keys.at(keys.LINE_GROUP, HOST)
CONFIGS = keys.at(keys.SCHEDULE_CONFIG, HOST)
NUMBERS = keys.at(keys.SCHEDULE_NUMBER, HOST)
CHANNEL = keys.at(keys.CHANGE_CHANNEL, keys.EVERY_HOST)
ROUNDS = 4

Command = tuple[Any, ...]


def params(**values: object) -> str:
    return json.dumps({"params": values})


def line(name: str, count: int) -> Command:
    dialstring = f"sofia/gateway/{name}/${{destination_number}}"
    return ("HSET", LINES, name, params(count=count, dialstring=dialstring))


def group(name: str, *lines: str) -> Command:
    return ("HSET", GROUPS, name, json.dumps({"line": [lines]}))


def task(name: str, line_group: str, **more: object) -> Command:
    usual = {"enable": True, "limit": 10, "destination_extension": "8888"}
    document = params(line_group=[line_group], number_queue=f"q-{name}", **usual, **more)
    return ("HSET", TEMPLATE, name, document)


def numbers(name: str, first: int, count: int) -> Command:
    return ("RPUSH", f"q-{name}", *(str(first + index) for index in range(count)))


def published(table: str, name: str) -> Command:
    return ("PUBLISH", CHANNEL, encode_notice(ConfigChange(table, name)))


class OneLookTestCase(LineTestCase):
    """Some rounds, since what was read by halves was so by chance; each has its own names."""

    async def start(self, poll: float) -> DialerService:
        """Start a dialer that reads everything every ``poll`` seconds; wait until it is ready."""
        settings = replace(self.quick(), config=Config(poll_interval=poll))
        dialer = self.start_dialer(settings)

        async def is_ready() -> bool:
            listeners: Any = await self.call("PUBSUB", "NUMSUB", CHANNEL)
            return dialer.parts.readiness.gate.is_open and listeners[1] == 1

        await self.until("the daemon is ready", is_ready)
        return dialer

    async def at_once(self, *commands: Command) -> None:
        """Write all of it in one transaction, as a back end would."""
        await self.redis.together(*commands)

    async def one_by_one(self, *commands: Command) -> None:
        """Write all of it, one command after the other."""
        for command in commands:
            await self.call(*command)

    async def assert_dialed(self, count: int, *lines: str) -> None:
        """Check that so many numbers were dialed, and nothing but through these lines."""
        records = await self.records_of(count)
        self.assertEqual({record.attempts[0].line for record in records}, set(lines))
        self.assertEqual({record.outcome.value for record in records}, {"answered"})
        dialed = {gateway(call) for call in self.switch_log().originates}
        self.assertEqual(dialed, set(lines))
        for name in lines:
            self.assertLessEqual(self.most_on(name), 5, "the count of the line")


class CampaignTests(OneLookTestCase):
    def campaign(self, index: int, count: int) -> tuple[Command, ...]:
        return (
            line(f"l{index}", 5),
            group(f"g{index}", f"l{index}"),
            task(f"t{index}", f"g{index}"),
            numbers(f"t{index}", 1000 * index, count),
        )

    async def test_nothing_is_published(self) -> None:
        await self.start(poll=0.1)
        for index in range(1, ROUNDS + 1):
            await self.at_once(*self.campaign(index, 60))
            await self.assert_dialed(60 * index, *(f"l{one}" for one in range(1, index + 1)))

    async def test_nothing_is_published_and_all_is_written_one_by_one(self) -> None:
        await self.start(poll=0.02)
        for index in range(1, ROUNDS + 1):
            a_line, a_group, a_task, some_numbers = self.campaign(index, 20)
            await self.one_by_one(a_task, a_group, a_line, some_numbers)
            await self.assert_dialed(20 * index, *(f"l{one}" for one in range(1, index + 1)))

    async def test_only_the_task_is_published(self) -> None:
        await self.start(poll=60.0)
        for index in range(1, ROUNDS + 1):
            a_line, a_group, a_task, some_numbers = self.campaign(index, 60)
            await self.one_by_one(a_line, a_group, some_numbers, a_task)
            await self.call(*published(keys.TASK, f"t{index}"))
            await self.assert_dialed(60 * index, *(f"l{one}" for one in range(1, index + 1)))

    async def test_only_the_task_of_five_hundred_numbers_is_published(self) -> None:
        await self.start(poll=60.0)
        await self.at_once(*self.campaign(1, 500))
        await self.call(*published(keys.TASK, "t1"))
        await self.assert_dialed(500, "l1")

    async def test_the_task_is_published_before_its_group_is_written(self) -> None:
        dialer = await self.start(poll=60.0)
        for index in range(1, ROUNDS + 1):
            a_line, a_group, a_task, some_numbers = self.campaign(index, 60)
            await self.one_by_one(a_task, published(keys.TASK, f"t{index}"))
            await self.until_it_is_known(dialer, f"t{index}")
            await self.one_by_one(a_line, a_group, some_numbers)
            await self.assert_dialed(60 * index, *(f"l{one}" for one in range(1, index + 1)))

    async def until_it_is_known(self, dialer: DialerService, name: str) -> None:
        async def is_known() -> bool:
            return name in dialer.parts.tables.tasks

        await self.until(f"{name} is known", is_known)

    async def test_a_name_that_nobody_knows_is_dialed_by_the_fallback(self) -> None:
        await self.start(poll=60.0)
        await self.at_once(task("t", "carrier"), numbers("t", 1000, 5))
        await self.call(*published(keys.TASK, "t"))
        (first, *_) = await self.records_of(5)
        self.assertIsNone(first.attempts[0].line)
        dialed = {gateway(call) for call in self.switch_log().originates}
        self.assertEqual(dialed, {"carrier"})


class ScheduleTests(OneLookTestCase):
    def campaign(self, index: int) -> tuple[Command, ...]:
        config = {"line_group": [f"g{index}"], "destination_extension": "8888"}
        due = (
            json.dumps({"params": {"number": str(1000 * index + one), "config": f"c{index}"}})
            for one in range(5)
        )
        return (
            line(f"l{index}", 5),
            group(f"g{index}", f"l{index}"),
            ("HSET", CONFIGS, f"c{index}", params(**config)),
            ("ZADD", NUMBERS, *(part for member in due for part in (1, member))),
        )

    async def test_nothing_is_published(self) -> None:
        """No poll comes to help: the numbers are due before the tables are read again."""
        await self.start(poll=60.0)
        for index in range(1, ROUNDS + 1):
            await self.at_once(*self.campaign(index))
            await self.assert_dialed(5 * index, *(f"l{one}" for one in range(1, index + 1)))

    async def test_only_the_configuration_is_published(self) -> None:
        await self.start(poll=60.0)
        for index in range(1, ROUNDS + 1):
            *tables, due = self.campaign(index)
            await self.at_once(*tables)
            await self.call(*published(keys.SCHEDULE_CONFIG, f"c{index}"))
            await self.call(*due)
            await self.assert_dialed(5 * index, *(f"l{one}" for one in range(1, index + 1)))
