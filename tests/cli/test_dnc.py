"""``ctidialer dnc``, as it is used."""

from __future__ import annotations

import json

from ctidialer.store.dnc import MAX_WRITTEN
from tests.cli.command_case import HOST, CommandTestCase, Done
from tests.support.proxy import RedisProxy, serving

NUMBER = "+13105550100"
FUTURE = 4_000_000_000


class CutAt(RedisProxy):
    """Cuts the connection when a command with these bytes is under way."""

    def __init__(self, url: str, what: bytes) -> None:
        super().__init__(url)
        self._what = what

    def asked(self, client: object, data: bytes) -> None:
        if self._what in data:
            self.cut()


class DncCase(CommandTestCase):
    async def dnc(self, command: str, *arguments: str, stdin: bytes = b"") -> Done:
        where = ("--redis", self.url, "--host", HOST)
        return await self.run_command("dnc", command, *where, *arguments, stdin=stdin)

    async def members(self, name: str = "l") -> set[bytes]:
        found = await self.call("SMEMBERS", name)
        assert isinstance(found, list)
        return {one for one in found if isinstance(one, bytes)}

    async def hash(self, name: str = "l") -> dict[str, object]:
        found = await self.call("HGETALL", name)
        assert isinstance(found, list)
        raw = [one for one in found if isinstance(one, bytes)]
        return {
            key.decode(): json.loads(value) for key, value in zip(raw[::2], raw[1::2], strict=True)
        }


class AddTests(DncCase):
    async def test_a_new_list_is_a_set(self) -> None:
        done = await self.dnc("add", "l", NUMBER, "138-0013-8000")
        said = "2 of 2 numbers were put on the list 'l'\n"
        self.assertEqual((done.status, done.out, done.err), (0, said, ""))
        self.assertEqual(await self.members(), {NUMBER.encode(), b"13800138000"})
        done = await self.dnc("add", "l", NUMBER, "--json")
        answer = {"list": "l", "kind": "set", "added": 0, "known": 1}
        self.assertEqual(done.json(), answer)

    async def test_with_a_reason_a_new_list_is_a_hash(self) -> None:
        words = ("--reason", "asked by letter", "--until", "2096-10-02 07:06:40")
        done = await self.dnc("add", "l", NUMBER, *words)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(
            await self.hash(), {NUMBER: {"reason": "asked by letter", "until": FUTURE}}
        )
        await self.dnc("add", "l", "1002")
        self.assertEqual((await self.hash())["1002"], {"reason": ""})

    async def test_what_a_set_cannot_keep_is_not_dropped_unasked(self) -> None:
        await self.call("SADD", "l", "1001")
        done = await self.dnc("add", "l", NUMBER, "--reason", "x")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("'l' is a set, which keeps no reason and no until", done.err)
        self.assertEqual(await self.members(), {b"1001"})
        self.assertEqual((await self.dnc("add", "l", NUMBER, "--reason", "x", "--set")).status, 0)
        done = await self.dnc("add", "l", NUMBER, "--hash")
        self.assertIn("'l' is a set: --hash is for a new one", done.err)

    async def test_with_a_region_they_are_international(self) -> None:
        await self.dnc("add", "l", "(310) 820-7129", "--region", "us")
        self.assertEqual(await self.members(), {b"+13108207129"})

    async def test_what_is_no_number_is_refused_and_nothing_written(self) -> None:
        for words, said in (
            (("1001", "Smith"), "does not match"),
            (("1.38E+10",), "spreadsheet"),
            (("12", "--region", "US"), "is no number of US"),
            (("1001", "--region", "XX"), "is no region"),
            (("1001", "--until", "soon"), "--until must be a moment"),
            (("1001", "--until", "2h"), "over already"),
            (("1001", "--hash", "--set"), "do not go together"),
        ):
            done = await self.dnc("add", "l", *words)
            self.assertIn(done.status, (1, 2), words)
            self.assertIn(said, done.err)
        self.assertEqual(await self.call("EXISTS", "l"), 0)

    async def test_a_key_of_another_type_is_named(self) -> None:
        await self.call("SET", "l", "x")
        for words, status in (
            (("add", "l", "1"), 1),
            (("remove", "l", "1"), 1),
            (("check", "l", "1"), 2),  # 1 would say that it may be called
        ):
            done = await self.dnc(*words)
            self.assertEqual((done.status, done.out), (status, ""))
            self.assertIn("'l' holds a string", done.err)


