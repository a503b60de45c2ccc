"""What all commands have in common: help that fits, wrong usage with status 2, ``--json``."""

from __future__ import annotations

import json

import click
from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.cli import main
from ctidialer.cli.given import MAY_BE_EMPTY
from ctidialer.contract import keys
from tests.cli.command_case import GOOD_TASK, HOST, CommandTestCase
from tools.commands_page import commands, is_about_a_node

NAMED_ALL_THE_SAME = ("cancel", "pause", "requeue", "resume", "waiting")
"""Commands that name a task or, by an option, a schedule configuration."""

GIVEN = {"file": "-", "number": "13800138000", "numbers": "13800138000"}
"""What stands for an argument of this name; ``t`` for any other."""

ABOUT_A_NODE = sorted(name for name in commands() if is_about_a_node(name))


def arguments(name: str) -> list[str]:
    """Return the arguments without which a command would not look at its options."""
    wanted = [one for one in commands()[name].params if isinstance(one, click.Argument)]
    is_named = name in NAMED_ALL_THE_SAME
    return [GIVEN.get(one.name or "", "t") for one in wanted if one.required or is_named]


def is_named_by_text(one: click.Parameter) -> bool:
    """Say whether this is an option whose text names something, so that it cannot be empty."""
    is_text = isinstance(one.type, click.types.StringParamType) or one.name == "config"
    return isinstance(one, click.Option) and is_text and one.name not in MAY_BE_EMPTY


class UsageTests(SynchronousTestCase):
    def run_wrong(self, name: str, *more: str) -> Result:
        result = CliRunner().invoke(main, [*name.split(), *arguments(name), *more])
        self.assertEqual(result.exit_code, 2, (name, more, result.output))
        self.assertNotIn("Traceback", result.output)
        return result

    def test_wrong_usage_is_said_with_status_2(self) -> None:
        self.assertGreater(len(ABOUT_A_NODE), 7)
        for name in ABOUT_A_NODE:
            self.assertIn("No such option", self.run_wrong(name, "--nonsense").output)
            self.assertIn("$.redis.url", self.run_wrong(name, "--redis", "http://x").output)
            self.assertIn("cannot be read", self.run_wrong(name, "--config", "nowhere.toml").output)
            self.assertIn("suffix", self.run_wrong(name, "--host", "template").output)

    def test_an_empty_value_is_refused_and_not_taken_for_one_that_was_left_out(self) -> None:
        for name in ABOUT_A_NODE:
            for one in commands()[name].params:
                if is_named_by_text(one):
                    said = self.run_wrong(name, one.opts[0], "").output
                    self.assertRegex(
                        said, "names no|is not host:port|is no column", (name, one.opts)
                    )

    def test_an_empty_argument_is_refused(self) -> None:
        for name in ABOUT_A_NODE:
            words = arguments(name)
            if words:
                result = CliRunner().invoke(main, [*name.split(), "", *words[1:]])
                self.assertEqual(result.exit_code, 2, name)
                self.assertIn("names nothing: its value is empty", result.output, name)

    def test_the_list_of_commands_is_not_cut_off(self) -> None:
        listed = (
            CliRunner().invoke(main, ["--help"], terminal_width=78).output.partition("Commands:")[2]
        )
        for line in listed.strip().splitlines():
            self.assertFalse(line.endswith("..."), line)

    def test_what_a_program_may_read_has_json(self) -> None:
        for name in ABOUT_A_NODE:
            options = {option for one in commands()[name].params for option in one.opts}
            self.assertIn("--json", options, name)


