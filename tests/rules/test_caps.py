"""When the caps allow the next call to a callee."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.callee import Cap
from ctidialer.rules.caps import allowed_at

MINUTE, DAY, TALK = Cap(1, 60.0), Cap(3, 86_400.0), Cap(1, 604_800.0, talk=True)


def whole(least: int, most: int) -> st.SearchStrategy[float]:
    """Return whole seconds: sums of them are exact."""
    return st.integers(least, most).map(float)


class CapTests(SynchronousTestCase):
    def test_without_caps_or_calls_at_once(self) -> None:
        self.assertEqual(allowed_at((), [1.0], [1.0], 5.0), 5.0)
        self.assertEqual(allowed_at((MINUTE, DAY, TALK), [], [], 5.0), 5.0)

    def test_when_the_window_has_passed(self) -> None:
        self.assertEqual(allowed_at((MINUTE,), [100.0], [], 130.0), 160.0)
        self.assertEqual(allowed_at((MINUTE,), [100.0], [], 160.0), 160.0)
        self.assertEqual(allowed_at((DAY,), [10.0, 20.0, 30.0], [], 40.0), 86_410.0)

    def test_the_last_of_all_caps_counts(self) -> None:
        self.assertEqual(allowed_at((MINUTE, DAY), [10.0, 20.0, 30.0], [], 40.0), 86_410.0)

    def test_conversations_are_counted_apart(self) -> None:
        self.assertEqual(allowed_at((TALK,), [1.0, 2.0, 3.0], [], 4.0), 4.0)
        self.assertEqual(allowed_at((TALK,), [], [100.0], 200.0), 604_900.0)

    @given(
        st.lists(st.builds(Cap, st.integers(1, 4), whole(1, 100), st.booleans()), max_size=3),
        st.lists(whole(0, 200), max_size=8),
        st.lists(whole(0, 200), max_size=4),
        whole(0, 200),
    )
    def test_no_window_ever_holds_more_than_its_cap(
        self, caps: list[Cap], calls: list[float], talks: list[float], now: float
    ) -> None:
        known = [at for at in calls if at <= now], [at for at in talks if at <= now]
        at = allowed_at(caps, *known, now)
        self.assertGreaterEqual(at, now)
        for cap in caps:
            times = known[1] if cap.talk else known[0]
            self.assertLess(sum(one > at - cap.seconds for one in times), cap.count)
