"""The way of one number through its line groups."""

from __future__ import annotations

from attrs import evolve
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import CallRule, Line, LineGroup
from ctidialer.rules.itinerary import (
    Itinerary,
    NextGroup,
    NoFurtherCall,
    Redial,
    after_call,
    after_wait,
    first_choice,
    groups_left,
    next_group,
)
from ctidialer.rules.line_state import CallEnd, LineState, Why
from ctidialer.rules.routing import Choice, NoLine, Routes, choose

GROUP = LineGroup("one", (("a",),), redials=2, rest=1.5)
ROUTES = Routes(
    {name: Line(name, f"user/{name}") for name in ("a", "b", "c")},
    {"one": GROUP, "two": LineGroup("two", (("b",),)), "off": LineGroup("off", (), enabled=False)},
    "sofia/gateway/${line_group}/${destination_number}",
)
WAY = Itinerary(("one", "two", "carrier"))
BUSY = LineState(calls=1)

USER_BUSY = CallEnd(False, "USER_BUSY", 486, duration=3.0)
TALKED = CallEnd(True, "NORMAL_CLEARING", 200, duration=40.0, bill=30.0)


class FirstChoiceTests(SynchronousTestCase):
    def choose(self, way: Itinerary, **states: LineState) -> tuple[str, Itinerary]:
        first = first_choice(lambda group: choose(ROUTES, states, group, 1000.0), way)
        assert not isinstance(first, NoLine), first
        self.assertIsInstance(first[0], Choice)
        return first[0].group, first[1]

    def test_the_first_group_with_a_free_line_is_taken(self) -> None:
        self.assertEqual(self.choose(WAY), ("one", WAY))
        self.assertEqual(self.choose(WAY, a=BUSY), ("two", evolve(WAY, position=1)))
        self.assertEqual(self.choose(WAY, a=BUSY, b=BUSY), ("carrier", evolve(WAY, position=2)))

    def test_groups_behind_are_not_looked_at_again(self) -> None:
        way = evolve(WAY, position=1)
        self.assertEqual(self.choose(way), ("two", way))

    def test_a_redial_has_its_own_group_only(self) -> None:
        way = evolve(WAY, redials=2)
        self.assertEqual(self.choose(way), ("one", way))
        found = first_choice(lambda name: choose(ROUTES, {"a": BUSY}, name, 1000.0), way)
        assert isinstance(found, NoLine)
        self.assertEqual(found.group, "one")

    def test_a_redial_that_has_waited_in_vain_gives_way_to_the_next_group(self) -> None:
        self.assertEqual(after_wait(evolve(WAY, redials=2)), Itinerary(WAY.groups, 1, 0))
        self.assertIsNone(after_wait(evolve(WAY, position=2, redials=1)))
        self.assertIsNone(after_wait(evolve(WAY, position=1)))  # those behind were awaited, too

    def test_the_next_group_begins_anew(self) -> None:
        self.assertEqual(next_group(evolve(WAY, redials=2)), Itinerary(WAY.groups, 1, 0))
        self.assertIsNone(next_group(evolve(WAY, position=2)))

    def test_the_groups_that_are_left(self) -> None:
        self.assertEqual(groups_left(WAY), WAY.groups)
        self.assertEqual(groups_left(evolve(WAY, position=1)), ("two", "carrier"))
        self.assertEqual(groups_left(evolve(WAY, position=1, redials=1)), ("two",))

    def test_without_any_line_every_reason_is_given(self) -> None:
        way = Itinerary(("one", "off", "c"))
        states = {"a": BUSY, "c": BUSY}
        result = first_choice(lambda group: choose(ROUTES, states, group, 1000.0), way)
        assert isinstance(result, NoLine)
        self.assertEqual(result.group, "one, off, c")
        self.assertEqual(
            [(reason.group, reason.name, reason.why) for reason in result.reasons],
            [
                ("one", "a", Why.FULL),
                ("off", "off", Why.GROUP_DISABLED),
                ("c", "c", Why.FULL),
            ],
        )


