"""The rest of a list in virtual time: each number meets the rules that it will meet."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.callee import CalleeRules, Cap, RetryPlan, RetryRule
from ctidialer.contract.hours import ALL_HOURS, CallingHours, Window
from ctidialer.contract.record import Outcome
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules.callee_hours import all_open
from ctidialer.rules.calling_hours import opening
from ctidialer.rules.forecast.actors import CallEnd
from ctidialer.rules.forecast.callees import Callees, Mix
from ctidialer.rules.forecast.flow import Speed, flow
from ctidialer.rules.forecast.numbers import CallRules, NumbersLeft, Part, Sampled
from ctidialer.rules.permission import LastMoments
from ctidialer.rules.prediction.handle_time import HandleTimes
from ctidialer.rules.prediction.ringing import RingTimes

NOON = datetime.fromisoformat("2026-11-30 12:00+00:00").timestamp()
HOUR = 3600.0
DAY = 24 * HOUR
FREE = CallRules(ALL_HOURS, "UTC", CalleeRules(), LastMoments())
OFFICE = CallingHours(windows=(Window(9 * 3600, 17 * 3600),))
RETRY = RetryPlan((RetryRule(frozenset({"busy", "no_answer"}), (600.0,), 2),))
CALLEES = Callees(1, RingTimes().curve(()), HandleTimes().curve(()))
SLOW = Speed(calls=0.1, use=None, abandoned=0.1, measured=0.0)


def numbers(
    rules: CallRules = FREE,
    fresh: Part = Part(),  # noqa: B008 - a frozen value
    waiting: Part = Part(),  # noqa: B008
    **more: Any,
) -> NumbersLeft:
    mix, most = more.pop("mix", Mix()), more.pop("most", 1000)
    return NumbersLeft.of(fresh, waiting, rules, mix, random.Random(3), NOON, most)


def one(**facts: Any) -> Part:
    return Part(1, (Sampled(**facts),))


class RulesTests(SynchronousTestCase):
    def test_numbers_end_with_their_calls(self) -> None:
        left = numbers(fresh=Part(2, (Sampled(), Sampled())))
        self.assertEqual((left.left, left.is_open(0.0)), (2, True))
        for end in (CallEnd.REACHED, CallEnd.UNANSWERED):
            self.assertTrue(left.ready(1.0))
            left.over(left.take(1.0), end, 20.0)
        self.assertFalse(left.ready(21.0))
        self.assertTrue(left.is_over)
        self.assertFalse(left.is_open(21.0))
        self.assertIsNone(left.changes_at(21.0))
        self.assertEqual(left.tally.ended, {Outcome.ANSWERED: 1, Outcome.NO_ANSWER: 1})
        self.assertEqual((left.tally.calls, left.tally.answered), (2, 1))
        self.assertEqual(left.tally.last_end, 20.0)

    def test_the_task_is_closed(self) -> None:
        left = numbers(evolve(FREE, hours=OFFICE), Part(1))
        self.assertEqual(left.changes_at(0.0), 5 * HOUR)
        self.assertTrue(left.ready(5 * HOUR - 1))
        self.assertFalse(left.ready(5 * HOUR))
        self.assertEqual(left.changes_at(5 * HOUR), 21 * HOUR)
        self.assertTrue(left.ready(21 * HOUR))

    def test_a_callee_for_whom_it_is_night_waits_and_holds_up_nobody(self) -> None:
        rules = evolve(FREE, callee=CalleeRules(hours=(OFFICE,)))
        tokyo, london = Sampled(zones=("Asia/Tokyo",)), Sampled(zones=("Europe/London",))
        left = numbers(rules, Part(2, (tokyo, london)))
        self.assertTrue(left.ready(0.0))
        left.over(left.take(0.0), CallEnd.REACHED, 30.0)
        self.assertFalse(left.ready(30.0))
        self.assertEqual(left.changes_at(30.0), 12 * HOUR)  # nine o'clock in Tokyo
        self.assertTrue(left.ready(12 * HOUR))
        self.assertEqual(left.tally.held, {WaitReason.HOURS: 1})

    def test_who_may_never_be_called(self) -> None:
        for facts, rules, outcome in (
            ({"ends": Outcome.INVALID}, FREE, Outcome.INVALID),
            ({"ends": Outcome.DNC}, FREE, Outcome.DNC),
            ({}, evolve(FREE, callee=CalleeRules(hours=(OFFICE,))), Outcome.CLOSED),
        ):
            left = numbers(rules, one(**facts))
            self.assertFalse(left.ready(0.0))
            self.assertEqual(left.tally.ended, {outcome: 1})
            self.assertEqual(left.tally.calls, 0)

    def test_a_cap_holds_a_number_back_until_it_may_be_called(self) -> None:
        rules = evolve(FREE, callee=CalleeRules(caps=(Cap(1, DAY),)))
        left = numbers(rules, one(calls=(NOON - HOUR,)))
        self.assertFalse(left.ready(0.0))
        self.assertEqual(left.changes_at(0.0), 23 * HOUR)
        self.assertTrue(left.ready(23 * HOUR))
        self.assertEqual(left.tally.held, {WaitReason.CAP: 1})

    def test_a_cap_beyond_the_end_of_the_task(self) -> None:
        rules = CallRules(
            ALL_HOURS, "UTC", CalleeRules(caps=(Cap(1, DAY),)), LastMoments(NOON + HOUR)
        )
        left = numbers(rules, one(calls=(NOON - HOUR,)))
        self.assertFalse(left.ready(0.0))
        self.assertEqual(left.tally.ended, {Outcome.CAPPED: 1})

    def test_its_own_calls_count_for_the_caps(self) -> None:
        callee = CalleeRules(caps=(Cap(1, 2 * HOUR),), retry=RETRY)
        left = numbers(evolve(FREE, callee=callee), one())
        self.assertTrue(left.ready(0.0))
        left.over(left.take(0.0), CallEnd.UNANSWERED, 30.0)
        self.assertEqual(left.changes_at(30.0), 630.0)
        self.assertFalse(left.ready(630.0))
        self.assertEqual(left.changes_at(630.0), 2 * HOUR)

    def test_retries_come_when_the_plan_says_and_before_fresh_numbers(self) -> None:
        rules = evolve(FREE, callee=CalleeRules(retry=RETRY))
        left = numbers(rules, Part(2, (Sampled(zones=("a",)), Sampled(zones=("b",)))))
        first = left.take(0.0) if left.ready(0.0) else None
        left.over(first, CallEnd.UNANSWERED, 30.0)
        self.assertTrue(left.ready(630.0))
        self.assertIs(left.take(630.0), first)
        left.over(first, CallEnd.UNANSWERED, 650.0)
        self.assertTrue(left.ready(1250.0))
        left.over(left.take(1250.0), CallEnd.UNANSWERED, 1280.0)
        self.assertEqual(left.tally.retries, 2)
        self.assertEqual(left.tally.ended, {Outcome.NO_ANSWER: 1})
        self.assertEqual(left.left, 1)

    def test_a_number_that_waits_goes_on_where_it_was(self) -> None:
        rules = evolve(FREE, callee=CalleeRules(retry=RETRY))
        used = {RETRY.rules[0].name: 2}
        left = numbers(rules, waiting=one(due=NOON + 60.0, tried=2, used=used))
        self.assertFalse(left.ready(59.0))
        self.assertTrue(left.ready(60.0))
        left.over(left.take(60.0), CallEnd.UNANSWERED, 90.0)
        self.assertTrue(left.is_over)
        self.assertEqual(left.tally.retries, 0)

    def test_redials_are_calls_of_the_same_try(self) -> None:
        rules = evolve(FREE, callee=CalleeRules(retry=RETRY))
        left = numbers(rules, one(), mix=Mix(redialed=1.0))
        self.assertTrue(left.ready(0.0))
        left.over(left.take(0.0), CallEnd.UNANSWERED, 30.0)
        self.assertTrue(left.ready(30.0))
        left.over(left.take(30.0), CallEnd.REACHED, 60.0)
        self.assertEqual((left.tally.calls, left.tally.retries), (2, 0))

    def test_the_order_of_a_long_list_is_kept(self) -> None:
        here, there = Sampled(zones=("Asia/Tokyo",)), Sampled(zones=("Europe/London",))
        left = numbers(fresh=Part(1_000_000, (here,) * 10 + (there,) * 30), most=100)
        self.assertEqual(left.weight, 10_000.0)
        zones = []
        while left.ready(0.0):
            number = left.take(0.0)
            zones.append(number.zones[0])  # type: ignore[attr-defined]
            left.over(number, CallEnd.REACHED, 0.0)
        self.assertEqual(zones, ["Asia/Tokyo"] * 25 + ["Europe/London"] * 75)
        self.assertEqual(left.tally.ended, {Outcome.ANSWERED: 1_000_000})


@define(eq=False)
class Watched(NumbersLeft):
    """Notes when each number was called, and where its callee is."""

    called: list[tuple[float, tuple[str, ...]]] = field(factory=list)

    def take(self, now: float) -> object:
        number = super().take(now)
        self.called.append((self.start + now, number.zones))  # type: ignore[attr-defined]
        return number


ZONES = st.sampled_from([("Asia/Tokyo",), ("Europe/London",), ("America/New_York",), ()])
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: minute * 60)
HOURS = st.builds(
    CallingHours,
    windows=st.lists(st.builds(Window, begin=MINUTES, end=MINUTES), max_size=2).map(tuple),
    weekdays=st.none() | st.frozensets(st.integers(0, 6), min_size=1),
)
CAPS = st.lists(st.builds(Cap, st.integers(1, 3), st.sampled_from([60.0, HOUR, DAY])), max_size=2)
PLANS = st.builds(
    RetryPlan,
    st.lists(
        st.builds(
            RetryRule,
            st.frozensets(
                st.sampled_from(["busy", "no_answer", "abandoned", "failed"]), min_size=1
            ),
            st.lists(st.floats(0.0, 2 * DAY), min_size=1, max_size=3).map(tuple),
            st.integers(1, 3),
        ),
        max_size=2,
    ).map(tuple),
)
LEFT = st.builds(
    Sampled,
    zones=ZONES,
    ends=st.sampled_from([None, None, None, Outcome.DNC, Outcome.INVALID]),
    calls=st.lists(st.floats(NOON - DAY, NOON), max_size=3).map(lambda at: tuple(sorted(at))),
    due=st.floats(NOON - DAY, NOON + DAY),
)


class AnyListTests(SynchronousTestCase):
    @settings(max_examples=150, deadline=None)
    @given(
        fresh=st.lists(LEFT, max_size=20),
        waiting=st.lists(LEFT, max_size=10),
        hours=HOURS,
        callee_hours=st.lists(HOURS, max_size=2),
        caps=CAPS,
        plan=PLANS,
        stops=st.none() | st.floats(0.0, 3 * DAY),
        seed=st.integers(0, 9),
    )
    def test_it_ends_and_nobody_is_called_when_he_may_not_be(
        self,
        fresh: list[Sampled],
        waiting: list[Sampled],
        hours: CallingHours,
        callee_hours: list[CallingHours],
        caps: list[Cap],
        plan: RetryPlan,
        stops: float | None,
        seed: int,
    ) -> None:
        if stops is not None:
            stop = datetime.fromisoformat("2026-11-30 12:00") + timedelta(seconds=stops)
            hours = evolve(hours, stop=stop)
        last = LastMoments() if stops is None else LastMoments(NOON + stops)
        callee = CalleeRules(hours=tuple(callee_hours), caps=tuple(caps), retry=plan)
        chance, horizon = random.Random(seed), 30 * DAY
        left = Watched.of(
            Part(len(fresh), fresh),
            Part(len(waiting), waiting),
            CallRules(hours, "UTC", callee, last),
            Mix(unanswered={Outcome.BUSY: 1.0, Outcome.NO_ANSWER: 1.0}, failed=0.1, redialed=0.1),
            chance,
            NOON,
            1000,
        )
        assert isinstance(left, Watched)
        flown = flow(left, CALLEES, SLOW, chance, horizon)
        self.assertTrue(0.0 <= flown.working + flown.idle <= flown.until <= horizon)
        for at, zones in left.called:
            self.assertTrue(opening(hours, "UTC", at).open)
            self.assertTrue(not callee_hours or all_open(callee_hours, zones, at).open)
        tally = left.tally
        self.assertEqual(sum(tally.ended.values()) + left.left, len(fresh) + len(waiting))
        self.assertGreaterEqual(tally.calls, tally.answered)
        self.assertGreaterEqual(tally.answered, tally.abandoned)
        self.assertEqual(len(left.called), tally.calls)
