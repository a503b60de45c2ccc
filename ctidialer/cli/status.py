"""``ctidialer status``: nodes, tasks, calls in progress, queue lengths, lines."""

from __future__ import annotations

import json
from time import time

import click
from attrs import asdict, evolve

from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.status_print import print_hosts, print_node
from ctidialer.nodes.overview import MAX_LISTED, NodeOverview, overview_of
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.summary import HostSummary, total
from ctidialer.settings import Settings
from ctidialer.store.link import Link


@click.command()
@connection_options
@click.option("--all-hosts", is_flag=True, help="One row for each host, and the sums.")
@click.option("--all", "is_all", is_flag=True, help=f"List all tasks, not {MAX_LISTED} of a node.")
@click.option("--utc", is_flag=True, help="Times in UTC, not in each node's zone.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as a JSON object.")
def status(settings: Settings, all_hosts: bool, is_all: bool, utc: bool, as_json: bool) -> None:
    """Show what the nodes on this Redis are doing.

    The node of the settings (or --host) is always among them.
    """
    now = time()
    if all_hosts:
        hosts = with_redis(settings, lambda link: _sum_up(link, settings))
        if as_json:
            sums = {"hosts": [host.as_json() for host in hosts], "total": asdict(total(hosts))}
            click.echo(json.dumps({"at": now, **sums}, ensure_ascii=False, indent=2))
        else:
            print_hosts(hosts)
        return
    looks = with_redis(settings, lambda link: _look(link, settings, is_all, now))
    if as_json:
        nodes = [look.as_json() for look in looks]
        click.echo(json.dumps({"at": now, "nodes": nodes}, ensure_ascii=False, indent=2))
    else:
        for look in looks:
            told = evolve(look.told, zone="UTC") if utc else look.told
            print_node(told, look.tasks, look.tasks_left_out, look.lengths, look.scheduled)


async def _sum_up(link: Link, settings: Settings) -> list[HostSummary]:
    nodes = NodeReader(link, settings.node)
    hosts = sorted({*await nodes.known_hosts(), settings.node.host})
    return [HostSummary.of(await nodes.look_at(host)) for host in hosts]


async def _look(link: Link, settings: Settings, is_all: bool, now: float) -> list[NodeOverview]:
    nodes = NodeReader(link, settings.node)
    return [await overview_of(nodes, host, is_all, now) for host in await nodes.hosts()]
