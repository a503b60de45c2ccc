"""``ctidialer load``, as it is used."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.cli import main
from ctidialer.contract import keys
from ctidialer.contract.waiting import Carried, WaitReason, encode_carried
from tests.cli.command_case import HOST, CommandTestCase
from tests.files.test_any_bytes import PIECES
from tests.files.test_workbook import workbook_of
from tests.support.proxy import RedisProxy, serving


class CutAtThePush(RedisProxy):
    """Cuts the connection when the second batch is under way."""

    def asked(self, client: object, data: bytes) -> None:
        if b"first-of-the-second" in data:
            self.cut()


class LoadTestCase(CommandTestCase):
    """Tests with a task that takes from the list ``q``."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.put_task()

    async def queue(self, key: str = "q") -> list[str]:
        entries = await self.call("LRANGE", key, 0, -1)
        assert isinstance(entries, list)
        return [entry.decode() for entry in entries if isinstance(entry, bytes)]


class LoadTests(LoadTestCase):
    """What is pushed, in which order, and what keeps it from being pushed."""

    async def assert_pushed(self, entries: list[str], *arguments: str, stdin: bytes = b"") -> None:
        done = await self.on_node("load", *arguments, stdin=stdin)
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual(await self.queue(), entries)

    async def test_on_a_terminal_it_shows_how_far_it_is(self) -> None:
        self.write("n", "".join(f"{13800000000 + index}\n" for index in range(3000)))
        words = ("load", "--redis", self.url, "--host", HOST, "t", "n")
        shown = await self.run_command(*words, FORCE_COLOR="1")
        self.assertEqual(shown.status, 0)
        self.assertIn("checking", shown.err)
        self.assertIn("pushing", shown.err)
        for quiet in (words, (*words, "--json")):
            piped = await self.run_command(*quiet)
            self.assertEqual((piped.status, piped.err), (0, ""))
        as_json = await self.run_command(*words, "--json", FORCE_COLOR="1")
        self.assertEqual((as_json.json()["pushed"], as_json.err), (3000, ""))

    async def test_text(self) -> None:
        self.write("n", b"\xef\xbb\xbf13800138000\r\n\r\n# a comment\r\n #31#138\r\n+86138")
        await self.call("RPUSH", "q", "0")
        await self.assert_pushed(["0", "13800138000", "#31#138", "+86138"], "t", "n")

    async def test_what_is_said(self) -> None:
        self.write("n", "1\n2\n")
        done = await self.on_node("load", "t", "n")
        self.assertEqual(
            done.out,
            "2 of 2 numbers were pushed to the list 'q' of the task 't'; its length is 2\n",
        )

    async def test_standard_input(self) -> None:
        await self.assert_pushed(["1", "2"], "t", "-", stdin=b"1\n2\n")

    async def test_csv(self) -> None:
        self.write("n.csv", 'number,name\r\n138,"客户, 1"\r\n139,\r\n140,"two\nlines"\r\n')
        await self.on_node("load", "t", "n.csv")
        first, second, third = await self.queue()
        self.assertEqual(
            json.loads(first), {"params": {"number": "138"}, "variables": {"name": "客户, 1"}}
        )
        self.assertEqual(second, "139")
        self.assertEqual(json.loads(third)["variables"], {"name": "two\nlines"})

    async def test_json_lines(self) -> None:
        lines = ['{"params": {"number": "1"}, "variables": {"a": "b"}}', '{"params":{"number":2}}']
        self.write("n.jsonl", "\n".join(lines) + "\n\n")
        await self.assert_pushed(lines, "t", "n.jsonl")

    async def test_with_any_bad_row_nothing_is_pushed(self) -> None:
        self.write("n.csv", "number;name\n1;a\n2x;b\n3;${c}\n4;d;e\n")
        done = await self.on_node("load", "t", "n.csv")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertEqual(await self.queue(), [])
        third, fourth, fifth, last = done.err.splitlines()
        self.assertIn("line 3: the number does not match", third)
        self.assertIn("line 4: name: ", fourth)
        self.assertEqual(fifth, "line 5: has 3 cells, the header 2")
        self.assertEqual(
            last, "3 of 4 rows are bad: nothing was pushed (--skip-bad pushes the others)"
        )

    async def test_json_for_programs(self) -> None:
        self.write("n", "1\nx\n")
        done = await self.on_node("load", "t", "n", "--json")
        self.assertEqual(done.status, 1)
        (bad,) = done.json()["bad"]
        self.assertEqual(bad["line"], 2)
        self.assertEqual(done.json()["pushed"], 0)
        self.write("n", "1\n2\n")
        done = await self.on_node("load", "t", "n", "--json")
        self.assertEqual(
            done.json(),
            {
                **{"task": "t", "queue": "q", "rows": 2, "pushed": 2},
                **{"length": 2, "bad_rows": 0, "bad": [], "bad_kinds": {}, "dry_run": False},
                **{"would_push": None, "duplicates": 0, "in_list": 0, "in_waiting": 0},
                **{"prospects": None},
                **{"format": "text", "encoding": "UTF-8", "columns_left_out": []},
            },
        )

    async def test_a_task_that_takes_from_the_right(self) -> None:
        await self.put_task(number_queue_side="right")
        await self.call("RPUSH", "q", "0")
        self.write("n", "1\n2\n3\n")
        await self.assert_pushed(["3", "2", "1", "0"], "t", "n")

    async def test_more_than_a_batch(self) -> None:
        numbers = [f"138{index:05}" for index in range(2500)]
        self.write("n", "\n".join(numbers))
        await self.assert_pushed(numbers, "t", "n")

    async def test_a_dry_run_pushes_nothing(self) -> None:
        self.write("n", "1\n")
        done = await self.on_node("load", "t", "n", "--dry-run")
        self.assertEqual(done.status, 0)
        self.assertEqual(await self.queue(), [])
        self.assertEqual(
            done.out,
            "1 of 1 numbers would be pushed to the list 'q' of the task 't'; its length is 0\n",
        )

    async def test_another_list(self) -> None:
        self.write("n", "1\n")
        await self.on_node("load", "t", "n", "--queue", "elsewhere")
        self.assertEqual(await self.queue("elsewhere"), ["1"])

    async def test_an_unknown_task(self) -> None:
        await self.put(keys.at(keys.TASK, HOST), {"u": {}})
        self.write("n", "1\n")
        done = await self.on_node("load", "v", "n")
        self.assertEqual(done.status, 1)
        self.assertIn('there is no task "v"', done.err)
        self.assertIn("there are: t, u\n", done.err)

    async def test_a_task_that_cannot_dial(self) -> None:
        await self.put_task(limit=-1)
        self.write("n", "1\n")
        done = await self.on_node("load", "t", "n")
        self.assertEqual(done.status, 1)
        self.assertIn('the task "t" cannot dial: ', done.err)
        self.assertIn("$.params.limit", done.err)

    async def test_a_list_that_is_none(self) -> None:
        await self.call("SET", "q", "x")
        self.write("n", "1\n")
        done = await self.on_node("load", "t", "n")
        self.assertEqual(done.status, 1)
        self.assertIn("the key 'q' holds a string, but must hold a list", done.err)

    async def test_files_that_cannot_be_used(self) -> None:
        self.write("n.csv", "kunde,name\n1,a\n")
        for more in ((), ("--json",)):
            done = await self.on_node("load", "t", "n.csv", *more)
            self.assertEqual((done.status, done.out), (1, ""))
            self.assertIn("Error: n.csv: has no header in its first 20 lines", done.err)
            self.assertEqual(len(done.err.splitlines()), 1)
        done = await self.on_node("load", "t", "none.csv")
        self.assertEqual(done.status, 2)

    async def test_a_header_without_a_row(self) -> None:
        for content in ("number,name\n", "number,name\n,\n\n"):
            self.write("n.csv", content)
            done = await self.on_node("load", "t", "n.csv")
            self.assertEqual((done.status, done.out), (1, ""))
            self.assertEqual(done.err, "Error: n.csv: has no row: nothing to push\n")
        self.write("n.txt", "# nothing yet\n")
        done = await self.on_node("load", "t", "n.txt")
        self.assertEqual(done.status, 1)

    async def test_excel_for_mac_ends_its_lines_with_cr(self) -> None:
        self.write("n.csv", "number,name\r13800138000,a\r13800138001,b\r")
        for more in ((), ("--json",)):
            done = await self.on_node("load", "t", "n.csv", *more)
            self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual(len(await self.queue()), 4)

    async def test_the_encoding_is_found_out_and_said(self) -> None:
        self.write("n.csv", "手机号,姓名\n13800138000,张三\n".encode("gb18030"))
        done = await self.on_node("load", "t", "n.csv", "--columns", "姓名=name")
        self.assertEqual(done.status, 0)
        self.assertEqual(done.err, 'n.csv: read as GB18030; the numbers are in "手机号"\n')
        self.assertEqual(json.loads((await self.queue())[0])["variables"], {"name": "张三"})

    async def test_a_wrong_encoding_is_one_sentence(self) -> None:
        self.write("n.csv", ("number,name\n" + "1,客户\n" * 1500).encode("gb18030"))
        done = await self.on_node("load", "t", "n.csv", "--encoding", "utf-8")
        self.assertEqual(
            (done.status, done.err),
            (
                1,
                "Error: n.csv: is not UTF-8 on line 2: it looks like GB18030;"
                " leave --encoding out, or give --encoding gb18030\n",
            ),
        )
        done = await self.on_node("load", "t", "n.csv", "--encoding", "klingon")
        self.assertEqual(done.status, 2)

    async def test_columns_that_cannot_be_variables(self) -> None:
        self.write("n.csv", "Phone Number,First Name,city\n138,Bob,Kiel\n")
        done = await self.on_node("load", "t", "n.csv")
        self.assertEqual(done.status, 1)
        self.assertIn('has columns that cannot be variables: "First Name"', done.err)
        done = await self.on_node("load", "t", "n.csv", "--skip-columns")
        self.assertEqual(done.status, 0)
        self.assertIn('left out: "First Name"', done.err)
        done = await self.on_node("load", "t", "n.csv", "--columns", "First Name=first,city=")
        self.assertEqual(done.status, 0)
        found = [json.loads(entry)["variables"] for entry in await self.queue()]
        self.assertEqual(found, [{"city": "Kiel"}, {"first": "Bob"}])
        done = await self.on_node("load", "t", "n.csv", "--columns", "nonsense")
        self.assertEqual(done.status, 2)

    async def test_numbers_as_people_write_them(self) -> None:
        self.write("n.csv", 'tel\n+1 (310) 820-7129\n"=""13800138000"""\n\'138 0013 8001\n')
        done = await self.on_node("load", "t", "n.csv")
        self.assertEqual(done.status, 1)
        self.assertIn('--normalize makes "+13108207129" of it', done.err)
        done = await self.on_node("load", "t", "n.csv", "--normalize")
        self.assertEqual(done.status, 0, done.err)
        self.assertEqual(await self.queue(), ["+13108207129", "13800138000", "13800138001"])

    async def test_a_region(self) -> None:
        self.write("n", "13800138000\n020-8888 6666\n")
        done = await self.on_node("load", "t", "n", "--region", "cn")
        self.assertEqual(done.status, 0, done.err)
        self.assertEqual(await self.queue(), ["+8613800138000", "+862088886666"])
        done = await self.on_node("load", "t", "n", "--region", "xx")
        self.assertEqual(done.status, 1)
        self.assertIn("no region", done.err)

    async def test_an_excel_workbook(self) -> None:
        self.write("n.xlsx", workbook_of(("名单", [["手机号", "name"], [13800138000, "张"]])))
        done = await self.on_node("load", "t", "n.xlsx")
        self.assertEqual(done.status, 0, done.err)
        (entry,) = await self.queue()
        self.assertEqual(json.loads(entry)["params"], {"number": "13800138000"})
        content = (self.directory / "n.xlsx").read_bytes()
        await self.on_node("load", "t", "-", stdin=content)
        self.assertEqual(len(await self.queue()), 2)


