"""A gate that coroutines wait at."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.gate import Gate


class GateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gate = Gate()

    def test_it_is_shut_at_first(self) -> None:
        self.assertFalse(self.gate.is_open)
        waiting = self.gate.passed()
        self.assertNoResult(waiting)
        self.gate.open()
        self.successResultOf(waiting)

    def test_who_comes_while_it_is_open_passes_at_once(self) -> None:
        self.gate.open()
        self.successResultOf(self.gate.passed())
        self.gate.shut()
        self.assertNoResult(self.gate.passed())

    def test_those_who_wait_longest_go_first(self) -> None:
        order: list[int] = []

        def passes(_: None, index: int) -> None:
            order.append(index)

        for index in range(3):
            self.gate.passed().addCallback(passes, index)
        self.gate.open()
        self.assertEqual(order, [0, 1, 2])

    def test_one_may_give_up(self) -> None:
        one, other = self.gate.passed(), self.gate.passed()
        one.cancel()
        self.failureResultOf(one, CancelledError)
        self.gate.open()
        self.successResultOf(other)
        other.cancel()

    def test_one_who_passes_may_shut_it_behind_those_who_waited(self) -> None:
        first, second = self.gate.passed(), self.gate.passed()
        again: list[Deferred[None]] = []

        def shut(_: None) -> None:
            self.gate.shut()
            again.append(self.gate.passed())

        first.addCallback(shut)
        self.gate.open()
        self.successResultOf(second)
        self.assertNoResult(again[0])

    def test_one_who_passes_may_cancel_another(self) -> None:
        first, second, third = (self.gate.passed() for _ in range(3))
        first.addCallback(lambda _: second.cancel())
        self.gate.open()
        self.failureResultOf(second, CancelledError)
        self.successResultOf(third)
