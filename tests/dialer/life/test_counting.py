"""What is counted for callees while Redis is away is counted before the next call is noted."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.life.counting import Counting
from ctidialer.store.errors import StoreUnavailable, WrongType


class CountingTests(SynchronousTestCase):
    """``first`` and ``second`` are owed; Redis has not answered yet."""

    def setUp(self) -> None:
        self.counting = Counting()
        self.asked: list[str] = []
        self.answers: list[Deferred[bool]] = []
        for name in ("first", "second"):
            self.counting.change(self.change(name))
        self.away()
        self.asked.clear()

    def change(self, name: str) -> Callable[[], Deferred[bool]]:
        def ask() -> Deferred[bool]:
            self.asked.append(name)
            self.answers.append(Deferred())
            return self.answers[-1]

        return ask

    def away(self) -> None:
        """Redis does not answer what it was asked for."""
        while self.answers:
            self.answers.pop(0).errback(StoreUnavailable("away", may_have_been_executed=True))

    def pay(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.counting.pay())

    def test_one_after_the_other(self) -> None:
        paid = self.pay()
        self.assertEqual(self.asked, ["first"])
        self.answers.pop(0).callback(True)
        self.assertEqual(self.asked, ["first", "second"])
        self.assertNoResult(paid)
        self.answers.pop(0).callback(True)
        self.successResultOf(paid)

    def test_a_change_overtakes_none_that_is_being_paid(self) -> None:
        paid = self.pay()
        self.counting.change(self.change("third"))
        self.assertEqual(self.asked, ["first"])
        for _ in range(3):
            self.answers.pop(0).callback(True)
        self.assertEqual(self.asked, ["first", "second", "third"])
        self.successResultOf(paid)

    def test_nobody_is_called_while_another_pays(self) -> None:
        self.pay()
        other = self.pay()
        self.assertNoResult(other)
        self.assertEqual(self.asked, ["first"])
        for _ in range(2):
            self.answers.pop(0).callback(True)
        self.successResultOf(other)
        self.assertEqual(self.asked, ["first", "second"])

    def test_what_redis_does_not_take_stays_owed(self) -> None:
        paid, other = self.pay(), self.pay()
        self.away()
        self.failureResultOf(paid, StoreUnavailable)
        self.failureResultOf(other, StoreUnavailable)
        self.asked.clear()
        self.pay()
        self.answers.pop(0).errback(WrongType("callee", "string", "zset"))
        self.assertEqual(self.asked, ["first", "second"])
