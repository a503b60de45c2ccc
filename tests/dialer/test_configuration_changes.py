"""What back ends change while the daemon works, and how soon it is in force."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from time import time
from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.notice import ConfigChange, encode_notice
from ctidialer.contract.record import Outcome
from ctidialer.dialer.service import DialerService
from ctidialer.store.tables import TableReader
from tests.dialer.line_case import LineTestCase, gateway, logged, ways
from tests.support.node import HOST, outcomes

TEMPLATE = keys.at(keys.TASK, keys.TEMPLATE)
OF_HOST = keys.at(keys.TASK, HOST)
LINES = keys.at(keys.LINE, HOST)
GROUPS = keys.at(keys.LINE_GROUP, HOST)
CONFIGS = keys.at(keys.SCHEDULE_CONFIG, HOST)
NUMBERS = keys.at(keys.SCHEDULE_NUMBER, HOST)
ROUNDS = 9
ENABLED = '{"params": {"enable": true}}'
DISABLED = '{"params": {"enable": false}}'


class ChangeTestCase(LineTestCase):
    """The tables are read again only once a minute: what is in force sooner was published."""

    async def start(self, **node: Any) -> DialerService:
        """Start a dialer and wait until it is ready and listens to changes."""
        dialer = self.start_dialer(self.quick(**node))

        async def is_ready() -> bool:
            listeners: Any = await self.call("PUBSUB", "NUMSUB", "config@all")
            return dialer.parts.readiness.gate.is_open and listeners[1] == 1

        await self.until("the daemon is ready", is_ready)
        await dialer.parts.configuration.read_all()
        return dialer

    async def lets_dial(self, publish: Callable[[], Awaitable[None]]) -> None:
        """Publish a change, and wait for the originate that it lets through.

        The tables are not read by themselves within the test's patience, so it is the notice that
        counts; how long that takes is measured by benchmarks/config_change.py.
        """
        before = len(self.switch_log().originates)
        await publish()
        await self.dialed(before + 1)

    async def is_9999(self) -> bool:
        """Say whether a number that is queued now goes to the extension 9999."""
        before = len(self.switch_log().originates)
        await self.put_numbers([str(1000 + before)])
        return (await self.dialed(before + 1))[-1].extension == "9999"


class InForceTests(ChangeTestCase):
    """Every table, on every channel, with and without a key, as the switch sees it."""

    async def switched_on(self, key: str, suffix: str, name: str | None) -> None:
        """Switch the task on and off again, several times."""
        for index in range(ROUNDS):
            await self.put_numbers([str(1000 + index)])
            await self.put(key, {"t": ENABLED})
            await self.lets_dial(partial(self.published, keys.TASK, name, suffix))
            await self.records_of(index + 1)
            await self.put(key, {"t": DISABLED})
            await self.published(keys.TASK, name, suffix)
            await self.until("switched off", self.is_off)

    async def is_off(self) -> bool:
        return not self.dialer.parts.tables.tasks["t"].enabled

    async def test_a_task_of_the_host(self) -> None:
        await self.usual_tables()
        await self.put(OF_HOST, {"t": DISABLED})
        self.dialer = await self.start()
        for name in ("t", None):
            await self.switched_on(OF_HOST, HOST, name)
            await self.call("DEL", keys.records(HOST))

    async def test_a_task_of_the_template(self) -> None:
        await self.usual_tables(enable=None)
        await self.put(OF_HOST, {"t": {"params": {"enable": False}}})
        self.dialer = await self.start()
        await self.switched_on(OF_HOST, "all", "t")

    async def test_the_channel_of_the_domain(self) -> None:
        """The daemon is host ``node9`` of the domain ``fs1``."""
        await self.usual_tables(enable=False)
        dialer = await self.start(host="node9")
        await self.put_numbers(["1000"])
        await self.put_task()
        await self.lets_dial(partial(self.published, keys.TASK, "t", HOST))
        await self.put_line(count=7)
        await self.published(keys.LINE, "l", "node9")
        await self.until("config@node9 is heard", _is(lambda: self.count(dialer) == 7))
        await self.records_of(1, host="node9")

    def count(self, dialer: DialerService) -> int | None:
        """Return the present ``count`` of the line."""
        return dialer.parts.tables.routes.lines["l"].count

    async def test_a_line(self) -> None:
        await self.usual_tables()
        await self.put_line(count=0)
        dialer = await self.start()
        for index, name in enumerate(["l", None] * 4):
            await self.put_numbers([str(1000 + index)])
            await self.put_line(count=1)
            await self.lets_dial(partial(self.published, keys.LINE, name))
            await self.change_line(count=0)
            await self.until("no room", _is(lambda: self.count(dialer) == 0))
            await self.records_of(index + 1)

    async def test_a_line_group(self) -> None:
        await self.usual_tables()
        await self.put_group(enable=False)
        dialer = await self.start()
        for index, name in enumerate(["g", None] * 4):
            await self.put_numbers([str(1000 + index)])
            await self.put_group()
            await self.lets_dial(partial(self.published, keys.LINE_GROUP, name))
            await self.put_group(enable=False)
            await self.published(keys.LINE_GROUP, "g")
            await self.until(
                "switched off", _is(lambda: not dialer.parts.tables.routes.groups["g"].enabled)
            )
            await self.records_of(index + 1)

    async def test_a_schedule_configuration(self) -> None:
        await self.usual_tables()
        dialer = await self.start()
        for index, name in enumerate(["c", None] * 4):
            params = {"line_group": ["g"], "destination_extension": str(7000 + index)}
            await self.put(CONFIGS, {"c": {"params": params}})
            await self.published(keys.SCHEDULE_CONFIG, name)
            await self.until("in force", _is(partial(self.goes_to, dialer, str(7000 + index))))
            one = json.dumps({"params": {"number": str(1000 + index), "config": "c"}})
            await self.call("ZADD", NUMBERS, 1, one)
            await self.records_of(index + 1)
        extensions = [call.extension for call in self.switch_log().originates]
        self.assertEqual(extensions, [str(7000 + index) for index in range(8)])

    def goes_to(self, dialer: DialerService, extension: str) -> bool:
        """Say whether scheduled calls go to this extension after the answer."""
        config = dialer.parts.tables.schedules.get("c")
        return config is not None and config.destination.extension == extension

    async def test_a_task_that_comes_and_goes(self) -> None:
        await self.put_line()
        await self.put_group()
        dialer = await self.start()
        await self.put_numbers(["1001"])
        await self.put_task()
        await self.published(keys.TASK, "t")
        await self.records_of(1)
        await self.call("HDEL", TEMPLATE, "t")
        await self.published(keys.TASK, "t")
        await self.until("gone", _is(lambda: dialer.parts.runs.get("t") is None))
        await self.put_numbers(["1002"])
        dialer.parts.queue_dialer.tick()
        self.assertEqual(await self.queue(), [b"1002"])

    async def test_a_bad_edit_stops_the_task_and_a_good_one_starts_it(self) -> None:
        await self.usual_tables()
        dialer = await self.start()
        await self.put(TEMPLATE, {"t": '{"params": {"enable": true, "limit": '})
        await self.published(keys.TASK, "t")
        await self.until("stopped", _is(lambda: "t" not in dialer.parts.tables.tasks))
        await self.put_numbers(["1001"])
        dialer.parts.queue_dialer.tick()
        self.assertEqual(await self.queue(), [b"1001"])
        await self.put_task()
        await self.published(keys.TASK, "t")
        await self.records_of(1)


class NotPublishedTests(ChangeTestCase):
    """What nobody publishes, or what is lost on the way, is found all the same."""

    async def test_by_the_poll(self) -> None:
        await self.usual_tables(enable=False)
        await self.put_numbers(["1001"])
        dialer = await self.start()
        dialer.parts.configuration.stop()
        dialer.parts.configuration.start(0.2)
        await self.put_task()
        await self.records_of(1)

    async def test_after_a_lost_subscription(self) -> None:
        await self.usual_tables(enable=False)
        await self.put_numbers(["1001"])
        await self.start()
        await self.put_task()
        killed: Any = await self.call("CLIENT", "KILL", "TYPE", "pubsub")
        self.assertEqual(killed, 1)
        await self.records_of(1)

    async def is_subscribed(self) -> bool:
        listeners: Any = await self.call("PUBSUB", "NUMSUB", "config@all", f"config@{HOST}")
        return bool(listeners[1] == 1 and listeners[3] == 1)

    async def test_changes_are_heard_again_after_a_lost_subscription(self) -> None:
        await self.usual_tables()
        await self.start()
        await self.call("CLIENT", "KILL", "TYPE", "pubsub")
        await self.until("subscribed again", self.is_subscribed)
        await self.put_task(destination_extension="9999")
        await self.published(keys.TASK, "t")
        await self.until("in force", self.is_9999)


class OthersTests(ChangeTestCase):
    """What is none of our business is ignored; what did not change is left alone."""

    async def test_rubbish_is_ignored_and_logged_once(self) -> None:
        lines = logged(self, "A message on the channels")
        await self.usual_tables()
        await self.start()
        rubbish: list[str | bytes] = [
            "",
            "reload",
            "{",
            "[]",
            "null",
            b"\xff\xfe",
            "{}",
            '{"type": "config_change"}',
            '{"type": "config_change", "table": "cti_agent", "key": "t"}',
            '{"type": "config_change", "table": 7, "key": "t"}',
            '{"type": "config_change", "table": "cti_line", "key": ["l"]}',
            '{"type": "reboot", "table": "cti_line", "key": "l"}',
            "x" * 1_000_000,
            "[" * 100_000,
        ]
        for message in rubbish:
            for suffix in ("all", HOST):
                await self.call("PUBLISH", f"config@{suffix}", message)
        await self.put_task(destination_extension="9999")
        await self.published(keys.TASK, "t")
        await self.until("in force", self.is_9999)
        self.assertEqual(len(lines), 1)
        self.assertLess(len(lines[0]), 1000)

    async def test_a_flood_of_notices_is_read_together(self) -> None:
        """Counts, whatever the machine: many thousand notices are few readings, and one of the
        changes among them is in force."""
        await self.usual_tables()
        dialer = await self.start()
        readings: list[int] = []
        source = TableReader(dialer.parts.link)
        fields = source.fields

        async def counted(wanted: Any) -> Any:
            readings.append(sum(map(len, wanted.values())))
            return await fields(wanted)

        self.patch(source, "fields", counted)
        self.patch(dialer.parts.configuration, "_source", source)
        flood = [
            encode_notice(ConfigChange(table, f"{name}{index}"))
            for index in range(2000)
            for table, name in ((keys.TASK, "nobody"), (keys.LINE, "l"))
        ]
        await self.put_line(count=7)
        await self.redis.together(
            *(("PUBLISH", "config@all", notice) for notice in flood),
            ("PUBLISH", "config@all", encode_notice(ConfigChange(keys.LINE, "l"))),
            *(("PUBLISH", "config@all", notice) for notice in flood),
        )
        await self.until("in force", _is(lambda: dialer.parts.tables.routes.lines["l"].count == 7))
        await dialer.parts.configuration.read_all()
        self.assertLess(len(readings), 100)
        # Each is asked for once for its notice at most: a task in two tables, a line in one.
        self.assertLessEqual(sum(readings), 3 * len(flood) + 1)

    async def test_a_notice_of_nothing(self) -> None:
        """Notices of fields that are not there, or did not change, and a flood of them."""
        await self.usual_tables()
        dialer = await self.start()
        task, line = dialer.parts.tables.tasks["t"], dialer.parts.tables.routes.lines["l"]
        for _ in range(200):
            await self.published(keys.TASK, "nobody")
            await self.published(keys.TASK, "t")
            await self.published(keys.LINE)
        await self.put_numbers(["1001"])
        await self.records_of(1)
        await dialer.parts.configuration.read_all()
        self.assertIs(dialer.parts.tables.tasks["t"], task)
        self.assertIs(dialer.parts.tables.routes.lines["l"], line)

    async def test_only_what_changed_is_applied(self) -> None:
        await self.usual_tables()
        await self.put_task("other", number_queue="q2")
        dialer = await self.start()
        before = dict(dialer.parts.tables.tasks)
        run = dialer.parts.runs.get("other")
        await self.put_task("t", limit=3)
        await self.published(keys.TASK)
        await self.until("in force", _is(lambda: dialer.parts.tables.tasks["t"].limit == 3))
        self.assertIs(dialer.parts.tables.tasks["other"], before["other"])
        self.assertIs(dialer.parts.runs.get("other"), run)

    async def test_running_calls_are_left_alone(self) -> None:
        await self.sim(default={"result": "answer", "talk": 1.2})
        await self.usual_tables(variables={"version": "old"})
        await self.put_numbers([str(1000 + index) for index in range(5)])
        dialer = await self.start()
        await self.dialed(5)
        await self.put_task(variables={"version": "new"}, destination_extension="9999", limit=1)
        await self.put_line(dialstring="sofia/gateway/new/${destination_number}")
        await self.put_group(enable=False)
        for table in (keys.TASK, keys.LINE, keys.LINE_GROUP):
            await self.published(table)
        await self.until(
            "in force", _is(lambda: not dialer.parts.tables.routes.groups["g"].enabled)
        )
        await self.put_numbers(["2000"])
        records = await self.records_of(5)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 5})
        for record in records:
            (attempt,) = record.attempts
            assert attempt.ended_at is not None
            assert attempt.answered_at is not None
            self.assertGreater(attempt.ended_at - attempt.answered_at, 1.0)
            self.assertEqual(ways(record), [("l", "g")])
        self.assertEqual(await self.queue(), [b"2000"])
        await self.put_group()
        await self.published(keys.LINE_GROUP, "g")
        await self.records_of(6)
        new = self.switch_log().originates[-1]
        self.assertEqual((new.extension, new.variables["version"]), ("9999", "new"))
        self.assertTrue(new.dial_string.endswith("sofia/gateway/new/2000"))

    async def test_nothing_is_dialed_by_a_table_of_the_wrong_type(self) -> None:
        """Each table in turn: it is no empty one, and what is wrong with it is said."""
        await self.usual_tables()
        await self.put(OF_HOST, {"t": ENABLED})
        await self.put(CONFIGS, {"c": ENABLED})
        dialer = await self.start()
        for count, key in enumerate((LINES, GROUPS, TEMPLATE, OF_HOST, CONFIGS), start=1):
            table, number = key.partition("@")[0], str(1000 + count)
            await self.call("RENAME", key, "kept")
            await self.call("SET", key, "no hash")
            await self.published(table, "g", HOST)
            await self.until(f"{key} is said", _is(partial(self.is_told, dialer, key)))
            await self.put_numbers([number])
            dialer.parts.queue_dialer.tick()
            self.assertEqual(await self.queue(), [number.encode()])
            await self.call("RENAME", "kept", key)
            await self.published(table, "g", HOST)
            await self.records_of(count)
        dialed = [gateway(call) for call in self.switch_log().originates]
        self.assertEqual(dialed, ["l"] * 5)

    def is_told(self, dialer: DialerService, key: str) -> bool:
        now = dialer.parts.explainer.explain("t", time())
        return now.reason.value == "tables_unreadable" and f"{key!r} holds a string" in now.text


def _is(so: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return so()

    return is_so
