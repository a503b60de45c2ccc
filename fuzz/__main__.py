"""``python -m fuzz [TARGET…]``: each target in a process of its own; exit status 1 = broken."""

from __future__ import annotations

import argparse
import importlib
import secrets
import subprocess
import sys
from pathlib import Path

from fuzz import guided
from fuzz.cases import FOLDER, read_case
from fuzz.meter import Meter
from fuzz.seeded import run_seeded
from fuzz.session import Session
from fuzz.target import Target

TARGETS = ("esl", "numbers", "tasks", "records")
MILLION = 1_000_000


def load(name: str) -> Target:
    """Import a target only now, so that what it imports can be instrumented."""
    target = importlib.import_module(f"fuzz.targets.{name}").TARGET
    assert isinstance(target, Target)
    return target


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)} (default all)")
    parser.add_argument("--count", type=int, default=MILLION, help="inputs a target (a million)")
    parser.add_argument(
        "--seed", type=int, help="as an earlier run printed it (default: a new one)"
    )
    parser.add_argument(
        "--by",
        choices=("auto", "atheris", "seed"),
        default="auto",
        help="where inputs come from (auto: atheris where it is installed)",
    )
    parser.add_argument("--cases", type=Path, default=FOLDER, help="where failures are written")
    parser.add_argument("--replay", type=Path, help="examine one written case again, and no more")
    found = parser.parse_args()
    if unknown := set(found.targets) - set(TARGETS):
        parser.error(f"no target: {', '.join(sorted(unknown))}")
    return found


def replay(path: Path) -> int:
    """Examine one case; whatever it raises is shown."""
    case = read_case(path)
    print(f"{case.target}: {case.problem}, {len(case.data)} bytes: {case.data[:200]!r}")
    load(case.target).examine(case.data, Meter())
    print("It holds now.")
    return 0


def run_all(names: list[str], seed: int, options: argparse.Namespace) -> int:
    """Run one target after the other, each in its own process."""
    given = ["--count", options.count, "--seed", seed, "--by", options.by, "--cases", options.cases]
    command = [sys.executable, "-m", "fuzz", *map(str, given)]
    return max(subprocess.run([*command, name]).returncode != 0 for name in names)


def run_one(name: str, seed: int, options: argparse.Namespace) -> int:
    """Run one target in this process."""
    by_coverage = options.by != "seed" and guided.is_there()
    if not by_coverage and options.by == "atheris":
        print("atheris is not installed: pip install 'ctidialer[fuzz]', or --by seed")
        return 2
    target = guided.instrumented(lambda: load(name)) if by_coverage else load(name)
    session = Session(target, options.cases, lambda line: print(line, flush=True))
    how = "atheris" if by_coverage else "the seeded generator (atheris is not asked or not there)"
    print(f"{name}: {options.count} inputs by {how}; again: --seed {seed}", flush=True)
    run = guided.run_guided if by_coverage else run_seeded
    run(session, count=options.count, seed=seed)
    print(session.summary())
    return 1 if session.failures else 0


def main() -> int:
    """Run, and return the exit status."""
    options = arguments()
    if options.replay is not None:
        return replay(options.replay)
    seed = secrets.randbelow(2**31) + 1 if options.seed is None else options.seed
    names = list(options.targets or TARGETS)
    return run_all(names, seed, options) if len(names) > 1 else run_one(names[0], seed, options)


if __name__ == "__main__":
    sys.exit(main())
