"""Whose numbers an order is about: a task, or a schedule configuration, and where they stand."""

from __future__ import annotations

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.faults import ContractError
from ctidialer.contract.record import Kind
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.task import Side, Task
from ctidialer.rules.soundness import sound_schedule_config, sound_task
from ctidialer.settings import Node
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.store.waiting import Waiting


@frozen
class Owner:
    """A task or a schedule configuration, by its numbers.

    ``places``: where its numbers may wait.  ``queues``: its lists, the first first, and ``side``
    the end from which they are taken; a configuration has none.  ``zone`` (IANA) is that in which
    its times are told.  ``is_shared``: other hosts run it too.  ``problem``: why its document tells
    no more; empty = it does.
    """

    kind: Kind
    name: str
    places: tuple[Waiting, ...]
    zone: str
    is_known: bool
    is_shared: bool
    queues: tuple[str, ...] = ()
    side: Side = Side.LEFT
    problem: str = ""


async def owner_of(link: Link, node: Node, name: str, kind: Kind) -> Owner:
    """Return whose numbers those of ``name`` are on this node; raises StoreError.

    It is known if it has a document, or if numbers of it wait: they outlive their task.
    """
    reading = NodeReading(link, node.host)
    if kind is Kind.SCHEDULE:
        return await _owner_of_config(reading, node, name)
    return await _owner_of_task(reading, node, name)


async def _owner_of_task(reading: NodeReading, node: Node, name: str) -> Owner:
    template = await reading.read_field(keys.at(keys.TASK, keys.TEMPLATE), name)
    own = await reading.read_field(keys.at(keys.TASK, node.host), name)
    # One that was moved from the one hash to the other may have left numbers in both names.
    scopes = dict.fromkeys((keys.TEMPLATE, node.host))
    places = tuple(Waiting(scope, Kind.QUEUE, name) for scope in scopes)
    task: Task | None = None
    problem = "there is no such task any more"
    if template is not None or own is not None:
        try:
            task = sound_task(name, template=template, host=own, host_name=node.host)
        except ContractError as error:
            problem = str(error)
    return Owner(
        kind=Kind.QUEUE,
        name=name,
        places=places,
        zone=(task.hours.timezone if task else None) or node.timezone,
        is_known=template is not None or own is not None or await _any_waits(reading, places),
        is_shared=template is not None,
        queues=tuple(filter(None, task.queues)) if task else (),
        side=task.queue_side if task else Side.LEFT,
        problem="" if task else problem,
    )


async def _owner_of_config(reading: NodeReading, node: Node, name: str) -> Owner:
    raw = await reading.read_field(keys.at(keys.SCHEDULE_CONFIG, node.domain), name)
    places = (Waiting(node.domain, Kind.SCHEDULE, name),)
    config: ScheduleConfig | None = None
    problem = "there is no such schedule configuration any more"
    if raw is not None:
        try:
            config = sound_schedule_config(name, raw)
        except ContractError as error:
            problem = str(error)
    return Owner(
        kind=Kind.SCHEDULE,
        name=name,
        places=places,
        zone=node.timezone,
        is_known=raw is not None or await _any_waits(reading, places),
        is_shared=True,
        problem="" if config else problem,
    )


async def _any_waits(reading: NodeReading, places: tuple[Waiting, ...]) -> bool:
    due = await reading.due_waiting([place.scope for place in places])
    return any(place in due for place in places)
