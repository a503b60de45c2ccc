"""``ctidialer load``, as it is used."""

from __future__ import annotations

import json

from ctidialer.contract import keys
from tests.cli.command_case import HOST, CommandTestCase
from tests.support.proxy import Proxy


class CutAtThePush(Proxy):
    """Cuts the connection when the second batch is under way."""

    def seen(self, data: bytes) -> None:
        if b"first-of-the-second" in data:
            self.cut()


class LoadTests(CommandTestCase):
    """What is pushed, in which order, and what keeps it from being pushed."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.put_task()

    async def queue(self, key: str = "q") -> list[str]:
        entries = await self.call("LRANGE", key, 0, -1)
        assert isinstance(entries, list)
        return [entry.decode() for entry in entries if isinstance(entry, bytes)]

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
        self.assertIn("line 3: $.params.number does not match", third)
        self.assertIn("line 4: $.variables.name", fourth)
        self.assertEqual(fifth, "line 5: has 3 cells, the header 2")
        self.assertEqual(last, "3 of 4 rows are bad: nothing was pushed")

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
                **{"length": 2, "bad_rows": 0, "bad": [], "dry_run": False},
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
        self.assertIn("good rows for the list 'q' of the task 't': 1; nothing was pushed", done.out)

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
        self.write("n.csv", "phone,name\n1,a\n")
        done = await self.on_node("load", "t", "n.csv")
        self.assertEqual(done.status, 1)
        self.assertIn("n.csv: its first line must name the columns, one of them", done.err)
        done = await self.on_node("load", "t", "none.csv")
        self.assertEqual(done.status, 2)

    async def test_other_encodings(self) -> None:
        self.write("n.csv", "number,name\n1,客户\n".encode("gb18030"))
        done = await self.on_node("load", "t", "n.csv")
        self.assertEqual(done.status, 1)
        self.assertIn("line 2: is not UTF-8 (byte 2); see --encoding", done.err)
        await self.on_node("load", "t", "n.csv", "--encoding", "gb18030")
        self.assertEqual(json.loads((await self.queue())[0])["variables"], {"name": "客户"})
        done = await self.on_node("load", "t", "n.csv", "--encoding", "klingon")
        self.assertEqual(done.status, 2)

    async def test_redis_goes_while_numbers_are_pushed(self) -> None:
        self.write("s.toml", "[node]\nnumber_pattern = '[0-9a-z-]+'\n")
        self.write("n", "1\n" * 1000 + "first-of-the-second\n" + "2\n" * 10)
        proxy = CutAtThePush(self.url)
        await proxy.listen(self)
        done = await self.run_command(
            *("load", "--config", "s.toml", "--redis", proxy.url, "--host", HOST, "t", "n")
        )
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("1000 of 1011 numbers were pushed (the next 11 may have been, too", done.err)
        self.assertIn(len(await self.queue()), (1000, 1011))
