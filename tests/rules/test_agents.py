"""Who could take a call, by the back end's tables: whatever its clock says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.agents import Agent, AgentCount, AgentState
from ctidialer.rules.agents import (
    MAX_BUSY_AGE,
    AgentsNow,
    NoAgents,
    Seen,
    none_because,
    of_agents,
    of_count,
    seen,
)

NOW = 1_795_377_600.0
STATES = list(AgentState)


def agent(state: AgentState, since: float | None = None) -> Agent:
    return Agent("2001", ("sales",), state, since)


class SeenTests(SynchronousTestCase):
    def test_at_the_first_look_the_back_end_is_believed(self) -> None:
        self.assertEqual(seen(agent(AgentState.TALK, NOW - 30), None, None, NOW).bridged, NOW - 30)

    def test_a_time_that_cannot_be_true_is_none(self) -> None:
        for since in (None, NOW + 300, NOW - MAX_BUSY_AGE - 1):
            self.assertIsNone(seen(agent(AgentState.TALK, since), None, None, NOW).bridged)

    def test_a_change_came_between_the_two_looks(self) -> None:
        before = seen(agent(AgentState.IDLE, NOW - 500), None, None, NOW - 10)
        for since, expected in [
            (NOW - 0.3, NOW - 0.3),
            (NOW - 300, NOW - 1),
            (NOW + 300, NOW),
            (None, NOW),
        ]:
            after = seen(agent(AgentState.TALK, since), before, NOW - 1, NOW)
            self.assertEqual((after.since, after.bridged), (expected, expected))

    def test_wrap_up_goes_on_from_the_call(self) -> None:
        talking = seen(agent(AgentState.TALK, NOW - 60), None, None, NOW - 60)
        wrapping = seen(agent(AgentState.WRAP, NOW), talking, NOW - 1, NOW)
        self.assertEqual((wrapping.since, wrapping.bridged), (NOW, NOW - 60))
        idle = seen(agent(AgentState.IDLE, NOW + 9), wrapping, NOW + 8, NOW + 9)
        self.assertIsNone(idle.bridged)

    def test_nobody_knows_of_a_wrap_up_that_was_there_at_the_start(self) -> None:
        self.assertIsNone(seen(agent(AgentState.WRAP, NOW - 5), None, None, NOW).bridged)

    def test_two_calls_one_after_the_other(self) -> None:
        first = seen(agent(AgentState.TALK, NOW - 60), None, None, NOW - 60)
        second = seen(agent(AgentState.TALK, NOW), first, NOW - 1, NOW)
        self.assertEqual(second.bridged, NOW)

    def test_another_group_is_not_another_call(self) -> None:
        first = seen(agent(AgentState.TALK, NOW - 60), None, None, NOW - 60)
        moved = Agent("2001", ("support",), AgentState.TALK, NOW - 60)
        self.assertEqual(seen(moved, first, NOW - 1, NOW), Seen(moved, first.since, first.bridged))

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(STATES),
                st.none() | st.floats(NOW - 2e5, NOW + 2e5),
                st.floats(0.01, 900),
            ),
            min_size=1,
        )
    )
    def test_whatever_is_written_ages_are_no_nonsense(
        self, history: list[tuple[AgentState, float | None, float]]
    ) -> None:
        one, looked, now = None, None, NOW
        for state, since, wait in history:
            now += wait
            one = seen(agent(state, since), one, looked, now)
            looked = now
            count = of_agents([one], now)
            self.assertTrue(all(0 <= age <= MAX_BUSY_AGE for age in count.busy), count)
            self.assertEqual(count.at_work, state not in (AgentState.REST, AgentState.OUT))


class CountTests(SynchronousTestCase):
    def test_all_states(self) -> None:
        written = [(state, NOW - 30) for state in STATES] + [(AgentState.TALK, None)]
        found = of_agents([seen(agent(*one), None, None, NOW) for one in written], NOW)
        self.assertEqual(
            found,
            AgentsNow(
                free=1,
                busy=(30.0,),
                busy_unknown=2,
                ringing=1,
                talking=2,
                wrap_up=1,
                away=1,
                as_of=NOW,
            ),
        )

    def test_counts(self) -> None:
        found = of_count(AgentCount("sales", 5, 12), NOW)
        self.assertEqual((found.free, found.busy_unknown, found.at_work), (5, 12, 17))

    def test_none(self) -> None:
        problem = NoAgents.NO_HEART.of(key="cti_agent_heart@fs1")
        found = none_because(problem, NOW)
        self.assertEqual((found.at_work, found.problem), (0, problem))
        self.assertIn("cti_agent_heart@fs1", problem.zh)
