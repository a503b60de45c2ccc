"""What has slots of its own, as places of its ``limit``: a queue task, a schedule configuration."""

from __future__ import annotations

from attrs import define, field

from ctidialer.rules.pacing import Pace


@define(eq=False)
class Account:
    """The numbers in hand of one task or schedule configuration.

    ``calls`` counts the numbers in hand, from the claim to the hang-up of the last call; ``asked``
    counts those that a claim under way asks for.  ``waiting`` has the numbers that are between two
    calls: by the id of their entry, when the next call is due (unix seconds).  ``turns`` counts
    those of them that wait for the rates.  ``others``: places of its limit that other hosts have,
    where it is counted over all of them; ``barred_until``: before then (unix seconds) they let no
    call of this host start.  ``asking`` counts the calls for which Redis is asked for a start
    just now.
    """

    calls: int = field(default=0, kw_only=True)
    asked: int = field(default=0, kw_only=True)
    pace: Pace = field(factory=Pace, kw_only=True)
    waiting: dict[str, float] = field(factory=dict, kw_only=True)
    turns: int = field(default=0, kw_only=True)
    others: int = field(default=0, kw_only=True)
    barred_until: float = field(default=0.0, kw_only=True)
    asking: int = field(default=0, kw_only=True)

    @property
    def cps(self) -> float | None:
        """The calls it may start per second; None = no limit of its own."""
        return None

    def next_call(self, now: float) -> float | None:
        """Return when the next waiting number is due (unix seconds); None = none after ``now``."""
        return min((due for due in self.waiting.values() if due > now), default=None)

    def waiting_at(self, now: float) -> int:
        """Return how many numbers still wait at ``now`` although their next call is due."""
        return sum(due <= now for due in self.waiting.values()) if self.waiting else 0
