"""All hosts at one look: a row for each, and the sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import asdict, fields, frozen

from ctidialer.nodes.report import NodeReport


@frozen
class Figures:
    """What can be added up over hosts.

    ``calls``: numbers with a call that is up.  ``in_flight``: entries taken and not settled.
    ``placed``: calls started since the start of each daemon, ``cps`` in its last second.
    ``tasks`` that have calls, and ``lines`` in use.
    """

    calls: int = 0
    in_flight: int = 0
    placed: int = 0
    cps: float = 0.0
    tasks: int = 0
    lines: int = 0

    def __add__(self, other: Figures) -> Figures:
        names = [one.name for one in fields(Figures)]
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in names})


@frozen
class HostSummary:
    """One host; ``told`` is what Redis says of it."""

    told: NodeReport
    figures: Figures

    @classmethod
    def of(cls, told: NodeReport) -> HostSummary:
        """Return the summary of a node; without a daemon only its entries in flight count."""
        status = told.status if told.is_alive else None
        if status is None:
            return cls(told, Figures(in_flight=told.in_flight))
        return cls(
            told,
            Figures(
                calls=status.calls,
                in_flight=told.in_flight,
                placed=status.placed,
                cps=status.cps,
                tasks=sum(task.calls > 0 for task in status.tasks),
                lines=status.lines_in_use,
            ),
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        told = self.told
        return {
            "host": told.host,
            "daemon": told.daemon,
            "ready": told.is_ready,
            **asdict(self.figures),
            "problems": told.problems(),
            "dashboard": told.status.dashboard if told.is_alive and told.status else "",
        }


def total(hosts: Sequence[HostSummary]) -> Figures:
    """Return the sums."""
    return sum((host.figures for host in hosts), Figures())
