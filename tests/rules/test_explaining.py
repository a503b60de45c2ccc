"""Why a task is, or is not, dialing: one reason for every state."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.control import Order
from ctidialer.contract.faults import Fault
from ctidialer.contract.hours import CallingHours
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.record import Outcome
from ctidialer.contract.status import Later
from ctidialer.contract.task import Destination, Task
from ctidialer.rules.backpressure import Backpressure
from ctidialer.rules.brake import Brake
from ctidialer.rules.calling_hours import Closed, Opening
from ctidialer.rules.explaining import explain, local_time
from ctidialer.rules.explanation import (
    Explanation,
    NodeFacts,
    NodeLoad,
    Obstacle,
    Reason,
    Recent,
    TaskFacts,
)
from ctidialer.rules.line_state import LineState, Why
from ctidialer.rules.pacing import Pace
from ctidialer.rules.routing import Routes
from ctidialer.rules.words import Tone

NOW = 1_700_000_000.0  # 2023-11-15 06:13:20 in Shanghai
ROUTES = Routes(
    lines={
        "a": Line("a", "user/1", count=1, rest=60.0),
        "b": Line("b", "user/2", count=2),
    },
    groups={"g": LineGroup("g", (("a", "b"),)), "off": LineGroup("off", (("a",),), enabled=False)},
    default_dialstring="sofia/gateway/${line_group}/${destination_number}",
)
TASK = Task(
    name="t",
    enabled=True,
    line_groups=("g",),
    limit=5,
    number_queue="q",
    destination=Destination("8888"),
)
FACTS = TaskFacts(task=TASK, opening=Opening(True, None, NOW + 3600))
NODE = NodeFacts(now=NOW, zone="Asia/Shanghai", routes=ROUTES)
AWAY = Obstacle(Reason.FREESWITCH_AWAY, values={"trouble": "connection refused"})
ALL_BUSY = {
    "a": LineState(idle_since=NOW - 20, last_start=NOW - 50),
    "b": LineState(calls=2, last_start=NOW - 10),
}


BRAKED = Brake(Outcome.INVALID, 50, ("$: must be a number…",), b"tel 50", NOW - 20, NOW - 20)


def task(**changed: Any) -> TaskFacts:
    return evolve(FACTS, task=evolve(TASK, **changed))


def closed(why: Closed, opens_at: float | None = None) -> TaskFacts:
    return evolve(FACTS, opening=Opening(False, why, opens_at))


def load(**load: Any) -> NodeFacts:
    return evolve(NODE, load=NodeLoad(**load))


class ReasonTests(SynchronousTestCase):
    """Each reason, with its sentence and the moment at which it goes by itself."""

    def check(
        self,
        reason: Reason,
        text: str,
        changes_at: float | None = None,
        *,
        facts: TaskFacts = FACTS,
        node: NodeFacts = NODE,
    ) -> Explanation:
        found = explain(facts, node)
        self.assertEqual((found.reason, found.text, found.changes_at), (reason, text, changes_at))
        return found

    def test_dialing(self) -> None:
        self.check(Reason.DIALING, "calls are started; calls up: 0", NOW + 3600)
        facts = evolve(FACTS, opening=Opening(True), calls=3)
        self.check(Reason.DIALING, "calls are started; calls up: 3", facts=facts)

    def test_unknown_task(self) -> None:
        text = "there is no task of this name on this host"
        self.check(Reason.UNKNOWN_TASK, text, facts=TaskFacts())
        self.check(
            Reason.UNKNOWN_TASK, text, facts=TaskFacts(), node=evolve(NODE, obstacles=(AWAY,))
        )

    def test_a_task_of_tables_that_were_not_read_yet(self) -> None:
        starting = Obstacle(Reason.STARTING)
        node = evolve(NODE, tables_read=False, obstacles=(starting,))
        self.check(Reason.STARTING, starting.text, facts=TaskFacts(), node=node)

    def test_invalid(self) -> None:
        faults = (
            Fault("$.params.limit", "is missing", "cti_queue_dialer_task@fs1"),
            Fault("$.params.cps", "must be a number"),
        )
        text = (
            "the task is malformed: cti_queue_dialer_task@fs1 $.params.limit: is missing; "
            "$.params.cps: must be a number"
        )
        found = self.check(Reason.INVALID, text, facts=TaskFacts(faults=faults))
        self.assertEqual(found.faults, faults)

    def test_disabled(self) -> None:
        self.check(Reason.DISABLED, "its enable is not true", facts=task(enabled=False))

    def test_closed(self) -> None:
        opens = "opens 2023-11-15 09:00:00 (Asia/Shanghai)"
        at = NOW + 10_000
        never = "it does not open again"
        for why, reason, begins in (
            (Closed.BEFORE_START, Reason.BEFORE_START, "it is before start_time"),
            (Closed.HOLIDAY, Reason.HOLIDAY, "it is a holiday"),
            (Closed.NOT_A_WORKING_DAY, Reason.NOT_A_WORKING_DAY, "today is no day of work_week"),
            (Closed.OUTSIDE_HOURS, Reason.OUTSIDE_HOURS, "it is outside the work hours"),
        ):
            self.check(reason, f"{begins}; {opens}", at, facts=closed(why, at))
            self.check(reason, f"{begins}; {never}", facts=closed(why))
        facts = closed(Closed.AFTER_STOP)
        self.check(Reason.AFTER_STOP, f"stop_time is past; {never}", facts=facts)

    def test_the_times_are_those_of_the_tasks_own_zone(self) -> None:
        hours = CallingHours(timezone="America/New_York")
        facts = evolve(closed(Closed.HOLIDAY, NOW), task=evolve(TASK, hours=hours))
        text = "it is a holiday; opens 2023-11-14 17:13:20 (America/New_York)"
        self.check(Reason.HOLIDAY, text, NOW, facts=facts)

    def test_paused(self) -> None:
        for order, by in (
            (Order(NOW, "ann@pbx1"), " by ann@pbx1 since 2023-11-15 06:13:20 (Asia/Shanghai)"),
            (Order(None, "ann"), " by ann"),
            (Order(NOW, ""), " since 2023-11-15 06:13:20 (Asia/Shanghai)"),
            (Order(1e30, "ann"), " by ann"),
            (Order(float("nan"), ""), ""),
        ):
            text = f"it is paused{by}, until it is resumed"
            self.check(Reason.PAUSED, text, facts=evolve(FACTS, paused=order))

    def test_limit_zero(self) -> None:
        self.check(Reason.LIMIT_ZERO, "its limit is 0", facts=task(limit=0))

    def test_what_keeps_the_whole_node(self) -> None:
        for reason in (
            Reason.NO_DAEMON,
            Reason.DRAINING,
            Reason.DRAINED,
            Reason.REDIS_AWAY,
            Reason.LEASE_LOST,
            Reason.FREESWITCH_AWAY,
            Reason.STARTING,
            Reason.RECORDS_REFUSED,
        ):
            obstacle = Obstacle(reason, values={"host": "fs1", "calls": "1", "trouble": "gone"})
            node = evolve(NODE, obstacles=(obstacle, AWAY))
            self.check(reason, obstacle.text, node=node)
            self.assertNotIn("?", obstacle.text)

    def test_freeswitch_refusing(self) -> None:
        text = "FreeSWITCH refuses calls; it is given a rest of 2 s"
        pressure = Backpressure(2.0, NOW + 1.5)
        self.check(Reason.FREESWITCH_REFUSING, text, NOW + 1.5, node=load(backpressure=pressure))
        over = Backpressure(2.0, NOW - 1, 10.0)
        text = "FreeSWITCH refused calls lately; 10.4 a second are started at most; calls up: 0"
        slowed = load(backpressure=over, slowed_to=10.42)
        self.check(Reason.FREESWITCH_REFUSING, text, node=slowed)
        empty = evolve(FACTS, queue_is_empty=True)
        self.assertIs(explain(empty, slowed).reason, Reason.QUEUE_EMPTY)

    def test_braked(self) -> None:
        text = (
            "its last 50 numbers all ended as invalid: $: must be a number…; the last one: tel 50; "
            "one number a minute is tried"
        )
        self.check(Reason.BRAKED, text, NOW + 40, facts=evolve(FACTS, brake=BRAKED))
        abandoned = evolve(BRAKED, outcome=Outcome.ANSWERED, common=("abandoned",), entry=b"139")
        text = (
            "the last 50 who answered were all abandoned; the last one: 139: does its extension "
            "lead to its agents? One number a minute is tried"
        )
        self.check(Reason.BRAKED, text, NOW + 40, facts=evolve(FACTS, brake=abandoned))

    def test_limit_reached(self) -> None:
        text = "all calls that its limit allows are up: 5 of 5"
        self.check(Reason.LIMIT_REACHED, text, NOW + 3600, facts=evolve(FACTS, calls=5))
        text = "all calls that its limit allows are up: 7 of 5"
        self.check(Reason.LIMIT_REACHED, text, NOW + 3600, facts=evolve(FACTS, calls=7))

    def test_slots_of_the_limit_that_wait_for_a_further_call(self) -> None:
        facts = evolve(FACTS, calls=5, waiting=2, next_call=NOW + 60)
        found = self.check(
            Reason.LIMIT_REACHED,
            "all 5 slots of its limit are taken: calls up: 3; waiting for a further call: 2, next"
            " 2023-11-15 06:14:20 (Asia/Shanghai)",
            NOW + 60,
            facts=facts,
        )
        self.assertNotIn("calls that its limit allows are up", found.text)
        text = "all 5 slots of its limit are taken: calls up: 0; waiting for a further call: 5"
        facts = evolve(FACTS, calls=5, waiting=5, next_call=NOW - 1)
        self.check(Reason.LIMIT_REACHED, text, facts=facts)
        facts = evolve(FACTS, calls=4, waiting=2, next_call=NOW + 60)
        self.assertIs(explain(facts, NODE).reason, Reason.DIALING)

    def test_queue_unusable(self) -> None:
        facts = evolve(FACTS, queue_problem="the key 'q' holds a string, but must hold a list")
        text = "no number can be taken: the key 'q' holds a string, but must hold a list"
        self.check(Reason.QUEUE_UNUSABLE, text, facts=facts)

    def test_node_limit(self) -> None:
        text = "all places that the node's max_calls gives are taken: 10 of 10"
        self.check(Reason.NODE_LIMIT, text, node=load(calls=10, max_calls=10))
        text = (
            "all places that the node's max_calls gives are taken: 9 of 10, "
            "1 more are kept for scheduled numbers"
        )
        self.check(Reason.NODE_LIMIT, text, node=load(calls=9, max_calls=10, kept=1))
        self.assertIs(explain(FACTS, load(calls=9, max_calls=10)).reason, Reason.DIALING)
        text = "the node starts as many calls as its max_cps allows: 0.5 a second"
        paced = load(max_cps=0.5, next_start=NOW + 1)
        self.check(Reason.NODE_LIMIT, text, NOW + 1, node=paced)

    def test_no_free_line_names_each_line_with_its_reason(self) -> None:
        text = "no line is free (a: it rests; b: all its calls are up)"
        node = evolve(NODE, states=ALL_BUSY)
        found = self.check(Reason.NO_FREE_LINE, text, NOW + 40, node=node)
        busy = [(line.name, line.why, line.until, line.group) for line in found.lines]
        expected = [("a", Why.RESTING, NOW + 40, "g"), ("b", Why.FULL, None, "g")]
        self.assertEqual(busy, expected)

    def test_no_free_line_in_any_of_several_groups(self) -> None:
        text = (
            "no line is free (off: the group is not enabled; a: it rests; b: all its calls are up)"
        )
        node = evolve(NODE, states=ALL_BUSY)
        facts = task(line_groups=("off", "g"))
        self.check(Reason.NO_FREE_LINE, text, NOW + 40, facts=facts, node=node)
        facts = task(line_groups=("off",))
        text = "no line is free (off: the group is not enabled)"
        self.check(Reason.NO_FREE_LINE, text, facts=facts)
        facts = task(line_groups=("off", "unknown"))  # the default dial string dials it
        self.assertIs(explain(facts, node).reason, Reason.DIALING)

    def test_of_many_lines_they_are_counted_by_reason(self) -> None:
        names = [f"l{index}" for index in range(7)]
        lines = {name: Line(name, "user/1", rest=60.0) for name in names}
        routes = Routes(lines, {"g": LineGroup("g", (tuple(names),))}, "null")
        states = {name: LineState(calls=1, last_start=NOW) for name in names}
        states |= {name: LineState(idle_since=NOW, last_start=NOW) for name in names[:3]}
        node = evolve(NODE, routes=routes, states=states)
        text = "no line is free (all its calls are up: 4; it rests: 3)"
        found = self.check(Reason.NO_FREE_LINE, text, NOW + 60, node=node)
        self.assertEqual(len(found.lines), 7)

    def test_queue_empty(self) -> None:
        text = "there is no number left in 'q'; calls up: 2"
        facts = evolve(FACTS, queue_is_empty=True, calls=2)
        self.check(Reason.QUEUE_EMPTY, text, NOW + 3600, facts=facts)

    def test_several_queues_that_are_empty(self) -> None:
        text = "there is no number left in 'q', 'later'; calls up: 0"
        facts = evolve(task(further_queues=("later",)), queue_is_empty=True)
        self.check(Reason.QUEUE_EMPTY, text, NOW + 3600, facts=facts)

    def test_queue_empty_after_failures(self) -> None:
        facts = evolve(FACTS, queue_is_empty=True, recent=Recent(100, 97))
        text = (
            "there is no number left in 'q'; of the last 100 numbers 97 failed or were invalid;"
            " calls up: 0"
        )
        found = self.check(Reason.QUEUE_EMPTY, text, NOW + 3600, facts=facts)
        self.assertIs(found.reason.words.tone_of(found.form), Tone.WARN)
        for calm in (Recent(9, 9), Recent(100, 49), Recent()):
            found = explain(evolve(facts, recent=calm), NODE)
            self.assertEqual((found.form, found.reason.words.tone_of("")), ("", Tone.WAIT))

    def test_paced(self) -> None:
        text = "calls are started as fast as its cps allows: 0.1 a second; calls up: 1"
        facts = evolve(task(cps=0.1), pace=Pace(NOW - 2, (NOW - 2,)), calls=1)
        self.check(Reason.PACED, text, NOW + 8, facts=facts)
        facts = evolve(task(cps=0.1), pace=Pace())
        self.assertIs(explain(facts, NODE).reason, Reason.DIALING)


# Each fact on its own, in the documented order of the reasons: the first one wins.
TASK_FACTS: tuple[tuple[Reason, dict[str, Any]], ...] = (
    (Reason.PAUSED, {"paused": Order()}),
    (Reason.BRAKED, {"brake": BRAKED}),
    (Reason.LIMIT_REACHED, {"calls": 5}),
    (Reason.QUEUE_UNUSABLE, {"queue_problem": "it is no list"}),
    (Reason.NUMBERS_WAIT, {"queue_is_empty": True, "later": Later(1, 2, 0, NOW + 60)}),
    (Reason.QUEUE_EMPTY, {"queue_is_empty": True}),
)
NODE_FACTS: tuple[tuple[Reason, dict[str, Any]], ...] = (
    (Reason.FREESWITCH_AWAY, {"obstacles": (AWAY,)}),
    (Reason.NO_FREE_LINE, {"states": ALL_BUSY}),
)
LOADS: tuple[tuple[Reason, dict[str, Any]], ...] = (
    (
        Reason.FREESWITCH_PAUSED,
        {"backpressure": Backpressure(2.0, NOW + 1), "is_paused": True},
    ),
    (Reason.FREESWITCH_REFUSING, {"backpressure": Backpressure(2.0, NOW + 1)}),
    (Reason.NODE_LIMIT, {"calls": 3, "max_calls": 3}),
)
TASKS: tuple[tuple[Reason, dict[str, Any]], ...] = (
    (Reason.DISABLED, {"enabled": False}),
    (Reason.LIMIT_ZERO, {"limit": 0}),
)


class OrderTests(SynchronousTestCase):
    def test_the_values_are_for_programs(self) -> None:
        for reason in Reason:
            self.assertEqual(reason.value, reason.name.lower())

    @settings(deadline=None, max_examples=200)
    @given(
        st.sets(st.sampled_from(TASK_FACTS).map(lambda one: one[0])),
        st.sets(st.sampled_from(NODE_FACTS).map(lambda one: one[0])),
        st.sets(st.sampled_from(LOADS).map(lambda one: one[0])),
        st.sets(st.sampled_from(TASKS).map(lambda one: one[0])),
        st.booleans(),
    )
    def test_of_several_the_first_is_given(
        self,
        of_task: set[Reason],
        of_node: set[Reason],
        of_load: set[Reason],
        of_text: set[Reason],
        is_closed: bool,
    ) -> None:
        facts = task(**_merged(TASKS, of_text))
        facts = evolve(facts, **_merged(TASK_FACTS, of_task))
        if is_closed:
            facts = evolve(facts, opening=Opening(False, Closed.HOLIDAY))
        node = evolve(load(**_merged(LOADS, of_load)), **_merged(NODE_FACTS, of_node))
        holds = of_task | of_node | of_load | of_text | ({Reason.HOLIDAY} if is_closed else set())
        expected = min(holds, key=list(Reason).index, default=Reason.DIALING)
        self.assertIs(explain(facts, node).reason, expected)

    def test_local_time(self) -> None:
        self.assertEqual(local_time(0.9, "Asia/Shanghai"), "1970-01-01 08:00:00 (Asia/Shanghai)")


def _merged(
    every: tuple[tuple[Reason, dict[str, Any]], ...], wanted: set[Reason]
) -> dict[str, Any]:
    return {
        name: value for reason, some in every if reason in wanted for name, value in some.items()
    }
