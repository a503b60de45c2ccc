"""Who was left waiting, and how many calls free agents allow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.agent_dialing import AbandonFrom, AgentDialing, DialMode
from ctidialer.contract.record import AttemptRecord, Outcome
from ctidialer.rules import abandonment
from ctidialer.rules.abandonment import Judgement, judged
from ctidialer.rules.dial_mode import most_on_their_way, room

ANSWERED = 1_800_000_000.0
TWO_SECONDS = AgentDialing()
GREETING = AgentDialing(abandon_from=AbandonFrom.GREETING)


def attempt(bridged: float | None = None, ended: float | None = 60.0, **said: str) -> AttemptRecord:
    """Return an answered call; times are seconds after the answer."""
    return AttemptRecord(
        uuid="u",
        line="l",
        line_group="g",
        dialed_at=ANSWERED - 10,
        answered_at=ANSWERED,
        bridged_at=None if bridged is None else ANSWERED + bridged,
        ended_at=None if ended is None else ANSWERED + ended,
        hangup_cause="NORMAL_CLEARING",
        said=said,
    )


def of(call: AttemptRecord, dialing: AgentDialing | None = TWO_SECONDS) -> Judgement:
    return judged(dialing, call, Outcome.ANSWERED)


class JudgementTests(SynchronousTestCase):
    def test_bridged_in_time(self) -> None:
        self.assertIs(of(attempt(bridged=1.9)), Judgement.REACHED)
        self.assertIs(of(attempt(bridged=2.0)), Judgement.REACHED)

    def test_bridged_too_late(self) -> None:
        self.assertIs(of(attempt(bridged=2.1)), Judgement.ABANDONED)

    def test_never_bridged(self) -> None:
        self.assertIs(of(attempt(ended=2.0)), Judgement.ABANDONED)
        self.assertIs(of(attempt(ended=30.0)), Judgement.ABANDONED)

    def test_who_hangs_up_sooner_himself_counts_in_neither(self) -> None:
        self.assertIs(of(attempt(ended=1.9)), Judgement.NEITHER)
        left = attempt(ended=1.9, sip_hangup_disposition="recv_bye")
        self.assertIs(of(left), Judgement.NEITHER)

    def test_who_is_hung_up_sooner_was_abandoned(self) -> None:
        dropped = attempt(ended=0.1, sip_hangup_disposition="send_bye")
        self.assertIs(of(dropped), Judgement.ABANDONED)

    def test_a_machine_counts_in_neither(self) -> None:
        for call in (attempt(), attempt(bridged=1.0)):
            self.assertIs(judged(TWO_SECONDS, call, Outcome.MACHINE), Judgement.NEITHER)

    def test_without_agents_nothing_is_judged(self) -> None:
        self.assertIs(of(attempt(), None), Judgement.NEITHER)

    def test_a_call_whose_end_was_not_heard(self) -> None:
        lost = AttemptRecord("u", "l", "g", ANSWERED, answered_at=ANSWERED, ended_at=ANSWERED + 9)
        self.assertIs(of(lost), Judgement.NEITHER)

    def test_from_the_end_of_the_greeting(self) -> None:
        late = attempt(bridged=4.0, cti_greeting_end=str(ANSWERED + 2.5))
        self.assertIs(of(late, GREETING), Judgement.REACHED)
        self.assertIs(of(late), Judgement.ABANDONED)

    def test_a_greeting_that_ends_nowhere(self) -> None:
        for said in ("", "soon", "nan", "1e400", str(ANSWERED - 100)):
            call = attempt(bridged=4.0, cti_greeting_end=said)
            self.assertIs(of(call, GREETING), Judgement.ABANDONED, said)

    def test_the_last_call_of_a_number_decides(self) -> None:
        calls = (attempt(), attempt(bridged=1.0))
        self.assertFalse(abandonment.is_abandoned(TWO_SECONDS, calls, Outcome.ANSWERED))
        self.assertTrue(abandonment.is_abandoned(TWO_SECONDS, calls[:1], Outcome.ANSWERED))
        self.assertFalse(abandonment.is_abandoned(TWO_SECONDS, (), Outcome.NO_LINE))

    def test_only_what_is_judged_asks_for_variables(self) -> None:
        self.assertEqual(abandonment.names(None), ())
        self.assertNotIn("cti_greeting_end", abandonment.names(TWO_SECONDS))
        self.assertIn("cti_greeting_end", abandonment.names(GREETING))


class ModeTests(SynchronousTestCase):
    def test_progressive_is_one_call_for_each_free_agent(self) -> None:
        progressive = AgentDialing(mode=DialMode.PROGRESSIVE, queue="q", ratio=5.0)
        self.assertEqual(most_on_their_way(progressive, free=4, busy=9), 4)

    def test_ratio_counts_free_and_busy(self) -> None:
        ratio = AgentDialing(mode=DialMode.RATIO, queue="q", ratio=1.5, busy_ratio=0.25)
        self.assertEqual(most_on_their_way(ratio, free=4, busy=9), 8)

    def test_fractions_that_are_whole_lose_nothing(self) -> None:
        ratio = AgentDialing(mode=DialMode.RATIO, queue="q", ratio=0.1, busy_ratio=0.0)
        self.assertEqual(most_on_their_way(ratio, free=30, busy=0), 3)

    @given(st.integers(-3, 1000), st.integers(0, 1000))
    def test_room_is_never_negative(self, most: int, on_their_way: int) -> None:
        found = room(most, on_their_way)
        self.assertGreaterEqual(found, 0)
        self.assertLessEqual(found + on_their_way, max(most, on_their_way))
