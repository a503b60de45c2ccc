"""What a campaign is to do, and how it went."""

from __future__ import annotations

from attrs import field, frozen

from chaos.abandoned_audit import AbandonedFindings
from chaos.adopting import Adoptions
from chaos.auditor import Findings
from chaos.faults import Fault
from chaos.shared_audit import SharedFindings
from chaos.sharing import Shares

FULL_SIZE = 5000
"""Numbers from which on hosts share trunks of full size."""


@frozen
class Plan:
    """What to do.  ``orders``: what the daemons do wrong (:mod:`chaos.entry`)."""

    seed: int
    numbers: int
    faults: int
    hosts: int = 1
    orders: dict[str, object] = field(factory=dict)

    @property
    def agents(self) -> int:
        """How many agents there are, whom all hosts share."""
        return max(5, min(20, self.numbers // 250))

    @property
    def shares(self) -> Shares:
        """What the hosts share: so much that a campaign of this size uses it up."""
        return Shares(min(1.0, max(0.06, self.numbers / FULL_SIZE)))


@frozen
class Report:
    """How it went; ``problems`` are what the harness itself saw go wrong."""

    plan: Plan
    struck: tuple[Fault, ...]
    findings: Findings
    statuses: dict[int, int]
    seconds: float
    drained_after: float
    problems: tuple[str, ...] = field(factory=tuple)
    shared: SharedFindings = field(factory=SharedFindings)
    adoptions: Adoptions = field(factory=Adoptions)
    abandoned: AbandonedFindings = field(factory=AbandonedFindings)

    @property
    def faults(self) -> tuple[str, ...]:
        """All that is not as it should be, as sentences."""
        return (
            *self.findings.faults,
            *self.shared.faults,
            *self.abandoned.faults,
            *self.problems,
        )