class RemoveTests(DncCase):
    async def test_in_whichever_way_it_is_written(self) -> None:
        await self.call("SADD", "l", "13108207129", "3108207129", "1001")
        done = await self.dnc("remove", "l", "+1 310-820-7129", "7", "--region", "US")
        said = "2 entries were taken off the list 'l'; not on it: 7\n"
        self.assertEqual((done.status, done.out), (0, said))
        self.assertEqual(await self.members(), {b"1001"})

    async def test_of_a_hash(self) -> None:
        await self.call("HSET", "l", "1001", "x", "1002", "y")
        done = await self.dnc("remove", "l", "1001", "--json")
        self.assertEqual(done.json(), {"list": "l", "removed": 1, "missing": []})
        self.assertEqual(await self.call("HKEYS", "l"), [b"1002"])


class CheckTests(DncCase):
    async def test_the_status_says_whether_it_is_on_the_list(self) -> None:
        await self.call("SADD", "l", "3108207129")
        done = await self.dnc("check", "l", "+13108207129", "--region", "US")
        said = "+13108207129 is on the list 'l' as 3108207129\n"
        self.assertEqual((done.status, done.out), (0, said))
        done = await self.dnc("check", "l", "+13108207129")
        said = "+13108207129 is not on the list 'l'"
        hint = "; with --region it is looked for in every way of writing it"
        self.assertEqual((done.status, done.out), (1, f"{said}{hint}\n"))
        done = await self.dnc("check", "l", "+13108207128", "--region", "US")
        self.assertEqual((done.status, done.out), (1, "+13108207128 is not on the list 'l'\n"))

    async def test_who_may_be_called_again_is_not_kept_from_it(self) -> None:
        past, future = ({"reason": "ill", "until": at} for at in (1000, FUTURE))
        await self.call("HSET", "l", "1", json.dumps(past), "2", json.dumps(future), "3", "cti_dnc")
        done = await self.dnc("check", "l", "1")
        self.assertEqual(done.status, 1)
        self.assertIn("1 was on the list 'l', until 1970-01-01", done.out)
        done = await self.dnc("check", "l", "2", "--json")
        answer = {"written": "2", "reason": "ill", "until": FUTURE}
        self.assertEqual(
            (done.status, done.json()),
            (0, {"list": "l", "number": "2", "listed": True, "found": [answer]}),
        )
        done = await self.dnc("check", "l", "3")
        self.assertEqual((done.status, done.out), (0, "3 is on the list 'l': cti_dnc\n"))

    async def test_a_list_that_is_not_there_is_said(self) -> None:
        done = await self.dnc("check", "l", "1")
        self.assertEqual((done.status, done.out, done.err), (1, "", "there is no list 'l'\n"))

    async def test_a_redis_that_is_away_does_not_say_that_it_may_be_called(self) -> None:
        nowhere = ("--redis", "redis://127.0.0.1:1", "--host", "fs1")
        done = await self.run_command("dnc", "check", "l", "1", *nowhere)
        self.assertEqual((done.status, done.out), (2, ""))
        self.assertIn("no Redis", done.err)


