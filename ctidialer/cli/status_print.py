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
from ctidialer.contract.shared_use import Holder, SharedUse
from ctidialer.contract.status import LineStatus, NodeStatus, TaskStatus
from ctidialer.nodes.queues import numbers_in, queue_lengths
from ctidialer.nodes.report import NodeReport
from ctidialer.nodes.summary import Figures, HostSummary, total
from ctidialer.rules.explaining import local_time
from ctidialer.rules.line_reasons import Why
from ctidialer.rules.node_facts import explained_in, taken_out_values
from ctidialer.rules.words import Said

WIDE_COLUMNS = 180
"""Columns where the output is no terminal, so that a sentence stays on its line."""

STYLES = {
    **dict.fromkeys(("dialing", "paced", "agents_busy", "limit_reached"), "green"),
    **dict.fromkeys(("invalid", "no_agents"), "bold red"),
}
LINE_STYLES = {
    **dict.fromkeys(("never_left", "out_of_use"), "bold red"),
    **dict.fromkeys(("taken_out", "trial_under_way"), "yellow"),
}


def print_node(
    told: NodeReport,
    tasks: Sequence[TaskStatus],
    tasks_left_out: int,
    lengths: Mapping[str, int],
    scheduled: int,
) -> None:
    """Print one node: itself, its tasks, its lines."""
    console = _console()
    for line in _about(told, scheduled):
        console.print(Text(printable(line)))
    if tasks:
        console.print(_tasks(told, tasks, lengths))
    if tasks_left_out:
        console.print(say(texts.NOT_LISTED, count=tasks_left_out))
    if told.is_alive and told.status is not None and told.status.lines:
        console.print(_lines(told.status.lines, told.zone))
    if told.is_alive and told.status is not None and told.status.shared:
        console.print(_shared(told.status.shared, told.zone))
    console.print()


def print_hosts(hosts: Sequence[HostSummary]) -> None:
    """Print a row for each host, and below them the sums."""
    table = _table(texts.HOST_HEADS)
    for host in hosts:
        told = host.told
        why = "; ".join(one.in_(language()) for one in told.obstacles())
        state = say(texts.HOST_READY if told.is_ready else texts.HOST_NOT_READY)
        row = _cells(told.host, state, *_figures(host.figures), why)
        table.add_row(*row, style="" if told.is_ready else "red")
    table.add_row(*_cells(say(texts.ALL_TOGETHER), "", *_figures(total(hosts)), ""), style="bold")
    _console().print(table)


def _figures(figures: Figures) -> tuple[object, ...]:
    counted = (figures.calls, figures.in_flight, figures.placed, f"{figures.cps:g}")
    return (*counted, figures.tasks, figures.lines)


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDE_COLUMNS)


def _about(told: NodeReport, scheduled: int) -> Iterable[str]:
    status = told.status if told.is_alive else None
    yield say(texts.READY if status and status.ready else texts.NOT_READY, host=told.host)
    yield from (f"  {one.in_(language())}" for one in told.obstacles())
    if status is None:
        yield say(texts.IN_FLIGHT, in_flight=told.in_flight, scheduled=scheduled)
        if told.is_abandoned:
            yield say(texts.ADOPTABLE, host=told.host)
        return
    yield say(
        texts.PROGRAM,
        program=status.program,
        pid=status.pid,
        hostname=status.hostname,
        since=local_time(status.started, told.zone),
    )
    yield _calls(status, scheduled)
    if status.unreadable:
        yield say(texts.UNREADABLE_ENTRIES, count=status.unreadable)
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
        length = numbers_in(queue_lengths(task, lengths))
        table.add_row(
            *_cells(task.name),
            Text(task.explained.reason, STYLES.get(task.explained.reason, "")),
            *_cells(
                _calls_of(task.calls, task.used),
                task.limit,
                ", ".join(task.queues),
                "" if length is None else length,
            ),
            *_cells(task.later.total if task.later else ""),
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
            *_cells(_calls_of(line.calls, line.used), "" if line.count is None else line.count),
            *_cells(line.faults),
            *_cells("" if line.until is None else local_time(line.until, zone)),
            *_cells(_ordered(line)),
        )
    return table


def _calls_of(calls: int, used: int | None) -> object:
    """Return the calls of this host, with those of all where they are counted."""
    return calls if used is None else say(texts.OF_ALL_HOSTS, calls=calls, used=used)


def _shared(shared: Sequence[SharedUse], zone: str) -> Table:
    table = _table(texts.SHARED_HEADS)
    for one in shared:
        used = "" if one.count is None else f"{'?' if one.used is None else one.used}/{one.count}"
        whose = say(texts.COMMA).join(_held(holder, zone) for holder in one.holders)
        table.add_row(
            *_cells(one.what, one.name, used, "" if one.cps is None else f"{one.cps:g}", whose),
            style="red" if one.gone else "",
        )
    return table


def _held(holder: Holder, zone: str) -> str:
    if holder.gone_since is None:
        return say(texts.HELD, host=holder.host, calls=holder.calls)
    since = local_time(holder.gone_since, zone)
    return say(texts.HELD_BY_GONE, host=holder.host, calls=holder.calls, since=since)


def _ordered(line: LineStatus) -> str:
    """Return by whom a line was taken out of use, and why."""
    if line.off is None:
        return ""
    return Why.TAKEN_OUT.sentence(taken_out_values(line.off), language())


def _table(columns: Sequence[Said]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(say(column), overflow="fold")
    return table


def _cells(*values: Any) -> list[Text]:
    return [Text(printable(str(value))) for value in values]