class AfterCallTests(SynchronousTestCase):
    def test_any_failure_is_redialed_up_to_the_count_then_the_next_group_is_tried(self) -> None:
        way = WAY
        for redials in (1, 2):
            step = after_call(way, GROUP, USER_BUSY)
            assert isinstance(step, Redial)
            self.assertEqual(step, Redial(evolve(WAY, redials=redials), 1.5))
            way = step.itinerary
        self.assertEqual(after_call(way, GROUP, USER_BUSY), NextGroup(Itinerary(WAY.groups, 1, 0)))

    def test_after_the_last_group_the_number_is_finished(self) -> None:
        last = evolve(WAY, position=2)
        self.assertEqual(after_call(last, None, USER_BUSY), NoFurtherCall())
        self.assertEqual(after_call(Itinerary(("one",), 0, 2), GROUP, USER_BUSY), NoFurtherCall())

    def test_without_a_group_there_are_no_rules(self) -> None:
        self.assertEqual(after_call(WAY, None, USER_BUSY), NextGroup(evolve(WAY, position=1)))
        self.assertEqual(after_call(WAY, None, TALKED), NoFurtherCall())

    def test_an_answered_call_finishes_the_number(self) -> None:
        group = evolve(GROUP, redial_rule=CallRule(causes=frozenset({"NORMAL_CLEARING"})))
        self.assertEqual(after_call(WAY, group, TALKED), NoFurtherCall())
        self.assertEqual(after_call(WAY, GROUP, replace(TALKED, bill=0.0)), NoFurtherCall())

    def test_an_answered_call_that_did_not_reach_the_bill_has_failed(self) -> None:
        group = evolve(GROUP, redial_rule=CallRule(bill=5.0))
        short, enough = replace(TALKED, bill=4.9), replace(TALKED, bill=5.0)
        self.assertIsInstance(after_call(WAY, group, short), Redial)
        self.assertIsInstance(after_call(evolve(WAY, redials=2), group, short), NextGroup)
        self.assertEqual(after_call(WAY, group, enough), NoFurtherCall())
        self.assertEqual(after_call(WAY, group, replace(short, bill=None)), NoFurtherCall())

    def test_the_finished_rule_comes_first(self) -> None:
        for rule in (
            CallRule(causes=frozenset({"USER_BUSY"})),
            CallRule(sip_codes=frozenset({486})),
            CallRule(duration=3.0),
        ):
            group = evolve(GROUP, finished_rule=rule, redial_rule=rule)
            self.assertEqual(after_call(WAY, group, USER_BUSY), NoFurtherCall(), str(rule))

    def test_a_finished_rule_that_does_not_match_changes_nothing(self) -> None:
        for rule in (
            CallRule(),
            CallRule(causes=frozenset({"CALL_REJECTED"})),
            CallRule(sip_codes=frozenset({603})),
            CallRule(duration=3.1),
            CallRule(bill=0.0),
        ):
            group = evolve(GROUP, finished_rule=rule)
            self.assertIsInstance(after_call(WAY, group, USER_BUSY), Redial, str(rule))

    def test_a_finished_rules_bill_stops_what_the_redial_rule_would_redial(self) -> None:
        group = evolve(GROUP, finished_rule=CallRule(bill=2.0), redial_rule=CallRule(bill=10.0))
        self.assertIsInstance(after_call(WAY, group, replace(TALKED, bill=1.9)), Redial)
        self.assertEqual(after_call(WAY, group, replace(TALKED, bill=2.0)), NoFurtherCall())

    def test_the_redial_rule_says_which_failures_are_redialed(self) -> None:
        for rule, redials in (
            (CallRule(), False),
            (CallRule(causes=frozenset({"USER_BUSY"})), True),
            (CallRule(causes=frozenset({"NO_ANSWER"})), False),
            (CallRule(sip_codes=frozenset({486})), True),
            (CallRule(sip_codes=frozenset({480}), causes=frozenset({"USER_BUSY"})), True),
            (CallRule(duration=3.1), True),
            (CallRule(duration=3.0), False),
            (CallRule(bill=60.0), False),
        ):
            step = after_call(WAY, evolve(GROUP, redial_rule=rule), USER_BUSY)
            self.assertIsInstance(step, Redial if redials else NextGroup, str(rule))

    def test_a_cause_that_is_not_known_matches_nothing(self) -> None:
        group = evolve(GROUP, redial_rule=CallRule(causes=frozenset({"USER_BUSY"})))
        step = after_call(WAY, group, CallEnd(False, None, None))
        self.assertIsInstance(step, NextGroup)
