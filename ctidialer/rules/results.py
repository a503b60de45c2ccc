"""What became of the numbers: sums over records, which can be made in parts and added up."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from math import ceil, log
from typing import Generic, TypeVar

from attrs import Factory, define

from ctidialer.contract.record import Outcome
from ctidialer.contract.record_summary import AttemptSummary, RecordSummary

MAX_ROWS = 20_000
"""Rows of one table of the results; with more the table is given up as too large."""

GROWTH = 1.05
"""How much wider each class of durations is than the one before."""

MAX_TRY = 10
"""Tries that are counted one by one; this one stands for all later ones too."""

ERROR = (GROWTH - 1) / 2
"""The share by which a percentile may be wrong."""

_SMALLEST = 0.001  # seconds
_PER_CLASS = 1 / log(GROWTH)
_MICRO = 1_000_000

Who = tuple[str, str]
"""The kind of a number (queue or schedule), and its task or schedule configuration."""

ResultRow = tuple[Who, float]
"""A task in a period, by the moment at which that began."""

Key = TypeVar("Key")


@define
class Spread:
    """Durations of one kind: ``micros`` is their sum, ``classes`` counts them by their length.

    Sums are whole microseconds, so that they come out the same in whatever order they are made.
    """

    count: int = 0
    micros: int = 0
    classes: dict[int, int] = Factory(dict)

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.count += 1
        self.micros += int(seconds * _MICRO + 0.5)
        place = 0 if seconds <= _SMALLEST else 1 + int(log(seconds / _SMALLEST) * _PER_CLASS)
        self.classes[place] = self.classes.get(place, 0) + 1

    def merge(self, other: Spread) -> None:
        """Count those of another one too."""
        self.count += other.count
        self.micros += other.micros
        for place, count in other.classes.items():
            self.classes[place] = self.classes.get(place, 0) + count

    @property
    def mean(self) -> float | None:
        """The mean in seconds, None = there are none."""
        return self.micros / _MICRO / self.count if self.count else None

    def percentiles(self, *shares: float) -> list[float | None]:
        """Return the seconds below which each share of them lies, right to ERROR; None = no data.

        A duration of a millisecond or less counts as 0.
        """
        if not self.count:
            return [None for _ in shares]
        places = sorted(self.classes)
        upto = list(accumulate(self.classes[place] for place in places))
        wanted = (max(1, ceil(share * self.count)) for share in shares)
        return [_middle(places[bisect_left(upto, one)]) for one in wanted]


def _middle(place: int) -> float:
    """Return the duration that stands for all of a class, in seconds."""
    return 0.0 if place == 0 else float(_SMALLEST * GROWTH ** (place - 0.5))


@define
class Tally:
    """What became of some numbers.

    ``taken`` ended; ``dialed`` of them were called at least once; ``reached`` were picked up at the
    last try, be it by a machine.  A number counts when its last try has ended; ``attempts`` are the
    calls of all tries.  ``abandoned`` calls, of all tries, are a share of ``live``: calls that a
    person answered who got an agent, or waited for one in vain.  ``tried``: how many numbers were
    called at their first, second… try (up to MAX_TRY), and ``picked_up``: how many of these calls
    were answered, be it by a machine.

    Spreads are in seconds: ``ring`` of every call that rang or was answered, ``connect`` (answer to
    agent), ``talk`` (with the agent) and ``bill`` (answer to hang-up) of the last call of each try.
    """

    taken: int = 0
    dialed: int = 0
    reached: int = 0
    attempts: int = 0
    live: int = 0
    abandoned: int = 0
    outcomes: dict[str, int] = Factory(dict)
    tried: dict[int, int] = Factory(dict)
    picked_up: dict[int, int] = Factory(dict)
    ring: Spread = Factory(Spread)
    connect: Spread = Factory(Spread)
    talk: Spread = Factory(Spread)
    bill: Spread = Factory(Spread)

    def add(self, record: RecordSummary) -> None:
        """Count one record."""
        if record.is_final:
            self.taken += 1
            self.outcomes[record.outcome] = self.outcomes.get(record.outcome, 0) + 1
            self.reached += record.answered
            self.dialed += record.was_dialed
        self.live += record.is_live
        self.abandoned += record.abandoned
        attempts = record.attempts
        if attempts:
            self.attempts += len(attempts)
            for attempt in attempts:
                self._add_ring(attempt)
            self._add_call(attempts[-1])
            self._add_try(min(record.try_number, MAX_TRY), record.answered)

    def _add_try(self, number: int, is_answered: bool) -> None:
        self.tried[number] = self.tried.get(number, 0) + 1
        if is_answered:
            self.picked_up[number] = self.picked_up.get(number, 0) + 1

    def _add_ring(self, attempt: AttemptSummary) -> None:
        if attempt.progress_at is None and attempt.answered_at is None:
            return  # a number that does not exist never rang
        ring = attempt.ring_seconds
        if ring is not None:
            self.ring.add(ring)

    def _add_call(self, last: AttemptSummary) -> None:
        if last.answered_at is None:
            return
        bill, connect, talk = last.bill_seconds, last.connect_seconds, last.talk_seconds
        if bill is not None:
            self.bill.add(bill)
        if connect is not None:
            self.connect.add(connect)
        if talk is not None:
            self.talk.add(talk)

    def merge(self, other: Tally) -> None:
        """Count those of another one too."""
        self.taken += other.taken
        self.dialed += other.dialed
        self.reached += other.reached
        self.attempts += other.attempts
        self.live += other.live
        self.abandoned += other.abandoned
        self.outcomes = _both(self.outcomes, other.outcomes)
        self.tried = _both(self.tried, other.tried)
        self.picked_up = _both(self.picked_up, other.picked_up)
        self.ring.merge(other.ring)
        self.connect.merge(other.connect)
        self.talk.merge(other.talk)
        self.bill.merge(other.bill)

    @property
    def answered(self) -> int:
        """How many a person answered."""
        return self.outcomes.get(Outcome.ANSWERED.value, 0)

    @property
    def answer_rate(self) -> float | None:
        """The share that a person answered of those dialed, None = none was dialed."""
        return self.answered / self.dialed if self.dialed else None

    @property
    def abandon_rate(self) -> float | None:
        """The share of the live answers that were abandoned, None = there are none."""
        return self.abandoned / self.live if self.live else None

    @property
    def attempts_per_number(self) -> float | None:
        """How often a number that was dialed was called, None = none was dialed."""
        return self.attempts / self.dialed if self.dialed else None

    @property
    def tries_per_number(self) -> float | None:
        """How many tries a number that was dialed had, None = none was dialed."""
        return sum(self.tried.values()) / self.dialed if self.dialed else None


def _both(one: dict[Key, int], other: dict[Key, int]) -> dict[Key, int]:
    return dict(Counter(one) + Counter(other))


class TallyTable(Generic[Key]):
    """Tallies by a key; with more than ``max_rows`` it is given up, and ``rows`` is None."""

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self.rows: dict[Key, Tally] | None = {}

    def at(self, key: Key) -> Tally:
        """Return the tally of a key, to be added to."""
        if self.rows is None:
            return Tally()  # nobody looks at it
        tally = self.rows.get(key)
        if tally is None:
            tally = self.rows[key] = Tally()
            if len(self.rows) > self._max_rows:
                self.rows = None
        return tally

    def merge(self, other: TallyTable[Key]) -> None:
        """Add the rows of another one."""
        for key, tally in (other.rows or {}).items():
            self.at(key).merge(tally)
        if other.rows is None:
            self.rows = None


class Margins:
    """Tallies of each task, of each period (by when it began), and of all."""

    def __init__(self, max_rows: int) -> None:
        self.tasks: TallyTable[Who] = TallyTable(max_rows)
        self.periods: TallyTable[float] = TallyTable(max_rows)
        self.total = Tally()

    def at(self, key: ResultRow) -> tuple[Tally, Tally, Tally]:
        """Return the tallies to which a task's numbers of a period are added."""
        who, begin = key
        return self.tasks.at(who), self.periods.at(begin), self.total

    def merge(self, other: Margins) -> None:
        """Add those of another one."""
        self.tasks.merge(other.tasks)
        self.periods.merge(other.periods)
        self.total.merge(other.total)


