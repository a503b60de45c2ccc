"""``ctidialer forecast``: when the list of a task will be done, and how busy its agents will be."""

from __future__ import annotations

import json
from time import time

import click
import msgspec

from ctidialer.cli.completion import complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.forecast_print import print_forecast
from ctidialer.cli.language import language
from ctidialer.cli.printable import printable
from ctidialer.cli.tasks import no_such_task
from ctidialer.nodes.forecast import MOST_HOURS, Basis, NoForecast, UnknownTask, Wanted, read_basis
from ctidialer.nodes.reader import NodeReader
from ctidialer.settings import Settings
from ctidialer.store.link import Link

MOST_AGENTS = 100_000


@click.command(short_help="Foresee when a task's list is done, and how busy its agents are.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@click.option(
    "--agents",
    type=click.IntRange(1, MOST_AGENTS),
    metavar="N",
    help="So many agents, in place of those at work now.",
)
@click.option(
    "--hours",
    type=click.FloatRange(0, MOST_HOURS, min_open=True),
    metavar="H",
    help="Look no further than H hours ahead; else a year.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as a JSON object.")
def forecast(
    settings: Settings, task: str, agents: int | None, hours: float | None, as_json: bool
) -> None:
    """Simulate the rest of TASK's list with what was learnt of its callees and agents.

    Says when it ends, how many calls and answers there will be, how busy the agents are, how many
    callees are abandoned, and what hours, do-not-call lists, caps and retries hold back. Nothing
    is written to Redis. It may take some seconds.

    The exit status is 1 where nothing can be foreseen: there is no such task, or it is not valid,
    or nobody knows how many agents there are.
    """
    wanted = Wanted(task, agents, hours)

    async def work(link: Link) -> Basis | str:
        try:
            return await read_basis(link, settings, wanted, time())
        except UnknownTask:
            report = await NodeReader(link, settings.node).look_at(settings.node.host)
            unknown = no_such_task(task, report.host, report.task_names())
            return "; ".join(report.unreadable) or unknown
        except NoForecast as error:
            return error.said.in_(language())

    basis = with_redis(settings, work)
    if isinstance(basis, str):
        raise click.ClickException(printable(basis))
    found = basis.foresee(task)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=2))
    else:
        print_forecast(found)
