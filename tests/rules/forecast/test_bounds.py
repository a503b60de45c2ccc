"""How many calls there may be over all hosts that dial a task."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import Line, LineGroup, Scope
from ctidialer.contract.task import Task
from ctidialer.rules.forecast.bounds import bounds_of
from ctidialer.rules.routing import Routes
from ctidialer.rules.soundness import sound_task

TWO_LINES = LineGroup("g", (("a", "b"),))
DIALSTRING = "sofia/gateway/x/${destination_number}"
HOSTS = 3


def task(**params: Any) -> Task:
    usual = {"limit": 100, "number_queue": "q", "destination_extension": "8888"}
    document = {"params": {**usual, "line_group": ["g"], **params}}
    raw = json.dumps(document).encode()
    return sound_task("t", template=raw, host=None, host_name="fs1")


def routes(count: int | None = None, *gateways: Line, **line: Any) -> Routes:
    """Return two lines ``a`` and ``b`` of ``count`` calls each, in one group."""
    lines = {name: Line(name, DIALSTRING, count, **line) for name in ("a", "b")}
    return Routes(lines, {"g": TWO_LINES}, DIALSTRING, {one.name: one for one in gateways})


class BoundsTests(SynchronousTestCase):
    def limit(self, asked: Task, there: Routes, max_calls: int = 0) -> int:
        return bounds_of(asked, there, HOSTS, max_calls, 0.0).limit

    def cps(self, asked: Task, max_cps: float = 0.0, there: Routes | None = None) -> float | None:
        return bounds_of(asked, there or routes(), HOSTS, 0, max_cps).cps

    def test_each_host_has_its_own_limit(self) -> None:
        self.assertEqual(self.limit(task(), routes()), 300)

    def test_a_limit_over_all_hosts_is_there_once(self) -> None:
        self.assertEqual(self.limit(task(limit_scope="all"), routes()), 100)

    def test_lines_of_each_host_and_of_the_domain(self) -> None:
        self.assertEqual(self.limit(task(), routes(10)), 60)
        self.assertEqual(self.limit(task(), routes(10, scope=Scope.DOMAIN)), 20)

    def test_a_gateway_that_lines_share(self) -> None:
        trunk = Line("trunk", "", 15)
        self.assertEqual(self.limit(task(), routes(10, trunk, gateway="trunk")), 45)
        trunk = evolve(trunk, scope=Scope.DOMAIN)
        self.assertEqual(self.limit(task(), routes(10, trunk, gateway="trunk")), 15)
        self.assertEqual(self.limit(task(), routes(10, trunk, gateway="another")), 60)

    def test_fallbacks_have_no_count(self) -> None:
        self.assertEqual(self.limit(task(line_group=["trunk"]), routes(10)), 300)

    def test_the_limits_of_each_node(self) -> None:
        self.assertEqual(self.limit(task(), routes(), max_calls=20), 60)
        self.assertEqual(self.cps(task(cps=9), max_cps=2.0), 6.0)

    def test_a_rate_over_all_hosts_is_there_once(self) -> None:
        self.assertEqual(self.cps(task(cps=2)), 6.0)
        self.assertEqual(self.cps(task(cps=2, cps_scope="all")), 2.0)
        self.assertIsNone(self.cps(task()))

    def test_the_rates_of_lines_and_of_the_gateway_that_they_share(self) -> None:
        self.assertEqual(self.cps(task(), there=routes(cps=2.0)), 12.0)
        self.assertEqual(self.cps(task(), there=routes(cps=2.0, scope=Scope.DOMAIN)), 4.0)
        self.assertEqual(self.cps(task(cps=1), there=routes(cps=2.0)), 3.0)
        trunk = Line("trunk", "", None, cps=5.0, scope=Scope.DOMAIN)
        self.assertEqual(self.cps(task(), there=routes(None, trunk, gateway="trunk")), 5.0)
        self.assertEqual(self.cps(task(), there=routes(None, trunk, gateway="trunk", cps=0.5)), 3.0)

    def test_the_rest_between_two_starts_is_a_rate(self) -> None:
        self.assertEqual(self.cps(task(), there=routes(10, rest=0.5)), 12.0)
        self.assertEqual(self.cps(task(), there=routes(10, rest=0.5, cps=1.0)), 6.0)
        self.assertIsNone(self.cps(task(), there=routes(1, rest=0.5)))

    def test_a_line_without_a_rate_bounds_none(self) -> None:
        there = routes(cps=2.0)
        there = evolve(there, lines={**there.lines, "b": evolve(there.lines["b"], cps=None)})
        self.assertIsNone(self.cps(task(), there=there))

    def test_a_group_without_lines_calls_nobody(self) -> None:
        there = Routes({}, {"g": TWO_LINES}, DIALSTRING)
        self.assertEqual(self.limit(task(), there), 0)
        self.assertIsNone(self.cps(task(), there=there))
