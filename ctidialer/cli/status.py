"""``ctidialer status``: nodes, tasks, calls in progress, queue lengths, lines."""

from __future__ import annotations

import json
from time import time
from typing import Any

import click
import msgspec
from attrs import asdict, frozen

from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.nodes import Nodes
from ctidialer.cli.status_print import print_node
from ctidialer.contract.status import TaskStatus
from ctidialer.dialer.told import NodeTold
from ctidialer.settings import Settings
from ctidialer.store.link import Link

LISTED = 100
"""Tasks of a node that are listed unless all are asked for."""

CLOSED_LAST = frozenset({"disabled", "after_stop", "before_start"})


@frozen
class NodeLook:
    """A node, those of its tasks that are listed, and the lengths of their queues."""

    told: NodeTold
    tasks: tuple[TaskStatus, ...]
    tasks_left_out: int
    lengths: dict[str, int]
    scheduled: int


@click.command()
@connection_options
@click.option("--all", "is_all", is_flag=True, help=f"List all tasks, not {LISTED} of a node.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as a JSON object.")
def status(settings: Settings, is_all: bool, as_json: bool) -> None:
    """Show what the nodes on this Redis are doing.

    The node of the settings (or --host) is always among them.
    """
    now = time()
    looks = with_redis(settings, lambda link: _look(link, settings, is_all, now))
    if as_json:
        nodes = [_as_json(look) for look in looks]
        click.echo(json.dumps({"at": now, "nodes": nodes}, ensure_ascii=False, indent=2))
    else:
        for look in looks:
            print_node(look.told, look.tasks, look.tasks_left_out, look.lengths, look.scheduled)


async def _look(link: Link, settings: Settings, is_all: bool, now: float) -> list[NodeLook]:
    nodes = Nodes(link, settings.node)
    return [await _look_at(nodes, host, is_all, now) for host in await nodes.hosts()]


async def _look_at(nodes: Nodes, host: str, is_all: bool, now: float) -> NodeLook:
    told = await nodes.look_at(host)
    tasks = sorted((told.explain(name, now) for name in told.task_names()), key=_rank)
    listed = tuple(tasks if is_all else tasks[:LISTED])
    domain = told.status.domain if told.status else told.tables.domain
    return NodeLook(
        told=told,
        tasks=listed,
        tasks_left_out=len(tasks) - len(listed),
        lengths=await nodes.queue_lengths(sorted({t.number_queue for t in listed} - {""})),
        scheduled=await nodes.scheduled(domain),
    )


def _rank(task: TaskStatus) -> tuple[bool, bool, str]:
    """Order: tasks with calls, then those that could have some, then those that are closed."""
    return (not task.calls, task.explained.reason in CLOSED_LAST, task.name)


def _is_ready(told: NodeTold) -> bool:
    return bool(told.is_alive and told.status and told.status.ready)


def _as_json(look: NodeLook) -> dict[str, Any]:
    told, drain = look.told, look.told.tables.control.drain
    said = msgspec.to_builtins(told.status) if told.is_alive else None
    return {
        "host": told.host,
        "daemon": told.daemon,
        "ready": _is_ready(told),
        "drain": asdict(drain) if drain else None,
        "problems": [
            {"condition": one.reason.value, "problem": one.text} for one in told.obstacles()
        ],
        "in_flight": told.in_flight,
        "scheduled": look.scheduled,
        "status": {**said, "tasks": None} if said else None,
        "tasks": [_task_json(look, task) for task in look.tasks],
        "tasks_left_out": look.tasks_left_out,
    }


def _task_json(look: NodeLook, task: TaskStatus) -> dict[str, Any]:
    explained = msgspec.to_builtins(task.explained)
    return {
        "name": task.name,
        **explained,
        "calls": task.calls,
        "limit": task.limit,
        "cps": task.cps,
        "number_queue": task.number_queue,
        "queue_length": look.lengths.get(task.number_queue),
        "paused": task.name in look.told.tables.control.paused,
    }
