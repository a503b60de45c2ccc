"""``ctidialer pacing``: how a task is paced by its agents, and what it has learnt."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
import msgspec

from ctidialer.cli import texts
from ctidialer.cli.completion import complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.language import language, say
from ctidialer.cli.printable import printable
from ctidialer.contract.pacing import Learnt, PacingReport, PacingStatus
from ctidialer.nodes.pacing import read_pacing
from ctidialer.rules.explaining import local_time
from ctidialer.settings import Settings


@click.command(short_help="Show how a task is paced by its agents.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as a JSON object.")
def pacing(settings: Settings, task: str, as_json: bool) -> None:
    """Show the agents of TASK, its calls on their way, abandoned calls, and what was learnt.

    The figures are those that the daemons wrote last, up to a second ago while they dial. The exit
    status is 1 where no daemon has written any: the task names no agents, or was never dialed.
    """
    host = settings.node.host
    found = with_redis(settings, lambda link: read_pacing(link, host, task))
    if as_json:
        shown = None if found is None else msgspec.to_builtins(found)
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        lines = [say(texts.NO_PACING, name=task)] if found is None else _lines(found, settings)
        for line in lines:
            click.echo(printable(line))
    raise SystemExit(1 if found is None else 0)


def _lines(found: PacingReport, settings: Settings) -> Iterator[str]:
    zone = settings.node.timezone
    for host, status in sorted(found.hosts.items()):
        yield say(
            texts.PACING_TITLE,
            name=found.task,
            host=host,
            mode=status.mode,
            at=local_time(status.at, zone),
        )
        yield from _of_host(status)
    last = max(found.hosts.values(), key=lambda one: one.at, default=None)
    if last is not None:
        yield _abandoned(last, zone)
    if found.learnt is not None:
        yield from _learnt(found.learnt)


def _of_host(status: PacingStatus) -> Iterator[str]:
    if status.problem:
        problem = status.problem_zh if language() == "zh" else status.problem
        yield say(texts.PACING_PROBLEM, problem=problem)
    elif status.queue or status.group:
        yield say(
            texts.PACING_AGENTS,
            free=status.free,
            ringing=status.agents_ringing,
            talking=status.talking,
            wrap_up=status.wrap_up,
            away=status.away,
            stale=status.stale,
            use=None if status.use is None else _percent(status.use),
        )
    yield say(
        texts.PACING_CALLS,
        ringing=status.ringing,
        waiting=status.waiting,
        connected=status.connected,
        released=status.released or None,
    )
    if status.is_progressive:
        yield say(texts.PACING_PROGRESSIVE)
    if status.risk is not None:
        yield say(texts.PACING_RISK, risk=f"{100 * status.risk:.2f}")


def _abandoned(status: PacingStatus, zone: str) -> str:
    return say(
        texts.PACING_ABANDONED,
        abandoned=status.abandoned,
        answered=status.answered,
        share=_percent(status.share),
        ceiling=f"{100 * status.ceiling:g}",
        more=status.can_bear,
        since=local_time(status.period_start, zone),
    )


def _learnt(learnt: Learnt) -> Iterator[str]:
    yield say(
        texts.PACING_HANDLE,
        mean=f"{learnt.handle_mean:.0f}",
        median=f"{learnt.handle_median:.0f}",
        most=f"{learnt.handle_90:.0f}",
    )
    by_second = ", ".join(
        f"{second} s {_percent(share)} %" for second, share in learnt.answered_within.items()
    )
    yield say(texts.PACING_RING, rate=_percent(learnt.answer_rate), by_second=by_second)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
