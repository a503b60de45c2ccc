"""``ctidialer demo``: a whole campaign on a fresh machine."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from time import monotonic

import click
from attrs import asdict
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from ctidialer.cli.demo_campaign import (
    HOST,
    NULL_ENDPOINT,
    TASK,
    AgentFigures,
    Campaign,
    DemoReport,
    DemoSwitch,
    Plan,
)
from ctidialer.cli.event_socket import an_address
from ctidialer.cli.printable import printable
from ctidialer.cli.running import run
from ctidialer.contract.agent_dialing import DialMode
from ctidialer.contract.record import Outcome
from ctidialer.esl.errors import EslError
from ctidialer.stage import back_end
from ctidialer.stage.redis_binary import NoServer
from ctidialer.stage.watching import StageFailed
from ctidialer.store.errors import StoreError

MAX_FAULTS_SHOWN = 20
MAX_CPS = 100_000


def _rate(context: click.Context, option: click.Parameter, value: float) -> float:
    if not 0 <= value <= MAX_CPS:  # what is not a number is neither
        raise click.BadParameter(f"{value} is not in the range 0 to {MAX_CPS}")
    return value


@click.command(short_help="Dial a whole campaign on this machine.")
@click.option(
    "--numbers",
    default=500,
    show_default=True,
    type=click.IntRange(1, 10_000_000),
    help="How many numbers are dialed.",
)
@click.option(
    "--cps",
    default=0.0,
    callback=_rate,
    help="Calls started per second, 0 = no limit.  [default: no limit]",
)
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1), help="Calls at once."
)
@click.option("--seed", default=1, show_default=True, help="What the simulated callees do.")
@click.option(
    "--freeswitch",
    metavar="HOST:PORT",
    callback=an_address,
    help="Dial through a real FreeSWITCH.",
)
@click.option(
    "--password",
    envvar="CTIDIALER_ESL_PASSWORD",
    default="ClueCon",
    help="Its Event Socket's password.  [default: ClueCon]",
)
@click.option(
    "--dialstring",
    default=NULL_ENDPOINT,
    show_default=True,
    help="How a real FreeSWITCH is to dial.",
)
@click.option(
    "--agents",
    default=0,
    type=click.IntRange(0, 1000),
    help="How many simulated agents take the calls.  [default: none]",
)
@click.option(
    "--mode",
    default=DialMode.PREDICTIVE.value,
    show_default=True,
    type=click.Choice([mode.value for mode in DialMode if mode is not DialMode.BATCH]),
    help="The dialing mode, with --agents.",
)
@click.option(
    "--http",
    default=0,
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Serve the dashboard on this port of loopback meanwhile.  [default: not]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, and no progress.")
def demo(
    numbers: int,
    cps: float,
    limit: int,
    seed: int,
    freeswitch: str | None,
    password: str,
    dialstring: str,
    agents: int,
    mode: str,
    http: int,
    as_json: bool,
) -> None:
    """Dial a whole campaign on this machine, through the real daemon.

    A private Redis or Valkey and a simulated FreeSWITCH are started on free loopback ports and
    stopped again.  The exit status is 0 only if every number has exactly one record and the
    switch's own log agrees.

    With --agents as many calls go out as these can take; each is busy for some seconds with a call.
    What can be looked at meanwhile, and with which commands, is said at the beginning.
    """
    if agents and freeswitch is not None:
        raise click.UsageError("--agents are simulated: they need the simulated switch")
    real = None if freeswitch is None else DemoSwitch(freeswitch, password, dialstring)
    plan = Plan(numbers, cps, limit, seed, real, agents, mode, http)
    began = monotonic()
    try:
        with (
            TemporaryDirectory(prefix="ctidialer-demo-") as directory,
            _Display(plan, as_json) as display,
        ):
            report = run(
                lambda reactor: Campaign(
                    reactor, plan, Path(directory), display.show, display.begun
                ).run()
            )
    except (StageFailed, NoServer, StoreError, EslError, OSError) as error:
        raise click.ClickException(printable(str(error))) from error
    if as_json:
        click.echo(json.dumps(_as_json(plan, report, monotonic() - began)))
    else:
        _print(Console(), plan, report, monotonic() - began)
    raise SystemExit(1 if report.faults else 0)


class _Display:
    """Where to look meanwhile, and the live progress: records, numbers in flight and queued."""

    def __init__(self, plan: Plan, quiet: bool) -> None:
        self._plan = plan
        self._quiet = quiet
        self._progress = Progress(
            TextColumn("dialing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[in_flight]} in flight, {task.fields[queued]} queued"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=quiet,
        )
        self._bar: TaskID | None = None

    def __enter__(self) -> _Display:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begun(self, redis: str) -> None:
        """Say where to look while it dials."""
        if self._quiet:
            return
        console = self._progress.console
        if self._plan.http:
            console.print(f"the dashboard: http://127.0.0.1:{self._plan.http}/", highlight=False)
        looks = ("explain", "pacing", "forecast") if self._plan.agents else ("explain", "forecast")
        for look in looks:
            command = f"ctidialer {look} {TASK} --redis {quote(redis)} --host {HOST}"
            console.print(f"meanwhile: {command}", highlight=False, soft_wrap=True)

    def show(self, now: back_end.StageProgress) -> None:
        """Show how far the campaign has got."""
        if self._bar is None:
            self._bar = self._progress.add_task(
                "", total=self._plan.numbers, in_flight=0, queued=now.queued
            )
        self._progress.update(
            self._bar, completed=now.recorded, in_flight=now.in_flight, queued=now.queued
        )


def _print(console: Console, plan: Plan, report: DemoReport, seconds: float) -> None:
    table = Table("Outcome", title="What became of the numbers", show_footer=True)
    table.columns[0].footer = "all"
    table.add_column("Numbers", justify="right", footer=str(len(report.records)))
    table.add_column("Share", justify="right")
    for outcome in Outcome:
        count = report.audit.outcomes.get(outcome, 0)
        if count:
            table.add_row(outcome.value, str(count), f"{count / len(report.records):.1%}")
    console.print(table)
    console.print(
        f"Redis: {report.redis}; switch: {report.switch}", highlight=False, soft_wrap=True
    )
    if report.agents is not None:
        console.print(_of_agents(report.agents), highlight=False, soft_wrap=True)
    console.print(_verdict(plan, report, seconds), highlight=False, soft_wrap=True)
    for fault in report.faults[:MAX_FAULTS_SHOWN]:
        # A text, so that brackets in an entry are no markup.
        console.print(Text.assemble(("fault", "red"), f": {printable(fault)}"), soft_wrap=True)
    if len(report.faults) > MAX_FAULTS_SHOWN:
        console.print(f"and {len(report.faults) - MAX_FAULTS_SHOWN} more")


def _of_agents(one: AgentFigures) -> str:
    share = one.abandoned / one.answered if one.answered else 0.0
    return (
        f"{one.agents} agents, {one.mode}: busy {one.use:.0%} of their time; abandoned "
        f"{one.abandoned} of {one.answered} answered ({share:.1%})"
    )


def _verdict(plan: Plan, report: DemoReport, seconds: float) -> str:
    figures = (
        f"{plan.numbers} numbers, {len(report.records)} records, "
        f"{report.audit.attempts} calls in {seconds:.1f} s"
    )
    if report.faults:
        return f"{figures}: {len(report.faults)} faults"
    by_its_own_account = "log agrees" if plan.freeswitch is None else "events agree"
    return f"{figures}: every number has exactly one record, and the switch's {by_its_own_account}"


def _as_json(plan: Plan, report: DemoReport, seconds: float) -> dict[str, object]:
    return {
        "numbers": plan.numbers,
        "records": len(report.records),
        "calls": report.audit.attempts,
        "calls_by_the_switch": report.calls,
        "seconds": round(seconds, 3),
        "outcomes": {outcome.value: count for outcome, count in report.audit.outcomes.items()},
        "faults": list(report.faults),
        "redis": report.redis,
        "switch": report.switch,
        "agents": None if report.agents is None else asdict(report.agents),
    }
