"""``ctidialer check``, as it is used."""

from __future__ import annotations

from time import time
from typing import Any

from attrs import evolve

from ctidialer.contract import keys
from ctidialer.contract.status import encode_status
from tests.cli.command_case import HOST, CommandTestCase, Done
from tests.contract.test_status import STATUS

TEMPLATE = keys.at(keys.TASK, keys.TEMPLATE)
SCHEDULE = keys.at(keys.SCHEDULE_NUMBER, HOST)
CONFIGS = keys.at(keys.SCHEDULE_CONFIG, HOST)


class CheckTests(CommandTestCase):
    """What is found, how it is said, and with which exit status."""

    async def found(self, *options: str) -> list[tuple[str, str, str, str]]:
        """Return severity, key, name and path of every finding."""
        done = await self.on_node("check", "--json", *options)
        found: list[dict[str, str]] = done.json()
        faults = any(one["severity"] == "fault" for one in found)
        self.assertEqual(done.status, 1 if faults else 0, done)
        return [(one["severity"], one["key"], one["name"], one["path"]) for one in found]

    async def usual(self, **params: Any) -> None:
        await self.put_lines()
        await self.put_task(**params)

    async def test_nothing_to_say(self) -> None:
        await self.usual()
        await self.call("RPUSH", "q", "13800138000")
        done = await self.on_node("check")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual(
            done.out,
            "0 faults, 0 warnings, 0 notices in "
            "1 task, 1 line, 1 line group, 0 schedule configurations, 1 number\n",
        )

    async def test_a_fault_is_said_with_key_name_and_path(self) -> None:
        await self.usual(limit="many")
        done = await self.on_node("check")
        self.assertEqual(done.status, 1)
        self.assertIn(f"fault: {TEMPLATE} t $.params.limit: must be a whole number", done.out)
        self.assertTrue(done.out.splitlines()[-1].startswith("1 fault, 0 warnings"), done.out)

    async def test_the_agents_are_looked_at(self) -> None:
        await self.usual(agent_group="sales")
        await self.put(keys.at(keys.AGENT, HOST), {"7": {"group": "sales", "state": "free"}})
        await self.call("SET", keys.at(keys.AGENT_COUNT, HOST), "x")
        place = keys.at(keys.AGENT, HOST)
        found = [one for one in await self.found() if one[2] != "t"]
        self.assertEqual(
            found,
            [
                ("fault", keys.at(keys.AGENT_COUNT, HOST), "", "$"),
                ("fault", place, "7", "$.state"),
                ("warning", keys.at(keys.AGENT_HEART, HOST), "", "$"),
            ],
        )

    async def test_hosts_that_count_abandoned_calls_apart(self) -> None:
        await self.usual(agent_queue="sales@default")
        config = self.write("zone.toml", '[node]\ntimezone = "Asia/Shanghai"\n')
        other = evolve(STATUS, host="fs2", timezone="Europe/London")
        await self.call("SET", keys.status("fs2"), encode_status(other))
        words = ("--no-freeswitch", "--config", config)
        self.assertEqual(await self.found(*words), [])  # nobody works under that name
        await self.call("ZADD", keys.HOSTS, repr(time() + 15), "fs2")
        apart = [("warning", TEMPLATE, "t", "$.params")]
        self.assertEqual(await self.found(*words), apart)
        await self.call("SET", keys.status("fs2"), "no status")
        self.assertEqual(await self.found(*words), [])
        await self.call("SET", keys.HOSTS, "x")
        self.assertEqual(await self.found(*words), [("fault", keys.HOSTS, "", "$")])

    async def test_do_not_call_lists_are_looked_at(self) -> None:
        await self.usual(dnc=["optouts", "asked", "away"], dnc_add="optouts")
        await self.call("SADD", "optouts", "13800138000")
        await self.call("SET", "asked", "13800138001")
        place = (TEMPLATE, "t", "$.params.dnc")
        self.assertEqual(
            await self.found(),
            [("fault", *place[:2], f"{place[2]}[1]"), ("warning", *place[:2], f"{place[2]}[2]")],
        )
        settings = self.write("settings.toml", '[compliance]\ndnc = ["asked"]\n')
        done = await self.on_node("check", "--config", settings)
        self.assertIn('fault: settings $.compliance.dnc[0]: "asked" holds a string', done.out)

    async def test_every_queue_of_a_task_is_looked_at(self) -> None:
        await self.usual(number_queue=["q", "later"])
        await self.call("RPUSH", "q", "13800138000")
        await self.call("RPUSH", "later", "nobody")
        self.assertEqual(await self.found(), [("fault", "later", "[0]", "$")])

    async def test_bad_json_is_said_with_its_place(self) -> None:
        await self.put(TEMPLATE, {"t": '{"params":\n {"destination_extension": "6\\v3"}}'})
        done = await self.on_node("check")
        self.assertIn("is not valid JSON: invalid \\escape (line 2, column 30)", done.out)

    async def test_a_dial_string_without_an_endpoint(self) -> None:
        faulty = ("13800138000", "${destination_number}", "{a=b/c}1000", "[leg_timeout=5]1000")
        sound = ("user/1000", "{a=b}user/1000", "${sofia_contact(1000)}", "null/${line_group}")
        lines: dict[str, object] = {
            f"l{index}": {"params": {"dialstring": one}}
            for index, one in enumerate((*faulty, *sound))
        }
        lines["beside"] = {"dialstring": "1000"}
        await self.put(keys.at(keys.LINE, HOST), lines)
        done = await self.on_node("check", "--json")
        self.assertEqual(done.status, 1)
        found = {
            one["name"]: one["path"]
            for one in done.json()
            if one["severity"] == "fault" and "names no endpoint" in one["problem"]
        }
        expected = {f"l{index}": "$.params.dialstring" for index in range(len(faulty))}
        self.assertEqual(found, {**expected, "beside": "$.dialstring"})

    async def test_warnings_do_not_change_the_status(self) -> None:
        await self.put_task(line_group=["carrier"])
        done = await self.on_node("check")
        self.assertEqual(done.status, 0)
        self.assertIn("is dialed as sofia/gateway/carrier/${destination_number}", done.out)
        self.assertIn("0 faults, 1 warning", done.out)

    async def test_numbers_that_would_be_refused_are_faults(self) -> None:
        await self.usual()
        hostile = '{"params":{"number":"1"},"variables":{"a":"${x}"}}'
        await self.call("RPUSH", "q", "13800138000", "13x", hostile, b"\xff")
        self.assertEqual(
            await self.found(),
            [
                ("fault", "q", "[1]", "$"),
                ("fault", "q", "[2]", "$.variables.a"),
                ("fault", "q", "[3]", "$"),
            ],
        )
        self.assertEqual(await self.found("--sample", "2"), [("fault", "q", "[1]", "$")])
        self.assertEqual(await self.found("--sample", "0"), [])

    async def test_keys_of_numbers_that_are_ignored_are_said_once(self) -> None:
        await self.usual()
        misspelt = '{"params":{"number":"1","name":"x"},"variable":{"a":"b"}}'
        await self.call("RPUSH", "q", "1", misspelt, misspelt)
        self.assertEqual(
            await self.found(),
            [("warning", "q", "[1]", "$.variable"), ("notice", "q", "[1]", "$.params.name")],
        )

    async def test_scores_in_milliseconds(self) -> None:
        params = {"line_group": ["g"], "destination_extension": "1"}
        await self.put_lines()
        await self.put(CONFIGS, {"c": {"params": params}})
        for score in ("1795884229150", "1795884229151", "1795884229"):
            member = f'{{"params":{{"number":"{score}","config":"c"}}}}'
            await self.call("ZADD", keys.at(keys.SCHEDULE_NUMBER, HOST), score, member)
        done = await self.on_node("check")
        self.assertIn("scores beyond the year 3000: 2, the first 1795884229150 (the year", done.out)

    async def test_the_sample_is_of_the_end_from_which_numbers_are_taken(self) -> None:
        await self.usual(number_queue_side="right")
        await self.call("RPUSH", "q", "bad1", "1", "2", "bad2")
        self.assertEqual(await self.found("--sample", "2"), [("fault", "q", "[-1]", "$")])

    async def test_scheduled_numbers(self) -> None:
        params = {"line_group": ["g"], "destination_extension": "1"}
        await self.put_lines()
        await self.put(CONFIGS, {"c": {"params": params}})
        for score, member in enumerate(
            (
                '{"params":{"number":"1","config":"c"}}',
                '{"params":{"number":"1","config":"d"}}',
                '{"params":{"number":"x","config":"c"}}',
                "1380000",
            )
        ):
            await self.call("ZADD", SCHEDULE, score, member)
        self.assertEqual(
            await self.found(),
            [
                ("fault", SCHEDULE, "[1]", "$.params.config"),
                ("fault", SCHEDULE, "[2]", "$.params.number"),
                ("fault", SCHEDULE, "[3]", "$"),
            ],
        )

    async def test_the_pattern_of_the_settings_counts(self) -> None:
        await self.usual()
        await self.call("RPUSH", "q", "13x")
        self.write("s.toml", "[node]\nnumber_pattern = '[0-9x]+'\n")
        self.assertEqual(await self.found("--config", "s.toml"), [])

    async def test_keys_of_the_wrong_type(self) -> None:
        wrong = {
            keys.at(keys.LINE, HOST): "hash",
            "q": "list",
            SCHEDULE: "zset",
            keys.records(HOST): "stream",
            keys.in_flight(HOST): "hash",
            keys.lease(HOST): "hash",
            keys.HOSTS: "zset",
        }
        await self.put_task()
        for key in wrong:
            await self.call("SET", key, "x")
        done = await self.on_node("check", "--json")
        faults = [one for one in done.json() if one["severity"] == "fault"]
        # A FreeSWITCH that runs on this machine is asked for the gateways, and has none of them.
        said = [one for one in faults if not one["problem"].startswith("FreeSWITCH at")]
        found = {one["key"]: one["problem"] for one in said}
        self.assertEqual(done.status, 1)
        self.assertEqual(
            found, {key: f"holds a string, but must hold a {kind}" for key, kind in wrong.items()}
        )

    async def test_a_node_of_which_there_is_nothing(self) -> None:
        done = await self.on_node("check")
        self.assertEqual(done.status, 0)
        self.assertIn('nothing is configured for host "fs1" and domain "fs1"', done.out)

    async def test_the_domain_is_the_host_unless_it_is_given(self) -> None:
        await self.usual()
        other = await self.found("--domain", "other", "--no-freeswitch")
        self.assertEqual([one[0] for one in other], ["warning"])
        self.write("s.toml", '[node]\nhost = "elsewhere"\n')
        self.assertEqual(await self.found("--config", "s.toml"), [])
        self.write("s.toml", '[node]\nhost = "elsewhere"\ndomain = "other"\n')
        self.assertEqual(await self.found("--config", "s.toml", "--no-freeswitch"), other)

    async def test_a_name_cannot_steer_the_terminal(self) -> None:
        await self.put_lines()
        await self.put(TEMPLATE, {"a\x1b[2J\nb": "[]"})
        done = await self.on_node("check")
        self.assertIn("a\\x1b[2J\\nb", done.out)
        self.assertNotIn("\x1b", done.out)

    async def test_on_a_terminal_there_is_a_table_a_key(self) -> None:
        await self.usual(limit="[red]x[/red]")
        done = await self.run_command(
            *("check", "--redis", self.url, "--host", HOST), FORCE_COLOR="1", COLUMNS="200"
        )
        self.assertIn("Problem", done.out)
        self.assertIn("[red]x[/red]", done.out)
        self.assertIn("$.params.limit", done.out)

    async def test_many_refused_numbers_are_counted(self) -> None:
        await self.usual()
        await self.call("RPUSH", "q", *["bad"] * 60)
        done = await self.on_node("check")
        self.assertIn("q: 10 more (--json has all)\n", done.out)
        self.assertEqual(len(await self.found()), 60)