class NotUtf8Tests(CommandTestCase):
    async def test_it_is_refused_before_anything_is_done(self) -> None:
        await self.put_task()
        await self.put_lines()
        bad = "\udcff"  # how Python reads the byte FF of the command line
        shown = "\\udcff"
        for words, said in (
            (("pause", "t", "--why", bad), "--why"),
            (("resume", "t", "--why", bad), "--why"),
            (("drain", "--why", bad), "--why"),
            (("drain", "--undo", "--why", bad), "--why"),
            (("line", "off", "l", "--why", bad), "--why"),
            (("line", "on", "l", "--why", bad), "--why"),
            (("set", "t", "limit=3", "--why", bad), "--why"),
            (("set", "t", f"variables.{bad}=1"), f'"variables.{shown}=1"'),
            (("set", "t", f"variables.x={bad}"), f'"variables.x={shown}"'),
            (("set", "t", "--unset", bad), "--unset"),
            (("dnc", "add", "l", bad), f'"{shown}"'),
            (("dnc", "remove", bad, "1"), f'"{shown}"'),
            (("pause", bad), f'"{shown}"'),
            (("status", "--host", bad), "--host"),
        ):
            node = () if "--host" in words else ("--host", HOST)
            done = await self.run_command(*words, "--redis", self.url, *node)
            self.assertEqual((done.status, done.out), (2, ""), words)
            self.assertTrue(done.err.endswith(f"Error: {said} is not UTF-8\n"), done.err)
        self.assertEqual(await self.call("EXISTS", keys.control(HOST)), 0)
        found = await self.call("HGET", keys.at(keys.TASK, keys.TEMPLATE), "t")
        assert isinstance(found, bytes)
        self.assertEqual(json.loads(found), {"params": GOOD_TASK})

    async def test_the_name_of_a_file_may_be_any_bytes(self) -> None:
        await self.put_task()
        (self.directory / "\udcff").write_text("13800138000\n", "utf-8")
        done = await self.run_command("load", "t", "\udcff", "--redis", self.url, "--host", HOST)
        self.assertEqual(done.status, 0, done)


class OwnKeyTests(CommandTestCase):
    async def test_no_numbers_are_put_into_a_key_of_ctidialers_own(self) -> None:
        await self.put_task()
        self.write("n", "13800138000\n")
        await self.call("HSET", "cti_agent@fs1", "2001", "{}")
        for words in (
            ("load", "t", "n", "--queue", "cti_dialer_inflight@fs1"),
            ("requeue", "t", "--waiting", "--to", "cti_dialer_inflight@fs1"),
            ("dnc", "add", "cti_line@fs1", "13800138000"),
            ("dnc", "load", "cti_line@fs1", "n"),
            ("dnc", "remove", "cti_agent@fs1", "2001"),
        ):
            done = await self.run_command(*words, "--redis", self.url, "--host", HOST)
            self.assertEqual((done.status, done.out), (2, ""), words)
            self.assertIn("is a key of ctidialer's own, not a list of numbers", done.err)
        there = await self.call("EXISTS", "cti_dialer_inflight@fs1", "cti_line@fs1")
        self.assertEqual((there, await self.call("HLEN", "cti_agent@fs1")), (0, 1))


class JsonTests(CommandTestCase):
    async def test_each_prints_json_and_nothing_else(self) -> None:
        await self.put_task()
        self.write("n", "13800138000\n")
        for words in (
            ("cancel", "t"),
            ("check", "--no-freeswitch"),  # one of this machine would know no gateway g
            ("disable", "t"),
            ("dnc", "add", "list", "13800138000"),
            ("dnc", "check", "list", "13800138000"),
            ("dnc", "load", "list", "n"),
            ("dnc", "remove", "list", "13800138000"),
            ("drain",),
            ("enable", "t"),
            ("explain", "t"),
            ("load", "t", "n"),
            ("pause", "t"),
            ("requeue", "t", "--waiting"),
            ("resume", "t"),
            ("set", "t", "limit=3"),
            ("status",),
            ("waiting", "t"),
        ):
            node = ("--redis", self.url, "--host", HOST)
            done = await self.run_command(*words, *node, "--json")
            self.assertEqual((done.status, done.err), (0, ""), words)
            self.assertIsNotNone(done.json(), words)

    async def test_no_error_steers_the_terminal(self) -> None:
        self.write("s.toml", '"\u202etxet" = 1\n')
        for name in ABOUT_A_NODE:
            words = [*name.split(), *arguments(name)]
            done = await self.run_command(*words, "--config", "s.toml")
            self.assertEqual(done.status, 2, name)
            self.assertNotIn("\u202e", done.err)
            self.assertIn("txet", done.err)

    async def test_a_redis_that_is_away_is_said_with_status_1(self) -> None:
        for name in ("drain", "load", "pause", "records"):
            words = [*name.split(), *arguments(name)]
            away = ("--json", "--redis", "redis://127.0.0.1:1/0")
            done = await self.run_command(*words, *away, stdin=b"13800138000\n")
            self.assertEqual((done.status, done.out), (1, ""), name)
            self.assertIn("Error: no Redis at redis://127.0.0.1:1/0", done.err)
