"""When a call fails: redial, the next line group, the end (docs/redis-contract.rst)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome, Record
from tests.dialer.line_case import ANSWERS, BUSY, UNAVAILABLE, LineTestCase, last, ways
from tests.dialer.switch_case import LONG as UNTIL_HUNG_UP
from tests.support.node import outcomes

WITH_FAILING_GATEWAYS: Mapping[str, Any] = {
    "default": ANSWERS,
    "gateways": {"down": UNAVAILABLE, "gone": {"result": "gateway_down"}},
    "numbers": {"17": BUSY},
}


class FailoverTests(LineTestCase):
    """The next line group takes over."""

    script = WITH_FAILING_GATEWAYS

    async def set_up(self) -> None:
        await super().set_up()
        await self.put_lines("down", "gone", "good")
        await self.put_groups({"first": [["down"]], "second": [["gone"]], "third": [["good"]]})

    async def test_the_second_group_answers(self) -> None:
        (record,) = await self.dial("1001", line_group=["first", "third"])
        self.assertEqual(ways(record), [("down", "first"), ("good", "third")])
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(record.attempts[0].sip_code, 503)
        self.assertIsNone(record.attempts[0].answered_at)
        self.assertEqual(len({attempt.uuid for attempt in record.attempts}), 2)
        self.assert_accounted_for([record])
        await self.nothing_in_flight()

    async def test_the_record_names_the_last_way(self) -> None:
        await self.dial("1001", line_group=["first", "third"])
        (document,) = await self.raw_records()
        self.assertEqual((document["line"], document["line_group"]), ("good", "third"))
        self.assertEqual(document["uuid"], document["attempts"][1]["uuid"])
        self.assertEqual(document["attempts"][0]["line"], "down")
        self.assertTrue(document["answered"])

    async def test_each_group_in_turn(self) -> None:
        (record,) = await self.dial("1001", line_group=["second", "first", "third"])
        # No call left through the gateway of "second", which is gone: it is no attempt.
        self.assertEqual(ways(record), [("down", "first"), ("good", "third")])
        self.assertIs(record.outcome, Outcome.ANSWERED)

    async def test_the_last_failure_is_the_outcome(self) -> None:
        await self.put_lines("busy")
        await self.put_groups({"fourth": [["busy"]]})
        (record,) = await self.dial("17", line_group=["first", "fourth"])
        self.assertEqual(ways(record), [("down", "first"), ("busy", "fourth")])
        self.assertIs(record.outcome, Outcome.BUSY)

    async def test_an_answered_call_goes_no_further(self) -> None:
        (record,) = await self.dial("1001", line_group=["third", "first"])
        self.assertEqual(ways(record), [("good", "third")])

    async def test_a_line_as_a_group_fails_over_too(self) -> None:
        (record,) = await self.dial("1001", line_group=["down", "good"])
        self.assertEqual(ways(record), [("down", "down"), ("good", "good")])

    async def test_the_variables_of_the_failed_line_do_not_go_on(self) -> None:
        await self.put_line("down", variables={"of_line": "down", "only_down": "1"})
        await self.put_line("good", variables={"of_line": "good"})
        await self.dial("1001", line_group=["first", "third"])
        failed, answered = self.switch_log().originates
        self.assertEqual(failed.variables["of_line"], "down")
        self.assertEqual(answered.variables["of_line"], "good")
        self.assertNotIn("only_down", answered.variables)
        self.assertEqual(answered.variables["cti_line_name"], "good")
        self.assertEqual(answered.variables["cti_line_group_name"], "third")


HALF_A_SECOND: Mapping[str, Any] = {"default": {"result": "answer", "talk": 0.5}}


class NoLineTests(LineTestCase):
    """Groups without a free line are passed over; without any, the number stays where it is."""

    script = HALF_A_SECOND

    async def test_a_group_without_a_free_line_is_passed_over(self) -> None:
        await self.put_lines("one", "other", count=1)
        await self.put_groups({"first": [["one"]], "second": [["other"]]})
        records = await self.dial("1001", "1002", line_group=["first", "second"])
        self.assertEqual(
            sorted((record.number, ways(record)) for record in records),
            [("1001", [("one", "first")]), ("1002", [("other", "second")])],
        )
        self.assertEqual(self.most_at_once(), 2)

    async def test_a_group_that_is_not_enabled_is_passed_over(self) -> None:
        await self.put_lines("one", "other")
        await self.put_group("first", line=[["one"]], enable=False)
        await self.put_group("second", line=[["other"]])
        (record,) = await self.dial("1001", line_group=["first", "second"])
        self.assertEqual(ways(record), [("other", "second")])

    async def test_lines_that_do_not_exist_are_passed_over(self) -> None:
        await self.put_lines("good")
        await self.put_groups({"first": [["nowhere"]], "second": [["no", "where"], ["good"]]})
        (record,) = await self.dial("1001", line_group=["first", "second"])
        self.assertEqual(ways(record), [("good", "second")])

    async def test_without_any_line_the_queue_is_untouched(self) -> None:
        await self.sim(default=ANSWERS)
        numbers = [str(number) for number in range(1000, 1020)]
        await self.put_line("one", count=0)
        await self.put_group("off", line=[["one"]], enable=False)
        await self.put_groups({"empty": [["one"]], "unknown": [["nowhere"]]})
        await self.put_task(line_group=["off", "empty", "unknown"], limit=1)
        await self.put_task("other", line_group=["default"], number_queue="q2")
        await self.put_numbers(numbers)
        await self.put_numbers(["2001"], queue="q2")
        self.start_dialer(self.quick())
        # When the other task's number is through, this task has been looked at as well.
        await self.records_of(1)
        self.assertEqual(await self.queue(), [number.encode() for number in numbers])
        await self.change_line("one", count=5)
        records = await self.records_of(21)
        self.assert_accounted_for(records)
        self.assertEqual(list(self.switch_log().numbers), ["2001", *numbers])
        self.assertEqual(self.most_on("one"), 1)

    async def test_a_group_that_is_nothing_is_dialed_by_default(self) -> None:
        (record,) = await self.dial("1001", line_group=["carrier"])
        self.assertEqual(ways(record), [(None, "carrier")])
        (call,) = self.switch_log().originates
        self.assertTrue(call.dial_string.endswith("sofia/gateway/carrier/1001"))
        self.assertNotIn("cti_line_name", call.variables)
        self.assertEqual(call.variables["cti_line_group_name"], "carrier")

    async def test_the_default_has_no_count(self) -> None:
        numbers = [str(number) for number in range(1000, 1030)]
        await self.sim(default=UNTIL_HUNG_UP)
        await self.put_task(line_group=["carrier"], limit=30)
        await self.put_numbers(numbers)
        self.start_dialer()
        await self.dialed(30)
        await self.hang_up()
        await self.records_of(30)
        self.assertEqual(self.most_at_once(), 30)


@frozen
class Case:
    """What the callee does, what the group says of it, and how often the number is then dialed."""

    callee: dict[str, Any] | list[dict[str, Any]]
    group: dict[str, Any]
    dialed: int
    outcome: Outcome


RINGS_LONG = {"result": "busy", "ring": 0.6}
SHORT = {"result": "answer", "talk": 0.05}
AT_ONCE = {"result": "answer", "talk": 0}
LONG = {"result": "answer", "talk": 0.5}
A, B, F = Outcome.ANSWERED, Outcome.BUSY, Outcome.FAILED

CASES = {
    "no redial at all": Case(BUSY, {}, 1, B),
    "any failure": Case(BUSY, {"redialer_count": 2}, 3, B),
    "until it is answered": Case([UNAVAILABLE, BUSY, ANSWERS], {"redialer_count": 5}, 3, A),
    "a rule without parts": Case(BUSY, {"redialer_count": 1, "redialer_rule": {}}, 2, B),
    "status": Case(
        UNAVAILABLE, {"redialer_count": 1, "redialer_rule": {"hangup_sipcode": [480, 503]}}, 2, F
    ),
    "another status": Case(
        BUSY, {"redialer_count": 1, "redialer_rule": {"hangup_sipcode": [503]}}, 1, B
    ),
    "cause by name": Case(
        BUSY, {"redialer_count": 1, "redialer_rule": {"hangup_cause": ["USER_BUSY"]}}, 2, B
    ),
    "cause by number": Case(
        BUSY, {"redialer_count": 1, "redialer_rule": {"hangup_cause": [17]}}, 2, B
    ),
    "another cause": Case(
        UNAVAILABLE, {"redialer_count": 1, "redialer_rule": {"hangup_cause": [17]}}, 1, F
    ),
    "over too soon": Case(BUSY, {"redialer_count": 1, "redialer_rule": {"duration": 30}}, 2, B),
    "not too soon": Case(
        RINGS_LONG, {"redialer_count": 1, "redialer_rule": {"duration": 0.3}}, 1, B
    ),
    "one part is enough": Case(
        RINGS_LONG,
        {"redialer_count": 1, "redialer_rule": {"duration": 0.3, "hangup_cause": [17]}},
        2,
        B,
    ),
    "answered, but too short": Case(
        SHORT, {"redialer_count": 2, "redialer_rule": {"bill": 10}}, 3, A
    ),
    "too short, then long enough": Case(
        [AT_ONCE, LONG], {"redialer_count": 2, "redialer_rule": {"bill": 0.3}}, 2, A
    ),
    "answered without a bill": Case(
        SHORT, {"redialer_count": 2, "redialer_rule": {"duration": 10}}, 1, A
    ),
    "answered without a rule": Case(SHORT, {"redialer_count": 2}, 1, A),
    "never: status": Case(
        BUSY, {"redialer_count": 2, "no_redialer_rule": {"hangup_sipcode": [486]}}, 1, B
    ),
    "never: cause": Case(
        BUSY, {"redialer_count": 2, "no_redialer_rule": {"hangup_cause": ["USER_BUSY"]}}, 1, B
    ),
    "never: another cause": Case(
        BUSY, {"redialer_count": 1, "no_redialer_rule": {"hangup_cause": [21]}}, 2, B
    ),
    "never: rang long": Case(
        RINGS_LONG, {"redialer_count": 2, "no_redialer_rule": {"duration": 0.3}}, 1, B
    ),
    "never: rang too short": Case(
        BUSY, {"redialer_count": 1, "no_redialer_rule": {"duration": 30}}, 2, B
    ),
    "never beats redial": Case(
        BUSY,
        {
            "redialer_count": 2,
            "no_redialer_rule": {"hangup_cause": [17]},
            "redialer_rule": {"hangup_cause": [17]},
        },
        1,
        B,
    ),
}


AS_THE_CASES_SAY: Mapping[str, Any] = {
    "default": ANSWERS,
    "numbers": {str(1000 + index): case.callee for index, case in enumerate(CASES.values())},
}


class RedialRuleTests(LineTestCase):
    """Every part of the two rules, each with a group, a task and a queue of its own."""

    script = AS_THE_CASES_SAY

    async def test_every_rule(self) -> None:
        await self.put_line()
        for index, case in enumerate(CASES.values()):
            await self.put_group(f"g{index}", **case.group)
            await self.put_task(f"t{index}", line_group=[f"g{index}"], number_queue=f"q{index}")
            await self.put_numbers([str(1000 + index)], queue=f"q{index}")
        self.start_dialer()
        records = await self.records_of(len(CASES))
        found = {record.number: record for record in records}
        for index, (name, case) in enumerate(CASES.items()):
            record = found[str(1000 + index)]
            self.assertEqual(
                (len(record.attempts), record.outcome), (case.dialed, case.outcome), name
            )
        self.assert_accounted_for(records)

    async def test_every_rule_before_a_second_group(self) -> None:
        """A number that is finished by a rule, or answered, never sees the second group."""
        await self.put_lines("l", "second")
        await self.put_group("second", line=[["second"]])
        for index, case in enumerate(CASES.values()):
            await self.put_group(f"g{index}", **case.group)
            await self.put_task(
                f"t{index}", line_group=[f"g{index}", "second"], number_queue=f"q{index}"
            )
            await self.put_numbers([str(1000 + index)], queue=f"q{index}")
        self.start_dialer()
        records = await self.records_of(len(CASES))
        found = {record.number: record for record in records}
        for index, (name, case) in enumerate(CASES.items()):
            record = found[str(1000 + index)]
            self.assertEqual(_through(record, "l"), case.dialed, name)
            self.assertEqual(_through(record, "second"), int(_goes_on(name, case)), name)


def _through(record: Record, line: str) -> int:
    return sum(attempt.line == line for attempt in record.attempts)


def _goes_on(name: str, case: Case) -> bool:
    """Say whether the second group is due: too short is a failure, a rule of no redial the end."""
    is_final = name.startswith("never") and case.dialed == 1
    return name == "answered, but too short" or (case.outcome is not A and not is_final)


FAILING_AT_FIRST: Mapping[str, Any] = {
    "default": ANSWERS,
    "gateways": {"down": UNAVAILABLE},
    "numbers": {"1001": [UNAVAILABLE, UNAVAILABLE, ANSWERS], "17": BUSY},
}


class RedialTests(LineTestCase):
    """When redials are placed, and what they hold meanwhile."""

    script = FAILING_AT_FIRST

    async def test_busy_is_the_end_where_the_rule_says_so(self) -> None:
        await self.put_lines("l", "good")
        await self.put_group("g", redialer_count=3, no_redialer_rule={"hangup_sipcode": [486, 600]})
        await self.put_group("second", line=[["good"]])
        (record,) = await self.dial("17", line_group=["g", "second"])
        self.assertEqual(ways(record), [("l", "g")])
        self.assertIs(record.outcome, Outcome.BUSY)

    async def test_the_redial_comes_after_the_rest(self) -> None:
        await self.put_line()
        await self.put_group(redialer_count=2, rest=300)
        (record,) = await self.dial("1001")
        self.assertIs(record.outcome, Outcome.ANSWERED)
        times = [call.time for call in self.switch_log().originates]
        self.assertEqual(len(times), 3)
        for earlier, later in pairwise(times):
            self.assertGreaterEqual(later - earlier, 0.29)

    async def test_the_next_group_comes_after_the_redials(self) -> None:
        await self.put_lines("down", "good")
        await self.put_group("first", line=[["down"]], redialer_count=2)
        await self.put_group("second", line=[["good"]], redialer_count=2)
        (record,) = await self.dial("1002", line_group=["first", "second"])
        self.assertEqual(ways(record), [("down", "first")] * 3 + [("good", "second")])

    async def test_each_group_counts_its_own_redials(self) -> None:
        await self.put_lines("down")
        await self.put_group("first", line=[["down"]], redialer_count=1)
        await self.put_group("second", line=[["down"]], redialer_count=2)
        (record,) = await self.dial("1002", line_group=["first", "second"])
        self.assertEqual([way[1] for way in ways(record)], ["first"] * 2 + ["second"] * 3)
        self.assertIs(record.outcome, Outcome.FAILED)

    async def test_the_slot_is_held_from_first_to_last(self) -> None:
        await self.put_lines("down", "good")
        await self.put_group("first", line=[["down"]], redialer_count=2, rest=200)
        await self.put_group("second", line=[["good"]])
        records = await self.dial("1002", "1003", line_group=["first", "second"], limit=1)
        self.assertEqual(list(self.switch_log().numbers), ["1002"] * 4 + ["1003"] * 4)
        self.assertEqual([record.number for record in records], ["1002", "1003"])
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 2})

    async def test_a_redial_takes_another_line_of_the_group(self) -> None:
        await self.put_lines("down", "good")
        await self.put_group(line=[["down", "good"]], redialer_count=1)
        (record,) = await self.dial("1002")
        self.assertEqual(ways(record), [("down", "g"), ("good", "g")])

    async def test_a_task_that_closes_places_no_further_call(self) -> None:
        await self.put_line("down")
        await self.put_group(line=[["down"]], redialer_count=100, rest=50)
        await self.put_task()
        await self.put_numbers(["1002", "1003"])
        self.start_dialer(self.quick())
        await self.dialed(4)
        await self.put_task(enable=False)
        await self.published(keys.TASK, "t")
        records = await self.records_of(2)
        self.assertEqual({last(record).sip_code for record in records}, {503})
        self.assertLess(len(self.switch_log().originates), 100)
        self.assert_accounted_for(records)
