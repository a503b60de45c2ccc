"""What has slots of its own: a queue task, a schedule configuration."""

from __future__ import annotations

from attrs import define, field

from ctidialer.rules.pacing import Pace


@define(eq=False)
class Account:
    """The calls of one task or schedule configuration.

    ``calls`` counts the numbers in hand, from the claim to the hang-up of the last call; ``asked``
    those of a claim that is under way.  ``waiting``: the numbers in hand of which no call is up, by
    the id of their entry, and when the next one is due (unix seconds); ``turns`` of them wait for
    the rates.
    """

    calls: int = field(default=0, kw_only=True)
    asked: int = field(default=0, kw_only=True)
    pace: Pace = field(factory=Pace, kw_only=True)
    waiting: dict[str, float] = field(factory=dict, kw_only=True)
    turns: int = field(default=0, kw_only=True)

    @property
    def cps(self) -> float | None:
        """The calls it may start a second, None = no limit of its own."""
        return None

    def next_call(self, now: float) -> float | None:
        """Return when the next call of a number that waits is due; None = none after ``now``."""
        return min((due for due in self.waiting.values() if due > now), default=None)

    def waiting_at(self, now: float) -> int:
        """Return how many numbers wait at ``now`` although their next call is due."""
        return sum(due <= now for due in self.waiting.values()) if self.waiting else 0
