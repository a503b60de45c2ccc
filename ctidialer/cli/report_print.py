"""How ``ctidialer report`` shows what became of the numbers: to people, and as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ctidialer.cli import texts
from ctidialer.cli.language import say
from ctidialer.cli.printable import printable
from ctidialer.cli.record_csv import csv_row, safe_cell
from ctidialer.contract.record import Kind, Outcome
from ctidialer.rules.results import MAX_ROWS
from ctidialer.rules.results_document import DetailedResults, ResultsRow, Times, Try

WIDE_COLUMNS = 180
"""Columns where the output is no terminal, so that a row stays on its line."""

_COUNTS = ("taken", "dialed", "reached", "answered", "answer_rate")
_ATTEMPTS = ("attempts", "attempts_per_number")
_ABANDONED = ("abandoned", "abandon_rate")
_OUTCOMES = tuple(one.value for one in Outcome if one.value not in _COUNTS)
"""Columns of outcomes: how many were answered stands among the counts."""

_TIMES = ("ring", "connect", "talk", "bill")
_OF_TRIES = ("called", "reached")
_OF_TIMES = ("mean", "p50", "p90", "p99")


def print_report(found: DetailedResults) -> None:
    """Print a table, and below it what has to be known of it."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE_COLUMNS)
    rows = next((some for some in (found.rows, found.tasks, found.periods) if some is not None), [])
    if found.total.taken:
        console.print(_table(found, rows))
    for note in notes(found):
        console.print(Text(note))


def notes(found: DetailedResults) -> Iterator[str]:
    """Yield what has to be known of the results, in the language of the command."""
    if not found.total.taken:
        yield say(texts.NO_RESULTS)
    if len(found.total.tries) > 1:
        tries = (f"{o.number}: {o.reached}/{o.called} ({_share(o)})" for o in found.total.tries)
        yield say(texts.BY_TRY, tries=say(texts.COMMA).join(tries))
    if found.rows is None:
        yield say(texts.TOO_MANY_ROWS, most=MAX_ROWS)
    if found.first_at is not None:
        first = _moment(found.first_at, found.zone)
        if found.trimmed:
            yield say(texts.TRIMMED, first=first)
        elif found.since is not None and found.since < found.first_at:
            yield say(texts.FIRST_RECORD, first=first)
    if found.unreadable:
        yield say(texts.UNREADABLE, count=found.unreadable)


def csv_lines(found: DetailedResults, rows: Sequence[ResultsRow], terminal: bool) -> Iterator[str]:
    """Yield the rows of CSV, the header first, without their ends.

    On a ``terminal`` what would steer it is escaped.
    """
    later = sorted(set(found.total.outcomes).difference(_OUTCOMES, _COUNTS))
    outcomes = (*_OUTCOMES, *later)
    times = [f"{time}_{one}" for time in _TIMES for one in _OF_TIMES]
    head = ("kind", "task", f"{found.by} ({found.zone})", *_COUNTS, *_ATTEMPTS, *outcomes, *times)
    tries = range(1, max((one.number for one in found.total.tries), default=1) + 1)
    of_tries = [f"try_{number}_{what}" for number in tries for what in _OF_TRIES]
    head = (*head, *_ABANDONED, "tries_per_number", *of_tries)
    yield _csv([*head], terminal)
    for row in rows:
        values: list[object] = [row.kind, row.task, row.period]
        values += [getattr(row, name) for name in (*_COUNTS, *_ATTEMPTS)]
        values += [row.outcomes.get(name, 0) for name in outcomes]
        values += [getattr(getattr(row, time), one) for time in _TIMES for one in _OF_TIMES]
        values += [getattr(row, name) for name in _ABANDONED]
        values += [row.tries_per_number, *_of_tries(row, tries)]
        yield _csv(["" if one is None else str(one) for one in values], terminal)


def _of_tries(row: ResultsRow, numbers: Iterable[int]) -> Iterator[int]:
    """Yield for each try how many were called, and how many of these reached."""
    counted = {one.number: (one.called, one.reached) for one in row.tries}
    for number in numbers:
        yield from counted.get(number, (0, 0))


def _csv(cells: Sequence[str], terminal: bool) -> str:
    safe = [safe_cell(cell) for cell in cells]
    return csv_row([printable(cell) for cell in safe] if terminal else safe)


def _table(found: DetailedResults, rows: Sequence[ResultsRow]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(say(texts.RESULT_TASK), overflow="fold")
    table.add_column(say(texts.RESULT_PERIODS[found.by], zone=found.zone), no_wrap=True)
    for head in texts.RESULT_HEADS:
        table.add_column(say(head), justify="right")
    table.add_column(say(texts.RESULT_OTHERS), overflow="fold")
    for row in rows:
        table.add_row(*_cells(_name(row), row.period or "", row))
    if len(rows) > 1:
        table.add_section()
        table.add_row(*_cells(say(texts.ALL_TOGETHER), "", found.total), style="bold")
    return table


def _cells(name: str, period: str, row: ResultsRow) -> list[Text]:
    values = (
        *(name, period, row.taken, row.dialed, row.reached, row.answered),
        "" if row.answer_rate is None else f"{row.answer_rate:.1%}",
        "" if row.attempts_per_number is None else f"{row.attempts_per_number:.2f}",
        *(_seconds(row.ring), _seconds(row.talk), _abandoned(row), _others(row.outcomes)),
    )
    return [Text(printable(str(value))) for value in values]


def _name(row: ResultsRow) -> str:
    if row.kind == Kind.SCHEDULE.value:
        return say(texts.SCHEDULED, name=row.task or "–")
    return row.task or ""


def _seconds(times: Times) -> str:
    """Return the mean and the ninth tenth: ``12.5 / 28``."""
    if times.mean is None or times.p90 is None:
        return ""
    return f"{times.mean:.1f} / {times.p90:.1f}"


def _share(one: Try) -> str:
    return f"{one.reached / one.called:.1%}"


def _abandoned(row: ResultsRow) -> str:
    if not row.abandoned or row.abandon_rate is None:
        return ""
    return f"{row.abandoned} ({row.abandon_rate:.1%})"


def _others(outcomes: Mapping[str, int]) -> str:
    others = {name: count for name, count in outcomes.items() if name != Outcome.ANSWERED.value}
    return ", ".join(f"{count} {name}" for name, count in others.items())


def _moment(at: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(at, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} ({zone})"
