"""How much risk is taken: less after each abandoned call, a little more after each good answer.

``Risk`` steers towards the share that is wanted.  Whatever callees and agents do, after ``n``
answers no more than ``share * n + ln(first / least) / gain`` calls were abandoned while the task
was dialed ahead, and none beyond those already on their way after that (the argument: Gibbs and
Candes, Adaptive Conformal Inference, 2021).  ``Ledger`` is the hard stop beside it.
"""

from __future__ import annotations

import math

from attrs import evolve, frozen

GAIN = 0.2
FIRST_RISK = 0.008
MIN_LOG, MAX_LOG = -9.0, -0.7
PROGRESSIVE_BELOW = -8.0
"""Natural logarithm of the risk below which no call is placed ahead of a free agent."""

AIM = 0.9
"""Share of the ceiling at which the pacing aims."""

MIN_ANSWERS = 200
"""Answers that the ceiling is taken of at least: one abandoned among the first ten is no sign."""

AMPLE = 6.0
"""Calls below the ceiling from which on the risk is taken whole: those of the first 200 answers."""

_ROUNDING = 1e-9


@frozen
class Risk:
    """The share of the expected answers that may find no agent, as its natural logarithm."""

    log: float = math.log(FIRST_RISK)

    @property
    def share(self) -> float:
        """Return it as a share, 0 to 1."""
        return math.exp(self.log)

    @property
    def is_progressive(self) -> bool:
        """Whether no call is placed ahead of a free agent."""
        return self.log < PROGRESSIVE_BELOW

    def after_answer(self, ceiling: float, *, is_abandoned: bool) -> Risk:
        """A person answered; ``ceiling`` is the highest share of abandoned calls, 0 to 1."""
        log = self.log + GAIN * (AIM * ceiling - is_abandoned)
        return Risk(min(MAX_LOG, max(MIN_LOG, log)))


@frozen
class Ledger:
    """Calls answered by people in the period, and those of them that were abandoned."""

    answers: int = 0
    abandoned: int = 0

    def after_answer(self, *, is_abandoned: bool) -> Ledger:
        """A person answered."""
        return evolve(self, answers=self.answers + 1, abandoned=self.abandoned + is_abandoned)

    @property
    def share(self) -> float:
        """Return the abandoned as a share of the answered, 0 to 1."""
        return self.abandoned / self.answers if self.answers else 0.0

    def slack(self, ceiling: float) -> float:
        """Return by how many calls the abandoned stay below the ceiling; negative = above it."""
        return ceiling * max(self.answers, MIN_ANSWERS) - self.abandoned

    def ease(self, ceiling: float) -> float:
        """Return the share of the risk, 0 to 1, that may be taken so near to the ceiling.

        Dialing for free agents only costs half of their time, a small risk next to nothing: so the
        risk shrinks long before it has to end.
        """
        return min(1.0, max(0.0, self.slack(ceiling)) / AMPLE) ** 2

    def can_bear(self, ceiling: float) -> int:
        """Return how many more may be abandoned before the ceiling is reached; never negative."""
        return max(0, math.floor(self.slack(ceiling) + _ROUNDING))
