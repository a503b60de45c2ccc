"""The audit of a campaign: what was put in, what was recorded, what the switch was asked for.

Pure: entries, records and calls in, findings out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from attrs import field, frozen

from ctidialer.contract.record import Outcome, Record


@frozen
class Audit:
    """What an audit found; ``faults`` are sentences, empty = every number is accounted for.

    ``outcomes`` are those of the final records: a number that was tried again has others.
    """

    outcomes: Counter[Outcome]
    attempts: int
    faults: tuple[str, ...] = field(factory=tuple)


def audit(
    entries: Sequence[bytes], records: Sequence[Record], dialed: Collection[str] | None
) -> Audit:
    """Compare the ``entries`` put in with their records, and these with the switch's own log.

    ``dialed`` are the UUIDs of every originate the switch was asked for, as often as it was asked;
    None = the switch keeps no log that could be read.
    """
    attempts = [attempt.uuid for record in records for attempt in record.attempts]
    faults = [*_unaccounted(entries, records)]
    if dialed is not None:
        faults += _disagreement(Counter(attempts), Counter(dialed))
    finals = Counter(record.outcome for record in records if record.is_final)
    return Audit(finals, len(attempts), tuple(faults))


def audit_channels(records: Sequence[Record], created: Counter[str]) -> tuple[str, ...]:
    """Compare the records with the channels that a real switch was seen to make, by UUID.

    Not every attempt makes a channel (a gateway that is down makes none), but every channel is an
    attempt, and only once; and whoever answered had one.
    """
    attempts = [attempt for record in records for attempt in record.attempts]
    recorded = {attempt.uuid for attempt in attempts}
    answered = {attempt.uuid for attempt in attempts if attempt.answered_at is not None}
    return (
        *(f"call {uuid} stands in no record" for uuid in created.keys() - recorded),
        *(f"call {uuid} was made {n} times" for uuid, n in created.items() if n > 1),
        *(f"call {uuid} was answered, but never made" for uuid in answered - created.keys()),
    )


def _unaccounted(entries: Sequence[bytes], records: Sequence[Record]) -> list[str]:
    put_in = Counter(entries)
    recorded = Counter(record.entry for record in records if record.is_final)
    return [
        *(
            f"{_shown(entry)}: {count} without a record"
            for entry, count in (put_in - recorded).items()
        ),
        *(
            f"{_shown(entry)}: {count} records too many"
            for entry, count in (recorded - put_in).items()
        ),
    ]


def _disagreement(recorded: Counter[str], dialed: Counter[str]) -> list[str]:
    return [
        *(_difference(uuid, dialed[uuid], recorded[uuid]) for uuid in dialed - recorded),
        *(_difference(uuid, dialed[uuid], recorded[uuid]) for uuid in recorded - dialed),
    ]


def _difference(uuid: str, dialed: int, recorded: int) -> str:
    if not recorded:
        return f"call {uuid} stands in no record"
    if not dialed:
        return f"the switch was never asked for call {uuid}"
    return f"call {uuid} was asked for {dialed} times, but stands in the records {recorded} times"


def _shown(entry: bytes) -> str:
    return ascii(entry[:60].decode("utf-8", "backslashreplace"))
