"""Run trial, show what it prints, and end with one plain line: ``N passed, N failed, N skipped``.

The figures are trial's own, read off its closing lines.  The exit status is 0 only when trial's
is, its closing lines were found, nothing failed and at least one test passed.  A test that is
expected to fail and does is counted as skipped; one that unexpectedly passes, as failed.  A run
that takes longer than the limit is ended, with all that it started, and has failed.

``--again N`` gives up to N failed tests that are not unit tests a second chance, one after the
other when everything else is done: these have real processes, which a machine may hold up for
seconds.  What passes then counts as passed, and is named: it is unsteady, and to be mended all the
same.  With more than N failures, or a unit test among them, nothing is run again.

``--kind`` runs one kind of test alone: ``unit`` (values and virtual time, all in this process),
``integration`` (a real Redis, sockets, processes) or ``browser``.  A test case is of the kind that
its class, or a base of it, names in ``kind``; without one it is a unit test.

Where the environment names a real FreeSWITCH, all tests run in one process, one after the other:
some of them pause it or kill it, and others have its agents for themselves.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from twisted.trial.runner import TestLoader

KINDS = ("unit", "integration", "browser")
_RAN = re.compile(r"^Ran \d+ tests? in [\d.]+s$")
_VERDICT = re.compile(r"^(?P<word>PASSED|FAILED)(?: \((?P<figures>.*)\))?$")
_PASSED = ("successes",)
_FAILED = ("failures", "errors", "unexpectedSuccesses")
_SKIPPED = ("skips", "expectedFailures")
# Trial's closing report: a heading for each failed test, and its name after the traceback.
_HEADING = re.compile(r"^\[(FAIL|ERROR|SUCCESS!\?!)\]$")
_NAME = re.compile(r"^tests(\.\w+)+$")


@dataclass(frozen=True)
class Count:
    """How many tests ended in which way."""

    passed: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read_count(lines: Iterable[str]) -> Count | None:
    """Return the figures of the last ``Ran … tests`` and the verdict under it, None = not there."""
    count = None
    ran = False
    for line in lines:
        if _RAN.match(line):
            ran, count = True, None
        elif ran and (verdict := _VERDICT.match(line)):
            count = _count(verdict["figures"] or "")
            ran = False
    return count


def _count(figures: str) -> Count:
    """Return the count that ``skips=1, failures=2, successes=3`` says."""
    said = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", figures)}
    unknown = set(said) - {*_PASSED, *_FAILED, *_SKIPPED}
    if unknown:
        raise ValueError(f"trial counts something that this script does not know: {unknown}")
    passed, failed, skipped = (
        sum(said.get(name, 0) for name in names) for names in (_PASSED, _FAILED, _SKIPPED)
    )
    return Count(passed, failed, skipped)


def failed_names(lines: Iterable[str]) -> list[str] | None:
    """Return the names of the tests that failed, None where trial did not name each of them."""
    names: list[str] = []
    # Of each heading, as one heading may stand over several tests that failed alike.
    counts: list[int] = []
    for line in lines:
        if _HEADING.match(line):
            counts.append(0)
        elif counts and _NAME.match(line):
            counts[-1] += 1
            names.append(line)
    return list(dict.fromkeys(names)) if all(counts) else None


def exit_status(trial_status: int, count: Count | None) -> int:
    """Return 0 only for a run in which trial was content, tests passed and none failed."""
    if trial_status != 0:
        return 1
    return 0 if count is not None and count.passed > 0 and count.failed == 0 else 1


def _shown(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield each line that ``process`` prints, as soon as it does, and show it."""
    if process.stdout is None:
        raise ValueError("the output of trial is not piped")
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        yield line.rstrip("\n")


def processes(jobs: int, environment: Mapping[str, str]) -> int:
    """Return in how many processes the tests may run, where ``jobs`` are asked for."""
    return 1 if environment.get("CTIDIALER_TEST_FREESWITCH") else jobs


