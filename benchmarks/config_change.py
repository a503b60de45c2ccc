"""How long a published change takes to be in force, among many tasks.

A task is enabled whose queue holds a number: HSET, then PUBLISH with its name, or without any (the
whole table is read again).  Timed from before the HSET is sent to the originate in the switch's
log.  Prints one JSON line::

    python -m benchmarks.config_change --tasks 100 10000 --samples 50
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Mapping, Sequence

from benchmarks.measuring import environment
from benchmarks.rig import Rig, measure, one_task
from benchmarks.tasks import closed_tasks
from benchmarks.wire import Wire, quantiles
from ctidialer.contract import keys

TASKS = keys.at(keys.TASK, keys.TEMPLATE)
CHANGED = "changed"
QUEUE = "changed_numbers"
TARGET = {"in_force_ms_max": 100}


async def changes(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Change one task again and again, among few and among many; return the figures."""
    await rig.start({"default": {"talk": 0.01}})
    document = one_task(CHANGED, QUEUE, 1)
    await rig.back_end.write_tables(document)
    await rig.back_end.push(QUEUE, ["13800000000"])
    rig.start_daemon()
    await rig.until_recorded(1)
    wire = Wire(rig.switch.log_path)
    before = rig.spent()
    by_count = {}
    for count in sorted(given.tasks):
        await rig.back_end.write_tables({TASKS: closed_tasks(count)})
        await settled(rig)
        by_count[str(count)] = {
            "one_task_ms": await sampled(rig, wire, document[TASKS], CHANGED, given),
            "whole_table_ms": await sampled(rig, wire, document[TASKS], None, given),
        }
    spent = rig.spent().since(before)
    return {
        "benchmark": "config_change",
        "target": TARGET,
        "samples": given.samples,
        "by_tasks": by_count,
        "wall_seconds": round(spent.at, 1),
        "daemon_cpu_seconds": round(spent.daemon, 2),
        "environment": environment(),
    }


async def settled(rig: Rig) -> None:
    """Have the whole table read, and wait until it is."""
    await rig.back_end.publish(keys.TASK)
    before = rig.spent().daemon
    while True:
        await rig.pause(0.5)
        now = rig.spent().daemon
        if now - before < 0.1:
            return
        before = now


async def sampled(
    rig: Rig,
    wire: Wire,
    tasks: Mapping[str, object],
    name: str | None,
    given: argparse.Namespace,
) -> Mapping[str, float]:
    """Enable the task, wait for its call, disable it: so many times."""
    waited = []
    for _ in range(given.samples):
        await switch_to(rig, tasks, name, enabled=False)
        await rig.pause(0.2 + random.uniform(0, 0.1))
        await rig.back_end.push(QUEUE, ["13800000000"])
        await rig.pause(random.uniform(0, 0.1))
        wire.look()
        changed_at = time.time()
        await switch_to(rig, tasks, name, enabled=True)
        waited.append(await next_start(rig, wire) - changed_at)
    return quantiles(waited)


async def next_start(rig: Rig, wire: Wire) -> float:
    """Wait for the next call, and return when it was on the wire."""
    before = len(wire.starts)

    async def is_called() -> bool:
        wire.look()
        return len(wire.starts) > before

    await rig.until(is_called)
    return wire.starts[before].time


async def switch_to(
    rig: Rig, tasks: Mapping[str, object], name: str | None, *, enabled: bool
) -> None:
    """Write the task anew, and say so."""
    task = json.loads(json.dumps(tasks[CHANGED]))
    task["params"]["enable"] = enabled
    await rig.call("HSET", TASKS, CHANGED, json.dumps(task))
    await rig.back_end.publish(keys.TASK, name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[100, 10_000])
    parser.add_argument("--samples", type=int, default=50)
    given = parser.parse_args(arguments)
    measure(lambda rig: changes(rig, given))


if __name__ == "__main__":
    main()
