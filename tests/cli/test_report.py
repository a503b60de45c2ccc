"""``ctidialer report``, as it is used."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from msgspec.structs import replace

from ctidialer.contract import keys
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from tests.cli.command_case import HOST, CommandTestCase

AT = 1_795_825_800.0  # 2026-11-28 00:30 in UTC, 08:30 in Shanghai
HOUR = 3600.0
CALL = AttemptRecord("u1", "l", "g", AT - 60, AT - 58, AT - 50, AT, "NORMAL_CLEARING", 200, AT - 40)
RECORD = Record(
    id="r0",
    kind=Kind.QUEUE,
    task="催收",
    number="13800138000",
    entry=b"13800138000",
    outcome=Outcome.ANSWERED,
    taken_at=AT - 61,
    ended_at=AT,
    host=HOST,
    attempts=(CALL,),
)
UNHEARD = replace(
    RECORD,
    outcome=Outcome.NO_ANSWER,
    attempts=(AttemptRecord("u2", "l", "g", AT - 30, AT - 28, None, AT, "NO_ANSWER", 480),),
)
MACHINE = replace(RECORD, outcome=Outcome.MACHINE)
INVALID = replace(RECORD, outcome=Outcome.INVALID, number=None, attempts=())

OLD = {
    "id": "old",
    "uuid": "u",
    "kind": "queue",
    "task": "催收",
    "number": "1",
    "entry": "1",
    "outcome": "answered",
    "answered": True,
    "attempts": [
        {
            "uuid": "u",
            "line": "l",
            "line_group": "g",
            "dialed_at": AT - 30,
            "progress_at": AT - 28,
            "answered_at": AT - 20,
            "ended_at": AT,
            "hangup_cause": "NORMAL_CLEARING",
            "sip_code": 200,
        }
    ],
    "taken_at": AT - 31,
    "ended_at": AT,
    "bill_seconds": 20.0,
    "host": HOST,
    "reason": "",
}
"""A record as versions wrote it that knew nothing of agents."""


class ReportTests(CommandTestCase):
    async def write_records(self, *records: Record | bytes, host: str = HOST) -> None:
        for one in records:
            raw = one if isinstance(one, bytes) else encode_record(one)
            await self.call("XADD", keys.records(host), "*", "record", raw)

    async def usual_records(self) -> None:
        other = replace(UNHEARD, kind=Kind.SCHEDULE, ended_at=AT + HOUR)
        await self.write_records(RECORD, UNHEARD, MACHINE, INVALID, other)

    async def found(self, *options: str) -> dict[str, Any]:
        done = await self.on_node("report", "--json", *options)
        self.assertEqual((done.status, done.err), (0, ""))
        found: dict[str, Any] = done.json()
        return found

    async def test_each_task_and_day_as_json(self) -> None:
        await self.usual_records()
        found = await self.found()
        queued, scheduled = found["rows"]
        self.assertEqual(
            (queued["kind"], queued["task"], queued["period"]), ("queue", "催收", "2026-11-28")
        )
        self.assertEqual([queued[one] for one in ("taken", "dialed", "reached")], [4, 3, 2])
        self.assertEqual((queued["answered"], queued["answer_rate"]), (1, 0.3333))
        self.assertEqual(list(queued["outcomes"]), ["answered", "no_answer", "invalid", "machine"])
        self.assertEqual((queued["talk"]["count"], queued["talk"]["mean"]), (2, 40.0))
        self.assertEqual((queued["ring"]["count"], queued["ring"]["mean"]), (3, 14.667))
        self.assertEqual((scheduled["kind"], scheduled["taken"]), ("schedule", 1))
        self.assertEqual((found["zone"], found["by"], found["trimmed"]), ("UTC", "day", False))

    async def test_hours_are_those_of_the_zone(self) -> None:
        await self.usual_records()
        self.write("s.toml", '[node]\ntimezone = "Asia/Shanghai"\n')
        for options, hours in (
            ((), ["2026-11-28 08:00", "2026-11-28 09:00"]),
            (("--utc",), ["2026-11-28 00:00", "2026-11-28 01:00"]),
        ):
            found = await self.found("--config", "s.toml", "--by", "hour", *options)
            rows = found["periods"]
            self.assertEqual([row["period"] for row in rows], hours)
            self.assertEqual([row["taken"] for row in rows], [4, 1])

    async def test_a_table_for_people_in_both_languages(self) -> None:
        await self.usual_records()
        done = await self.on_node("report")
        self.assertEqual((done.status, done.err), (0, ""))
        head, first, second, last, *more = done.out.splitlines()
        self.assertEqual(head.split()[:4], ["task", "day", "(UTC)", "taken"])
        self.assertEqual(first.split()[:7], ["催收", "2026-11-28", "4", "3", "2", "1", "33.3%"])
        self.assertIn("1 no_answer, 1 invalid, 1 machine", first)
        self.assertIn("催收 (scheduled)", second)
        self.assertEqual(last.split()[:3], ["all", "5", "4"])
        self.assertEqual(more, [])
        done = await self.run_command("--lang", "zh", "report", "--redis", self.url, "--host", HOST)
        self.assertIn("接通率", done.out)
        self.assertIn("催收（定时）", done.out)

    async def test_what_each_try_yields(self) -> None:
        again = {"try_number": 2, "entry_id": "r0"}
        await self.write_records(
            replace(UNHEARD, is_final=False), replace(RECORD, **again), UNHEARD, MACHINE
        )
        total = (await self.found())["total"]
        first = {"number": 1, "called": 3, "reached": 1}
        self.assertEqual(total["tries"], [first, {"number": 2, "called": 1, "reached": 1}])
        self.assertEqual((total["taken"], total["tries_per_number"]), (3, 1.3333))
        done = await self.on_node("report")
        said = "reached, by the number of the try: 1: 1/3 (33.3%), 2: 1/1 (100.0%)"
        self.assertEqual(done.out.splitlines()[-1], said)
        done = await self.on_node("report", "--csv")
        (row,) = csv.DictReader(io.StringIO(done.out, newline=""), strict=True)
        self.assertEqual((row["tries_per_number"], row["try_1_called"]), ("1.3333", "3"))
        self.assertEqual((row["try_2_called"], row["try_2_reached"]), ("1", "1"))

    async def test_no_two_columns_of_the_csv_have_one_name(self) -> None:
        await self.write_records(RECORD)
        done = await self.on_node("report", "--csv")
        (header, *_) = csv.reader(io.StringIO(done.out, newline=""), strict=True)
        self.assertEqual(sorted(header), sorted(set(header)))

    async def test_csv(self) -> None:
        await self.write_records(RECORD, replace(UNHEARD, task="=1+1"))
        done = await self.on_node("report", "--csv")
        self.assertTrue(done.out.endswith("\r\n"))
        rows = list(csv.DictReader(io.StringIO(done.out, newline=""), strict=True))
        self.assertEqual([row["task"] for row in rows], ["'=1+1", "催收"])
        first, second = rows
        self.assertEqual((first["day (UTC)"], first["no_answer"]), ("2026-11-28", "1"))
        self.assertEqual((first["answer_rate"], first["talk_mean"]), ("0.0", ""))
        self.assertEqual((second["answer_rate"], second["talk_mean"]), ("1.0", "40.0"))

    async def test_only_what_is_asked_for(self) -> None:
        await self.usual_records()
        await self.write_records(replace(RECORD, task="b", ended_at=AT + HOUR))
        await self.write_records(replace(RECORD, task="c", host="fs2"), host="fs2")
        for options, taken in (
            ((), 6),
            (("b",), 1),
            (("催收",), 5),
            (("--until", "2026-11-28 01:00"), 4),
            (("--since", "2026-11-28 01:00"), 2),
            (("--since", str(AT + 1), "--until", str(AT + HOUR)), 0),
            (("--all-hosts",), 7),
        ):
            total = (await self.found(*options))["total"]
            self.assertEqual(total["taken"], taken, options)

    async def test_old_records_count_and_those_of_later_versions(self) -> None:
        later = {**OLD, "outcome": "capped", "answered": False, "attempts": [], "try": 2}
        await self.write_records(json.dumps(OLD).encode(), json.dumps(later).encode())
        total = (await self.found())["total"]
        self.assertEqual(total["outcomes"], {"answered": 1, "capped": 1})
        self.assertEqual((total["ring"]["mean"], total["bill"]["mean"]), (8.0, 20.0))
        self.assertEqual((total["talk"]["count"], total["reached"]), (0, 1))
        done = await self.on_node("report", "--csv")
        (row,) = csv.DictReader(io.StringIO(done.out, newline=""))
        self.assertEqual(row["capped"], "1")

    async def test_it_says_where_the_stream_does_not_reach_back(self) -> None:
        await self.write_records(RECORD)
        self.write("s.toml", "[records]\nmax_records = 1000\n")
        done = await self.on_node("report", "--config", "s.toml", "--since", "2020-01-01")
        self.assertIn("the records begin at 20", done.out)
        self.assertNotIn("trimmed", done.out)
        await self.write_records(*[RECORD] * 999)
        done = await self.on_node("report", "--config", "s.toml", "--since", "2020-01-01")
        self.assertIn("older ones have been trimmed (max_records)", done.out)
        self.assertIs((await self.found("--config", "s.toml"))["trimmed"], True)
        # Within what the stream holds nothing is missing.
        done = await self.on_node("report", "--config", "s.toml", "--since", "1s")
        self.assertNotIn("begin at", done.out)

    async def test_nothing_at_all_is_said(self) -> None:
        done = await self.on_node("report")
        self.assertEqual((done.status, done.out), (0, "no record fits\n"))

    async def test_what_is_no_record_is_left_out_and_said(self) -> None:
        await self.write_records(RECORD, b"{", b'{"ended_at":1e300}')
        await self.call("XADD", keys.records(HOST), "*", "other", "x")
        done = await self.on_node("report")
        self.assertEqual(done.status, 1)
        self.assertIn("3 entries of the stream are no records", done.out)
        self.assertEqual(done.out.count("催收"), 1)

    async def test_what_cannot_be_asked_for(self) -> None:
        for options in (("--csv", "--json"), ("--since", "soon"), ("--by", "week")):
            done = await self.on_node("report", *options)
            self.assertEqual(done.status, 2, options)
        await self.call("SET", keys.records(HOST), "x")
        done = await self.on_node("report")
        self.assertEqual((done.status, "stream" in done.err), (1, True))
        self.assertNotIn("Traceback", done.err)