def _trial_command(jobs: int, names: list[str]) -> list[str]:
    """Return the command that runs the tests ``names``, in ``jobs`` processes where it is > 1."""
    parallel = ["--jobs", str(jobs)] if jobs > 1 else []
    return [sys.executable, "-m", "twisted.trial", *parallel, *names]


def _end(process: subprocess.Popen[str]) -> None:
    """Kill ``process`` and all that it started: trial leads a process group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _started(command: list[str], limit: float) -> Iterator[subprocess.Popen[str]]:
    """Run ``command`` for at most ``limit`` seconds; what is left of it at the end is killed."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        timer = threading.Timer(limit, _end, [process])
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            _end(process)


def names_of_kind(kind: str, names: Iterable[str]) -> list[str]:
    """Return the names of the test cases of one kind among ``names`` (modules, classes, tests)."""
    loader = TestLoader()
    cases = (case for name in names for case in _cases(loader.loadByName(name, recurse=True)))
    wanted = (type(case) for case in cases if getattr(case, "kind", "unit") == kind)
    return list(dict.fromkeys(f"{one.__module__}.{one.__qualname__}" for one in wanted))


def _cases(suite: Iterable[Any] | Any) -> Iterator[object]:
    if isinstance(suite, Iterable):
        for part in suite:
            yield from _cases(part)
    else:
        yield suite


@dataclass(frozen=True)
class Run:
    """What a run of trial came to: its exit status and figures, and what failed, as far as said."""

    ended_with: int
    count: Count | None
    failed: list[str] | None


def _run_once(jobs: int, limit: float, names: list[str]) -> Run:
    """Run the tests ``names`` and show what trial prints."""
    with _started(_trial_command(jobs, names), limit) as process:
        lines = list(_shown(process))
        return Run(process.wait(), read_count(lines), failed_names(lines))


def may_run_again(run: Run, most: int) -> list[str]:
    """Return what ``--again`` runs a second time: a few named failures, none of a unit test."""
    failed = run.failed
    if run.count is None or not failed or not len(failed) <= run.count.failed <= most:
        return []
    return [] if names_of_kind("unit", failed) else failed


def both(first: Count, second: Count) -> Count:
    """Return the figures of a run whose failed tests were run again with the result ``second``."""
    return Count(first.passed + second.passed, second.failed, first.skipped + second.skipped)


def run(jobs: int, limit: float, names: list[str], again: int = 0) -> int:
    """Run the tests ``names`` and return the exit status; the last line printed is the count."""
    done = _run_once(jobs, limit, names)
    unsteady = may_run_again(done, again)
    if unsteady and done.count is not None:
        print("Run again, alone, since they failed beside the others:", *unsteady, flush=True)
        first, done = done.count, _run_once(1, limit, unsteady)
        if done.count is not None:
            done = replace(done, count=both(first, done.count))
    count = done.count
    if count is None:
        print(f"trial ended with {done.ended_with} and did not say how the tests ended")
    status = exit_status(done.ended_with, count)
    if status and count is not None and not count.failed:
        print(f"no failed test, but no success either: trial ended with {done.ended_with}")
    if unsteady and not status:
        print("UNSTEADY, a fault to be mended; passed only alone:", *unsteady)
    print(count or Count(0, 1, 0), flush=True)
    return status


def main() -> int:
    """Read the command line, run, and return the exit status."""
    parser = argparse.ArgumentParser(description="Run trial and count the tests.")
    parser.add_argument("--jobs", type=int, default=1, help="worker processes (default 1)")
    parser.add_argument("--limit", type=float, default=2400.0, help="seconds (default 2400)")
    parser.add_argument("--again", type=int, default=0, help="see above (default 0: never)")
    parser.add_argument("--kind", choices=KINDS, help="run this kind of test alone")
    parser.add_argument("names", nargs="*", default=["tests"], help="what to run (default tests)")
    arguments = parser.parse_args()
    names = arguments.names
    sys.path.insert(0, os.getcwd())
    if arguments.kind:
        names = names_of_kind(arguments.kind, names)
    jobs = processes(arguments.jobs, os.environ)
    return run(jobs, arguments.limit, names, arguments.again)


if __name__ == "__main__":
    sys.exit(main())
