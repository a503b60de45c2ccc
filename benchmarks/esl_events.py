"""How fast events come through: bytes in a socket, an event delivered, five fields of it read.

The whole path of each client, on a loopback socket, fed by a process of its own with
CHANNEL_HANGUP_COMPLETE events of 207 headers that were made from a recorded one.  ``ours`` is
`ctidialer.esl.switch.Switch` as the dialer uses it; greenswitch and genesis are used as their own
texts say; ``bare`` is a blocking socket, a search for the empty line, a slice and five searches,
with no Twisted, no checks and no callbacks: the least that Python can do.

Prints one JSON line::

    python -m benchmarks.esl_events
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.esl_wire import HEADERS, EventTemplate, hang_up_lines
from benchmarks.measuring import (
    Figures,
    Spent,
    in_turn,
    median_ratio,
    per_item,
    print_line,
    rivals_path,
    run_apart,
)

OWN = ("ours", "bare")
SHARES = {"ours": 1.0, "bare": 1.0, "greenswitch": 0.1, "genesis": 0.04}
"""How many of the events each client gets, so that each runs for about as long."""


@contextmanager
def peer() -> Iterator[int]:
    """Run `benchmarks.esl_peer` and give its port."""
    command = [sys.executable, "-m", "benchmarks.esl_peer"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def installed(names: Sequence[str]) -> list[str]:
    """Return those of the clients that are here: the rivals are installed by ``make bench``."""
    path = rivals_path()
    return [name for name in names if name in OWN or (path and (Path(path) / name).is_dir())]


def run_client(port: int, client: str, work: str, count: int) -> Spent:
    """Let one client do its work, in a process of its own."""
    path = None if client in OWN else rivals_path()
    arguments = (client, work, str(port), str(count))
    figures = run_apart("benchmarks.esl_clients", *arguments, path=path)
    return Spent(**figures)


def measure(events: int, runs: int) -> Figures:
    """Return what an event costs each client, and the ratios to ours."""
    counts = {name: max(1, int(events * SHARES[name])) for name in installed([*SHARES])}
    with peer() as port:
        rivals = {
            name: partial(run_client, port, name, "events", count) for name, count in counts.items()
        }
        spent = in_turn(runs, rivals)
    each = {
        name: [Spent(one.wall / counts[name], one.cpu / counts[name]) for one in spent[name]]
        for name in counts
    }
    return {
        "headers": HEADERS,
        "event_bytes": len(EventTemplate(hang_up_lines()).frame(b"0" * 36)),
        "runs": runs,
        "events": counts,
        "clients": {name: per_item(each[name], 1) for name in counts},
        "ours_over_bare": median_ratio(each["ours"], each["bare"]),
        "over_ours": {
            name: median_ratio(each[name], each["ours"])
            for name in counts
            if name not in ("ours", "bare")
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args(arguments)
    print_line("esl_events", measure(given.events, given.runs))


if __name__ == "__main__":
    main()
