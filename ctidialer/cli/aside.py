"""Looks that take long, in a process of their own: ``python -m ctidialer.cli.aside``.

The daemon starts it for what is asked over HTTP: ten thousand tasks are checked for seconds, and
calls must not wait for that.  What to do comes on standard input (passwords stand on no command
line), the answer, JSON, goes to standard output.  The exit status is 1 with one line on standard
error where the look failed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import time
from typing import Any

import click
import msgspec
from attrs import asdict

from ctidialer.check.node import NodeCheck
from ctidialer.cli.gateways import with_gateways
from ctidialer.cli.running import run
from ctidialer.contract import keys
from ctidialer.contract.forecast import Forecast
from ctidialer.contract.record import Kind, Outcome
from ctidialer.nodes.forecast import NoForecast, Wanted, read_basis
from ctidialer.nodes.number_orders import OrderBroken
from ctidialer.nodes.number_owner import owner_of
from ctidialer.nodes.overview import overview_of
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.record_requeue import RecordRequeue, WantedAgain
from ctidialer.nodes.results import WantedResults, read_results
from ctidialer.nodes.summary import HostSummary, total
from ctidialer.rules.periods import By, Periods
from ctidialer.rules.results_document import ResultsDocument, results_document
from ctidialer.settings import Settings
from ctidialer.store.address import parse_address
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link

NICE = 10
"""How far the daemon, Redis and FreeSWITCH go before these looks."""

CONNECT_TIMEOUT = 5.0


class LookOrder(msgspec.Struct, frozen=True):
    """What to look at: ``look`` names it; ``sample`` numbers of each queue are checked.

    Of a report ``since`` and ``until`` are unix seconds, ``tasks`` is how many are listed.  Of a
    forecast ``agents`` and ``hours`` are as in `Wanted`.  ``outcomes``: numbers of the
    task that ended so are put into ``queue``, or only counted (``dry_run``).
    """

    look: str
    settings: Settings
    sample: int = 0
    task: str | None = None
    since: float | None = None
    until: float | None = None
    by: By = By.DAY
    tasks: int = 0
    agents: int | None = None
    hours: float | None = None
    outcomes: tuple[Outcome, ...] = ()
    queue: str = ""
    dry_run: bool = False


async def check(link: Link, order: LookOrder) -> dict[str, Any]:
    """Check the tables of the node, its gateways and the first numbers of its queues."""
    settings = order.settings
    checked = await NodeCheck(link, settings, order.sample, time()).run()
    found = await with_gateways(link.clock, settings.freeswitch, checked)
    return {
        "findings": [finding.as_json() for finding in found.findings],
        "tasks": found.tasks,
        "lines": found.lines,
        "line_groups": found.line_groups,
        "schedule_configs": found.schedule_configs,
        "numbers": found.numbers,
    }


async def nodes(link: Link, order: LookOrder) -> dict[str, Any]:
    """Look at all nodes on this Redis."""
    now, reader = time(), NodeReader(link, order.settings.node)
    looks = [await overview_of(reader, host, False, now) for host in await reader.hosts()]
    return {"at": now, "nodes": [look.as_json() for look in looks]}


async def hosts(link: Link, order: LookOrder) -> dict[str, Any]:
    """Sum up all hosts of this Redis, one by one and together."""
    reader = NodeReader(link, order.settings.node)
    found = [HostSummary.of(await reader.look_at(host)) for host in await reader.hosts()]
    return {
        "at": time(),
        "hosts": [one.as_json() for one in found],
        "total": asdict(total(found)),
    }


async def report(link: Link, order: LookOrder) -> ResultsDocument:
    """Sum up the records of the node."""
    now, node, records = time(), order.settings.node, order.settings.records
    wanted = WantedResults(order.task, order.since, order.until)
    periods, names = Periods(order.by, node.timezone), [keys.records(node.host)]
    found, stretch = await read_results(link, names, records.max_records, wanted, periods)
    return results_document(found, stretch, periods, now, order.tasks)


async def forecast(link: Link, order: LookOrder) -> Forecast | dict[str, str]:
    """Simulate the rest of a task's list; ``problem``: why nothing can be foreseen of it."""
    wanted = Wanted(order.task or "", order.agents, order.hours)
    try:
        basis = await read_basis(link, order.settings, wanted, time())
    except NoForecast as error:
        return {"problem": str(error)}
    return basis.foresee(wanted.task)


async def requeue(link: Link, order: LookOrder) -> dict[str, Any]:
    """Put numbers of given outcomes into a queue of their task, as new ones."""
    node = order.settings.node
    owner = await owner_of(link, node, order.task or "", Kind.QUEUE)
    hosts = await NodeReader(link, node).hosts_with_records() if owner.is_shared else [node.host]
    numbers = RecordRequeue(link, order.settings, owner, hosts, order.queue)
    wanted = WantedAgain(frozenset(order.outcomes), order.since, order.until)
    await numbers.look(wanted, lambda done: None)
    found = numbers.count
    if not order.dry_run:
        await numbers.push(lambda done: None)
    done = numbers.done
    counts = {"queued": done.numbers, "unsure": done.unsure, "left": 0}
    return {"found": found, "left_out": numbers.left_out, **counts}


LOOKS: dict[str, Callable[[Link, LookOrder], Awaitable[object]]] = {
    "check": check,
    "nodes": nodes,
    "hosts": hosts,
    "report": report,
    "forecast": forecast,
    "requeue": requeue,
}


async def look(reactor: Any, order: LookOrder) -> bytes:
    """Return the answer to ``order`` as JSON; raises StoreError."""
    link = Link(reactor, parse_address(order.settings.redis.url))
    link.start()
    try:
        await link.when_up(CONNECT_TIMEOUT)
        return msgspec.json.encode(await LOOKS[order.look](link, order))
    finally:
        await link.stop()


def main() -> int:
    """Do what standard input says; return the exit status."""
    with suppress(OSError):  # a unit may forbid it
        os.nice(NICE)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=LookOrder)
    try:
        answer = run(lambda reactor: look(reactor, order))
    except OrderBroken as error:
        print(f"it broke off, give the order again: {error}", file=sys.stderr)
        return 1
    except StoreError as error:
        print(f"Redis does not answer: {error}", file=sys.stderr)
        return 1
    except click.Abort:
        print("the look was interrupted", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
