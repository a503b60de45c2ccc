"""How things are measured here: CPU beside wall time, rivals in turn, one JSON line in the end.

Machines are shared and their clocks change, so a single run means little.  What is compared is run
in turn, several times, within one command; the ratio of the medians is what counts, and CPU time
(user and system) more than wall time.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from attrs import frozen

PACKAGES = ("Twisted", "greenswitch", "gevent", "genesis", "hiredis", "msgspec", "txredisapi")
Figures: TypeAlias = dict[str, Any]


@frozen
class Spent:
    """Seconds of one run: by the wall clock, and of one process's CPU."""

    wall: float
    cpu: float


class Stopwatch:
    """Runs from its making."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Spent:
        """Return what has been spent since."""
        return Spent(time.perf_counter() - self._wall, time.process_time() - self._cpu)


def spent_on(work: Callable[[], object]) -> Spent:
    """Run something and return what it cost this process."""
    watch = Stopwatch()
    work()
    return watch.read()


def in_turn(runs: int, rivals: Mapping[str, Callable[[], Spent]]) -> dict[str, list[Spent]]:
    """Run every rival once, then all of them again, ``runs`` times; noise then hits all alike."""
    spent: dict[str, list[Spent]] = {name: [] for name in rivals}
    for _ in range(runs):
        for name, run in rivals.items():
            spent[name].append(run())
    return spent


def spread(values: Iterable[float], digits: int = 2) -> dict[str, float]:
    """Return the least, the median and the greatest."""
    known = list(values)
    spread = {"min": min(known), "median": statistics.median(known), "max": max(known)}
    return {name: round(value, digits) for name, value in spread.items()}


def per_item(spent: Sequence[Spent], count: int) -> Figures:
    """Return microseconds for each of ``count`` things, and how many fit into a second."""
    cpu = statistics.median(each.cpu for each in spent)
    wall = statistics.median(each.wall for each in spent)
    return {
        "cpu_us": spread(each.cpu / count * 1e6 for each in spent),
        "wall_us": spread(each.wall / count * 1e6 for each in spent),
        "per_cpu_second": round(count / cpu),
        "per_second": round(count / wall),
    }


def median_ratio(one: Sequence[Spent], other: Sequence[Spent]) -> dict[str, float]:
    """Return how much longer ``one`` takes than ``other``, by CPU and by the wall clock."""
    return {
        kind: round(
            statistics.median(getattr(each, kind) for each in one)
            / statistics.median(getattr(each, kind) for each in other),
            3,
        )
        for kind in ("cpu", "wall")
    }


def environment() -> Figures:
    """Say where this was measured, and how busy the machine was."""
    return {
        "machine": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "load": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(name: str) -> str | None:
    where = [*filter(None, [rivals_path()]), *sys.path]
    found = next(iter(importlib.metadata.distributions(name=name, path=where)), None)
    return None if found is None else found.version


def rivals_path() -> str | None:
    """Return the directory into which ``make bench`` has put the libraries compared with ours."""
    path = os.environ.get("CTIDIALER_BENCH_RIVALS")
    return None if path is None else str(Path(path).resolve())


def print_line(benchmark: str, figures: Figures) -> None:
    """Print the one line of a benchmark."""
    print(json.dumps({"benchmark": benchmark, **figures, "environment": environment()}))


def run_apart(module: str, *arguments: str, path: str | None = None) -> Figures:
    """Run ``python -m module`` in a process of its own and return the JSON line it printed.

    ``path``: a directory whose packages go before all others.
    """
    command = [sys.executable, "-m", module, *arguments]
    environment = os.environ if path is None else {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=600, env=environment)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures
