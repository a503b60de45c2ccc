"""Rule files: each can be read, names its sources, and only ever makes a task stricter."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.agent_dialing import AbandonPeriod, AgentDialing
from ctidialer.contract.callee import CalleeRules, Cap
from ctidialer.contract.callee_document import RULE_FILES
from ctidialer.contract.hours import CallingHours, Window
from ctidialer.contract.task import Task
from ctidialer.rules.compliance import agents_obeying, all_rule_files, obeying, rule_file
from ctidialer.rules.tables import Tables

TASK = {"enable": True, "line_group": ["g"], "limit": 1, "number_queue": "q"} | {
    "destination_extension": "8888"
}
OWN = CallingHours(windows=(Window(9 * 3600, 18 * 3600),))


def in_force(of_all: tuple[str, ...] = (), **params: Any) -> Task:
    """Return a task as the daemon has it."""
    tables = Tables("fs1", "fs1", "sofia/gateway/${line_group}/${destination_number}", (), of_all)
    raw = json.dumps({"params": {**TASK, **params}}).encode()
    tables.put("cti_queue_dialer_task@template", "t", raw)
    return tables.tasks["t"]


class FileTests(SynchronousTestCase):
    def test_each_has_rules_sources_and_a_day(self) -> None:
        self.assertEqual({one.name for one in all_rule_files()}, set(RULE_FILES))
        for one in all_rule_files():
            self.assertTrue(one.sources)
            self.assertTrue(one.not_here)
            self.assertRegex(one.read_on, r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
            self.assertTrue(one.callee.hours or one.callee.caps or one.agents, one.name)
            self.assertLessEqual(set(one.extends), set(RULE_FILES))

    def test_what_they_demand(self) -> None:
        us = rule_file("us")
        self.assertEqual(us.callee.hours, (CallingHours(windows=(Window(28_800, 75_600),)),))
        assert us.agents is not None
        self.assertEqual((us.agents.abandon_rate, us.agents.ring_min), (0.03, 15.0))
        self.assertIs(us.agents.abandon_period, AbandonPeriod.MONTH)
        debt = obeying(CalleeRules(compliance=("us-debt",)))
        self.assertEqual(debt.caps, (Cap(7, 604_800.0), Cap(1, 604_800.0, talk=True)))
        self.assertEqual(debt.hours, us.callee.hours)
        self.assertEqual(rule_file("uk").callee.abandoned_rest, 72 * 3600.0)


class StricterTests(SynchronousTestCase):
    def test_what_is_open_is_filled(self) -> None:
        found = in_force(compliance="us", callee_region="US").callee
        self.assertEqual(found.hours, rule_file("us").callee.hours)

    def test_hours_of_both_must_be_open_and_all_caps_hold(self) -> None:
        own = CalleeRules(hours=(OWN,), caps=(Cap(1, 60.0),), compliance=("us-debt",))
        found = obeying(own)
        self.assertEqual(found.hours, (OWN, *rule_file("us").callee.hours))
        self.assertEqual(found.caps[0], Cap(1, 60.0))
        self.assertEqual(len(found.caps), 3)

    def test_nobody_is_judged_for_whom_nobody_asked(self) -> None:
        self.assertIsNone(in_force(compliance="us").agents)
        agents = in_force(compliance="uk", agent_group="sales").agents
        assert agents is not None
        self.assertEqual(agents.abandon_rate, 0.0)

    def test_lists_of_the_settings_hold_for_every_task(self) -> None:
        self.assertEqual(in_force(("house",)).callee.dnc, ("house",))
        self.assertEqual(in_force(("house",), dnc=["own", "house"]).callee.dnc, ("own", "house"))

    @given(
        st.floats(0, 1),
        st.floats(0.1, 60),
        st.floats(0, 120),
        st.sampled_from(AbandonPeriod),
        st.sets(st.sampled_from(RULE_FILES)),
    )
    def test_never_more_lax_than_the_task_or_any_file(
        self, rate: float, wait: float, ring: float, period: AbandonPeriod, names: set[str]
    ) -> None:
        own = AgentDialing(
            abandon_rate=rate, abandon_time=wait, ring_min=ring, abandon_period=period
        )
        found = agents_obeying(own, names)
        demanded = [one.agents for one in map(rule_file, names) if one.agents is not None]
        for one in (own, *demanded):
            self.assertLessEqual(found.abandon_rate, one.abandon_rate)
            self.assertLessEqual(found.abandon_time, one.abandon_time)
            self.assertGreaterEqual(found.ring_min, one.ring_min)
        self.assertEqual(evolve(found, mode=own.mode), found)
