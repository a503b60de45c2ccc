"""Which hosts are lost for good, and when: all from the seed, as the other faults are."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from attrs import evolve, frozen

from chaos.faults import LOSSES, Fault, Strike, plan_faults

REPLACED_EVERY = 18
"""Faults for each host that is lost and replaced."""

LAST_FROM = 0.88
"""The share of the faults after which hosts are lost that nobody replaces, until one is left."""


@frozen
class Loss:
    """A host is lost: its strike is the only one of fault ``number``.

    ``is_replaced``: another host begins.  ``by_hand``: an operator takes over its numbers; else the
    other hosts do it by themselves.
    """

    number: int
    is_replaced: bool
    by_hand: bool


def plan_losses(seed: int, faults: int, hosts: int) -> tuple[Loss, ...]:
    """Return which hosts are lost; the last one finishes alone what is left."""
    if hosts == 1 or not faults:
        return ()
    replaced = max(1, faults // REPLACED_EVERY)
    first = max(1, min(round(faults * LAST_FROM), faults - hosts))
    numbers = [1 + round((index + 0.5) * (first - 1) / replaced) for index in range(replaced)]
    left = [first + 1 + round(index * (faults - first) / hosts) for index in range(hosts - 1)]
    return tuple(
        Loss(number, index < replaced, by_hand=(index + seed) // 2 % 2 == 0)
        for index, number in enumerate([*numbers, *left])
    )


def plan_faults_of_hosts(
    seed: int, count: int, losses: Sequence[Loss], hosts: int
) -> tuple[Fault, ...]:
    """Return the faults of a campaign, each on one of the hosts, with the losses among them."""
    faults, where = plan_faults(seed, count), Random(f"hosts of {seed}")
    if hosts == 1:
        return faults
    lost = {loss.number: index for index, loss in enumerate(losses)}
    planned = []
    for fault in faults:
        strikes = tuple(evolve(one, where=where.random()) for one in fault.strikes)
        if fault.number in lost:
            kind = LOSSES[lost[fault.number] % len(LOSSES)]
            strikes = (Strike(kind, 0.0, 0.0, where.random()),)
        planned.append(evolve(fault, strikes=strikes))
    return tuple(planned)
