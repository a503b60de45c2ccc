"""How long agents were busy, read off what is seen of them from second to second."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.said import Said
from ctidialer.dialer.agents.handling import Handling
from ctidialer.rules.agents import AgentsNow

NOW = 1_700_000_000.0


class AgesTests(SynchronousTestCase):
    """A source that says since when each agent is busy."""

    def setUp(self) -> None:
        self.handling = Handling()

    def look(self, second: float, *since: float, free: int = 0) -> list[float]:
        busy = tuple(second - one for one in since)
        agents = AgentsNow(free=free, busy=busy, talking=len(busy))
        return [round(age, 3) for age in self.handling.look(agents, NOW + second)]

    def test_who_is_no_longer_busy_was_busy_for_so_long(self) -> None:
        self.look(0.0, -30.0, -5.0)
        self.assertEqual(self.look(1.0, -30.0, -5.0), [])
        self.assertEqual(self.look(2.0, -5.0, free=1), [32.0])

    def test_the_seconds_of_freeswitch_are_whole(self) -> None:
        self.look(0.0, -30.4)
        self.assertEqual(self.look(1.0, -31.0), [])
        self.assertEqual(self.look(2.0, -30.0), [])

    def test_an_agent_who_has_the_next_call_already(self) -> None:
        self.look(0.0, -30.0)
        self.assertEqual(self.look(1.0, 0.5), [31.0])

    def test_agents_who_are_not_known_any_more_teach_nothing(self) -> None:
        self.look(0.0, -30.0)
        gone = AgentsNow(problem=Said("away", "不可用"))
        self.assertEqual(self.handling.look(gone, NOW + 1.0), [])
        self.assertEqual(self.look(2.0), [])

    def test_a_gap_teaches_nothing(self) -> None:
        self.look(0.0, -30.0)
        self.assertEqual(self.look(60.0), [])

    def test_a_call_of_ours_that_ends_is_not_counted_twice(self) -> None:
        self.handling.begins("call", NOW - 30.0)
        self.look(0.0, -30.0)
        self.handling.call_ended("call", NOW + 0.5)
        self.assertEqual(self.look(1.0, -30.0), [])
        self.assertEqual(self.look(2.0, free=1), [32.0])
        self.assertEqual(self.look(3.0, free=1), [])

    def test_the_use_of_the_agents(self) -> None:
        for second in range(100):
            self.look(float(second), -30.0, -20.0, -10.0, free=1)
        assert self.handling.use is not None
        self.assertAlmostEqual(self.handling.use, 0.75)


class CountsTests(SynchronousTestCase):
    """A source that has counts alone."""

    def setUp(self) -> None:
        self.handling = Handling()

    def look(self, second: float, busy: int, free: int = 0) -> list[float]:
        agents = AgentsNow(free=free, busy_unknown=busy, talking=busy)
        return [round(age, 3) for age in self.handling.look(agents, NOW + second)]

    def test_our_calls_say_since_when_agents_are_busy(self) -> None:
        self.handling.begins("a", NOW - 20.0)
        self.handling.begins("b", NOW - 5.0)
        self.assertEqual(self.handling.ages(3, NOW), [5.0, 20.0, 0.0])
        self.assertEqual(self.handling.ages(1, NOW), [5.0])

    def test_wrap_up_lasts_until_the_count_falls(self) -> None:
        self.handling.begins("a", NOW - 20.0)
        self.look(0.0, busy=1)
        self.handling.call_ended("a", NOW + 0.5)
        self.assertEqual(self.look(1.0, busy=1), [])
        self.assertEqual(self.look(2.0, busy=0, free=1), [22.0])