class UsageTests(CommandTestCase):
    """What every command that talks to Redis says when it cannot."""

    def assert_said(self, done: Done, status: int, what: str) -> None:
        self.assertEqual(done.status, status, done)
        self.assertIn(what, done.err)
        self.assertNotIn("Traceback", done.err)
        self.assertEqual(done.out, "")

    async def test_no_redis(self) -> None:
        url = "redis://:s3cret@127.0.0.1:1/0"
        for command in (("check",), ("check", "--json"), ("records",)):
            done = await self.run_command(*command, "--redis", url)
            self.assert_said(done, 1, "no Redis at redis://:***@127.0.0.1:1/0: ")
            self.assertNotIn("s3cret", done.err)

    async def test_no_url(self) -> None:
        done = await self.run_command("check", "--redis", "localhost")
        self.assert_said(done, 2, "a Redis URL begins with redis://")

    async def test_no_such_option(self) -> None:
        self.assert_said(await self.on_node("check", "--frobnicate"), 2, "--frobnicate")

    async def test_settings_that_cannot_be_used(self) -> None:
        done = await self.on_node("check", "--config", "no.toml")
        self.assert_said(done, 2, "no.toml: cannot be read")
        self.write("s.toml", "[node]\nhots = 1\n")
        done = await self.on_node("check", "--config", "s.toml")
        self.assert_said(done, 2, "s.toml: Object contains unknown field `hots`")

    async def test_redis_from_the_environment(self) -> None:
        done = await self.run_command("check", "--host", HOST, CTIDIALER_REDIS_URL=self.url)
        self.assertEqual(done.status, 0, done)
