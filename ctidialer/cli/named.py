"""The task, or the schedule configuration, that a command is about."""

from __future__ import annotations

import click
from attrs import frozen

from ctidialer.cli.completion import complete_config, complete_task
from ctidialer.cli.printable import printable
from ctidialer.cli.tasks import no_such_config, no_such_task, task_names
from ctidialer.contract import keys
from ctidialer.contract.document import shown
from ctidialer.contract.record import Kind
from ctidialer.nodes.number_owner import Owner, owner_of
from ctidialer.settings import Node
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

task_argument = click.argument("task", required=False, shell_complete=complete_task)

schedule_option = click.option(
    "--schedule",
    metavar="CONFIG",
    shell_complete=complete_config,
    help="The scheduled numbers of this configuration, not a task.",
)


@frozen
class Named:
    """A task or, where ``is_schedule``, a schedule configuration."""

    name: str
    is_schedule: bool

    @classmethod
    def of(cls, task: str | None, schedule: str | None) -> Named:
        """Return what was named; raises UsageError where that is neither, or both."""
        if (task is None) == (schedule is None):
            raise click.UsageError("name a TASK, or a configuration with --schedule, and not both")
        return cls(task or schedule or "", schedule is not None)

    @property
    def kind(self) -> Kind:
        """What its numbers are."""
        return Kind.SCHEDULE if self.is_schedule else Kind.QUEUE

    @property
    def what(self) -> str:
        """What it is, for people."""
        return "schedule configuration" if self.is_schedule else "task"

    @property
    def key(self) -> str:
        """What it is, in JSON."""
        return "config" if self.is_schedule else "task"

    def __str__(self) -> str:
        return f"the {self.what} {shown(self.name)}"


async def check_exists(link: Link, node: Node, named: Named) -> None:
    """End the command where there is no such task, or schedule configuration, on a node."""
    reading = NodeReading(link, node.host)
    if named.is_schedule:
        key = keys.at(keys.SCHEDULE_CONFIG, node.domain)
        names = sorted(await reading.read_table(key))
        if named.name not in names:
            raise click.ClickException(printable(no_such_config(named.name, key, names)))
        return
    names = await task_names(reading, node.host)
    if named.name not in names:
        raise click.ClickException(printable(no_such_task(named.name, node.host, names)))


async def known_owner(link: Link, node: Node, named: Named) -> Owner:
    """Return whose numbers are meant; end the command where nobody is known by that name."""
    owner = await owner_of(link, node, named.name, named.kind)
    if not owner.is_known:
        await check_exists(link, node, named)
    return owner
