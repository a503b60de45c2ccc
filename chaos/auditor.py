"""The audit after the chaos: what was put in, what was recorded, what the switch was asked for.

Pure: the evidence of the three sides goes in, figures and faults come out.  What it checks is
what docs/faults.rst promises: nothing lost, nobody called twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from attrs import field, frozen

from chaos.permission import Rules, ends_unfairly, not_allowed, tries_differ
from ctidialer.contract.record import Outcome, Record
from ctidialer.stage.audit import audit
from ctidialer.switchsim.calllog import CallLog, EndLine, OriginateLine

TRANSIT = 0.5
"""Seconds that the report of an answer or an end may have been under way when the fault struck."""

MAX_RECOVERY = 2.0
"""Seconds after the end of a fault in which what it held up is sent."""

NEVER_LEFT = frozenset(
    {"GATEWAY_DOWN", "INVALID_GATEWAY", "INVALID_PROFILE", "CHAN_NOT_IMPLEMENTED"}
)
"""Why FreeSWITCH makes no channel: nothing left it."""


@frozen
class Written:
    """A record, and when Redis wrote it (unix seconds)."""

    record: Record
    at: float


@frozen
class Moment:
    """A fault: when it began (unix seconds), and which calls were noted as being placed then.

    ``lasted``: seconds; ``hosts``: whom it struck.
    """

    began: float
    noted: frozenset[str]
    lasted: float = 0.0
    hosts: frozenset[str] = frozenset()


@frozen
class Evidence:
    """What the three sides say.

    ``left`` are the entries that stand in their queues, ``in_flight`` how many are in nobody's;
    ``cdr_ids`` the ids of the records in the list.  ``most_calls``: how many calls the rules allow
    for one number.  The hang-up of numbers that begin with ``silent`` is never reported.
    """

    entries: Sequence[bytes]
    left: Sequence[bytes]
    in_flight: int
    records: Sequence[Written]
    cdr_ids: Sequence[str]
    log: CallLog
    moments: Sequence[Moment]
    most_calls: int
    rules: Rules
    silent: str = "-"


@frozen
class Unknown:
    """The records that say ``unknown``, by what became of the last call.

    ``forgotten``: a switch that was killed had it; ``never_there``: it never reached the switch;
    ``unheard``: it ended while nobody could be told.
    """

    forgotten: int = 0
    never_there: int = 0
    unheard: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return self.forgotten + self.never_there + self.unheard


@frozen
class Findings:
    """What was found; ``faults`` are sentences, none = nothing lost and nobody called twice.

    ``noted``: calls noted as being placed at the moment of some fault, each once; ``noted_in_all``:
    counted anew at every fault.
    """

    outcomes: Counter[Outcome]
    left: int
    calls: int
    redials: int
    tries: int
    unknown: Unknown
    noted: int
    noted_in_all: int
    faults: tuple[str, ...] = field(factory=tuple)


class _Books:
    """The evidence, indexed."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        log = evidence.log
        self.answered_at = {line.uuid: line.time for line in log.answers}
        # What made no channel was no call: the number is where it was, or goes another way.
        never_left = {(line.uuid, line.call) for line in log.ends if line.cause in NEVER_LEFT}
        self.placed = [
            line
            for line in log.originates
            if line.uuid and (line.uuid, line.call) not in never_left
        ]
        self.ends = {
            line.uuid: line for line in log.ends if line.uuid and line.cause not in NEVER_LEFT
        }
        self.dialed = {line.uuid_asked: line for line in self.placed}
        self.void = {line.uuid_asked for line in log.originates} - self.dialed.keys()
        self.by_number: dict[str, list[OriginateLine]] = {}
        for line in sorted(self.placed, key=lambda line: line.time):
            self.by_number.setdefault(line.number, []).append(line)
        self.noted_since: dict[str, float] = {}
        for moment in sorted(evidence.moments, key=lambda moment: moment.began):
            for uuid in moment.noted:
                self.noted_since.setdefault(uuid, moment.began)
        self.records = [written.record for written in evidence.records]
        self.finals = [record for record in self.records if record.is_final]
        self.unknown = [one for one in self.records if one.outcome is Outcome.UNKNOWN]

    def slack(self, at: float) -> float:
        """Return how late a call sent at ``at`` may be: as long as the faults around it lasted."""
        return lateness(self.evidence.moments, None, at)


def lateness(moments: Iterable[Moment], host: str | None, at: float) -> float:
    """Return how late a call may be (seconds) that was sent at ``at`` by a host; None = by any."""
    around = (
        one.lasted
        for one in moments
        if one.began <= at <= one.began + one.lasted + MAX_RECOVERY
        and (host is None or host in one.hosts)
    )
    return TRANSIT + max(around, default=0.0)


def examine(evidence: Evidence) -> Findings:
    """Compare the three sides."""
    books = _Books(evidence)
    recorded = {attempt.uuid for record in books.records for attempt in record.attempts}
    reached = books.dialed.keys() | books.void
    never_there = [uuid for one in books.unknown for uuid in _last(one) if uuid not in reached]
    dialed = [line.uuid_asked for line in books.placed]
    known = [*dialed, *(books.void & recorded), *never_there]
    recorded_or_left = list((Counter(evidence.entries) - Counter(evidence.left)).elements())
    accounts = audit(recorded_or_left, books.records, known)
    faults = [
        *accounts.faults,
        *_surplus(evidence),
        *_lists_differ(evidence),
        *_dialed_twice(books),
        *_dialed_after_the_record(books),
        *_outcomes_differ(books),
        *_unknown_without_cause(books),
        *_unknown_though_answered(books),
        *_ended_by_no_verdict(books),
        *tries_differ(books.records),
        *not_allowed(evidence.rules, books.by_number, books.slack),
    ]
    return Findings(
        outcomes=accounts.outcomes,
        left=len(evidence.left),
        calls=len(dialed),
        redials=sum(len(lines) - 1 for lines in books.by_number.values()),
        tries=len(books.records),
        unknown=_sorted_out(books),
        noted=len(books.noted_since),
        noted_in_all=sum(len(moment.noted) for moment in evidence.moments),
        faults=tuple(faults),
    )


