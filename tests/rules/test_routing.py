"""Which line takes a call."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import FaultPolicy, Line, LineGroup
from ctidialer.rules.line_state import UNUSED, room
from ctidialer.rules.routing import (
    FALLBACK,
    CallEnd,
    Choice,
    LineBusy,
    LineState,
    NoLine,
    Routes,
    Why,
    choose,
    ended,
    free_room,
    never_left,
    next_free_at,
    started,
)

DEFAULT = "sofia/gateway/${line_group}/${destination_number}"


def line(name: str, count: int | None = 1, rest: float = 0.0) -> Line:
    return Line(name, f"sofia/gateway/{name}/${{destination_number}}", count, rest)


LINES = {name: line(name) for name in ("a", "b", "c", "d")}
GROUPS = {
    "pair": LineGroup("pair", (("a", "b"),)),
    "tiers": LineGroup("tiers", (("a", "b"), ("c",), ("gone", "d"))),
    "off": LineGroup("off", (("a",),), enabled=False),
    "empty": LineGroup("empty", ()),
    "ghosts": LineGroup("ghosts", (("gone",),)),
}
ROUTES = Routes(LINES, GROUPS, DEFAULT)

BUSY = LineState(calls=1, last_start=0.0)


def idle(since: float) -> LineState:
    return LineState(idle_since=since, last_start=since)


class ChooseTests(SynchronousTestCase):
    def chosen(self, group: str, states: dict[str, LineState], routes: Routes = ROUTES) -> str:
        choice = choose(routes, states, group, 1000.0)
        assert isinstance(choice, Choice), choice
        assert choice.line is not None
        self.assertEqual(choice.group, group)
        self.assertEqual(choice.dialstring, choice.line.dialstring)
        return choice.line.name

    def test_the_first_tier_is_preferred(self) -> None:
        self.assertEqual(self.chosen("tiers", {"a": idle(999), "b": BUSY}), "a")
        self.assertEqual(self.chosen("tiers", {"a": BUSY, "b": BUSY}), "c")

    def test_names_that_are_no_line_are_passed_over(self) -> None:
        self.assertEqual(self.chosen("tiers", {"a": BUSY, "b": BUSY, "c": BUSY}), "d")

    def test_the_line_that_has_been_idle_longest_is_taken(self) -> None:
        self.assertEqual(self.chosen("pair", {"a": idle(20), "b": idle(10)}), "b")
        self.assertEqual(self.chosen("pair", {"a": idle(10), "b": idle(20)}), "a")

    def test_never_used_is_idle_longest_and_equals_keep_the_tables_order(self) -> None:
        self.assertEqual(self.chosen("pair", {}), "a")
        self.assertEqual(self.chosen("pair", {"a": idle(10)}), "b")
        self.assertEqual(self.chosen("pair", {"a": idle(10), "b": idle(10)}), "a")

    def test_a_line_without_calls_comes_before_one_with_room_left(self) -> None:
        routes = evolve(ROUTES, lines={"a": line("a", 5), "b": line("b", 5)})
        states = {"a": LineState(1, idle_since=1, last_start=2), "b": idle(999)}
        self.assertEqual(self.chosen("pair", states, routes), "b")

    def test_lines_with_calls_up_take_turns(self) -> None:
        routes = evolve(ROUTES, lines={"a": line("a", None), "b": line("b", None)})
        states: dict[str, LineState] = {}
        taken = ""
        for second in range(6):
            choice = choose(routes, states, "pair", float(second))
            assert isinstance(choice, Choice)
            assert choice.line is not None
            name = choice.line.name
            states[name] = started(states.get(name, UNUSED), choice.line, float(second))
            taken += name
        self.assertEqual(taken, "ababab")

    def test_a_line_acts_as_a_group_of_itself(self) -> None:
        self.assertEqual(self.chosen("d", {}), "d")
        self.assertIsInstance(choose(ROUTES, {"d": BUSY}, "d", 0), NoLine)

    def test_a_group_is_looked_for_before_a_line(self) -> None:
        routes = evolve(ROUTES, groups={"d": LineGroup("d", (("a",),))})
        self.assertEqual(self.chosen("d", {}, routes), "a")

    def test_a_name_that_is_neither_is_dialed_by_default(self) -> None:
        self.assertEqual(choose(ROUTES, {}, "carrier", 0), Choice("carrier", None, DEFAULT))

    def test_a_fallback_by_which_no_call_left_is_out_of_use(self) -> None:
        state = never_left(started(UNUSED, FALLBACK, 1000), FALLBACK, "INVALID_GATEWAY", 1000)
        states = {"carrier": state}
        busy = choose(ROUTES, states, "carrier", 1001)
        reason = LineBusy("carrier", Why.NEVER_LEFT, 1030, "carrier", {"cause": "INVALID_GATEWAY"})
        self.assertEqual(busy, NoLine("carrier", (reason,)))
        self.assertIn("INVALID_GATEWAY", reason.text)
        self.assertIsInstance(choose(ROUTES, states, "another", 1001), Choice)
        self.assertEqual(free_room(ROUTES, states, ["carrier"], 1001, 100), 0)
        self.assertEqual(free_room(ROUTES, states, ["carrier", "a"], 1001, 100), 1)
        self.assertEqual(next_free_at(ROUTES, states, ["carrier"], 1001), 1030)
        self.assertIsInstance(choose(ROUTES, states, "carrier", 1030), Choice)
        self.assertEqual(free_room(ROUTES, states, ["carrier"], 1030, 100), 1)


class ReasonTests(SynchronousTestCase):
    def reasons(self, group: str, states: dict[str, LineState]) -> tuple[LineBusy, ...]:
        result = choose(ROUTES, states, group, 1000.0)
        assert isinstance(result, NoLine), result
        self.assertEqual(result.group, group)
        return result.reasons

    def test_every_line_has_its_reason(self) -> None:
        rest, faults = evolve(LINES["b"], rest=5.0), FaultPolicy(1, try_interval=60.0)
        lines = {"a": LINES["a"], "b": rest, "c": evolve(LINES["c"], faults=faults)}
        lines["d"] = evolve(LINES["d"], faults=faults)
        states = {
            "a": BUSY,
            "b": idle(998.0),
            "c": LineState(faults=1, out_of_use_since=990.0),
            "d": LineState(calls=1, faults=1, out_of_use_since=0.0, trial_since=999.0),
        }
        result = choose(evolve(ROUTES, lines=lines), states, "tiers", 1000.0)
        assert isinstance(result, NoLine)
        self.assertEqual(
            result.reasons,
            (
                LineBusy("a", Why.FULL, None, "tiers"),
                LineBusy("b", Why.RESTING, 1003.0, "tiers"),
                LineBusy("c", Why.OUT_OF_USE, 1050.0, "tiers"),
                LineBusy("gone", Why.UNKNOWN_LINE, None, "tiers"),
                LineBusy("d", Why.TRIAL_UNDER_WAY, None, "tiers"),
            ),
        )

    def test_a_group_can_be_the_reason_itself(self) -> None:
        self.assertEqual(
            self.reasons("off", {}), (LineBusy("off", Why.GROUP_DISABLED, None, "off"),)
        )
        self.assertEqual(
            self.reasons("empty", {}), (LineBusy("empty", Why.NO_LINES, None, "empty"),)
        )
        self.assertEqual(
            self.reasons("ghosts", {}), (LineBusy("gone", Why.UNKNOWN_LINE, None, "ghosts"),)
        )


class RoomTests(SynchronousTestCase):
    def room(
        self, *groups: str, states: dict[str, LineState] | None = None, most: int = 100
    ) -> int:
        return free_room(ROUTES, states or {}, groups, 1000.0, most)

    def test_a_line_in_two_groups_counts_once(self) -> None:
        self.assertEqual(self.room("pair", "tiers", "a"), 4)
        self.assertEqual(self.room("pair", "tiers", states={"a": BUSY}), 3)

    def test_it_is_never_more_than_asked_for(self) -> None:
        self.assertEqual(self.room("tiers", most=3), 3)
        self.assertEqual(self.room("tiers", most=0), 0)
        self.assertEqual(self.room("tiers", most=-5), 0)

    def test_the_default_dial_string_has_no_limit_of_its_own(self) -> None:
        self.assertEqual(self.room("carrier"), 100)
        self.assertEqual(self.room("pair", "carrier", states={"a": BUSY, "b": BUSY}), 100)

    def test_groups_without_lines_have_no_room(self) -> None:
        self.assertEqual(self.room("off", "empty", "ghosts"), 0)
        self.assertEqual(self.room(), 0)

    def test_a_rest_between_starts_leaves_room_for_one(self) -> None:
        routes = evolve(ROUTES, lines={"a": line("a", 30, rest=0.1), "b": line("b", 30)})
        self.assertEqual(free_room(routes, {}, ["pair"], 0, 100), 31)
        unlimited = evolve(ROUTES, lines={"a": line("a", None)})
        self.assertEqual(free_room(unlimited, {}, ["pair"], 0, 100), 100)

    def test_the_earliest_line_to_come_free(self) -> None:
        routes = evolve(ROUTES, lines={"a": line("a", rest=9), "b": line("b", rest=5)})
        states = {"a": idle(999), "b": idle(998)}
        self.assertEqual(next_free_at(routes, states, ["pair"], 1000), 1003)
        self.assertEqual(next_free_at(routes, {"a": BUSY, "b": BUSY}, ["pair"], 1000), None)
        self.assertEqual(next_free_at(routes, {"a": BUSY}, ["pair"], 1000), 1000)
        self.assertEqual(next_free_at(routes, {}, ["carrier"], 1000), 1000)
        self.assertEqual(next_free_at(routes, {}, ["off"], 1000), None)


@st.composite
def tables(draw: st.DrawFn) -> Routes:
    names = ["a", "b", "c", "d"]
    lines = {
        name: line(name, draw(st.sampled_from([1, 2, 3])), draw(st.sampled_from([0.0, 3.0])))
        for name in names
    }
    tiers = st.lists(st.lists(st.sampled_from([*names, "gone"]), max_size=3).map(tuple), max_size=3)
    groups = {
        name: LineGroup(name, tuple(draw(tiers)), draw(st.sampled_from([True, True, False])))
        for name in ("g", "h")
    }
    return Routes(lines, groups, DEFAULT)


class AgreementTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(tables(), st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=20))
    def test_there_is_room_for_exactly_as_many_calls_as_can_be_placed(
        self, routes: Routes, steps: list[tuple[float, bool]]
    ) -> None:
        states: dict[str, LineState] = {}
        now, up = 0.0, list[Line]()
        for pause, is_end in steps:
            now += pause
            if is_end and up:
                over = up.pop(0)
                states[over.name] = ended(states[over.name], over, now, CallEnd(True))
            expected = free_room(routes, states, ["g", "h"], now, 1000)
            placed = self.place_all(routes, dict(states), now)
            self.assertEqual(len(placed), expected)
            if placed and not is_end:
                states[placed[0].name] = started(states.get(placed[0].name, UNUSED), placed[0], now)
                up.append(placed[0])

    def place_all(self, routes: Routes, states: dict[str, LineState], now: float) -> list[Line]:
        placed: list[Line] = []
        for group in ("g", "h"):
            while isinstance(choice := choose(routes, states, group, now), Choice):
                assert choice.line is not None
                placed.append(choice.line)
                state = states.get(choice.line.name, UNUSED)
                states[choice.line.name] = started(state, choice.line, now)
        return placed


class TierOrderTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(tables(), st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12))
    def test_no_line_is_taken_while_one_of_an_earlier_tier_is_free(
        self, routes: Routes, used: list[str]
    ) -> None:
        states: dict[str, LineState] = {}
        for moment, name in enumerate(used):
            if room(routes.lines[name], states.get(name, UNUSED), moment):
                state = states.get(name, UNUSED)
                states[name] = started(state, routes.lines[name], moment)
        now = float(len(used))
        for group in routes.groups.values():
            chosen = choose(routes, states, group.name, now)
            free = [
                [name for name in tier if self.is_free(routes, states, name, now)]
                for tier in group.tiers
            ]
            first = next((tier for tier in free if tier), None) if group.enabled else None
            if first is None:
                self.assertIsInstance(chosen, NoLine)
            else:
                assert isinstance(chosen, Choice)
                assert chosen.line is not None
                self.assertIn(chosen.line.name, first)

    def is_free(self, routes: Routes, states: dict[str, LineState], name: str, now: float) -> bool:
        line = routes.lines.get(name)
        return line is not None and room(line, states.get(name, UNUSED), now) > 0