class Results:
    """Tallies of each task in each period, and their margins.

    A table that would have more than ``max_rows`` rows is given up: of a hundred thousand tasks by
    the hour nobody reads a report, and the margins are there all the same.
    """

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._max_rows = max_rows
        self._rows: dict[ResultRow, Tally] | None = {}
        self._margins = Margins(max_rows)  # of what was counted since the rows were given up

    def add(self, record: RecordSummary, begin: float) -> None:
        """Count a record in the period that began at ``begin`` (unix seconds)."""
        key = (record.kind.value, record.name), begin
        if self._rows is None:
            for margin in self._margins.at(key):
                margin.add(record)
            return
        tally = self._rows.get(key)
        if tally is None:
            tally = self._rows[key] = Tally()
        tally.add(record)
        if len(self._rows) > self._max_rows:
            self._give_up_rows()

    def merge(self, other: Results) -> None:
        """Count the records of another one too."""
        if self._rows is None or other._rows is None:
            self._give_up_rows()
            self._margins.merge(other.margins)
            return
        for key, tally in other._rows.items():
            self._rows.setdefault(key, Tally()).merge(tally)
        if len(self._rows) > self._max_rows:
            self._give_up_rows()

    @property
    def rows(self) -> Mapping[ResultRow, Tally] | None:
        """Each task in each period, None = they are too many."""
        return self._rows

    @property
    def margins(self) -> Margins:
        """Each task, each period, and all."""
        if self._rows is None:
            return self._margins
        margins = Margins(self._max_rows)
        for key, part in self._rows.items():
            for tally in margins.at(key):
                tally.merge(part)
        return margins

    def _give_up_rows(self) -> None:
        self._margins = self.margins
        self._rows = None
