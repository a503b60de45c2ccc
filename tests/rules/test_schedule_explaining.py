"""Why scheduled numbers are, or are not, called: the first reason that applies."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import Fault
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.task import Destination
from ctidialer.rules.explanation import Obstacle, Reason
from ctidialer.rules.routing import Routes
from ctidialer.rules.schedule_explaining import LineNow, ScheduleFacts, explain_schedule

CONFIG = ScheduleConfig("c", ("g",), Destination("8888"))
LINES = {name: Line(name, dialstring="user/1") for name in ("a", "b")}
ROUTES = Routes(LINES, {"g": LineGroup("g", tiers=(("a", "b"),))}, "user/${line_group}")
FULL, RESTING = LineNow("full"), LineNow("resting", 150.0)
NOW = 100.0

# Everything is in the way at once; each step takes the first thing out of it.
WORST = ScheduleFacts(
    now=NOW,
    zone="UTC",
    config=None,
    routes=ROUTES,
    faults=(Fault("$.params", "is wrong"),),
    obstacles=(Obstacle(Reason.FREESWITCH_AWAY, "FreeSWITCH is away"),),
    refused_until=110.0,
    lines={"a": FULL, "b": RESTING},
)


class ScheduleExplainingTests(SynchronousTestCase):
    def test_the_first_reason_that_applies(self) -> None:
        facts = WORST
        for changes, reason, changes_at in (
            ({}, "invalid", None),
            ({"faults": ()}, "unknown_config", None),
            ({"config": CONFIG}, "freeswitch_away", None),
            ({"obstacles": ()}, "freeswitch_refusing", 110.0),
            ({"refused_until": 99.0}, "nothing_scheduled", None),
            ({"next_due": 120.0}, "not_due", 120.0),
            ({"due": 3}, "no_free_line", 150.0),
            ({"lines": {"a": FULL}}, "dialing", 120.0),
        ):
            facts = evolve(facts, **changes)
            found = explain_schedule(facts)
            self.assertEqual((found.reason, found.changes_at), (reason, changes_at))

    def test_a_name_that_is_no_group_is_dialed_without_a_limit(self) -> None:
        config = evolve(CONFIG, line_groups=("carrier1",))
        facts = ScheduleFacts(NOW, "UTC", config, ROUTES, due=1)
        self.assertEqual(explain_schedule(facts).reason, "dialing")

    def test_a_group_without_lines(self) -> None:
        routes = Routes(LINES, {"g": LineGroup("g", enabled=False, tiers=(("a",),))}, "user/1")
        facts = ScheduleFacts(NOW, "UTC", CONFIG, routes, due=1)
        self.assertEqual(explain_schedule(facts).reason, "no_free_line")