class BadRowTests(LoadTestCase):
    """Files in which some rows are bad."""

    BAD = "number,name\n1,a\n1.38E+10,b\n2x,c\n3,d\n"

    async def test_the_good_ones_are_pushed_when_asked(self) -> None:
        self.write("n.csv", self.BAD)
        done = await self.on_node("load", "t", "n.csv", "--skip-bad", "--rejects", "bad.csv")
        self.assertEqual(done.status, 0)
        self.assertEqual(
            done.out,
            "2 of 4 numbers were pushed to the list 'q' of the task 't'; its length is 2; left out:"
            " 1 row with a number that lost digits in a spreadsheet; left out: 1 row without a"
            " number that can be dialed\n",
        )
        self.assertEqual(done.err, "2 of 4 rows are bad and stand in bad.csv\n")
        text = (self.directory / "bad.csv").read_text(encoding="utf-8-sig")
        header, first, second = csv.reader(io.StringIO(text))
        self.assertEqual(header, ["line", "reason", "number", "name"])
        self.assertEqual((first[0], first[2:]), ("3", ["1.38E+10", "b"]))
        self.assertIn("lost digits", first[1])
        self.assertEqual((second[0], second[2:]), ("4", ["2x", "c"]))

    async def test_without_a_file_for_them_they_are_listed(self) -> None:
        self.write("n.csv", self.BAD)
        done = await self.on_node("load", "t", "n.csv", "--skip-bad")
        self.assertEqual((done.status, len(await self.queue())), (0, 2))
        self.assertEqual(
            [line[:7] for line in done.err.splitlines()], ["line 3:", "line 4:", "2 of 4 "]
        )

    async def test_they_are_written_down_though_nothing_is_pushed(self) -> None:
        self.write("n.csv", self.BAD)
        done = await self.on_node("load", "t", "n.csv", "--rejects", "bad.csv")
        self.assertEqual((done.status, await self.queue()), (1, []))
        self.assertTrue((self.directory / "bad.csv").exists())

    async def test_the_file_itself_is_never_overwritten(self) -> None:
        self.write("n.csv", self.BAD)
        done = await self.on_node("load", "t", "n.csv", "--skip-bad", "--rejects", "n.csv")
        self.assertEqual(done.status, 2)
        self.assertEqual((self.directory / "n.csv").read_text(), self.BAD)

    async def test_where_no_file_can_be_written(self) -> None:
        self.write("n.csv", self.BAD)
        done = await self.on_node("load", "t", "n.csv", "--skip-bad", "--rejects", "none/bad.csv")
        self.assertEqual((done.status, await self.queue()), (1, []))
        self.assertEqual(done.err, "Error: none/bad.csv: No such file or directory\n")

    async def test_with_none_but_bad_ones_nothing_is_done(self) -> None:
        self.write("n", "x\ny\n")
        done = await self.on_node("load", "t", "n", "--skip-bad")
        self.assertEqual((done.status, done.out), (1, ""))

    async def test_a_dry_run_says_why_not_the_others(self) -> None:
        self.write("n.csv", self.BAD + "3,again\n")
        await self.call("RPUSH", "q", "1")
        done = await self.on_node("load", "t", "n.csv", "--dry-run", "--dedupe")
        self.assertEqual(done.status, 1)
        self.assertEqual(
            done.out.splitlines(),
            [
                "nothing would be pushed to the list 'q' of the task 't' (with --skip-bad 1);"
                " its length is 1",
                "  not: 1 row with a number that stands in the file before",
                "  not: 1 row with a number that stands in the list already",
                "  not: 1 row with a number that lost digits in a spreadsheet",
                "  not: 1 row without a number that can be dialed",
            ],
        )
        done = await self.on_node(
            "load", "t", "n.csv", "--dry-run", "--dedupe", "--skip-bad", "--json"
        )
        self.assertEqual((done.status, done.json()["would_push"]), (0, 1))
        self.assertEqual(done.json()["bad_kinds"], {"cut": 1, "number": 1})
        self.assertEqual(await self.queue(), ["1"])


