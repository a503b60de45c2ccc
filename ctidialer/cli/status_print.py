"""How ``ctidialer status`` shows a node to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ctidialer.cli import texts
from ctidialer.cli.language import language, say
from ctidialer.cli.printable import printable
from ctidialer.contract.status import LineStatus, NodeStatus, TaskStatus
from ctidialer.nodes.report import NodeReport
from ctidialer.rules.explaining import local_time
from ctidialer.rules.node_facts import explained_in
from ctidialer.rules.words import Said

WIDE_COLUMNS = 180
"""Columns where the output is no terminal, so that a sentence stays on its line."""

STYLES = {"dialing": "green", "paced": "green", "limit_reached": "green", "invalid": "bold red"}
LINE_STYLES = {"never_left": "bold red", "out_of_use": "bold red", "trial_under_way": "yellow"}


def print_node(
    told: NodeReport,
    tasks: Sequence[TaskStatus],
    tasks_left_out: int,
    lengths: Mapping[str, int],
    scheduled: int,
) -> None:
    """Print one node: itself, its tasks, its lines."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE_COLUMNS)
    for line in _about(told, scheduled):
        console.print(Text(printable(line)))
    if tasks:
        console.print(_tasks(told, tasks, lengths))
    if tasks_left_out:
        console.print(say(texts.NOT_LISTED, count=tasks_left_out))
    if told.is_alive and told.status is not None and told.status.lines:
        console.print(_lines(told.status.lines, told.zone))
    console.print()


def _about(told: NodeReport, scheduled: int) -> Iterable[str]:
    status = told.status if told.is_alive else None
    yield say(texts.READY if status and status.ready else texts.NOT_READY, host=told.host)
    yield from (f"  {one.in_(language())}" for one in told.obstacles())
    if status is None:
        yield say(texts.IN_FLIGHT, in_flight=told.in_flight, scheduled=scheduled)
        return
    yield say(
        texts.PROGRAM,
        program=status.program,
        pid=status.pid,
        hostname=status.hostname,
        since=local_time(status.started, told.zone),
    )
    yield _calls(status, scheduled)
    if status.outcomes:
        yield say(texts.OUTCOMES, counts=_counts(status.outcomes))
    states = {name: count for name, count in status.line_states.items() if name != "free"}
    used, count = status.lines_in_use, status.line_count
    yield say(texts.LINES, used=used, count=count, states=_counts(states) if states else None)


def _calls(status: NodeStatus, scheduled: int) -> str:
    return say(
        texts.CALLS,
        calls=status.calls,
        most=status.max_calls or None,
        numbers=status.numbers,
        placed=status.placed,
        cps=f"{status.cps:g}",
        scheduled=scheduled,
    )


def _counts(counts: Mapping[str, int]) -> str:
    return say(texts.COMMA).join(f"{count} {name}" for name, count in sorted(counts.items()))


def _tasks(told: NodeReport, tasks: Sequence[TaskStatus], lengths: Mapping[str, int]) -> Table:
    table = _table(texts.TASK_HEADS)
    for task in tasks:
        length = lengths.get(task.number_queue)
        table.add_row(
            *_cells(task.name),
            Text(task.explained.reason, STYLES.get(task.explained.reason, "")),
            *_cells(task.calls, task.limit, task.number_queue, "" if length is None else length),
            *_cells(_why(told, task)),
        )
    return table


def _why(told: NodeReport, task: TaskStatus) -> str:
    """Return the sentence; what holds for the whole node stands above the table already."""
    is_of_node = task.explained.text in {one.text for one in told.obstacles()}
    return "" if is_of_node else explained_in(task.explained, language())


def _lines(lines: Sequence[LineStatus], zone: str) -> Table:
    table = _table(texts.LINE_HEADS)
    for line in lines:
        table.add_row(
            *_cells(line.name),
            Text(line.state, LINE_STYLES.get(line.state, "")),
            *_cells(line.calls, "" if line.count is None else line.count, line.faults),
            *_cells("" if line.until is None else local_time(line.until, zone)),
        )
    return table


def _table(columns: Sequence[Said]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(say(column), overflow="fold")
    return table


def _cells(*values: Any) -> list[Text]:
    return [Text(printable(str(value))) for value in values]