class LoadTests(DncCase):
    async def test_a_file_of_many_numbers(self) -> None:
        count = 2 * MAX_WRITTEN + 10
        numbers = "".join(f"{13_800_000_000 + index}\n" for index in range(count))
        done = await self.dnc("load", "l", "-", stdin=(numbers + "138-0000-0000\n").encode())
        said = f"{count} of {count + 1} numbers were put on the list 'l' (a set)"
        more = f"; on it already: 1; it has {count} numbers\n"
        self.assertEqual((done.status, done.out, done.err), (0, said + more, ""))
        self.assertEqual(await self.call("SCARD", "l"), count)

    async def test_a_table_with_reasons_makes_a_hash(self) -> None:
        name = self.write(
            "n.csv",
            "姓名,Telephone,reason,until\nAnn,1001,asked,\n"
            "Bob,1002,,2096-10-02 07:06:40\n,1003,,\n",
        )
        done = await self.dnc("load", "l", name)
        said = 'n.csv: the numbers are in "Telephone"\n'
        self.assertEqual((done.status, done.err), (0, said))
        expected = {
            "1001": {"reason": "asked"},
            "1002": {"reason": "", "until": FUTURE},
            "1003": {"reason": ""},
        }
        self.assertEqual(await self.hash(), expected)

    async def test_who_may_be_called_again_already_is_counted(self) -> None:
        name = self.write("n.csv", "number,until\n1001,2020-01-01\n1002,2h\n1003,\n")
        done = await self.dnc("load", "l", name)
        said = "it has 3 numbers; their until is over, so nobody is kept from being called: 2\n"
        self.assertTrue(done.out.endswith(said), done)
        done = await self.dnc("load", "l", name, "--dry-run", "--json")
        self.assertEqual(done.json()["over"], 2)
        done = await self.dnc("load", "ever", name, "--set", "--json")
        self.assertEqual(done.json()["over"], 0)  # a set keeps no until

    async def test_a_set_keeps_the_numbers_alone_if_asked(self) -> None:
        await self.call("SADD", "l", "9")
        name = self.write("n.csv", "number,reason\n1001,asked\n")
        done = await self.dnc("load", "l", name)
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("--set leaves them out", done.err)
        self.assertEqual((await self.dnc("load", "l", name, "--set")).status, 0)
        self.assertEqual(await self.members(), {b"9", b"1001"})

    async def test_bad_rows_keep_it_from_being_written(self) -> None:
        name = self.write("n.csv", "number,until\n1001,soon\nSmith,\n1003,\n")
        done = await self.dnc("load", "l", name)
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("line 2: until must be a moment", done.err)
        self.assertIn("line 3: the number", done.err)
        self.assertIn("2 of 3 rows are bad: nothing was written (--skip-bad", done.err)
        self.assertEqual(await self.call("EXISTS", "l"), 0)
        done = await self.dnc("load", "l", name, "--skip-bad", "--rejects", "bad.csv", "--json")
        answer = done.json()
        self.assertEqual((done.status, answer["added"], answer["size"]), (0, 1, 1))
        self.assertEqual(answer["bad_kinds"], {"until": 1, "number": 1})
        self.assertEqual(len((self.directory / "bad.csv").read_text("utf-8").splitlines()), 3)
        self.assertEqual(await self.members(), {b"1003"})

    async def test_a_dry_run_writes_nothing(self) -> None:
        done = await self.dnc("load", "l", "-", "--dry-run", "--hash", stdin=b"1001\n")
        said = "1 of 1 numbers would be put on the list 'l' (a hash); it has 0 numbers\n"
        self.assertEqual((done.status, done.out), (0, said))
        self.assertEqual(await self.call("EXISTS", "l"), 0)

    async def test_numbers_that_redis_refuses_are_not_said_to_be_written(self) -> None:
        rules = ("on", ">pw", "~*", "+@all", "-sadd")
        await self.call("ACL", "SETUSER", "less", *rules)
        where = ("--redis", self.url.replace("//", "//less:pw@"), "--host", HOST)
        done = await self.run_command("dnc", "load", *where, "l", "-", stdin=b"1001\n")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("SADD", done.err.upper())
        self.assertNotIn("written", done.err)

    async def test_redis_goes_while_numbers_are_written(self) -> None:
        numbers = [f"{13_800_000_000 + index}" for index in range(MAX_WRITTEN + 3)]
        proxy = await serving(self, CutAt(self.url, numbers[MAX_WRITTEN].encode()))
        where = ("--redis", proxy.url, "--host", HOST)
        done = await self.run_command(
            "dnc", "load", *where, "l", "-", stdin="\n".join(numbers).encode()
        )
        self.assertEqual((done.status, done.out), (1, ""))
        said = f"{MAX_WRITTEN} of {MAX_WRITTEN + 3} numbers were written (up to {MAX_WRITTEN} more"
        self.assertIn(said, done.err)

    async def test_a_region_and_entries_as_they_stand_in_redis(self) -> None:
        rows = '{"params": {"number": "13108207129"}, "variables": {"a": "b"}}\n3108207130\n'
        done = await self.dnc("load", "l", "-", "--region", "US", stdin=rows.encode())
        self.assertEqual(done.status, 0, done)
        self.assertEqual(await self.members(), {b"+13108207129", b"+13108207130"})

    async def test_an_empty_file_and_one_that_cannot_be_read(self) -> None:
        done = await self.dnc("load", "l", "-")
        self.assertEqual(done.status, 1)
        self.assertIn("has no row: nothing to write", done.err)
        done = await self.dnc("load", "l", "-", stdin=b"<html>")
        self.assertIn("is a web page", done.err)
