"""How fast commands go out and replies come in, hundreds of them in flight on one connection.

``api bgapi uuid:<job> originate …`` (as the dialer places its calls) and native ``bgapi`` with a
``Job-UUID``, against the same peer, which only copies.  ``ours`` is the dialer's way of starting a
job; greenswitch's ``send`` waits for the reply, so each command in flight has a greenlet there.
``bare`` writes and counts without looking: it shows that the peer is not what limits the others.

Prints one JSON line::

    python -m benchmarks.esl_commands
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from benchmarks.esl_clients import DEEP
from benchmarks.esl_events import installed, peer, run_client
from benchmarks.measuring import Figures, in_turn, median_ratio, per_item, print_line

CLIENTS = ("ours", "bare", "greenswitch")
FORMS = {"api_bgapi": "commands", "bgapi": "native"}


def measure(commands: int, runs: int) -> Figures:
    """Return what a command costs each client in each form, and greenswitch's over ours."""
    clients = installed(CLIENTS)
    with peer() as port:
        rivals = {
            f"{client} {form}": partial(run_client, port, client, work, commands)
            for client in clients
            for form, work in FORMS.items()
        }
        spent = in_turn(runs, rivals)
    ratios = {
        form: median_ratio(spent[f"greenswitch {form}"], spent[f"ours {form}"])
        for form in FORMS
        if "greenswitch" in clients
    }
    return {
        "commands": commands,
        "in_flight": DEEP,
        "runs": runs,
        "clients": {name: per_item(each, commands) for name, each in spent.items()},
        "greenswitch_over_ours": ratios,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--commands", type=int, default=30_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args(arguments)
    print_line("esl_commands", measure(given.commands, given.runs))


if __name__ == "__main__":
    main()
