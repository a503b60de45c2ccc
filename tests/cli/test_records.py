"""``ctidialer records``, as it is used."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from time import time

from msgspec.structs import replace
from twisted.internet.utils import getProcessOutputAndValue

from ctidialer.contract import keys
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from tests.cli.command_case import COMMAND, HOST, CommandTestCase
from tests.cli.test_record_csv import plain_cell
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
        await self.write_records(*(replace(RECORD, number=one, task=task) for one in numbers))
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
        self.assertEqual(header.split()[:5], ["ENDED", "(UTC)", "TASK", "NUMBER", "OUTCOME"])
        self.assertEqual(
            line.split(),
            [
                *("2001-09-09", "01:46:49", "催收", "13800138000", "answered"),
                *("NORMAL_CLEARING", "(200)", "l", "1", "7.0", "s"),
            ],
        )

    async def test_times_are_local_and_labelled(self) -> None:
        await self.write_records(RECORD)
        self.write("s.toml", '[node]\ntimezone = "Asia/Shanghai"\n')
        done = await self.on_node("records", "--config", "s.toml")
        self.assertIn("ENDED (Asia/Shanghai)", done.out)
        self.assertIn("2001-09-09 09:46:49", done.out)
        done = await self.on_node("records", "--config", "s.toml", "--utc")
        self.assertIn("ENDED (UTC)", done.out)
        self.assertIn("2001-09-09 01:46:49", done.out)

    async def test_what_an_entry_holds_cannot_steer_the_terminal(self) -> None:
        await self.write_records(
            replace(RECORD, number=None, entry=b"\xff\x1b[2J", reason="no\nnumber", attempts=())
        )
        done = await self.on_node("records")
        self.assertNotIn("\x1b", done.out)
        self.assertIn("no\\nnumber", done.out)
        self.assertEqual(len(done.out.splitlines()), 2)

    async def test_json_is_the_record_as_it_stands(self) -> None:
        await self.write_records(RECORD)
        done = await self.on_node("records", "--json")
        self.assertEqual(done.json(), json.loads(encode_record(RECORD)))

    async def csv(self, *options: str) -> list[dict[str, str]]:
        """Return the rows of ``--csv``, which every reader of RFC 4180 must read so."""
        done = await self.on_node("records", "--csv", *options)
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertTrue(done.out.endswith("\r\n"))
        return list(csv.DictReader(io.StringIO(done.out, newline=""), strict=True))

    async def test_csv(self) -> None:
        scheduled = replace(RECORD, kind=Kind.SCHEDULE, reason='a, "b"\nc', attempts=())
        await self.write_records(RECORD, scheduled)
        first, second = await self.csv()
        self.assertEqual((first["task"], first["config"], first["attempts"]), ("催收", "", "1"))
        self.assertEqual(first["answered"], "true")
        self.assertEqual(
            [
                first[f"{name} (UTC)"]
                for name in ("taken_at", "dialed_at", "answered_at", "ended_at")
            ],
            [
                *("2001-09-09 01:46:40", "2001-09-09 01:46:40"),
                *("2001-09-09 01:46:42", "2001-09-09 01:46:49"),
            ],
        )
        self.assertEqual((first["ring_seconds"], first["bill_seconds"]), ("2.0", "7.0"))
        self.assertEqual((first["bridged_at (UTC)"], first["talk_seconds"]), ("", ""))
        self.assertEqual((second["task"], second["config"]), ("", "催收"))
        self.assertEqual((second["reason"], second["uuid"]), ('a, "b"\nc', ""))
        self.assertEqual((second["dialed_at (UTC)"], second["ring_seconds"]), ("", ""))

    async def test_variables_as_columns(self) -> None:
        crm = {"crm_id": '=1,"2"\r\n3', "score": 4.5}
        await self.write_records(replace(RECORD, variables=crm), RECORD)
        first, second = await self.csv("--columns", "all, variables.crm_id,variables.score")
        self.assertEqual(list(first)[-3:], ["next_at (UTC)", "variables.crm_id", "variables.score"])
        self.assertEqual(first["variables.crm_id"], '\'=1,"2"\r\n3')
        self.assertEqual((first["variables.score"], first["number"]), ("4.5", "13800138000"))
        self.assertEqual((second["variables.crm_id"], second["variables.score"]), ("", ""))
        first, _ = await self.csv("--columns", "outcome,variables.score,taken_at")
        self.assertEqual(
            list(first.items()),
            [
                *[("outcome", "answered"), ("variables.score", "4.5")],
                ("taken_at (UTC)", "2001-09-09 01:46:40"),
            ],
        )

    async def test_columns_that_there_are_not(self) -> None:
        for columns in ("outcom", "variables.", "variables", "", "outcome,"):
            done = await self.on_node("records", "--csv", "--columns", columns)
            self.assertEqual((done.status, done.out), (2, ""), columns)
            self.assertIn("there are: all, variables.NAME, id,", " ".join(done.err.split()))
        done = await self.on_node("records", "--columns", "outcome")
        self.assertEqual(done.status, 2)
        self.assertIn("--columns goes with --csv", done.err)

    async def test_who_talked_and_how_long(self) -> None:
        bridged = replace(ATTEMPT, bridged_at=1e9 + 3.5)
        await self.write_records(replace(RECORD, attempts=(bridged,), agent="=1001"))
        (row,) = await self.csv()
        self.assertEqual(row["bridged_at (UTC)"], "2001-09-09 01:46:43")
        self.assertEqual((row["connect_seconds"], row["talk_seconds"]), ("1.5", "5.5"))
        self.assertEqual(row["agent"], "'=1001")
        header, line = (await self.on_node("records")).out.splitlines()
        self.assertEqual(header.split()[-4:], ["BILL", "TALK", "AGENT", "REASON"])
        self.assertEqual(line.split()[-5:], ["7.0", "s", "5.5", "s", "=1001"])

    async def test_csv_has_one_row_for_each_record_whatever_stands_in_it(self) -> None:
        entries = [b"13220000001\n13220000002", b"1\r2", b"a,b", b'"', b"\r", b"\x1b[2J", b" x "]
        await self.write_records(*(replace(RECORD, number=None, entry=one) for one in entries))
        found = [plain_cell(row["entry"]) for row in await self.csv()]
        self.assertEqual(found, [one.decode() for one in entries])

    async def test_csv_begins_no_formula(self) -> None:
        evil = '=HYPERLINK("http://x","y")'
        await self.write_records(replace(RECORD, task=evil, number="+8613800138000", reason="-1+1"))
        (row,) = await self.csv()
        self.assertEqual((row["task"], row["number"]), (f"'{evil}", "'+8613800138000"))
        self.assertEqual(row["reason"], "'-1+1")

    async def test_on_a_terminal_nothing_steers_it(self) -> None:
        await self.write_records(
            replace(RECORD, task="\u202etxet", number=None, entry="\x1b[2J\r\x9b1A\u202e".encode())
        )
        for option in ("--csv", "--json", "--utc"):
            shown = await self.on_terminal("records", option)
            for mark in ("\x1b", "\x9b", "\u202e"):
                self.assertNotIn(mark, shown, option)
            self.assertIn("\\u202etxet", shown)

    async def on_terminal(self, *words: str) -> str:
        """Return what a command writes on a terminal."""
        arguments = [sys.executable, "-c", COMMAND, *words, "--redis", self.url, "--host", HOST]
        master, slave = os.openpty()
        path = {"PYTHONPATH": os.pathsep.join(sys.path)}
        shown = await getProcessOutputAndValue(
            "/bin/sh",
            ["-c", 'exec "$0" "$@" > "$TERMINAL"', *arguments],
            env={**os.environ, **path, "TERMINAL": os.ttyname(slave)},
        )
        self.assertEqual((shown[1], shown[2]), (b"", 0))
        try:
            return os.read(master, 65536).decode()
        finally:
            os.close(master)
            os.close(slave)

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
        of_a = replace(RECORD, task="a")
        of_b = replace(RECORD, task="b", kind=Kind.SCHEDULE)
        await self.write_records(
            *(replace(of_a if index % 2 else of_b, number=str(index)) for index in range(6))
        )
        self.assertEqual(await self.numbers("--task", "a"), ["1", "3", "5"])
        self.assertEqual(await self.numbers("--task", "b", "--last", "2"), ["2", "4"])

    async def test_of_an_outcome_and_of_a_number(self) -> None:
        outcomes = (Outcome.BUSY, Outcome.ANSWERED, Outcome.FAILED, Outcome.BUSY)
        await self.write_records(
            *(replace(RECORD, number=f"138{i}", outcome=one) for i, one in enumerate(outcomes)),
            replace(RECORD, number=None, outcome=Outcome.INVALID),
        )
        self.assertEqual(await self.numbers("--outcome", "busy"), ["1380", "1383"])
        both = ("--outcome", "busy", "--outcome", "failed")
        self.assertEqual(await self.numbers(*both, "--last", "2"), ["1382", "1383"])
        self.assertEqual(await self.numbers("--number", "381"), ["1381"])
        done = await self.on_node("records", "--outcome", "nonsense")
        self.assertEqual(done.status, 2)

    async def test_of_a_time(self) -> None:
        now = time()
        ages = (7300, 3700, 100, 50)
        await self.write_records(
            *(replace(RECORD, number=str(age), ended_at=now - age) for age in ages)
        )
        self.assertEqual(await self.numbers("--since", "1h"), ["100", "50"])
        self.assertEqual(await self.numbers("--since", "2h", "--until", "75s"), ["3700", "100"])
        self.assertEqual(await self.numbers("--until", "2h", "--last", "5"), ["7300"])
        self.assertEqual(await self.numbers("--since", "3d", "--last", "1"), ["50"])
        self.assertEqual(await self.numbers("--since", "2001-09-09 01:00"), [str(a) for a in ages])
        for wrong in ("tomorrow", "25:00", "2026-02-30"):
            done = await self.on_node("records", "--since", wrong)
            self.assertEqual(done.status, 2)
            self.assertIn("--since must be a moment like 2026-11-28 20:00", done.err)
        for command in (("records",), ("report",), ("requeue", "t", "--outcome", "busy")):
            done = await self.on_node(*command, "--since", "2h", "--until", "3h")
            self.assertEqual(done.status, 2)
            self.assertIn("--until must be later than --since: nothing lies between", done.err)

    async def test_what_was_written_long_before_is_not_read(self) -> None:
        stream = keys.records(HOST)
        await self.call("XADD", stream, "1000-0", "record", "{")  # else it would be named
        await self.write_records(replace(RECORD, ended_at=time()))
        done = await self.on_node("records", "--since", "1h", "--json")
        self.assertEqual((done.status, len(done.out.splitlines())), (0, 1))

    async def test_of_all_hosts(self) -> None:
        for index in range(6):
            host = ("fs1", "fs2", "fs3")[index % 3]
            record = encode_record(replace(RECORD, number=str(index), host=host))
            await self.call("XADD", keys.records(host), f"{index + 1}-0", "record", record)
        everywhere = [str(index) for index in range(6)]
        self.assertEqual(await self.numbers("--all-hosts"), everywhere)
        self.assertEqual(await self.numbers("--all-hosts", "--last", "4"), everywhere[2:])
        self.assertEqual(await self.numbers(), ["0", "3"])
        done = await self.on_node("records", "--all-hosts")
        self.assertEqual(done.out.splitlines()[2].split()[2], "fs2")
        self.assertIn("HOST", done.out.splitlines()[0])

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
        await self.write_records(replace(RECORD, number="new"))
        await follow.printed('"new"')
        follow.signal("INT")
        done = await follow.done
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual(len(done.out.splitlines()), 11)

    async def test_of_all_hosts_too(self) -> None:
        await self.write_records(RECORD)
        await self.call("XADD", keys.records("fs2"), "*", "record", encode_record(RECORD))
        follow = self.start(
            *("records", "--redis", self.url, "--host", HOST, "-f", "--all-hosts"),
            *("--json", "--outcome", "busy"),
        )
        busy = replace(RECORD, outcome=Outcome.BUSY)
        for host in ("fs2", HOST):
            for record in (RECORD, replace(busy, number=f"on {host}")):
                await self.call("XADD", keys.records(host), "*", "record", encode_record(record))
            await follow.printed(f'"on {host}"')
        follow.signal("INT")
        done = await follow.done
        self.assertEqual((done.status, len(done.out.splitlines())), (0, 2))

    async def test_with_an_end_it_is_not_followed(self) -> None:
        done = await self.on_node("records", "--follow", "--until", "1h")
        self.assertEqual(done.status, 2)

    async def test_it_goes_on_when_redis_is_back(self) -> None:
        await self.many(1)
        proxy = await start_proxy(self, self.url)
        follow = self.start("records", "--redis", proxy.url, "--host", HOST, "-f", "--json")
        await follow.printed('"number":"0000"')
        proxy.cut()
        await self.write_records(replace(RECORD, number="while it was away"))
        await follow.printed('"while it was away"')
        follow.signal("INT")
        done = await follow.done
        self.assertEqual(done.status, 0, done)
        self.assertEqual(len(done.out.splitlines()), 2)
