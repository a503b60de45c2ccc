"""What a number takes along while it waits for its next call."""

from __future__ import annotations

from attrs import frozen
from msgspec.structs import replace

from ctidialer.contract.waiting import Carried, WaitReason
from ctidialer.dialer.life import clearance
from ctidialer.dialer.life.errand import Errand
from ctidialer.dialer.life.number_in_hand import Finished, NumberInHand, Waits
from ctidialer.store.waiting import Waiting


@frozen
class Again:
    """A number waits at ``where`` until ``due`` (unix seconds); ``carried`` goes along."""

    where: Waiting
    due: float
    carried: Carried


def later(errand: Errand, waits: Waits, now: float) -> Again:
    """Return how a number waits that may not be called yet."""
    return Again(errand.place(), waits.until, _carried(errand, waits.reason, now))


def after(errand: Errand, number: NumberInHand, end: Finished, now: float) -> Again | None:
    """Return how a number waits for its next try; None = this one was its last."""
    found = clearance.retry(number, errand.claim.carried, end, now)
    if found is None:
        return None
    before = _carried(errand, WaitReason.RETRY, now)
    carried = replace(before, tried=before.tried + 1, used=dict(found.used))
    return Again(errand.place(), found.at, carried)


def _carried(errand: Errand, reason: WaitReason, now: float) -> Carried:
    claim = errand.claim
    if claim.carried is not None:
        return replace(claim.carried, since=now, reason=reason)
    queue, side = errand.source
    return Carried(claim.id, claim.taken_at, now, reason, queue=queue, side=side)
