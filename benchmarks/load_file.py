"""What ``ctidialer load`` takes for a file: time, CPU, memory of it and its children together.

Files of each kind are written, then loaded into the list of a task (``dnc``: onto a list of numbers
that are not called), once each.  Prints one JSON
line::

    python -m benchmarks.load_file --rows 1000000
    python -m benchmarks.load_file --only excel region
    python -m benchmarks.load_file --only dnc --rows 10000000
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from twisted.internet.threads import deferToThread

from benchmarks.measuring import Figures, environment
from benchmarks.number_files import write_csv, write_text, write_workbook
from benchmarks.rig import HOST, Rig, measure, one_task

TASK = QUEUE = "loaded"
COMMAND = "from ctidialer.cli import main; main()"
LOOK_INTERVAL = 0.02
TARGET = {"wall_seconds": 30, "peak_mb": 100, "of_rows": 1_000_000}

Write = Callable[[Path, int], None]

DNC = "dnc"
"""The kind that is put on a list of numbers not to be called, with ``ctidialer dnc load``."""

KINDS: Mapping[str, tuple[str, Write, tuple[str, ...]]] = {
    "text": ("n.txt", write_text, ()),
    "csv": ("n.csv", partial(write_csv, encoding="utf-8"), ()),
    "gbk": ("gbk.csv", partial(write_csv, encoding="gbk"), ()),
    "excel": ("n.xlsx", write_workbook, ()),
    "dedupe": ("n.csv", partial(write_csv, encoding="utf-8"), ("--dedupe",)),
    "region": ("n.csv", partial(write_csv, encoding="utf-8"), ("--region", "CN")),
    DNC: ("n.txt", write_text, ()),
}
"""By the name: the file, what writes it, and the options with which it is loaded."""


async def loads(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Load each file; return the figures."""
    await rig.start_redis()
    await rig.back_end.write_tables(one_task(TASK, QUEUE, 1))
    return {
        "benchmark": "load_file",
        "target": TARGET,
        "rows": given.rows,
        "by_kind": {kind: await loaded(rig, kind, given.rows) for kind in given.only},
        "environment": environment(),
    }


async def loaded(rig: Rig, kind: str, rows: int) -> Figures:
    """Load a file of this kind; return the figures."""
    name, write, options = KINDS[kind]
    path = rig.directory / name
    if not path.exists():
        await deferToThread(write, path, rows)
    await rig.call("UNLINK", QUEUE)
    where = ("--redis", rig.redis.url, "--host", HOST)
    load = ("dnc", "load") if kind == DNC else ("load",)
    command = [sys.executable, "-c", COMMAND, *load, *where, *options, TASK, str(path)]
    found: Figures = await deferToThread(run_watched, command)
    count = "SCARD" if kind == DNC else "LLEN"
    return {**found, "pushed": await rig.back_end.length(count, QUEUE)}


def run_watched(command: list[str]) -> Figures:
    """Run a command; return its seconds, CPU seconds, and the memory of it and its children."""
    begun = time.monotonic()
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    peaks: dict[int, int] = {}
    while True:
        for one in _family(pid):
            peaks[one] = max(peaks.get(one, 0), _peak_kb(one))
        ended, status, used = os.wait4(pid, os.WNOHANG)
        if ended:
            break
        time.sleep(LOOK_INTERVAL)
    if status:
        raise RuntimeError(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return {
        "wall_seconds": round(time.monotonic() - begun, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": round(sum(peaks.values()) / 1000, 1),
        "processes": len(peaks),
    }


def _family(pid: int) -> list[int]:
    """Return a process and its children, of which none has children of its own here."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *map(int, children)]


def _peak_kb(pid: int) -> int:
    """Return the most memory that a process has had, in units of 1024 bytes; 0 = it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS))
    given = parser.parse_args(arguments)
    measure(lambda rig: loads(rig, given))


if __name__ == "__main__":
    main()
