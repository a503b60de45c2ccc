"""``python -m chaos``: run a campaign under faults, audit it, print the figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chaos.campaign import Campaign
from chaos.faults import Kind
from chaos.report import Plan, Report
from chaos.shared_audit import Use
from chaos.sharing import Shared, Shares
from ctidialer.cli.running import run
from ctidialer.contract.record import Outcome

SHOWN_FAULTS = 20
ONE_IN = 50


@click.command()
@click.option("--seed", default=1, show_default=True, help="Decides the faults and the callees.")
@click.option("--numbers", default=20_000, show_default=True, type=click.IntRange(1))
@click.option("--faults", default=100, show_default=True, type=click.IntRange(0))
@click.option(
    "--hosts",
    default=1,
    show_default=True,
    type=click.IntRange(1, 9),
    help="Hosts that share trunks and tasks; from two on some are lost for good.",
)
@click.option("--break-settle", is_flag=True, help="Lose and repeat some records: must not pass.")
@click.option("--break-count", is_flag=True, help="Let no count hold over hosts: must not pass.")
@click.option(
    "--break-adopt", is_flag=True, help="Call again whom a lost host called: must not pass."
)
@click.option("--keep", type=click.Path(path_type=Path), help="Leave logs and data here.")
def main(
    seed: int, numbers: int, faults: int, hosts: int, keep: Path | None, **broken: bool
) -> None:
    """Dial NUMBERS while FAULTS strike daemon, Redis and switch; then audit what is left.

    The exit status is 0 only if every number has exactly one record and nobody was called twice.
    The last line printed is the result as JSON.
    """
    orders: dict[str, object] = {name: ONE_IN for name, is_so in broken.items() if is_so}
    plan = Plan(seed, numbers, faults, hosts, orders)
    if keep is None:
        with TemporaryDirectory(prefix="ctidialer-chaos-") as directory:
            report = _run(plan, Path(directory))
    else:
        keep.mkdir(parents=True, exist_ok=True)
        report = _run(plan, keep.absolute())
        (keep / "faults.txt").write_text("\n".join([*report.faults, ""]))
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
    plan = report.plan
    hosts = f", {plan.hosts} hosts" if plan.hosts > 1 else ""
    table = Table("What", title=f"Chaos, seed {plan.seed}{hosts}, {report.seconds:.0f} s")
    table.add_column("Figure", justify="right")
    for what, figure in _figures(report):
        table.add_row(what, str(figure))
    console.print(table)
    for fault in report.faults[:SHOWN_FAULTS]:
        console.print(Text.assemble(("fault", "red"), f": {fault}"), soft_wrap=True)
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
        ("numbers with a final record", found.outcomes.total()),
        ("records, one for each try", found.tries),
        *((f"  {one.value}", found.outcomes[one]) for one in Outcome if found.outcomes[one]),
        ("left in a queue", found.left),
        *_figures_of_hosts(report),
        ("calls by the switch's log", found.calls),
        ("  of these redials and retries by a rule", found.redials),
        ("noted as being placed when a fault struck", found.noted),
        ("unknown", unknown.total),
        ("  the killed switch had it", unknown.forgotten),
        ("  it never reached the switch", unknown.never_there),
        ("  it ended while nobody could be told", unknown.unheard),
        ("seconds until drained, after the last fault", round(report.drained_after, 1)),
        ("faults found by the audit", len(report.faults)),
    ]


def _figures_of_hosts(report: Report) -> Iterator[tuple[str, object]]:
    if report.plan.hosts == 1:
        return
    adoptions, shared = report.adoptions, report.shared
    yield "hosts adopted by hand", adoptions.by_hand
    yield from ((f"  numbers {what}", count) for what, count in adoptions.numbers.items())
    yield "hosts adopted by others, by themselves", adoptions.by_themselves
    yield "adopted, though they came back", adoptions.that_came_back
    for one in _lasting(report.plan.shares):
        use = shared.most.get(one.name, Use())
        allowed = one.count if one.cps is None else f"{one.count}, {one.cps:g} a second"
        yield f"{one.name} ({allowed}): most at once", use.at_once
        yield "  most starts in a second", use.in_a_second
    waited = report.abandoned
    yield "answered by people who want an agent", waited.answered
    yield "  abandoned, by the agents", f"{waited.surely} to {waited.surely + waited.perhaps}"
    yield "  as all hosts have counted", waited.counted.abandoned
    yield "calls that outlived the places of a host", shared.outlived


def as_json(report: Report) -> dict[str, object]:
    """Return the figures for programs."""
    found, unknown = report.findings, report.findings.unknown
    return {
        "seed": report.plan.seed,
        "hosts": report.plan.hosts,
        "numbers": report.plan.numbers,
        "faults": len(report.struck),
        "records": found.outcomes.total(),
        "tries": found.tries,
        "outcomes": {one.value: count for one, count in found.outcomes.items()},
        "left": found.left,
        "calls": found.calls,
        "redials": found.redials,
        "noted_at_faults": found.noted,
        "unknown": unknown.total,
        "unknown_forgotten": unknown.forgotten,
        "unknown_never_there": unknown.never_there,
        "unknown_unheard": unknown.unheard,
        "adopted_by_hand": report.adoptions.by_hand,
        "adopted_by_themselves": report.adoptions.by_themselves,
        "most": {
            one.name: [use.at_once, use.in_a_second]
            for one in _lasting(report.plan.shares)
            for use in [report.shared.most.get(one.name, Use())]
        },
        "answered_for_agents": report.abandoned.answered,
        "abandoned_surely": report.abandoned.surely,
        "abandoned_perhaps": report.abandoned.perhaps,
        "abandoned_counted": report.abandoned.counted.abandoned,
        "adopted_and_came_back": report.adoptions.that_came_back,
        "outlived": report.shared.outlived,
        "daemon_statuses": {str(status): count for status, count in report.statuses.items()},
        "seconds": round(report.seconds, 1),
        "drained_after": round(report.drained_after, 1),
        "problems": list(report.faults[:SHOWN_FAULTS]),
        "clean": not report.faults,
    }


def _lasting(shares: Shares) -> list[Shared]:
    """Return what keeps its name throughout a campaign."""
    return [shares.trunk, *shares.tasks.values()]


if __name__ == "__main__":
    main()
