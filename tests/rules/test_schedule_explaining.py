"""Why scheduled numbers are, or are not, called: the first reason that applies."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.control import Order
from ctidialer.contract.faults import Fault
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.task import Destination
from ctidialer.rules.backpressure import Backpressure
from ctidialer.rules.explaining import local_time
from ctidialer.rules.explanation import Explanation, NodeFacts, NodeLoad, Obstacle
from ctidialer.rules.line_state import LineState
from ctidialer.rules.reasons import Reason
from ctidialer.rules.routing import Routes
from ctidialer.rules.schedule_explaining import ScheduleFacts, explain_schedule

CONFIG = ScheduleConfig("c", ("g",), Destination("8888"))
LINES = {"a": Line("a", dialstring="user/1"), "b": Line("b", dialstring="user/1", rest=50.0)}
ROUTES = Routes(LINES, {"g": LineGroup("g", tiers=(("a", "b"),))}, "user/${line_group}")
NOW = 100.0
BUSY = {"a": LineState(calls=1, last_start=NOW), "b": LineState(idle_since=NOW, last_start=NOW)}

LIMITED = evolve(CONFIG, limit=0, cps=2.0)

# Everything is in the way at once; each step takes the first thing out of it.
WORST = ScheduleFacts(config=None, faults=(Fault("$.params", "is wrong"),), next_start=100.5)
WORST_NODE = NodeFacts(
    now=NOW,
    zone="UTC",
    routes=ROUTES,
    states=BUSY,
    obstacles=(Obstacle(Reason.FREESWITCH_AWAY),),
    load=NodeLoad(calls=5, max_calls=5, kept=2, backpressure=Backpressure(10.0, 110.0)),
)
IDLE = NodeFacts(now=NOW, zone="UTC", routes=ROUTES)


class ScheduleExplainingTests(SynchronousTestCase):
    def test_behind_more_than_was_read_nobody_says_that_nothing_is_due(self) -> None:
        facts = ScheduleFacts(CONFIG, next_due=120.0, is_counted=False)
        self.assertIs(explain_schedule(facts, IDLE).reason, Reason.DIALING)
        paced = evolve(facts, config=evolve(CONFIG, cps=2.0))
        self.assertIs(explain_schedule(paced, IDLE).reason, Reason.DIALING)

    def test_the_first_reason_that_applies(self) -> None:
        facts, node = WORST, WORST_NODE
        steps: tuple[tuple[dict[str, Any], dict[str, Any], Reason, float | None], ...] = (
            ({}, {}, Reason.INVALID, None),
            ({"faults": ()}, {}, Reason.UNKNOWN_CONFIG, None),
            ({"config": LIMITED, "paused": Order(by="ann")}, {}, Reason.PAUSED, None),
            ({"paused": None}, {}, Reason.LIMIT_ZERO, None),
            ({"config": evolve(LIMITED, limit=2)}, {}, Reason.FREESWITCH_AWAY, None),
            ({}, {"obstacles": ()}, Reason.FREESWITCH_REFUSING, 110.0),
            ({}, {"load": NodeLoad(calls=5, max_calls=5)}, Reason.NOTHING_SCHEDULED, None),
            ({"next_due": 120.0}, {}, Reason.NOT_DUE, 120.0),
            ({"due": 2, "calls": 2}, {}, Reason.LIMIT_REACHED, None),
            ({"waiting": 1, "next_call": 130.0}, {}, Reason.LIMIT_REACHED, 130.0),
            ({"calls": 1}, {}, Reason.NODE_LIMIT, None),
            ({}, {"load": NodeLoad(calls=4, max_calls=5, kept=1)}, Reason.NO_FREE_LINE, 150.0),
            ({}, {"states": {}}, Reason.PACED, 100.5),
            ({"config": CONFIG}, {}, Reason.DIALING, 120.0),
        )
        for of_facts, of_node, reason, changes_at in steps:
            facts, node = evolve(facts, **of_facts), evolve(node, **of_node)
            found = explain_schedule(facts, node)
            self.assertEqual((found.reason, found.changes_at), (reason, changes_at))
            self.assertNotIn("?", found.text)

    def explain(self, **changes: Any) -> Explanation:
        facts = ScheduleFacts(CONFIG, due=1)
        return explain_schedule(facts, evolve(IDLE, **changes))

    def test_a_score_in_milliseconds(self) -> None:
        facts = ScheduleFacts(CONFIG, next_due=1795884229150.0)
        found = explain_schedule(facts, IDLE)
        self.assertIs(found.reason, Reason.NOT_DUE)
        self.assertIn("1795884229150, in the year 58879: it is in milliseconds", found.text)
        self.assertIn("1795884229150，即 58879 年：误用了毫秒", found.in_("zh"))
        for moment in (1e300, 1e15, -1e15, 253_402_300_800.0):
            self.assertRegex(local_time(moment, "Asia/Shanghai"), r"^-?[0-9]+ \(-?[0-9]+\)$")

    def test_lines_are_named_with_their_reasons(self) -> None:
        found = self.explain(states=BUSY)
        text = "no line is free (a: all its calls are up; b: it rests); due: 1"
        self.assertEqual(found.text, text)
        self.assertEqual(found.in_("zh"), "无空闲线路（a：并发呼叫已满；b：休息中）；到时号码：1")

    def test_a_group_without_lines_says_why(self) -> None:
        routes = evolve(ROUTES, groups={"g": LineGroup("g", (("a",),), enabled=False)})
        found = self.explain(routes=routes)
        self.assertEqual(found.text, "no line is free (g: the group is not enabled); due: 1")

    def test_a_name_that_is_no_group_is_dialed_without_a_limit(self) -> None:
        found = self.explain(routes=Routes({}, {}, "user/${line_group}"))
        self.assertIs(found.reason, Reason.DIALING)