class ProspectsTests(LoadTestCase):
    """Who may be called now, and what holds the others back: ``--dry-run``."""

    async def test_lists_hours_and_caps(self) -> None:
        begin, end = (f"{datetime.now(UTC) + timedelta(hours=h):%H:%M}" for h in (2, 4))
        hours: dict[str, Any] = {"callee_hour": [{"begin": begin, "end": end}]}
        hours |= {"callee_region": "CN", "dnc": ["optouts"], "timezone": "UTC"}
        await self.put_task(**hours)
        await self.call("SADD", "optouts", "13800138000", "008613800138001")
        await self.call("HSET", "asked", "+8613800138002", '{"reason":"letter","until":1}')
        await self.call("HSET", "asked", "+8613800138003", "by letter")
        self.write("s.toml", '[compliance]\ndnc = ["asked"]\n')
        numbers = [f'"1380013800{last}"' for last in range(6)]
        numbers += ['{"params":{"number":"6","timezone":"UTC"}}', '"7"']
        self.write("n.jsonl", "\n".join(numbers))
        load = ("load", "t", "n.jsonl", "--dry-run", "--config", "s.toml")
        done = await self.on_node(*load, "--json")
        found = done.json()["prospects"]
        self.assertEqual((done.err, done.json()["would_push"], done.json()["bad"]), ("", 8, []))
        self.assertEqual((found["now"], found["dnc"], found["closed"]), (0, 3, 1))
        self.assertEqual(sum(one["count"] for one in found["hours"]), 4)
        done = await self.on_node(*load)
        self.assertIn("  of these 0 may be called now\n", done.out)
        self.assertIn("  3 on a do-not-call list: they would end as dnc\n", done.out)
        self.assertIn("  1 outside of their callees' hours, which begin 20", done.out)
        self.assertIn(f" {begin}:00 (UTC)\n", done.out)
        self.assertIn("  1 whose callees' hours do not come: they would end as closed", done.out)
        self.assertEqual(await self.queue(), [])

    async def test_caps(self) -> None:
        await self.put_task(callee_limit=[{"count": 1, "time": 86400}])
        await self.call("ZADD", "cti_dialer_callee:2", f"{time()}", "uuid")
        self.write("n", "1\n2\n3\n")
        done = await self.on_node("load", "t", "n", "--dry-run")
        self.assertIn("  of these 2 may be called now\n", done.out)
        self.assertIn("  1 called as often as callee_limit allows, the first until 20", done.out)
        found = (await self.on_node("load", "t", "n", "--dry-run", "--json")).json()["prospects"]
        self.assertEqual((found["now"], found["capped"]), (2, 1))

    async def test_a_task_without_such_rules(self) -> None:
        self.write("n", "1\n2\n")
        done = await self.on_node("load", "t", "n", "--dry-run")
        self.assertEqual(len(done.out.splitlines()), 1)


