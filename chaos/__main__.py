"""``python -m chaos``: run a campaign under faults, audit it, print the figures."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import click
from rich.console import Console
from rich.table import Table

from chaos.campaign import Campaign, Plan, Report
from chaos.faults import Kind
from ctidialer.cli.running import run
from ctidialer.contract.record import Outcome

SHOWN_FAULTS = 20
ONE_IN = 50


@click.command()
@click.option("--seed", default=1, show_default=True, help="Decides the faults and the callees.")
@click.option("--numbers", default=20_000, show_default=True, type=click.IntRange(1))
@click.option("--faults", default=100, show_default=True, type=click.IntRange(0))
@click.option("--break-settle", is_flag=True, help="Lose and repeat some records: must not pass.")
@click.option("--keep", type=click.Path(path_type=Path), help="Leave logs and data here.")
def main(seed: int, numbers: int, faults: int, break_settle: bool, keep: Path | None) -> None:
    """Dial NUMBERS while FAULTS strike daemon, Redis and switch; then audit what is left.

    The exit status is 0 only if every number has exactly one record and nobody was called twice.
    The last line printed is the result as JSON.
    """
    plan = Plan(seed, numbers, faults, ONE_IN if break_settle else 0)
    if keep is None:
        with TemporaryDirectory(prefix="ctidialer-chaos-") as directory:
            report = _run(plan, Path(directory))
    else:
        keep.mkdir(parents=True, exist_ok=True)
        report = _run(plan, keep.absolute())
    _print(Console(), report)
    click.echo(json.dumps(as_json(report)))
    raise SystemExit(1 if report.faults else 0)


def _run(plan: Plan, directory: Path) -> Report:
    began = monotonic()

    def say(what: str) -> None:
        click.echo(f"{monotonic() - began:6.1f} s  {what}", err=True)

    return run(lambda reactor: Campaign(reactor, plan, directory, say).run())


def _print(console: Console, report: Report) -> None:
    found = report.findings
    table = Table("What", title=f"Chaos, seed {report.plan.seed}, {report.seconds:.0f} s")
    table.add_column("Figure", justify="right")
    for what, figure in _figures(report):
        table.add_row(what, str(figure))
    console.print(table)
    for fault in report.faults[:SHOWN_FAULTS]:
        console.print(f"[red]fault[/red]: {fault}", highlight=False, soft_wrap=True)
    if len(report.faults) > SHOWN_FAULTS:
        console.print(f"and {len(report.faults) - SHOWN_FAULTS} more")
    elif not report.faults:
        console.print(
            f"Nothing lost, nobody called twice: {found.unknown.total} unknown, "
            f"of {found.noted} that were being placed when a fault struck",
            soft_wrap=True,
        )


def _figures(report: Report) -> list[tuple[str, object]]:
    found = report.findings
    kinds = [strike.kind for fault in report.struck for strike in fault.strikes]
    unknown = found.unknown
    return [
        ("numbers put in", report.plan.numbers),
        ("faults", len(report.struck)),
        *((f"  {kind.value}", kinds.count(kind)) for kind in Kind if kind in kinds),
        ("records", found.outcomes.total()),
        *((f"  {one.value}", found.outcomes[one]) for one in Outcome if found.outcomes[one]),
        ("left in a queue", found.left),
        ("calls by the switch's log", found.calls),
        ("  of these redials by a rule", found.redials),
        ("noted as being placed when a fault struck", found.noted),
        ("unknown", unknown.total),
        ("  the killed switch had it", unknown.forgotten),
        ("  it never reached the switch", unknown.never_there),
        ("  it ended while nobody could be told", unknown.unheard),
        ("seconds until drained, after the last fault", round(report.drained_after, 1)),
        ("faults found by the audit", len(report.faults)),
    ]


def as_json(report: Report) -> dict[str, object]:
    """Return the figures for programs."""
    found, unknown = report.findings, report.findings.unknown
    return {
        "seed": report.plan.seed,
        "numbers": report.plan.numbers,
        "faults": len(report.struck),
        "records": found.outcomes.total(),
        "outcomes": {one.value: count for one, count in found.outcomes.items()},
        "left": found.left,
        "calls": found.calls,
        "redials": found.redials,
        "noted_at_faults": found.noted,
        "unknown": unknown.total,
        "unknown_forgotten": unknown.forgotten,
        "unknown_never_there": unknown.never_there,
        "unknown_unheard": unknown.unheard,
        "daemon_statuses": {str(status): count for status, count in report.statuses.items()},
        "seconds": round(report.seconds, 1),
        "drained_after": round(report.drained_after, 1),
        "problems": list(report.faults[:SHOWN_FAULTS]),
        "clean": not report.faults,
    }


if __name__ == "__main__":
    main()
