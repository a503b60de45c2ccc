"""Channel variables end to end: who wins, what arrives, and whose UUID a call has."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome, Record
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST

LEVELS = ("number", "host", "template", "line")
"""Lowest first."""

AWKWARD = (
    *("a,b", "it's", "''", '"quoted"', "\\", "\\\\'\\", "a b  c", " around ", "\t", "\n", "\r\n"),
    *("%0A", "%41", "a=b=c", "=", "[x]", "(y)", "<z>", "{x}", "{a{b}c}", "$x", "$", "#{x}", "^^:a"),
    *("&hangup()", "|", "a|b", "/", "\\n", "\\s", "\\,", "\\'", "undef", "~!@#%^&*()_+`-;:?"),
    *("主叫号码", "Ünïcödé", "😀", "\u2028", "\ufeff", "\x1b[0m", "\x7f", "x" * 5000),
    *("ARRAY:", "a ARRAY::b", ":_", "_:", "true", "0", "-0.0", "null", "'" * 50, "\\" * 50),
    "".join(chr(code) for code in range(1, 128) if chr(code) not in "{}"),
)


def entry(number: str, variables: dict[str, object] | None = None) -> str:
    return json.dumps({"params": {"number": number}, "variables": variables or {}})


class VariablesCase(SwitchTestCase):
    async def put_levels(self, levels: dict[str, dict[str, object]]) -> None:
        """Write the tables, and one number, with these variables at each level."""
        await self.put_group()
        await self.put_line(variables=levels.get("line", {}))
        await self.put_task(variables=levels.get("template", {}))
        host = {"params": {}, "variables": levels.get("host", {})}
        await self.put(keys.at(keys.TASK, HOST), {"t": host})
        await self.put_numbers([entry("13800000001", levels.get("number", {}))])

    async def arrived(self, **node: Any) -> dict[str, str]:
        """Dial the one number; return the variables that arrived at the switch."""
        self.start_dialer(self.settings(**node))
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.ANSWERED, record.reason)
        (call,) = self.switch_log().originates
        return call.variables


class PrecedenceTests(VariablesCase):
    """Number < host < template < line."""

    async def test_the_highest_level_with_an_opinion_wins(self) -> None:
        levels: dict[str, dict[str, object]] = {level: {} for level in LEVELS}
        expected = {}
        for count in range(1, len(LEVELS) + 1):
            for chosen in combinations(LEVELS, count):
                name = "v_" + "_".join(chosen)
                for level in chosen:
                    levels[level][name] = level
                expected[name] = chosen[-1]
        await self.put_levels(levels)
        arrived = await self.arrived()
        self.assertEqual(len(expected), 15)
        self.assertEqual({n: v for n, v in arrived.items() if n.startswith("v_")}, expected)

    async def test_null_and_the_empty_text_are_no_opinion(self) -> None:
        await self.put_levels(
            {
                "number": {"a": "number", "b": "number", "c": None, "d": ""},
                "host": {"a": None, "b": "host"},
                "template": {"a": "", "b": ""},
                "line": {"a": None, "b": None, "e": ""},
            }
        )
        arrived = await self.arrived()
        self.assertEqual((arrived["a"], arrived["b"]), ("number", "host"))
        self.assertFalse({"c", "d", "e"} & set(arrived))

    async def test_capitals_make_no_second_variable(self) -> None:
        await self.put_levels({"number": {"Caller_ID": "1"}, "line": {"caller_id": "2"}})
        arrived = await self.arrived()
        named = {name: value for name, value in arrived.items() if name.lower() == "caller_id"}
        self.assertEqual(named, {"caller_id": "2"})

    async def test_numbers_and_booleans_are_carried_as_they_are_written(self) -> None:
        await self.put_levels({"number": {"a": 1, "b": True, "c": 1.5}, "line": {"d": False}})
        arrived = await self.arrived()
        self.assertEqual([arrived[name] for name in "abcd"], ["1", "true", "1.5", "false"])

    async def test_our_defaults_are_below_everything(self) -> None:
        await self.put_levels(
            {"number": {"ignore_early_media": "false"}, "line": {"originate_timeout": 7}}
        )
        arrived = await self.arrived()
        self.assertEqual(arrived["ignore_early_media"], "false")
        self.assertEqual(arrived["originate_timeout"], "7")

    async def test_exactly_these_variables_arrive(self) -> None:
        forged: dict[str, object] = {"cti_host": "x", "CTI_TASK_NAME": "x", "cti_line_name": "x"}
        await self.put_levels(dict.fromkeys(LEVELS, forged))
        arrived = await self.arrived()
        uuid = arrived.pop("origination_uuid")
        self.assertRegex(uuid, "^[0-9a-f-]{36}$")
        self.assertEqual(
            arrived,
            {
                "ignore_early_media": "true",
                "originate_timeout": "60",
                "cti_task_name": "t",
                "cti_dial_number": "13800000001",
                "cti_line_name": "l",
                "cti_line_group_name": "g",
                "cti_host": "fs1",
            },
        )


class ExactnessTests(VariablesCase):
    """Every value arrives unchanged, from whichever level it comes."""

    async def test_awkward_values_from_every_level(self) -> None:
        levels: dict[str, dict[str, object]] = {
            level: {f"{level}_{at}": value for at, value in enumerate(AWKWARD)} for level in LEVELS
        }
        await self.put_levels(levels)
        arrived = await self.arrived()
        for level in LEVELS:
            for name, value in levels[level].items():
                self.assertEqual(arrived[name], value, name)

    async def test_a_megabyte(self) -> None:
        value = "长, x" * 110_000
        await self.put_levels({"number": {"big": value, "after": "x"}})
        arrived = await self.arrived(max_entry=1 << 20)
        self.assertEqual((arrived["big"], arrived["after"]), (value, "x"))


PLACED = (
    "record_session /tmp/${uuid}.wav",
    "${destination_number} ${cti_dial_number}",
    "${cti_task_name},${cti_line_name},${cti_line_group_name},${cti_host}",
    "$5 {${uuid}} it's ${uuid}${uuid}",
)


class PlaceholderTests(VariablesCase):
    """``${uuid}`` and the like stand for the values of each call; numbers have none."""

    async def test_each_attempt_has_its_own_values(self) -> None:
        placed: dict[str, dict[str, object]] = {
            level: {f"{level}_{at}": value for at, value in enumerate(PLACED)}
            for level in LEVELS[1:]
        }
        placed["template"]["execute_on_answer"] = PLACED[0]
        await self.put_levels(placed)
        await self.put_group(redialer_count=1)
        await self.sim(number={"13800000001": [{"result": "busy"}, {"result": "answer"}]})
        self.start_dialer()
        (record,) = await self.records_of(1)
        calls = self.switch_log().originates
        self.assertEqual(len(calls), 2)
        for attempt, call in zip(record.attempts, calls, strict=True):
            uuid = attempt.uuid
            recorded = f"record_session /tmp/{uuid}.wav"
            self.assertEqual(call.variables["execute_on_answer"], recorded)
            for level in LEVELS[1:]:
                arrived = [call.variables[f"{level}_{at}"] for at in range(len(PLACED))]
                self.assertEqual(
                    arrived,
                    [
                        recorded,
                        "13800000001 13800000001",
                        "t,l,g,fs1",
                        f"$5 {{{uuid}}} it's {uuid}{uuid}",
                    ],
                )

    async def test_a_number_has_none(self) -> None:
        await self.usual_tables()
        await self.put_numbers([entry("13800000001", {"a": "${uuid}"})])
        self.start_dialer()
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.INVALID)
        self.assertEqual(self.switch_log().originates, ())


class RequestedUuidTests(VariablesCase):
    """A number's own origination_uuid is honoured for its first attempt, if it can be."""

    async def dial(self, *entries: str) -> tuple[Record, ...]:
        await self.put_numbers(entries)
        self.start_dialer()
        return await self.records_of(len(entries))

    async def test_the_first_attempt_has_it_and_a_further_one_a_fresh_one(self) -> None:
        await self.usual_tables()
        await self.put_group(redialer_count=2)
        await self.sim(number={"13800000001": [{"result": "busy"}, {"result": "answer"}]})
        (record,) = await self.dial(entry("13800000001", {"origination_uuid": "crm:42"}))
        first, second = (attempt.uuid for attempt in record.attempts)
        self.assertEqual((first, record.requested_uuid), ("crm:42", "crm:42"))
        self.assertRegex(second, "^[0-9a-f-]{36}$")
        self.assert_accounted_for([record])

    async def test_without_one_it_is_fresh(self) -> None:
        await self.usual_tables()
        (record,) = await self.dial("13800000001")
        self.assertIsNone(record.requested_uuid)
        self.assertRegex(record.attempts[0].uuid, "^[0-9a-f-]{36}$")

    async def test_two_numbers_with_the_same_one(self) -> None:
        await self.usual_tables()
        await self.sim(default={"result": "answer", "talk": 0.3})
        same: dict[str, object] = {"origination_uuid": "twin"}
        records = await self.dial(entry("13800000001", same), entry("13800000002", same))
        self.assertEqual([record.requested_uuid for record in records], ["twin", "twin"])
        uuids = sorted(record.attempts[0].uuid == "twin" for record in records)
        self.assertEqual(uuids, [False, True])
        self.assert_accounted_for(records)

    async def test_one_that_somebody_elses_call_has(self) -> None:
        await self.usual_tables()
        await self.sim(number={"999": {"result": "answer", "talk": 30}})
        await self.order("originate {origination_uuid=theirs}null/999 &park()")
        (record,) = await self.dial(entry("13800000001", {"origination_uuid": "theirs"}))
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(record.requested_uuid, "theirs")
        self.assertNotEqual(record.attempts[0].uuid, "theirs")
        self.assertEqual(await self.order("uuid_exists theirs"), "true")

    async def test_it_is_free_again_when_its_call_is_over(self) -> None:
        await self.usual_tables(limit=1)
        same: dict[str, object] = {"origination_uuid": "again"}
        records = await self.dial(entry("13800000001", same), entry("13800000002", same))
        self.assertEqual([record.attempts[0].uuid for record in records], ["again", "again"])

    async def test_malformed_ones_are_invalid(self) -> None:
        await self.usual_tables()
        bad = ("a b", "x" * 65, "é", "a\nb", "a,b", "{", "a'b", "a%0Ab", "a;b", "a/b", "\t")
        records = await self.dial(
            *(entry("13800000001", {"origination_uuid": uuid}) for uuid in bad)
        )
        self.assertEqual({record.outcome for record in records}, {Outcome.INVALID})
        self.assertTrue(all("origination_uuid" in record.reason for record in records))
        self.assertEqual(self.switch_log().originates, ())

    async def test_an_invalid_entry_keeps_its_number_and_its_join_key(self) -> None:
        await self.usual_tables()
        variables: dict[str, object] = {"origination_uuid": "crm-101", "x": []}
        (record,) = await self.dial(entry("13800000001", variables))
        self.assertIs(record.outcome, Outcome.INVALID)
        self.assertEqual((record.number, record.requested_uuid), ("13800000001", "crm-101"))
        self.assertIn("$.variables.x", record.reason)

    async def test_a_tasks_or_a_lines_is_not_heeded(self) -> None:
        await self.put_levels(
            {level: {"origination_uuid": "all the same"} for level in ("host", "template", "line")}
        )
        arrived = await self.arrived()
        self.assertRegex(arrived["origination_uuid"], "^[0-9a-f-]{36}$")