class DuplicateTests(LoadTestCase):
    """``--dedupe``."""

    async def test_in_the_file_and_in_the_list(self) -> None:
        self.write("n.csv", "number,a\n1,x\n2,y\n1,z\n3,\n")
        await self.call("RPUSH", "q", '{"params":{"number":"2"}}', "no number", "7")
        done = await self.on_node("load", "t", "n.csv", "--dedupe", "--json")
        self.assertEqual((done.status, done.err), (0, ""))
        found = done.json()
        self.assertEqual((found["pushed"], found["duplicates"], found["in_list"]), (2, 1, 1))
        again = await self.on_node("load", "t", "n.csv", "--dedupe", "--json")
        self.assertEqual((again.status, again.json()["pushed"]), (0, 0))
        self.assertEqual(len(await self.queue()), 5)

    async def test_in_further_lists_and_among_those_that_wait(self) -> None:
        await self.put_task(number_queue=["q", "later"])
        await self.call("RPUSH", "later", "1")
        carried = Carried("id", 1.0, 1.0, WaitReason.HOURS)
        waiting = [encode_carried(carried) + b"\n" + f"9{n}".encode() for n in range(1200)]
        for due, member in enumerate(waiting):
            await self.call("ZADD", "cti_dialer_waiting@template:queue:t", due, member)
        self.write("n", "\n".join(["1", "2", *(f"9{n}" for n in range(1200))]))
        found = (await self.on_node("load", "t", "n", "--dedupe", "--json")).json()
        self.assertEqual((found["in_list"], found["in_waiting"], found["pushed"]), (1, 1200, 1))
        self.assertEqual(await self.queue(), ["2"])
        done = await self.on_node("load", "t", "n", "--dedupe")
        self.assertIn("left out: 1200 rows with a number that waits already", done.out)

    async def test_in_a_list_of_several_pages(self) -> None:
        numbers = [f"138{index:05}" for index in range(2500)]
        await self.call("RPUSH", "q", *numbers)
        self.write("n", "\n".join([*numbers, "139"]))
        for side in ("left", "right"):
            await self.put_task(number_queue_side=side)
            done = await self.on_node("load", "t", "n", "--dedupe", "--dry-run", "--json")
            found = done.json()
            self.assertEqual((found["would_push"], found["in_list"]), (1, 2500), side)


