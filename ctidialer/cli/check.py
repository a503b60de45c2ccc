"""``ctidialer check``: everything that is wrong in what stands in Redis for one node."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from time import time

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ctidialer.check.findings import Finding, Severity
from ctidialer.check.node import Checked, NodeCheck
from ctidialer.check.security import all_findings, settings_findings
from ctidialer.check.sentences import Sentence
from ctidialer.cli import texts
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.gateways import with_gateways
from ctidialer.cli.language import language, say
from ctidialer.cli.printable import printable
from ctidialer.cli.security import redis_facts, settings_facts
from ctidialer.rules.words import Said
from ctidialer.settings import Settings, find_file
from ctidialer.store.address import parse_address
from ctidialer.store.link import Link

MAX_SHOWN_PER_KEY = 50
STYLES = {Severity.FAULT: "bold red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}


@click.command()
@connection_options
@click.option(
    "--sample",
    default=1000,
    show_default=True,
    type=click.IntRange(0, 1_000_000),
    metavar="N",
    help="Numbers looked at in each queue, from its head.",
)
@click.option(
    "--no-freeswitch",
    is_flag=True,
    help="Do not ask FreeSWITCH whether it has the gateways and queues that the tables name.",
)
@click.option(
    "--security",
    is_flag=True,
    help="Look at passwords, ports, rights and files instead of the tables.",
)
@click.option(
    "--adopt",
    is_flag=True,
    help="With --security: also whether this Redis user may do `ctidialer adopt`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON list.")
@click.pass_context
def check(
    context: click.Context,
    settings: Settings,
    sample: int,
    no_freeswitch: bool,
    security: bool,
    adopt: bool,
    as_json: bool,
) -> None:
    """Report every fault in the tables and numbers of this node.

    FreeSWITCH is asked whether it has the gateways and queues that the tables name, if it can be.

    With --security: what is unsafe in the settings, in Redis, and on this machine.

    The exit status is 1 if there is any fault; warnings and notices do not change it.
    """
    if adopt and not security:
        raise click.UsageError("--adopt goes with --security")
    if security:
        findings = _unsafe(settings, context.params["config"], context.params["redis"], adopt)
        summary = _counts(findings)
    else:
        checked = with_redis(
            settings, lambda link: _looked_at(link, settings, sample, not no_freeswitch)
        )
        findings, summary = checked.findings, _summary(checked)
    if as_json:
        found = [finding.as_json() for finding in findings]
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(findings, summary)
    faults = any(finding.severity is Severity.FAULT for finding in findings)
    raise SystemExit(1 if faults else 0)


async def _looked_at(link: Link, settings: Settings, sample: int, ask: bool) -> Checked:
    checked = await NodeCheck(link, settings, sample, time()).run()
    return await with_gateways(link.clock, settings.freeswitch, checked) if ask else checked


def _unsafe(
    settings: Settings, config: str | None, redis: str | None, adopts: bool
) -> Sequence[Finding]:
    """Return what is unsafe; a Redis that cannot be asked is a fault by itself."""
    around = settings_facts(settings, find_file(config), redis)
    try:
        facts = with_redis(settings, lambda link: redis_facts(link, settings, adopts))
    except click.ClickException as error:
        where = parse_address(settings.redis.url).safe
        problem = Sentence.CANNOT_BE_ASKED.of(error=error.message)
        unasked = Finding.of(Severity.FAULT, where, "", "", problem)
        return [*settings_findings(settings, around), unasked]
    return all_findings(settings, around, facts)


def _print(findings: Sequence[Finding], summary: str) -> None:
    console = Console()
    for key, group in groupby(findings, key=lambda finding: finding.key):
        found = list(group)
        if console.is_terminal:
            console.print(_table(key, found[:MAX_SHOWN_PER_KEY]))
        else:
            for finding in found[:MAX_SHOWN_PER_KEY]:
                click.echo(_line(finding))
        if len(found) > MAX_SHOWN_PER_KEY:
            more = len(found) - MAX_SHOWN_PER_KEY
            click.echo(say(texts.MORE_FINDINGS, key=printable(key), count=more))
    click.echo(summary)


def _table(key: str, found: Sequence[Finding]) -> Table:
    table = Table(title=Text(printable(key), "bold"), title_justify="left", expand=False)
    for column in texts.FINDING_HEADS:
        table.add_column(say(column), overflow="fold")
    for one in found:
        cells = (printable(one.name), printable(one.path), printable(one.problem_in(language())))
        severity = Text(say(texts.SEVERITIES[one.severity]), STYLES[one.severity])
        table.add_row(severity, *(Text(cell) for cell in cells))
    return table


def _line(finding: Finding) -> str:
    place = " ".join(part for part in (finding.key, finding.name, finding.path) if part)
    severity = say(texts.SEVERITIES[finding.severity])
    problem = finding.problem_in(language())
    return printable(say(texts.FINDING, severity=severity, place=place, problem=problem))


def _counts(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.severity for finding in findings)
    return say(texts.COMMA).join(_counted(counts[one], texts.COUNTED[one]) for one in Severity)


def _summary(checked: Checked) -> str:
    seen = (
        _counted(checked.tasks, texts.SEEN["task"]),
        _counted(checked.lines, texts.SEEN["line"]),
        _counted(checked.line_groups, texts.SEEN["line group"]),
        _counted(checked.schedule_configs, texts.SEEN["schedule configuration"]),
        _counted(checked.numbers, texts.SEEN["number"]),
    )
    return say(texts.SUMMARY, counts=_counts(checked.findings), seen=say(texts.COMMA).join(seen))


def _counted(count: int, what: Said) -> str:
    plural = "" if count == 1 or language() == "zh" else "s"
    return f"{count} {say(what)}{plural}"
