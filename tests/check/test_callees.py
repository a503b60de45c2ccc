"""What is found in what tasks and configurations say of those they call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.callees import callee_findings
from ctidialer.check.dnc import MISSING, list_findings, lists_used
from ctidialer.check.findings import Severity
from ctidialer.check.node_tables import NodeTables
from tests.check.test_tables import CONFIG, GROUP, NODE, NOW, OWN, TEMPLATE, USUAL, raw, task

FAULT, WARNING, NOTICE = Severity.FAULT, Severity.WARNING, Severity.NOTICE
DAY = 86_400.0
NINE_TO_FIVE = [{"begin": "9:00", "end": "17:00"}]
BUSY: dict[str, Any] = {"outcome": ["busy"], "after": 600, "count": 3}
SOUND: dict[str, Any] = {"callee_hour": NINE_TO_FIVE, "callee_region": "CN"}

Found = list[tuple[Severity, str]]


def tables(changed: Mapping[str, Mapping[str, Any]]) -> NodeTables:
    documents = {
        key: {**USUAL.get(key, {}), **changed.get(key, {})} for key in {**USUAL, **changed}
    }
    read = {
        key: {name: raw(document) for name, document in table.items()}
        for key, table in documents.items()
    }
    return NodeTables(NODE, read)


class CalleeCase(SynchronousTestCase):
    """Each with a usual task and one thing added."""

    def found(self, **params: object) -> Found:
        of = tables({TEMPLATE: {"t": task(**params)}})
        self.assertEqual(of.tables.faults, {})
        found = list(callee_findings(of, NOW))
        self.assertEqual({(one.key, one.name) for one in found} - {(TEMPLATE, "t")}, set())
        return [(one.severity, one.path.removeprefix("$.params.")) for one in found]


class HoursTests(CalleeCase):
    """Where the callees are, and when they may be called."""

    def test_nothing_to_say(self) -> None:
        self.assertEqual(self.found(), [])
        self.assertEqual(self.found(**SOUND), [])
        self.assertEqual(self.found(callee_week=[1, 2], callee_timezone="Asia/Shanghai"), [])
        self.assertEqual(self.found(compliance="us", callee_region="us"), [])

    def test_a_region_without_a_numbering_plan(self) -> None:
        self.assertEqual(self.found(callee_region="UK"), [(FAULT, "callee_region")])
        self.assertEqual(self.found(callee_region="XX"), [(FAULT, "callee_region")])

    def test_hours_and_nobody_knows_where(self) -> None:
        for name, value in (("callee_hour", NINE_TO_FIVE), ("callee_week", [1])):
            self.assertEqual(self.found(**{name: value}), [(WARNING, name)])
        self.assertEqual(self.found(compliance="us"), [(WARNING, "compliance")])

    def test_hours_that_never_open(self) -> None:
        shut = [{"begin": "9:00", "end": "9:00"}]
        self.assertEqual(
            self.found(callee_hour=shut, callee_region="CN"), [(WARNING, "callee_hour")]
        )
        sunday = {"callee_week": [0], "callee_region": "AU", "compliance": "au"}
        self.assertEqual(self.found(**sunday), [(WARNING, "callee_week")])

    def test_hours_that_never_meet_those_of_the_task(self) -> None:
        night = [{"begin": "22:00", "end": "6:00"}]
        place = [(WARNING, "callee_hour")]
        self.assertEqual(self.found(**SOUND, work_hour=night), place)
        self.assertEqual(self.found(**SOUND, work_hour=night, timezone="America/New_York"), [])
        in_london = {"callee_hour": NINE_TO_FIVE, "callee_timezone": "Europe/London"}
        self.assertEqual(self.found(**in_london, work_hour=NINE_TO_FIVE), [])
        self.assertEqual(
            self.found(**in_london, work_hour=[{"begin": "9:00", "end": "15:00"}]), place
        )
        self.assertEqual(self.found(**SOUND, callee_week=[1, 2], work_week=[3, 4]), place)

    def test_a_region_of_many_zones_needs_but_one_that_meets(self) -> None:
        late = {"callee_hour": NINE_TO_FIVE, "callee_region": "US", "timezone": "America/New_York"}
        self.assertEqual(self.found(**late, work_hour=[{"begin": "18:00", "end": "19:00"}]), [])
        self.assertEqual(
            self.found(**late, work_hour=[{"begin": "3:00", "end": "3:30"}]),
            [(WARNING, "callee_hour")],
        )

    def test_a_task_that_never_dials_is_not_said_twice(self) -> None:
        shut = [{"begin": "9:00", "end": "9:00"}]
        self.assertEqual(self.found(**SOUND, work_hour=shut), [])

    def test_the_document_in_which_it_stands_is_named(self) -> None:
        config = {"params": {"line_group": ["g"], "destination_extension": "1"}}
        config["params"]["callee_region"] = "XX"
        of = tables({OWN: {"t": {"params": {"callee_week": [1]}}}, CONFIG: {"c": config}})
        self.assertEqual(
            [(one.severity, one.key, one.name, one.path) for one in callee_findings(of, NOW)],
            [
                (WARNING, OWN, "t", "$.params.callee_week"),
                (FAULT, CONFIG, "c", "$.params.callee_region"),
            ],
        )


class PlanTests(CalleeCase):
    """Rules that never apply, and caps in their way."""

    def test_nothing_to_say(self) -> None:
        plan = [BUSY, {"outcome": ["no_answer"], "after": [3600, "10:00"], "count": 2}]
        self.assertEqual(self.found(retry_plan=plan, retry_count=4), [])
        self.assertEqual(self.found(retry_plan=BUSY), [])

    def test_a_rule_behind_others(self) -> None:
        plan = [BUSY, {"outcome": ["no_answer", "busy"], "after": 60}, {**BUSY, "after": 9}]
        self.assertEqual(self.found(retry_plan=plan), [(WARNING, "retry_plan[2]")])
        both = {"outcome": ["busy", "no_answer"], "after": 60}
        self.assertEqual(self.found(retry_plan=[both, BUSY]), [(WARNING, "retry_plan[1]")])

    def test_no_retry_at_all(self) -> None:
        self.assertEqual(self.found(retry_count=3), [(WARNING, "retry_count")])
        self.assertEqual(self.found(retry_plan=BUSY, retry_count=0), [(WARNING, "retry_count")])
        self.assertEqual(
            self.found(retry_plan=[{**BUSY, "count": 0}]), [(WARNING, "retry_plan[0].count")]
        )

    def test_abandoned_where_no_call_is_judged(self) -> None:
        plan = {"outcome": ["no_answer", "abandoned"], "after": 60}
        self.assertEqual(self.found(retry_plan=[plan]), [(WARNING, "retry_plan[0].outcome")])
        self.assertEqual(self.found(retry_plan=[plan], abandon_time=2), [])

    def test_retries_after_the_end_of_the_task(self) -> None:
        day = {"start_time": "2026-8-1 9:00", "stop_time": "2026-8-1 21:00"}
        late = [(WARNING, "retry_plan[0].after")]
        self.assertEqual(self.found(**day, retry_plan=[{**BUSY, "after": 12 * 3600}]), late)
        self.assertEqual(self.found(**day, retry_plan=[{**BUSY, "after": 11 * 3600}]), [])
        both = {**BUSY, "after": [7 * 3600, 7 * 3600]}
        self.assertEqual(self.found(**day, retry_plan=[both]), late)
        self.assertEqual(self.found(**day, retry_plan=[{**both, "count": 1}]), [])
        self.assertEqual(self.found(**day, retry_plan=[{**BUSY, "after": ["10:00"]}]), [])
        # It is 12:00: without a start the time that is left counts.
        self.assertEqual(
            self.found(stop_time="2026-8-1 21:00", retry_plan=[{**BUSY, "after": 9 * 3600}]), late
        )

    def test_retries_that_a_cap_holds_back(self) -> None:
        over = [(WARNING, "retry_plan[0]")]
        once_a_day = {"callee_limit": {"count": 1, "time": DAY}}
        self.assertEqual(self.found(**once_a_day, retry_plan=[BUSY]), over)
        self.assertEqual(self.found(**once_a_day, retry_plan=[{**BUSY, "after": DAY}]), [])
        self.assertEqual(self.found(**once_a_day, retry_plan=[{**BUSY, "after": "10:00"}]), [])
        thrice = {"callee_limit": [{"count": 3, "time": DAY}]}
        self.assertEqual(self.found(**thrice, retry_plan=[BUSY]), over)
        self.assertEqual(self.found(**thrice, retry_plan=[{**BUSY, "count": 2}]), [])
        self.assertEqual(self.found(**thrice, retry_plan=[BUSY], retry_count=2), [])
        talks = {"callee_limit": [{"count": 1, "time": DAY, "talk": True}]}
        self.assertEqual(self.found(**talks, retry_plan=[BUSY]), [])

    def test_caps_that_say_nothing(self) -> None:
        found = self.found(callee_limit=[{"count": 3, "time": 60}, {"count": 2, "time": 600}])
        self.assertEqual(found, [(NOTICE, "callee_limit[0]")])
        talks = [{"count": 1, "time": 60, "talk": True}, {"count": 1, "time": 60}]
        self.assertEqual(self.found(callee_limit=talks), [(NOTICE, "callee_limit[0]")])
        self.assertEqual(
            self.found(callee_limit=[{"count": 1, "time": 60}, {"count": 2, "time": 90}]), []
        )

    def test_one_call_where_several_may_follow(self) -> None:
        cap = {"callee_limit": [{"count": 1, "time": 60}]}
        self.assertEqual(self.found(**cap), [])
        self.assertEqual(self.found(**cap, line_group=["g", "h"]), [(WARNING, "callee_limit[0]")])
        of = tables(
            {
                TEMPLATE: {"t": task(**cap)},
                GROUP: {"g": {"line": [["l"]], "redialer_count": 1}},
            }
        )
        (found,) = callee_findings(of, NOW)
        self.assertEqual((found.severity, found.path), (WARNING, "$.params.callee_limit[0]"))


class ListTests(SynchronousTestCase):
    """Do-not-call lists, by the types that Redis tells."""

    def found(
        self, kinds: Mapping[str, str], of_settings: tuple[str, ...] = (), **params: object
    ) -> list[tuple[Severity, str, str]]:
        of = tables({TEMPLATE: {"t": task(**params)}})
        uses = lists_used(of, of_settings)
        self.assertEqual({one.list for one in uses}, set(kinds))
        found = list_findings(of, uses, kinds, of_settings)
        return [(one.severity, one.key, one.path) for one in found]

    def test_sets_and_hashes_are_well(self) -> None:
        kinds = {"a": "set", "b": "hash", "c": "hash"}
        self.assertEqual(self.found(kinds, ("c",), dnc=["a", "b"], dnc_add="c"), [])

    def test_the_settings_are_named(self) -> None:
        self.assertEqual(
            self.found({"a": "set", "b": MISSING, "c": "zset"}, ("a", "b", "c")),
            [
                (WARNING, "settings", "$.compliance.dnc[1]"),
                (FAULT, "settings", "$.compliance.dnc[2]"),
            ],
        )

    def test_missing_and_of_the_wrong_type(self) -> None:
        self.assertEqual(
            self.found({"a": MISSING, "b": "string"}, dnc=["a", "b"]),
            [(WARNING, TEMPLATE, "$.params.dnc[0]"), (FAULT, TEMPLATE, "$.params.dnc[1]")],
        )
        self.assertEqual(
            self.found({"a": "list"}, dnc="a", dnc_add="a"),
            [(FAULT, TEMPLATE, "$.params.dnc"), (FAULT, TEMPLATE, "$.params.dnc_add")],
        )

    def test_a_list_that_opt_outs_fill_need_not_be_there_yet(self) -> None:
        self.assertEqual(self.found({"a": MISSING}, dnc="a", dnc_add="a"), [])

    def test_opt_outs_that_nobody_heeds(self) -> None:
        place = [(WARNING, TEMPLATE, "$.params.dnc_add")]
        self.assertEqual(self.found({"a": "set", "b": "set"}, dnc="a", dnc_add="b"), place)
        self.assertEqual(self.found({"b": "set"}, ("b",), dnc_add="b"), [])

    def test_lists_of_configurations(self) -> None:
        config = {"line_group": ["g"], "destination_extension": "1", "dnc": ["a"]}
        of = tables({CONFIG: {"c": {"params": config}}})
        (use,) = lists_used(of, ())
        self.assertEqual(
            (use.list, use.key, use.name, use.path), ("a", CONFIG, "c", "$.params.dnc[0]")
        )