class BrokenPushTests(LoadTestCase):
    """A push that does not come to its end."""

    async def test_redis_goes_while_numbers_are_pushed(self) -> None:
        self.write("s.toml", "[node]\nnumber_pattern = '[0-9a-z-]+'\n")
        self.write("n", "1\n" * 1000 + "first-of-the-second\n" + "2\n" * 10)
        proxy = await serving(self, CutAtThePush(self.url))
        done = await self.run_command(
            *("load", "--config", "s.toml", "--redis", proxy.url, "--host", HOST, "t", "n")
        )
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("1000 of 1011 numbers were pushed (the next 11 may have been, too", done.err)
        self.assertIn(len(await self.queue()), (1000, 1011))


class AnyBytesTests(SynchronousTestCase):
    """Whatever is in a file; no number can be right, so that no Redis is needed."""

    def setUp(self) -> None:
        self.file = Path(self.mktemp()).with_suffix(".csv")
        self.settings = Path(self.mktemp())
        self.settings.write_text('[node]\nnumber_pattern = "never"\n')

    @settings(deadline=None, max_examples=150)
    @given(
        st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=12).map(b"".join)),
        st.lists(
            st.sampled_from(
                [
                    *("--normalize", "--dedupe", "--skip-bad", "--skip-columns", "--region=CN"),
                    *("--format=csv", "--format=excel", "--format=jsonl", "--number-column=a"),
                    *("--encoding=gb18030", "--encoding=utf-16", "--columns=a=b"),
                ]
            ),
            max_size=4,
        ),
        st.booleans(),
    )
    def test_it_ends_with_a_sentence(self, content: bytes, more: list[str], as_json: bool) -> None:
        self.file.write_bytes(content)
        words = ["load", "t", str(self.file), "--config", str(self.settings), *more]
        words += ["--json"] if as_json else []
        done = CliRunner().invoke(main, words)
        self.assertIsInstance(done.exception, SystemExit)
        self.assertEqual(done.exit_code, 1, done.output)
        if done.stdout:
            self.assertEqual(json.loads(done.stdout)["pushed"], 0)
        else:
            self.assertTrue(done.stderr.strip())
        for mark in ("\x1b", "\u202e", "Traceback"):
            self.assertNotIn(mark, done.stderr)
