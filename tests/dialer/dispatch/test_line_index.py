"""The index of free lines says what the plain rules say, whatever happened before."""

from __future__ import annotations

import math

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import FaultPolicy, Line, LineGroup, Scope
from ctidialer.dialer.dispatch import free_lines, line_index
from ctidialer.dialer.dispatch.free_lines import FreeLines, LineBook
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.rules import line_state, routing
from ctidialer.rules.line_state import UNUSED, LineState, TakenOut
from ctidialer.rules.routing import GATEWAY_ACCOUNT, CallEnd, Choice, Routes

NAMES = ("a", "b", "c", "d", "e")
GROUPS = ("g", "h", "odd name;", "b", "carrier")
ASKED = (("g",), ("g", "h"), ("h", "b"), ("carrier",), ("odd name;", "g"), ("carrier", "h"), ())

lines = st.builds(
    Line,
    name=st.just(""),
    dialstring=st.sampled_from(["user/1", "sofia/gateway/${line_group}/1"]),
    count=st.sampled_from([0, 1, 1, 2, None]),
    rest=st.sampled_from([0.0, 0.0, 3.0]),
    faults=st.builds(FaultPolicy, st.sampled_from([0, 1]), st.sampled_from([0.0, 5.0])),
    cps=st.sampled_from([None, None, 0.5]),
    scope=st.sampled_from([Scope.HOST, Scope.HOST, Scope.DOMAIN]),
    gateway=st.sampled_from([None, None, "x", "y", "unknown"]),
)
gateways = st.builds(
    Line,
    name=st.just(""),
    dialstring=st.just(""),
    count=st.sampled_from([0, 1, 2, 3, None]),
    cps=st.sampled_from([None, None, 0.5]),
)
tiers = st.lists(st.lists(st.sampled_from(NAMES), max_size=4).map(tuple), max_size=3).map(tuple)


