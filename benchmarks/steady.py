"""A task that dials at a steady pace while something else is done to the daemon."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise

from twisted.internet import reactor
from twisted.internet.utils import getProcessOutputAndValue

from benchmarks.rig import Rig, numbers
from benchmarks.tasks import task, tasks_key
from benchmarks.wire import Wire

STEADY = "steady"
CPS = 20.0
WARM_UP = 3.0


async def begin(rig: Rig, seconds: float) -> Wire:
    """Start the daemon and the task; return when it dials at its pace.  It can go on so long."""
    await rig.start({"default": {"talk": 0.1}})
    await rig.back_end.push(f"numbers-{STEADY}", numbers(round(CPS * (seconds + 60))))
    await rig.back_end.write_tables({tasks_key(): {STEADY: task(STEADY, cps=CPS, limit=1000)}})
    rig.start_daemon()
    await rig.until_recorded(1)
    await rig.pause(WARM_UP)
    return Wire(rig.switch.log_path)


def pace(wire: Wire, since: float) -> Mapping[str, float]:
    """Return how the task dialed from ``since`` (unix seconds) to now, by the switch's log."""
    wire.look()
    now = time.time()
    starts = [since, *(one for one in wire.starts_of(STEADY) if one >= since), now]
    return {
        "calls_per_second": round((len(starts) - 2) / (now - since), 2),
        "longest_gap_seconds": round(max(later - one for one, later in pairwise(starts)), 3),
    }


async def run_beside(module: str, arguments: Sequence[str]) -> dict[str, object]:
    """Run ``python -m module`` in a process of its own; return the JSON it prints."""
    output, problem, status = await getProcessOutputAndValue(
        sys.executable, ["-m", module, *arguments], dict(os.environ), reactor=reactor
    )
    if status:
        raise RuntimeError(problem.decode())
    printed: dict[str, object] = json.loads(output)
    return printed
