"""Two hosts that dial one task for the same agents."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.said import Said
from ctidialer.dialer.agents.sharing import GivenPermits, HostCalls, shares
from ctidialer.rules.agents import AgentsNow
from tests.dialer.agents.paced_world import MemoryPacingStore, PacedWorld
from tests.dialer.fakes import answer_event, hang_up_event

NUMBERS = [f"139{index:08d}" for index in range(300)]


class SharesTests(SynchronousTestCase):
    @given(st.integers(-2, 300), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50)))
    def test_all_of_it_to_those_who_want_it(self, room: int, wants: dict[str, int]) -> None:
        given_out = shares(room, wants)
        self.assertEqual(sum(given_out.values()), max(0, min(room, sum(wants.values()))))
        for host, wanted in wants.items():
            self.assertTrue(0 <= given_out[host] <= wanted)

    @given(st.integers(0, 300), st.integers(2, 6))
    def test_evenly(self, room: int, hosts: int) -> None:
        given_out = shares(room, {str(host): 1000 for host in range(hosts)})
        self.assertLessEqual(max(given_out.values()) - min(given_out.values()), 1)


class GivenPermitsTests(SynchronousTestCase):
    """What others may have placed by permits of which they have said nothing yet."""

    def setUp(self) -> None:
        self.given = GivenPermits()
        self.given.give({"fs2": 5}, 10.0)

    def open(self, **calls: Any) -> int:
        return self.given.open({"fs2": HostCalls(**calls)})

    def test_it_counts_until_it_is_heard_of(self) -> None:
        self.assertEqual(self.open(permit=0.0), 5)
        self.assertEqual(self.open(permit=10.0, left=0), 0)

    def test_what_is_left_of_it_may_be_placed_yet(self) -> None:
        self.assertEqual(self.open(permit=10.0, left=2), 2)

    def test_only_one_holds_at_a_time(self) -> None:
        self.given.give({"fs2": 3}, 11.0)
        self.assertEqual(self.open(permit=0.0), 5)
        self.assertEqual(self.open(permit=10.0, left=1), 3)
        self.assertEqual(self.open(permit=11.0), 0)

    def test_a_host_that_is_gone_is_forgotten(self) -> None:
        self.assertEqual(self.given.open({}), 0)
        self.assertEqual(self.open(permit=0.0), 0)

    def test_an_earlier_version_says_nothing_of_permits(self) -> None:
        self.assertEqual(self.open(), 0)


class SeveralHostsTests(SynchronousTestCase):
    """The one that paces places few calls itself, so the others get permits."""

    def most_on_their_way(self, hosts: int, apart: float) -> int:
        """Let twelve agents come; ``apart``: seconds between the looks of two hosts."""
        store = MemoryPacingStore()
        worlds = [PacedWorld(store, f"fs{index}", "template") for index in range(hosts)]

        def run_for(seconds: float) -> int:
            most = 0
            for _ in range(round(seconds / 0.05)):
                for world in worlds:
                    world.runs_for(0.05)
                most = max(most, sum(len(world.calls) for world in worlds))
            return most

        for index, world in enumerate(worlds):
            world.agents(AgentsNow(free=0))
            world.put_numbers(*NUMBERS)
            limit = 4 if index == 0 else 50
            world.put_task(agent_group="sales", limit=limit, line_group=["main"])
            world.start()
            run_for(apart)
        run_for(4.0)
        self.assertEqual(store.fields["pacer"], b"fs0")
        for world in worlds:
            world.agents(AgentsNow(free=12))
        return run_for(10.0)

    def test_they_place_one_call_for_each_free_agent_and_no_more(self) -> None:
        for hosts in (2, 3, 4):
            for apart in (0.0, 0.2, 0.5):
                with self.subTest(hosts=hosts, apart=apart):
                    self.assertEqual(self.most_on_their_way(hosts, apart), 12)


class TwoHostsTests(SynchronousTestCase):
    """Both look at the same agents, and at the same hash in Redis."""

    def setUp(self) -> None:
        self.store = MemoryPacingStore()
        self.one = PacedWorld(self.store, "fs1", "template")
        self.two = PacedWorld(self.store, "fs2", "template")

    @property
    def worlds(self) -> tuple[PacedWorld, PacedWorld]:
        return self.one, self.two

    def begin(self, agents: AgentsNow, **params: Any) -> None:
        self.agents(agents)
        for world in self.worlds:
            world.put_numbers(*NUMBERS)
            usual = {"agent_group": "sales", "limit": 50, "line_group": ["main"]}
            world.put_task(**{**usual, **params})
            world.start()

    def agents(self, agents: AgentsNow) -> None:
        for world in self.worlds:
            world.agents(agents)

    def run_for(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            for world in self.worlds:
                world.runs_for(0.05)

    def up(self, world: PacedWorld) -> int:
        return len(world.calls)

    @property
    def all_up(self) -> int:
        return self.up(self.one) + self.up(self.two)

    def test_never_more_calls_than_agents_are_free(self) -> None:
        self.begin(AgentsNow(free=6))
        for _ in range(60):
            self.run_for(0.1)
            self.assertLessEqual(self.all_up, 6)
        self.assertEqual(self.all_up, 6)

    def test_both_have_their_part(self) -> None:
        self.begin(AgentsNow(free=0))
        self.run_for(3.0)
        self.agents(AgentsNow(free=1))
        self.run_for(3.0)
        self.agents(AgentsNow(free=12))
        for _ in range(40):
            for world in self.worlds:
                for placed in world.switch.placed:
                    if placed.uuid in world.calls:
                        world.calls.event(hang_up_event(placed.uuid, "NO_ANSWER"))
            self.run_for(1.0)
            self.assertLessEqual(self.all_up, 12)
        self.assertGreater(len(self.two.switch.placed), 20)

    def test_when_the_one_that_paces_dies_the_other_goes_on(self) -> None:
        self.begin(AgentsNow(free=6))
        self.run_for(4.0)
        held = self.up(self.one)
        self.assertGreater(held, 0)
        pacer = self.store.fields["pacer"]
        dead, alive = self.worlds if pacer == b"fs1" else (self.two, self.one)
        dead.stop()
        assert dead.pacers is not None
        dead.pacers.stop()
        for _ in range(200):
            alive.runs_for(0.05)
        self.assertEqual(self.up(alive), 6)

    def test_one_that_cannot_prolong_its_lease_leaves_the_pacing_to_the_other(self) -> None:
        self.begin(AgentsNow(free=0))
        self.run_for(4.0)
        self.assertEqual(self.store.fields["pacer"], b"fs1")
        slow: Deferred[None] = Deferred()
        self.store.slow_answers.append(slow)
        for _ in range(80):
            self.one.runs_for(0.05)
        self.assertEqual(self.store.slow_answers, [])
        self.agents(AgentsNow(free=6))
        self.one.runs_for(2.0)
        self.assertEqual(self.up(self.one), 0)
        slow.callback(None)
        self.one.runs_for(2.0)
        self.assertGreater(self.up(self.one), 0)

    def test_a_task_that_is_moved_to_the_template_is_paced_by_one_from_then_on(self) -> None:
        self.one.scope = "fs1"
        self.begin(AgentsNow(free=0))
        self.run_for(3.0)
        self.one.scope = "template"
        self.agents(AgentsNow(free=6))
        for _ in range(80):
            self.run_for(0.05)
            self.assertLessEqual(self.all_up, 6)
        self.assertEqual(self.all_up, 6)

    def test_one_that_is_moved_to_its_host_needs_no_permit_any_more(self) -> None:
        self.begin(AgentsNow(free=6), limit=6)
        self.run_for(3.0)
        self.assertEqual([self.up(world) for world in self.worlds], [6, 0])
        self.two.scope = "fs2"
        self.run_for(2.0)
        self.assertEqual(self.up(self.two), 6)

    def test_what_was_counted_is_kept_when_it_is_moved_and_not_doubled(self) -> None:
        self.begin(AgentsNow(free=1))
        self.run_for(1.5)
        self.one.calls.event(answer_event(self.one.switch.placed[0].uuid))
        self.run_for(3.0)
        for scope in ("fs1", "template"):
            self.one.scope = scope
            self.run_for(3.0)
            self.assertEqual((self.one.pacing().answered, self.one.pacing().abandoned), (1, 1))

    def test_an_edit_to_agents_of_its_own_needs_no_permit(self) -> None:
        self.begin(AgentsNow(free=6), limit=6)
        self.run_for(3.0)
        self.two.put_task(agent_queue="sales", limit=6, line_group=["main"])
        self.run_for(2.0)
        self.assertEqual(self.up(self.two), 6)

    def test_an_edit_to_agents_of_all_hosts_places_nothing_before_it_is_known_who_paces(
        self,
    ) -> None:
        self.begin(AgentsNow(free=0))
        self.two.put_task(agent_queue="sales", limit=6, line_group=["main"])
        self.run_for(3.0)
        slow: Deferred[None] = Deferred()
        self.store.slow_answers.append(slow)
        self.two.put_task(agent_group="sales", limit=6, line_group=["main"])
        self.two.agents(AgentsNow(free=6))
        self.two.runs_for(0.5)
        self.assertEqual(self.up(self.two), 0)

    def test_agents_who_vanish_end_the_dialing_of_both_at_once(self) -> None:
        self.begin(AgentsNow(free=6))
        self.run_for(4.0)
        self.agents(AgentsNow(problem=Said("no heart", "没有心跳")))
        placed = [len(world.switch.placed) for world in self.worlds]
        for world in self.worlds:
            for one in world.switch.placed:
                world.calls.event(hang_up_event(one.uuid, "NO_ANSWER"))
        self.run_for(3.0)
        self.assertEqual([len(world.switch.placed) for world in self.worlds], placed)

    def test_an_answer_at_one_host_teaches_both(self) -> None:
        self.begin(AgentsNow(free=4, busy=(30.0,) * 4, talking=4), dial_mode="predictive")
        self.run_for(4.0)
        before = self.one.pacing().risk
        world = next(one for one in self.worlds if one.switch.placed)
        other = self.two if world is self.one else self.one
        world.calls.event(answer_event(world.switch.placed[0].uuid))
        self.run_for(5.0)
        self.assertEqual((other.pacing().answered, other.pacing().abandoned), (1, 1))
        assert before is not None
        for one in self.worlds:
            risk = one.pacing().risk
            assert risk is not None
            self.assertLess(risk, before)

    def test_a_queue_of_mod_callcenter_is_each_hosts_own(self) -> None:
        self.begin(AgentsNow(free=3), agent_group=None, agent_queue="sales")
        self.run_for(2.0)
        self.assertEqual([self.up(world) for world in self.worlds], [3, 3])
