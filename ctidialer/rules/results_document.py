"""Results as JSON: what ``ctidialer report --json`` prints and ``/api/report`` answers."""

from __future__ import annotations

from typing import Any

import msgspec

from ctidialer.contract.record import Outcome
from ctidialer.rules.periods import Periods
from ctidialer.rules.results import MAX_ROWS, Margins, Results, Spread, Tally

_TIME_DIGITS = 3
_RATE_DIGITS = 4
_ORDER = {outcome.value: place for place, outcome in enumerate(Outcome)}


class Times(msgspec.Struct, frozen=True):
    """How long something took, in seconds: the mean, and below what 50, 90 and 99 % lie."""

    count: int
    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None


class Try(msgspec.Struct, frozen=True):
    """How many numbers were called at their nth try, and how many of them then picked up.

    The last that can stand here is the tenth: it stands for all later ones too.
    """

    number: int
    called: int
    reached: int


class ResultsRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of the numbers of a task in a period, as far as the row names them.

    ``begin`` is when the ``period`` begins, in unix seconds.
    """

    kind: str | None = None
    task: str | None = None
    begin: float | None = None
    period: str | None = None
    taken: int
    dialed: int
    reached: int
    answered: int
    answer_rate: float | None
    attempts: int
    attempts_per_number: float | None
    tries_per_number: float | None
    tries: list[Try]
    abandoned: int = 0
    abandon_rate: float | None = None
    outcomes: dict[str, int]
    ring: Times
    connect: Times
    talk: Times
    bill: Times


class ResultsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the numbers.

    ``since`` and ``until``: what was asked for; ``first_at``: when the oldest record that there is
    was written, null = there is none; ``trimmed``: there were older ones that were asked for.
    ``unreadable`` entries of the stream are no records.  ``tasks`` are the busiest, beside
    ``tasks_left_out`` others; they, or ``periods``, are null where they are too many to be counted.
    """

    at: float
    zone: str
    by: str
    since: float | None
    until: float | None
    first_at: float | None
    trimmed: bool
    unreadable: int
    total: ResultsRow
    tasks: list[ResultsRow] | None
    tasks_left_out: int
    periods: list[ResultsRow] | None


class DetailedResults(ResultsDocument, frozen=True, kw_only=True):
    """The same with ``rows``, each task in each period; null = they are too many."""

    rows: list[ResultsRow] | None


class Stretch(msgspec.Struct, frozen=True):
    """What was read of the streams; see ResultsDocument."""

    since: float | None = None
    until: float | None = None
    first_at: float | None = None
    trimmed: bool = False
    unreadable: int = 0


def results_document(
    results: Results, stretch: Stretch, periods: Periods, at: float, limit: int
) -> ResultsDocument:
    """Return the results as they were read at ``at`` (unix seconds), with ``limit`` tasks."""
    margins = results.margins
    tasks = _tasks(margins)
    return ResultsDocument(
        at=round(at, _TIME_DIGITS),
        zone=periods.zone,
        by=periods.by.value,
        total=_row(margins.total),
        tasks=None if tasks is None else tasks[:limit],
        tasks_left_out=max(0, len(tasks or ()) - limit),
        periods=_periods(margins, periods),
        **msgspec.structs.asdict(stretch),
    )


def detailed_results(
    results: Results, stretch: Stretch, periods: Periods, at: float
) -> DetailedResults:
    """Return all of the results as they were read at ``at`` (unix seconds)."""
    whole = results_document(results, stretch, periods, at, MAX_ROWS)
    return DetailedResults(**msgspec.structs.asdict(whole), rows=_rows(results, periods))


def _tasks(margins: Margins) -> list[ResultsRow] | None:
    rows = margins.tasks.rows
    if rows is None:
        return None
    busiest = sorted(rows.items(), key=lambda row: (-row[1].taken, row[0]))
    return [_row(tally, kind=kind, task=task) for (kind, task), tally in busiest]


def _periods(margins: Margins, periods: Periods) -> list[ResultsRow] | None:
    rows = margins.periods.rows
    if rows is None:
        return None
    return [_row(rows[one], begin=one, period=periods.label(one)) for one in sorted(rows)]


def _rows(results: Results, periods: Periods) -> list[ResultsRow] | None:
    rows = results.rows
    if rows is None:
        return None
    ordered = sorted(rows, key=lambda key: (key[1], key[0]))
    return [
        _row(rows[who, begin], kind=who[0], task=who[1], begin=begin, period=periods.label(begin))
        for who, begin in ordered
    ]


def _row(tally: Tally, **named: Any) -> ResultsRow:
    return ResultsRow(
        **named,
        taken=tally.taken,
        dialed=tally.dialed,
        reached=tally.reached,
        answered=tally.answered,
        answer_rate=_rounded(tally.answer_rate, _RATE_DIGITS),
        attempts=tally.attempts,
        attempts_per_number=_rounded(tally.attempts_per_number, _RATE_DIGITS),
        tries_per_number=_rounded(tally.tries_per_number, _RATE_DIGITS),
        tries=[
            Try(number, called, tally.picked_up.get(number, 0))
            for number, called in sorted(tally.tried.items())
        ],
        abandoned=tally.abandoned,
        abandon_rate=_rounded(tally.abandon_rate, _RATE_DIGITS),
        outcomes=dict(sorted(tally.outcomes.items(), key=_place)),
        ring=_times(tally.ring),
        connect=_times(tally.connect),
        talk=_times(tally.talk),
        bill=_times(tally.bill),
    )


def _place(outcome: tuple[str, int]) -> tuple[int, str]:
    """Order outcomes as the table of the documentation does; those of later versions follow."""
    name = outcome[0]
    return _ORDER.get(name, len(_ORDER)), name


def _times(spread: Spread) -> Times:
    figures = (spread.mean, *spread.percentiles(0.5, 0.9, 0.99))
    return Times(spread.count, *(_rounded(one, _TIME_DIGITS) for one in figures))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