def _last(record: Record) -> Iterator[str]:
    """Yield the UUID of the last call, if there was one."""
    if record.attempts:
        yield record.attempts[-1].uuid


def _surplus(evidence: Evidence) -> Iterator[str]:
    if evidence.in_flight:
        yield f"{evidence.in_flight} entries are in flight, and in nobody's hands"
    for entry in Counter(evidence.left) - Counter(evidence.entries):
        yield f"{entry!r} stands in a queue more often than it was put in"
    ids = Counter(written.record.id for written in evidence.records)
    yield from (f"entry {one} has {count} records" for one, count in ids.items() if count > 1)


def _lists_differ(evidence: Evidence) -> Iterator[str]:
    stream = Counter(written.record.id for written in evidence.records)
    listed = Counter(evidence.cdr_ids)
    yield from (f"record {one} is in the stream, not in the list" for one in stream - listed)
    yield from (f"record {one} is in the list, not in the stream" for one in listed - stream)


def _dialed_twice(books: _Books) -> Iterator[str]:
    asked = Counter(line.uuid_asked for line in books.placed)
    yield from (f"call {uuid} was placed {n} times" for uuid, n in asked.items() if n > 1)
    for number, lines in books.by_number.items():
        if len(lines) > books.evidence.most_calls:
            yield f"{number} was dialed {len(lines)} times"
        for earlier, later in pairwise(lines):
            yield from _no_redial(number, books.ends.get(earlier.uuid_asked), later)


def _no_redial(number: str, end: EndLine | None, later: OriginateLine) -> Iterator[str]:
    """A rule allows a redial only of a call that is known to have failed."""
    if end is None:
        yield f"{number} was dialed again, and nobody knows how the call before ended"
    elif end.answered:
        yield f"{number} was dialed again although it had answered"
    elif end.time > later.time:
        yield f"{number} was dialed again while the call before was up"


def _dialed_after_the_record(books: _Books) -> Iterator[str]:
    for written in books.evidence.records:
        if not written.record.is_final:
            continue
        lines = books.by_number.get(written.record.number or "", ())
        if lines and lines[-1].time > written.at:
            late = lines[-1].time - written.at
            outcome = written.record.outcome.value
            yield f"{written.record.number} was dialed {late:.3f} s after its record ({outcome})"


def _outcomes_differ(books: _Books) -> Iterator[str]:
    """What the record says of each call must be what the switch knows of it."""
    for record in books.records:
        for attempt in record.attempts:
            end = books.ends.get(attempt.uuid)
            answered = attempt.answered_at is not None
            if end is not None and answered and not end.answered:
                yield f"call {attempt.uuid} of {record.number} is recorded as answered, and was not"
        last = books.ends.get(next(_last(record), ""))
        if last is None or record.outcome is Outcome.UNKNOWN:
            continue
        if last.answered is not (record.outcome is Outcome.ANSWERED):
            how = "answered" if last.answered else f"ended ({last.cause})"
            yield f"{record.number} {how}, and is recorded as {record.outcome.value}"


def _unknown_without_cause(books: _Books) -> Iterator[str]:
    for record in books.unknown:
        uuid = next(_last(record), "")
        since = books.noted_since.get(uuid)
        end = books.ends.get(uuid)
        if since is None:
            yield f"{record.number} is unknown, and was not being dialed at any fault"
        elif (record.number or "").startswith(books.evidence.silent):
            continue
        elif end is not None and end.time < since - TRANSIT:
            yield f"{record.number} is unknown, but its call had ended before any fault"
    if len(books.unknown) > len(books.noted_since):
        yield "more numbers are unknown than were being dialed at the faults"


def _unknown_though_answered(books: _Books) -> Iterator[str]:
    """An answer that was heard in peace is noted: whatever came later, it is known."""
    for record in books.unknown:
        uuid = next(_last(record), "")
        answered, since = books.answered_at.get(uuid), books.noted_since.get(uuid)
        if answered is not None and since is not None and answered < since - TRANSIT:
            before = since - answered
            yield f"{record.number} is unknown, though it had answered {before:.1f} s before"


def _ended_by_no_verdict(books: _Books) -> Iterator[str]:
    """A gateway, a refusal and a name that is not there are no verdicts on a number."""
    for record in books.records:
        uuid = next(_last(record), "")
        if record.outcome is not Outcome.UNKNOWN and uuid in books.void:
            yield f"{record.number} ended as {record.outcome.value} by a call that never left"
        elif not record.attempts and ends_unfairly(books.evidence.rules, record):
            yield f"{record.number} ended as {record.outcome.value} without a call: {record.reason}"


def _sorted_out(books: _Books) -> Unknown:
    kinds: Iterable[str] = (_fate(books, next(_last(record), "")) for record in books.unknown)
    return Unknown(**Counter(kinds))


def _fate(books: _Books, uuid: str) -> str:
    if uuid not in books.dialed:
        return "never_there"
    return "unheard" if uuid in books.ends else "forgotten"