class AnyHistory(RuleBasedStateMachine):
    """Calls, faults, edits of the tables, and a clock that goes forwards and sometimes back."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Begin with some tables."""
        self.accounts = LineAccounts()
        self.now = 1000.0
        self.up: list[tuple[Line | None, str, float]] = []
        made = {name: self.line(data, name) for name in NAMES[:4]}
        groups = {name: LineGroup(name, data.draw(tiers)) for name in GROUPS[:3]}
        trunks = {name: evolve(data.draw(gateways), name=name) for name in "xy"}
        self.routes = Routes(made, groups, "sofia/gateway/${line_group}/1", trunks)

    def line(self, data: st.DataObject, name: str) -> Line:
        """Return any line of this name."""
        return evolve(data.draw(lines), name=name)

    @rule(group=st.sampled_from(GROUPS))
    def call(self, group: str) -> None:
        """Place a call, if there is a line."""
        choice = self.accounts.choose(self.routes, group, self.now)
        if isinstance(choice, Choice):
            self.accounts.started(choice.line, group, self.now)
            self.up.append((choice.line, group, self.now))

    @precondition(lambda self: self.up)
    @rule(what=st.sampled_from(["ok", "bad", "answered", "withdrawn", "never"]), data=st.data())
    def end(self, what: str, data: st.DataObject) -> None:
        """Something becomes of one of the calls."""
        which = data.draw(st.integers(0, len(self.up) - 1))
        line, group, began = self.up[which]
        if what == "answered":
            self.accounts.answered(line, group)
            return
        del self.up[which]
        if what == "withdrawn":
            self.accounts.withdrawn(line, group)
        elif what == "never":
            self.accounts.never_left(line, group, "GATEWAY_DOWN", self.now)
        else:
            end = CallEnd(what == "ok", duration=self.now - began)
            self.accounts.ended(line, group, self.now, end)

    @rule(seconds=st.sampled_from([0.001, 1.0, 2.0, 3.0, 30.0, -0.5, -3.0, -40.0]))
    def wait(self, seconds: float) -> None:
        """The clock goes on, or is put back."""
        self.now += seconds

    @rule(seconds=st.sampled_from([0.5, 3.0, -0.5, -3.0]))
    def look_while_the_clock_moves(self, seconds: float) -> None:
        """All lists are asked, before and after."""
        for _ in range(2):
            for groups in ASKED:
                self.look_at_room(groups)
            for group in GROUPS:
                self.look_at_choice(group)
            self.now += seconds

    @rule(name=st.sampled_from([*NAMES, "carrier"]), data=st.data())
    def edit_line(self, name: str, data: st.DataObject) -> None:
        """A line is added, edited or removed, its calls going on."""
        others = {key: line for key, line in self.routes.lines.items() if key != name}
        if data.draw(st.booleans()):
            others[name] = self.line(data, name)
        self.routes = evolve(self.routes, lines=others)

    @rule(name=st.sampled_from(["x", "y", "unknown"]), data=st.data())
    def edit_gateway(self, name: str, data: st.DataObject) -> None:
        """A gateway is added, edited or removed, its calls going on."""
        others = {key: one for key, one in self.routes.gateways.items() if key != name}
        if data.draw(st.booleans()):
            others[name] = evolve(data.draw(gateways), name=name)
        self.routes = evolve(self.routes, gateways=others)

    @rule(
        name=st.sampled_from([*NAMES, routing.gateway_account("x"), routing.gateway_account("y")]),
        others=st.sampled_from([0, 0, 1, 2]),
        until=st.sampled_from([None, None, 1.0, 3.0]),
    )
    def hear_of_others(self, name: str, others: int, until: float | None) -> None:
        """Redis says how many calls other hosts have."""
        self.accounts.counted(name, others, None if until is None else self.now + until)

    @rule(
        orders=st.dictionaries(
            st.sampled_from([*NAMES, "carrier"]), st.sampled_from([1.0, 3.0, math.inf]), max_size=3
        )
    )
    def take_out(self, orders: dict[str, float]) -> None:
        """Operators take lines out of use, for a time or without an end, and put others back."""
        self.accounts.take_out({name: TakenOut(self.now + orders[name]) for name in orders})

    @rule(name=st.sampled_from([*NAMES, "carrier"]))
    def try_now(self, name: str) -> None:
        """A line that rests after faults is tried at once."""
        self.accounts.try_now(name)

    @rule(name=st.sampled_from(GROUPS[:3]), into=tiers, enabled=st.booleans())
    def edit_group(self, name: str, into: tuple[tuple[str, ...], ...], enabled: bool) -> None:
        """A group is edited."""
        groups = {**self.routes.groups, name: LineGroup(name, into, enabled)}
        self.routes = evolve(self.routes, groups=groups)

    @rule(groups=st.sampled_from(ASKED))
    def look_at_room(self, groups: tuple[str, ...]) -> None:
        """Of the lists only those that are asked catch up."""
        states, now = self.accounts.states, self.now
        room = self.accounts.room(self.routes, groups, now, 1000)
        assert room == routing.free_room(self.routes, states, groups, now, 1000)
        there = routing.lines_of(self.routes, groups)
        may = routing.may_come_free(self.routes, states, there, now)
        if routing.next_free_at(self.routes, states, groups, now) is not None:
            assert may
        assert self.accounts.may_come_free(self.routes, groups, now) is may

    @rule(group=st.sampled_from(GROUPS))
    def look_at_choice(self, group: str) -> None:
        """The same line is taken, and none where there is none."""
        found = self.accounts.choose(self.routes, group, self.now)
        right = routing.choose(self.routes, self.accounts.states, group, self.now)
        if isinstance(right, Choice):
            assert found == right
        else:
            assert not isinstance(found, Choice)

    @invariant()
    def no_call_is_lost(self) -> None:
        """The accounts have each call that is up."""
        if hasattr(self, "accounts"):
            states = self.accounts.states.items()
            of_lines = [one for name, one in states if not name.startswith(GATEWAY_ACCOUNT)]
            assert sum(state.calls for state in of_lines) == len(self.up)
            of_gateways = [one for name, one in states if name.startswith(GATEWAY_ACCOUNT)]
            shared = [line for line, _, _ in self.up if line is not None and line.gateway]
            assert sum(state.calls for state in of_gateways) == len(shared)


class AnyHistoryTests(SynchronousTestCase):
    def run_with(self, few: int, remembered: int) -> None:
        self.patch(line_index, "FEW_LINES", few)
        self.patch(free_lines, "MAX_REMEMBERED", remembered)
        run_state_machine_as_test(
            AnyHistory, settings=settings(deadline=None, max_examples=60, stateful_step_count=40)
        )

    def test_it_says_what_the_plain_rules_say(self) -> None:
        self.run_with(few=0, remembered=50_000)

    def test_also_where_the_book_remembers_little(self) -> None:
        self.run_with(few=2, remembered=4)

    def test_also_where_lists_are_thrown_away(self) -> None:
        self.patch(line_index, "MAX_KEPT", 60)
        self.run_with(few=0, remembered=50_000)


