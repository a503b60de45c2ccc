"""The time limits of commands that wait for their replies: one timer for all of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.connection import ApiResponse
from ctidialer.esl.errors import CommandTimeout, ConnectionGone
from ctidialer.esl.replies import Reply, ReplyQueue

STEP = 0.125  # s; such fractions add up exactly
WRITE, ANSWER, WAIT = "write", "answer", "wait"
steps = st.lists(
    st.one_of(
        st.tuples(st.just(WRITE), st.sampled_from([0.5, 1.0, 2.5, 10.0])),
        st.tuples(st.just(ANSWER), st.just(0.0)),
        st.tuples(st.just(WAIT), st.sampled_from([0.125, 0.25, 1.0, 4.0])),
    ),
    max_size=30,
)


class TimeLimits(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.queue = ReplyQueue(self.clock)

    def ask(self, timeout: float) -> Deferred[Reply]:
        return self.queue.expect("api", timeout)

    def test_a_shorter_limit_that_comes_later_is_kept(self) -> None:
        long, short = self.ask(10), self.ask(1)
        self.clock.advance(1)
        self.failureResultOf(short, CommandTimeout)
        self.assertNoResult(long)
        self.clock.advance(9)
        self.failureResultOf(long, CommandTimeout)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_timer_for_many(self) -> None:
        waiting = [self.ask(5) for _ in range(100)]
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for each in waiting:
            self.queue.answer(ApiResponse("x"))
            self.successResultOf(each)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(5)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_that_times_out_may_ask_again(self) -> None:
        first, other = self.ask(1), self.ask(2)
        again: list[Deferred[Reply]] = []
        first.addErrback(lambda _: again.append(self.ask(9)))
        self.clock.advance(1)
        self.assertEqual(len(again), 1)
        self.clock.advance(1)
        self.failureResultOf(other, CommandTimeout)
        self.clock.advance(8)
        self.failureResultOf(again[0], CommandTimeout)

    def test_one_that_times_out_may_end_the_connection(self) -> None:
        first, other = self.ask(1), self.ask(1)
        first.addErrback(lambda _: self.queue.fail_all("enough"))
        self.clock.advance(1)
        self.failureResultOf(other, ConnectionGone)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_end_stops_the_timer(self) -> None:
        waiting = self.ask(1)
        self.queue.fail_all("gone")
        self.failureResultOf(waiting, ConnectionGone)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    @settings(deadline=None, max_examples=150)
    @given(steps)
    def test_each_ends_when_a_timer_of_its_own_would_have_ended_it(
        self, steps: list[tuple[str, float]]
    ) -> None:
        clock = Clock()
        queue, waiting = ReplyQueue(clock), list[tuple[int, float]]()
        ended, expected = dict[int, str](), dict[int, str]()
        for number, (step, value) in enumerate(steps):
            if step == WRITE:
                queue.expect("api", value).addBoth(_note_end, ended, number, clock)
                waiting.append((number, clock.seconds() + value))
            elif step == ANSWER and waiting:
                queue.answer(ApiResponse("x"))
                expected.setdefault(waiting.pop(0)[0], "answered")
            elif step == WAIT:
                for _ in range(round(value / STEP)):
                    clock.advance(STEP)
                    for each, deadline in waiting:
                        if deadline <= clock.seconds():
                            expected.setdefault(each, str(clock.seconds()))
            self.assertEqual(ended, expected)
            self.assertLessEqual(len(clock.getDelayedCalls()), 1)


def _note_end(result: object, ended: dict[int, str], number: int, clock: Clock) -> None:
    ended[number] = str(clock.seconds()) if isinstance(result, Failure) else "answered"
