"""The part of the audit that counts the callees whom no agent took, over all hosts.

Pure.  The agents say when they were connected with whom, the switches when callees answered and
left; the daemons say what they have counted, each for its host.  A call that was noted at a fault
may have been counted or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from attrs import frozen

from ctidialer.switchsim.calllog import CallLog

ABANDON_TIME = 2.0
CLOSE = 0.5
"""Seconds by which a callee must have waited for longer, or for less long, to be counted surely."""


@frozen
class Ledger:
    """What the daemons of a host have counted: answers by people, and the abandoned of them."""

    answers: int = 0
    abandoned: int = 0


@frozen
class AbandonedFindings:
    """``answered``: by the logs; ``surely`` and ``perhaps`` abandoned, by agents and logs;
    ``counted`` by the daemons of all hosts together."""

    answered: int = 0
    surely: int = 0
    perhaps: int = 0
    counted: Ledger = Ledger()
    faults: tuple[str, ...] = ()


def examine_abandoned(
    log: CallLog,
    calls: Collection[str],
    bridged: Mapping[str, float],
    doubtful: Collection[str],
    ledgers: Sequence[Ledger],
) -> AbandonedFindings:
    """Compare what the hosts have counted with what became of ``calls`` (UUIDs)."""
    ends = {line.uuid: line.time for line in log.ends}
    answered = {line.uuid: line.time for line in log.answers if line.uuid in calls}
    surely = perhaps = 0
    for uuid, at in answered.items():
        waited = min(bridged.get(uuid, float("inf")), ends.get(uuid, float("inf"))) - at
        if uuid in doubtful or abs(waited - ABANDON_TIME) < CLOSE:
            perhaps += 1
        elif waited > ABANDON_TIME:
            surely += 1
    counted = Ledger(sum(one.answers for one in ledgers), sum(one.abandoned for one in ledgers))
    found = AbandonedFindings(len(answered), surely, perhaps, counted)
    return AbandonedFindings(len(answered), surely, perhaps, counted, tuple(_wrong(found)))


def _wrong(found: AbandonedFindings) -> Iterator[str]:
    counted = found.counted
    if not found.surely <= counted.abandoned <= found.surely + found.perhaps:
        yield (
            f"the hosts have counted {counted.abandoned} abandoned calls together; there were"
            f" {found.surely}, and perhaps {found.perhaps} more"
        )
    if counted.answers > found.answered:
        yield f"the hosts have counted {counted.answers} answers, of {found.answered}"
