"""``ctidialer records``, as it is used."""

from __future__ import annotations

import csv
import io
import json

from attrs import evolve

from ctidialer.contract import keys
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from tests.cli.command_case import HOST, CommandTestCase
from tests.support.proxy import start_proxy

ATTEMPT = AttemptRecord("u1", "l", "g", 1e9, None, 1e9 + 2, 1e9 + 9, "NORMAL_CLEARING", 200)
RECORD = Record(
    id="r0",
    kind=Kind.QUEUE,
    task="催收",
    number="13800138000",
    entry=b"13800138000",
    outcome=Outcome.ANSWERED,
    taken_at=1_000_000_000.0,
    ended_at=1_000_000_009.5,
    host=HOST,
    attempts=(ATTEMPT,),
)


class RecordsTestCase(CommandTestCase):
    """Tests with records in the stream."""

    async def write_records(self, *records: Record) -> None:
        for record in records:
            await self.call("XADD", keys.records(HOST), "*", "record", encode_record(record))

    async def numbers(self, *options: str) -> list[str]:
        """Return the numbers of the records that are printed."""
        done = await self.on_node("records", "--json", *options)
        self.assertEqual((done.status, done.err), (0, ""))
        return [json.loads(line)["number"] for line in done.out.splitlines()]

    async def many(self, count: int, task: str = "t") -> list[str]:
        numbers = [f"{index:04}" for index in range(count)]
        await self.write_records(*(evolve(RECORD, number=one, task=task) for one in numbers))
        return numbers


class RecordsTests(RecordsTestCase):
    """Which records are printed, and how."""

    async def test_into_a_file_a_terminal_shows_how_far_it_is(self) -> None:
        await self.many(300)
        words = ("records", "--redis", self.url, "--host", HOST, "--csv")
        piped = await self.run_command(*words)
        # What makes a pipe a terminal in the eyes of rich.
        shown = await self.run_command(*words, FORCE_COLOR="1")
        self.assertEqual((shown.status, shown.out), (0, piped.out))
        self.assertEqual(len(shown.out.splitlines()), 301)
        self.assertEqual(piped.err, "")
        self.assertIn("/300", shown.err)

    async def test_a_table(self) -> None:
        await self.write_records(RECORD)
        done = await self.on_node("records")
        self.assertEqual((done.status, done.err), (0, ""))
        header, line = done.out.splitlines()
        self.assertEqual(header.split()[:4], ["ENDED", "TASK", "NUMBER", "OUTCOME"])
        self.assertEqual(
            line.split(),
            [
                *("2001-09-09", "01:46:49", "催收", "13800138000", "answered"),
                *("NORMAL_CLEARING", "(200)", "l", "1", "7.0", "s"),
            ],
        )

    async def test_times_are_local(self) -> None:
        await self.write_records(RECORD)
        self.write("s.toml", '[node]\ntimezone = "Asia/Shanghai"\n')
        done = await self.on_node("records", "--config", "s.toml")
        self.assertIn("2001-09-09 09:46:49", done.out)

    async def test_what_an_entry_holds_cannot_steer_the_terminal(self) -> None:
        await self.write_records(
            evolve(RECORD, number=None, entry=b"\xff\x1b[2J", reason="no\nnumber", attempts=())
        )
        done = await self.on_node("records")
        self.assertNotIn("\x1b", done.out)
        self.assertIn("no\\nnumber", done.out)
        self.assertEqual(len(done.out.splitlines()), 2)

    async def test_json_is_the_record_as_it_stands(self) -> None:
        await self.write_records(RECORD)
        done = await self.on_node("records", "--json")
        self.assertEqual(done.json(), json.loads(encode_record(RECORD)))

    async def test_csv(self) -> None:
        scheduled = evolve(RECORD, kind=Kind.SCHEDULE, reason='a, "b"\nc', attempts=())
        await self.write_records(RECORD, scheduled)
        done = await self.on_node("records", "--csv")
        first, second = csv.DictReader(io.StringIO(done.out))
        self.assertEqual((first["task"], first["config"], first["attempts"]), ("催收", "", "1"))
        self.assertEqual((first["ended_at"], first["answered"]), ("1000000009.5", "true"))
        self.assertEqual((second["task"], second["config"]), ("", "催收"))
        self.assertEqual((second["reason"], second["uuid"]), ('a, "b"\nc', ""))

    async def test_no_records(self) -> None:
        self.assertEqual(await self.numbers(), [])
        done = await self.on_node("records", "--csv")
        self.assertTrue(done.out.startswith("id,uuid,"))

    async def test_more_than_a_page(self) -> None:
        numbers = await self.many(2100)
        self.assertEqual(await self.numbers(), numbers)
        self.assertEqual(await self.numbers("--last", "1500"), numbers[-1500:])

    async def test_the_last_ones(self) -> None:
        numbers = await self.many(5)
        self.assertEqual(await self.numbers("--last", "2"), numbers[-2:])
        self.assertEqual(await self.numbers("--last", "9"), numbers)
        self.assertEqual(await self.numbers("--last", "0"), [])

    async def test_of_one_task(self) -> None:
        of_a = evolve(RECORD, task="a")
        of_b = evolve(RECORD, task="b", kind=Kind.SCHEDULE)
        await self.write_records(
            *(evolve(of_a if index % 2 else of_b, number=str(index)) for index in range(6))
        )
        self.assertEqual(await self.numbers("--task", "a"), ["1", "3", "5"])
        self.assertEqual(await self.numbers("--task", "b", "--last", "2"), ["2", "4"])

    async def test_what_is_no_record_is_named_and_left_out(self) -> None:
        stream = keys.records(HOST)
        await self.call("XADD", stream, "1-0", "record", "{")
        await self.call("XADD", stream, "2-0", "other", "x")
        await self.write_records(RECORD)
        done = await self.on_node("records", "--json")
        self.assertEqual(done.status, 1)
        self.assertEqual(done.json()["id"], "r0")
        self.assertIn("1-0 is no record and is left out: ", done.err)
        self.assertIn("2-0 is no record and is left out: has no field 'record'", done.err)

    async def test_another_type_of_key(self) -> None:
        await self.call("SET", keys.records(HOST), "x")
        done = await self.on_node("records")
        self.assertEqual(done.status, 1)
        self.assertIn("must hold a stream", done.err)

    async def test_csv_and_json_at_once(self) -> None:
        done = await self.on_node("records", "--csv", "--json")
        self.assertEqual(done.status, 2)


class FollowTests(RecordsTestCase):
    """Records as they are written."""

    async def test_records_are_printed_as_they_are_written(self) -> None:
        await self.many(12)
        arguments = ("--redis", self.url, "--host", HOST, "--follow", "--json")
        follow = self.start("records", *arguments)
        await follow.printed('"number":"0011"')
        self.assertNotIn('"0001"', follow.out)
        self.assertIn('"0002"', follow.out)
        await self.write_records(evolve(RECORD, number="new"))
        await follow.printed('"new"')
        follow.signal("INT")
        done = await follow.done
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual(len(done.out.splitlines()), 11)

    async def test_it_goes_on_when_redis_is_back(self) -> None:
        await self.many(1)
        proxy = await start_proxy(self, self.url)
        follow = self.start("records", "--redis", proxy.url, "--host", HOST, "-f", "--json")
        await follow.printed('"number":"0000"')
        proxy.cut()
        await self.write_records(evolve(RECORD, number="while it was away"))
        await follow.printed('"while it was away"')
        follow.signal("INT")
        done = await follow.done
        self.assertEqual(done.status, 0, done)
        self.assertEqual(len(done.out.splitlines()), 2)
