"""``ctidialer explain``: why a task is, or is not, dialing right now, and when that changes."""

from __future__ import annotations

import json
from time import time
from typing import Any

import click
import msgspec
from attrs import asdict, frozen

from ctidialer.cli import texts
from ctidialer.cli.completion import complete_config, complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.explain_schedule import doubt_line, explain_a_schedule, title
from ctidialer.cli.language import language, say
from ctidialer.cli.printable import printable
from ctidialer.cli.tasks import no_such_task
from ctidialer.contract import keys
from ctidialer.contract.status import BusyLine, TaskStatus
from ctidialer.nodes.doubts import Doubt, doubts_about
from ctidialer.nodes.queues import QueueLength, all_queues, numbers_in, queue_lengths
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.report import NodeReport
from ctidialer.rules.explaining import local_time
from ctidialer.rules.node_facts import busy_in, explained_in
from ctidialer.rules.reasons import Reason
from ctidialer.settings import Settings
from ctidialer.store.link import Link

FAULTS = (Reason.UNKNOWN_TASK.value, Reason.INVALID.value)
"""Reasons that make the exit status 1."""


@frozen
class _Answer:
    """What is to be said; ``queues`` empty = there is no list to look at."""

    node: NodeReport
    task: TaskStatus
    queues: tuple[QueueLength, ...]

    @property
    def zone(self) -> str:
        """The task's time zone, else the node's."""
        task = self.node.tables.tasks.get(self.task.name)
        return (task.hours.timezone if task else None) or self.node.zone


@click.command(short_help="Say why a task is, or is not, dialing.")
@connection_options
@click.argument("task", required=False, shell_complete=complete_task)
@click.option(
    "--schedule",
    metavar="CONFIG",
    shell_complete=complete_config,
    help="Explain the scheduled numbers of this configuration, not a task.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as a JSON object.")
def explain(settings: Settings, task: str | None, schedule: str | None, as_json: bool) -> None:
    """Say why TASK is, or is not, dialing right now on this node, and when that changes next.

    With --schedule: why the scheduled numbers of a configuration are, or are not, called.

    The exit status is 1 where there is no such task or configuration, or it is malformed.
    """
    if (task is None) == (schedule is None):
        raise click.UsageError("name a TASK, or a configuration with --schedule, and not both")
    if schedule is not None:
        explain_a_schedule(settings, schedule, as_json)
    name = task or ""
    answer = with_redis(settings, lambda link: _ask(link, settings, name))
    if as_json:
        click.echo(json.dumps(_as_json(answer), ensure_ascii=False, indent=2))
    else:
        _print(answer)
    raise SystemExit(1 if answer.task.explained.reason in FAULTS else 0)


async def _ask(link: Link, settings: Settings, name: str) -> _Answer:
    nodes = NodeReader(link, settings.node)
    told = await nodes.look_afresh(settings.node.host, name)
    task = told.explain(name, time())
    lengths = await nodes.queue_lengths(all_queues([task]))
    return _Answer(told, task, queue_lengths(task, lengths))


def _as_json(answer: _Answer) -> dict[str, Any]:
    node, task = answer.node, answer.task
    explained = msgspec.to_builtins(task.explained)
    return {
        "task": task.name,
        "host": node.host,
        **explained,
        "changes_at_local": _local(answer, task.explained.changes_at),
        "calls": task.calls,
        "limit": task.limit,
        "cps": task.cps,
        "number_queue": task.number_queue,
        "queue_length": numbers_in(answer.queues),
        "queues": [asdict(one) for one in answer.queues],
        "warnings": [one.as_json() for one in _doubts(answer)],
        "node": {
            "daemon": node.daemon,
            "ready": bool(node.is_alive and node.status and node.status.ready),
            "problems": [
                {"condition": one.reason.value, "problem": one.text} for one in node.obstacles()
            ],
            "drain": asdict(node.tables.control.drain) if node.tables.control.drain else None,
            "at": node.status.at if node.status else None,
        },
    }


def _local(answer: _Answer, moment: float | None) -> str | None:
    return None if moment is None else local_time(moment, answer.zone)


def _print(answer: _Answer) -> None:
    node, task, explained = answer.node, answer.task, answer.task.explained
    text = explained_in(explained, language())
    if explained.reason == Reason.UNKNOWN_TASK.value:
        unknown = no_such_task(task.name, node.host, node.task_names())
        text = "; ".join(node.unreadable) or unknown
    lines = [title(task.name, node.host, explained.reason), text]
    lines += [_busy_line(answer, busy) for busy in explained.lines]
    if explained.lines_left_out:
        lines.append(say(texts.MORE_LINES, count=explained.lines_left_out))
    if explained.changes_at is not None:
        lines.append(say(texts.CHANGES, at=_local(answer, explained.changes_at)))
    lines += [_numbers(answer, queue) for queue in answer.queues]
    obstacles = [one.in_(language()) for one in node.obstacles()]
    lines += [say(texts.THE_NODE, text=one) for one in obstacles if one != text]
    lines += map(doubt_line, _doubts(answer))
    for line in lines:
        click.echo(printable(line))


def _doubts(answer: _Answer) -> tuple[Doubt, ...]:
    return doubts_about(answer.node.tables, keys.TASK, answer.task.name)


def _busy_line(answer: _Answer, busy: BusyLine) -> str:
    until, why = _local(answer, busy.until), busy_in(busy, language())
    return say(texts.BUSY_LINE, name=busy.name, group=busy.group, why=why, until=until)


def _numbers(answer: _Answer, of: QueueLength) -> str:
    task, length = answer.task, of.length
    return say(
        texts.NUMBERS,
        queue=of.queue,
        length=say(texts.NOT_A_LIST) if length is None else length,
        calls=task.calls,
        limit=task.limit,
    )
