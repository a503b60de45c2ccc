"""How many numbers wait, by task and by schedule configuration."""

from __future__ import annotations

from collections.abc import Mapping

from ctidialer.contract.record import Kind
from ctidialer.contract.status import Later
from ctidialer.contract.waiting import WaitReason
from ctidialer.store.waiting import Waiting

Who = tuple[Kind, str]
Due = Mapping[Waiting, float]
Counts = Mapping[Waiting, Mapping[WaitReason, int]]
NO_COUNTS: Mapping[Waiting, int] = {}


def summed(
    due: Due, counts: Counts, overdue: Mapping[Waiting, int] = NO_COUNTS
) -> dict[Who, Later]:
    """Return what waits, by task and by schedule configuration, over all places."""
    found: dict[Who, Later] = {}
    for where, reasons in counts.items():
        who = (where.kind, where.name)
        there = Later(
            reasons.get(WaitReason.RETRY, 0),
            reasons.get(WaitReason.HOURS, 0),
            reasons.get(WaitReason.CAP, 0),
            due.get(where),
            overdue.get(where, 0),
        )
        found[who] = there if who not in found else found[who].with_others(there)
    return found