class ClockTests(SynchronousTestCase):
    """Directed at what a random history meets seldom."""

    def room(self, line: Line, state: LineState, *moments: float) -> list[float]:
        book = LineBook()
        book.take(Routes({"l": line}, {}, ""))
        book.put("l", state)
        free = FreeLines(book, ["l"])
        return [free.room(now) for now in moments]

    def test_a_clock_put_back_into_a_rest(self) -> None:
        line, state = Line("l", "user/1", rest=3.0), LineState(idle_since=1000.0)
        self.assertEqual(self.room(line, state, 1003, 1002, 999, 1001, 1003), [1, 0, 1, 0, 1])

    def test_a_clock_put_back_while_out_of_use(self) -> None:
        line = Line("l", "user/1")
        state = LineState(
            out_of_use_since=1000.0, never_left="GATEWAY_DOWN", never_left_by="user/1"
        )
        self.assertEqual(self.room(line, state, 1030, 1029, 999, 1001, 1030), [1, 0, 1, 0, 1])

    def test_a_clock_put_back_before_the_last_start(self) -> None:
        line = Line("l", "user/1", count=5, cps=0.1)
        state = line_state.started(UNUSED, line, 1000.0)
        self.assertEqual(self.room(line, state, 1001, 998, 999.5, 1010), [0, 1, 0, 1])


class CostTests(SynchronousTestCase):
    """How often lines are looked at: no times are asserted."""

    def setUp(self) -> None:
        self.looked = 0

        def counted(line: Line, state: LineState, now: float) -> float:
            self.looked += 1
            return line_state.room(line, state, now)

        self.patch(free_lines, "room", counted)
        self.names = tuple(f"l{index}" for index in range(2000))
        table = {name: Line(name, "user/1", rest=2.0) for name in self.names}
        self.routes = Routes(table, {"g": LineGroup("g", (self.names,))}, "user/1")
        self.accounts = LineAccounts()

    def call(self, now: float) -> Line:
        self.assertGreater(self.accounts.room(self.routes, ["g"], now, 200), 0)
        choice = self.accounts.choose(self.routes, "g", now)
        assert isinstance(choice, Choice)
        assert choice.line is not None
        self.accounts.started(choice.line, "g", now)
        self.accounts.ended(choice.line, "g", now + 1, CallEnd(True))
        return choice.line

    def test_a_call_looks_at_few_lines(self) -> None:
        self.call(0)
        self.looked = 0
        for turn in range(6000):
            self.assertEqual(self.call(turn + 1.0).name, f"l{(turn + 1) % 2000}")
        self.assertLess(self.looked, 6000 * 8)

    def test_an_edit_of_a_line_looks_at_that_line(self) -> None:
        self.call(0)
        self.looked = 0
        edited = {**self.routes.lines, "l7": Line("l7", "user/1", count=5)}
        self.routes = evolve(self.routes, lines=edited)
        self.assertEqual(self.accounts.room(self.routes, ["g"], 1, 9999), 2003)
        self.assertLess(self.looked, 8)

    def test_nobody_pays_for_lists_that_nobody_asks(self) -> None:
        groups = {name: LineGroup(name, (self.names,)) for name in ("g", "x", "y", "z")}
        self.routes = evolve(self.routes, groups=groups)
        for name in groups:
            self.accounts.room(self.routes, [name], 0, 1)
        self.test_a_call_looks_at_few_lines()


class BookTests(SynchronousTestCase):
    def test_it_forgets_the_oldest_changes(self) -> None:
        self.patch(free_lines, "MAX_REMEMBERED", 10)
        book = LineBook()
        for index in range(30):
            book.put(f"l{index % 3}", UNUSED)
        self.assertEqual(book.end, 30)
        self.assertIsNone(book.since(0))
        self.assertEqual(book.since(28), ["l1", "l2"])

    def test_the_heaps_do_not_grow(self) -> None:
        book = LineBook()
        lines = {name: Line(name, "user/1", count=None, rest=1.0) for name in "abc"}
        book.take(Routes(lines, {}, ""))
        free = FreeLines(book, "abc")
        for index in range(1000):
            book.put("c", LineState(calls=1, last_start=float(index)))
            self.assertEqual(free.best(float(index)), "a")
        self.assertLess(len(free._free) + len(free._changes), 60)
