"""Changes of what is counted for callees: in their order, and until Redis has made them."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.life.counting import Counting
from ctidialer.store.errors import StoreUnavailable, WrongType


class CountingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.counting = Counting()
        self.made: list[str] = []
        self.is_away = False

    def ask(self, name: str) -> Deferred[bool]:
        if self.is_away:
            return fail(StoreUnavailable("away"))
        self.made.append(name)
        return succeed(True)

    def change(self, *names: str) -> None:
        for name in names:
            self.counting.change(partial(self.ask, name))

    def pay(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.counting.pay())

    def test_at_once_if_redis_is_there(self) -> None:
        self.change("a", "b")
        self.assertEqual(self.made, ["a", "b"])
        self.successResultOf(self.pay())
        self.assertEqual(self.made, ["a", "b"])

    def test_what_is_owed_comes_first_and_once(self) -> None:
        self.is_away = True
        self.change("a", "b")
        self.failureResultOf(self.pay(), StoreUnavailable)
        self.is_away = False
        self.change("c")
        self.assertEqual(self.made, [])
        self.successResultOf(self.pay())
        self.change("d")
        self.successResultOf(self.pay())
        self.assertEqual(self.made, ["a", "b", "c", "d"])

    def test_what_is_left_is_owed_when_redis_goes_away_meanwhile(self) -> None:
        self.is_away = True
        self.change("a")
        self.counting.change(self._last_answer)
        self.change("b")
        self.is_away = False
        self.failureResultOf(self.pay(), StoreUnavailable)
        self.assertEqual(self.made, ["a"])
        self.is_away = False
        self.successResultOf(self.pay())
        self.assertEqual(self.made, ["a", "last", "b"])

    def test_a_key_that_cannot_be_used_keeps_nobody_waiting(self) -> None:
        self.is_away = True
        self.change("a")
        self.counting.change(lambda: fail(WrongType("key", "string", "zset")))
        self.change("b")
        self.is_away = False
        self.successResultOf(self.pay())
        self.assertEqual(self.made, ["a", "b"])

    def _last_answer(self) -> Deferred[bool]:
        """Redis goes away; the next time it answers."""
        if self._last_answer_is_lost:
            self._last_answer_is_lost = False
            return fail(StoreUnavailable("away"))
        return self.ask("last")

    _last_answer_is_lost = True
