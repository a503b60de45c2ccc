"""Decides how many calls a task places now, and when one is given up; learns from each event."""

from __future__ import annotations

from attrs import evolve, field, frozen

from ctidialer.rules.prediction.feedback import Ledger, Risk
from ctidialer.rules.prediction.handle_time import HandleTimes
from ctidialer.rules.prediction.look_ahead import SOON, Curves, Situation, most_calls, outlook
from ctidialer.rules.prediction.ringing import RingTimes

HALF_LIFE = 2000
"""Answers after which what was learnt counts half."""

RELEASE_ABOVE = 2.0
"""So many times the risk that is taken must be foreseen before a call that rings is given up."""

_FADE = 0.5 ** (1.0 / HALF_LIFE)


@frozen
class PacingRules:
    """What the task asks for.

    ``ceiling``: highest share of abandoned calls, 0 to 1; ``grace``: seconds a callee may wait for
    his agent; ``ring_min``: seconds a call rings at least; ``may_release``: whether calls may be
    given up that have rung for longer.
    """

    ceiling: float = 0.03
    grace: float = 2.0
    ring_min: float = 15.0
    may_release: bool = False


@frozen
class Learnt:
    """All that a task has learnt, to be kept when the daemon ends."""

    handle: HandleTimes = field(factory=HandleTimes)
    ring: RingTimes = field(factory=RingTimes)
    risk: Risk = field(factory=Risk)
    ledger: Ledger = field(factory=Ledger)

    def answered(self, age: float) -> Learnt:
        """A callee answered ``age`` seconds after his call was placed."""
        return evolve(
            self,
            handle=self.handle.faded(_FADE),
            ring=self.ring.faded(_FADE).was_answered(age),
        )

    def unanswered(self, age: float) -> Learnt:
        """A call ended without an answer after so many seconds."""
        return evolve(self, ring=self.ring.was_ended(age))

    def cut_short(self, age: float) -> Learnt:
        """The dialer gave a call up after so many seconds, or the line failed.

        A dead trunk must not teach that callees never answer: when it is back they all would.
        """
        return evolve(self, ring=self.ring.was_cut_short(age))

    def judged(self, rules: PacingRules, *, is_abandoned: bool) -> Learnt:
        """A person who had answered was given an agent, or was not in time."""
        return evolve(
            self,
            risk=self.risk.after_answer(rules.ceiling, is_abandoned=is_abandoned),
            ledger=self.ledger.after_answer(is_abandoned=is_abandoned),
        )

    def freed(self, age: float) -> Learnt:
        """An agent is free again, so many seconds after he was given a call."""
        return evolve(self, handle=self.handle.ended(age))

    def curves(self, situation: Situation, rules: PacingRules) -> Curves:
        """Return the curves with the calls that are up; to be made anew about once a second."""
        return Curves(
            handle=self.handle.curve(situation.busy),
            ring=self.ring.curve(situation.ringing),
            grace=rules.grace,
        )

    def risk_taken(self, rules: PacingRules) -> float:
        """Return the share of the expected answers, 0 to 1, that may find no agent."""
        return self.risk.share * self.ledger.ease(rules.ceiling)

    def bearable(self, rules: PacingRules) -> float:
        """Return how many callees may find no agent in the worst likely case.

        Half of what the ceiling leaves: so one surprise never brings the task to its hard stop.
        """
        return self.ledger.slack(rules.ceiling) / 2.0

    def is_progressive(self, rules: PacingRules) -> bool:
        """Whether calls are placed for free agents only: one more abandoned could be too many."""
        return self.risk.is_progressive or self.ledger.can_bear(rules.ceiling) < 1


def calls_to_place(
    situation: Situation, learnt: Learnt, curves: Curves, rules: PacingRules, at_most: int
) -> int:
    """Return how many calls to place now: never fewer than there are agents without one.

    ``at_most`` is what ``limit``, rates and lines leave.
    """
    progressive = max(0, min(situation.progressive, at_most))
    if learnt.is_progressive(rules):
        return progressive
    ahead = most_calls(
        outlook(situation, curves),
        curves,
        learnt.risk_taken(rules),
        learnt.bearable(rules),
        at_most,
    )
    return max(progressive, ahead)


def should_release(
    situation: Situation, learnt: Learnt, curves: Curves, rules: PacingRules
) -> bool:
    """Whether the oldest call that has rung for ``ring_min`` should be given up now."""
    if not rules.may_release or not any(age >= rules.ring_min for age in situation.ringing):
        return False
    soon = outlook(situation, curves, SOON)
    bearable = RELEASE_ABOVE * learnt.risk_taken(rules) * (soon.answers + curves.ring.answer_rate)
    return soon.overflow() > bearable
