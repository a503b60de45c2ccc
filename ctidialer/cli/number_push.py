"""Pushes the numbers of a spool to the list of a task, in the order in which they are dialed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import time

from ctidialer.cli.load_outlook import Outlook
from ctidialer.cli.progress import Advance
from ctidialer.cli.tasks import no_such_task, task_names
from ctidialer.contract import keys
from ctidialer.contract.document import shown
from ctidialer.contract.faults import ContractError
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Task
from ctidialer.files.checking import NumberOf, Spool
from ctidialer.files.seen import Seen, key_of
from ctidialer.nodes.number_owner import owner_of
from ctidialer.nodes.queued_entries import queued_entries, waiting_entries
from ctidialer.rules.prospects import Prospects
from ctidialer.rules.soundness import sound_task
from ctidialer.settings import Settings
from ctidialer.store.errors import StoreError, StoreUnavailable
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.store.replication import Replication
from ctidialer.store.waiting_orders import PUSH_BEHIND, RecordKeys, WaitingOrders


class NoQueue(ValueError):
    """There is no list to push to; the message says why, and what there is."""


class PushBroken(Exception):
    """Redis went while numbers were pushed; the message says how far it had got."""


class NumberPush:
    """The push of a spool; with ``dry_run`` nothing is written, and `prospects` are reckoned.

    With ``number_of`` a number that stands in a list of the task, or waits, is left out.
    ``in_list`` and ``in_waiting`` count those, ``fresh`` the others.
    """

    def __init__(
        self, spool: Spool, settings: Settings, number_of: NumberOf | None, dry_run: bool
    ) -> None:
        self._spool = spool
        self._settings = settings
        self._number_of = number_of
        self.dry_run = dry_run
        self.queue = ""
        self.zone = settings.node.timezone
        self.pushed = 0
        self.fresh = 0
        self.in_list = 0
        self.in_waiting = 0
        self.length = 0
        self.prospects: Prospects | None = None

    def progress(self) -> str:
        """Say how far it has got."""
        return f"{self.pushed} of {self._spool.count} numbers were pushed"

    async def run(self, link: Link, name: str, queue: str | None, advance: Advance) -> None:
        """Find the list and push everything; raises NoQueue, PushBroken or StoreError."""
        task = await _task_of(link, self._settings.node.host, name)
        self.queue = _list_of(task, queue)
        self.zone = task.hours.timezone or self.zone
        self.length = await _length(link, self.queue)
        outlook = Outlook(link, self._settings, task, time()) if self.dry_run else None
        self.prospects = None if outlook is None else outlook.prospects
        known = await self._known(link, task)
        # What is taken from the right must stand there in the order of the file.
        command = PUSH_BEHIND[task.queue_side]
        for batch, left_out in self._spool.batches(known):
            self.fresh += len(batch)
            self._leave_out(left_out)
            if outlook is not None:
                await outlook.look_at(batch)
            elif batch:
                await self._push(link, command, batch)
            advance(len(batch) + sum(left_out))

    async def _known(self, link: Link, task: Task) -> tuple[Seen, ...]:
        """Return the numbers in the lists, and those that wait; nothing if none are left out."""
        if self._number_of is None:
            return ()
        queues = dict.fromkeys((self.queue, *task.queues))
        owner = await owner_of(link, self._settings.node, task.name, Kind.QUEUE)
        orders = WaitingOrders(link, RecordKeys(self._settings.node.host, 0))
        in_lists, waiting = Seen(), Seen()
        for queue in filter(None, queues):
            async for page in queued_entries(link, queue, task.queue_side):
                _note(page, in_lists, self._number_of)
        for place in owner.places:
            async for page in waiting_entries(orders, place):
                _note(page, waiting, self._number_of)
        return in_lists, waiting

    def _leave_out(self, counts: Sequence[int]) -> None:
        if counts:
            in_list, in_waiting = counts
            self.in_list += in_list
            self.in_waiting += in_waiting

    async def _push(self, link: Link, command: str, batch: list[bytes]) -> None:
        try:
            replication = Replication(link, self._settings.redis.wait_replicas)
            push = link.call(command, self.queue, *batch)
            self.length = _count(await replication.surely(push))
        except StoreError as error:
            raise PushBroken(self._how_far(error, len(batch))) from error
        self.pushed += len(batch)

    def _how_far(self, error: StoreError, count: int) -> str:
        unsure = isinstance(error, StoreUnavailable) and error.may_have_been_executed
        maybe = f" (the next {count} may have been, too: look at the list)" if unsure else ""
        return f"{self.progress()}{maybe}, then: {error}"


async def _task_of(link: Link, host: str, name: str) -> Task:
    template_key, host_key = keys.at(keys.TASK, keys.TEMPLATE), keys.at(keys.TASK, host)
    reading = NodeReading(link, host)
    template = await reading.read_field(template_key, name)
    own = await reading.read_field(host_key, name)
    if template is None and own is None:
        raise NoQueue(no_such_task(name, host, await task_names(reading, host)))
    try:
        return sound_task(name, template=template, host=own, host_name=host)
    except ContractError as error:
        raise NoQueue(f"the task {shown(name)} cannot dial: {error}") from error


async def _length(link: Link, queue: str) -> int:
    return (await NodeReading(link, "").list_lengths([queue]))[queue]


def _list_of(task: Task, queue: str | None) -> str:
    wanted = task.number_queue if queue is None else queue
    if not wanted:
        raise NoQueue(f"the task {shown(task.name)} names no number_queue (--queue can)")
    return wanted


def _note(entries: Iterable[bytes], numbers: Seen, number_of: NumberOf) -> None:
    """Note the numbers of these entries."""
    for entry in entries:
        with suppress(ContractError):  # such an entry ends as invalid: it calls nobody
            numbers.add(key_of(number_of(entry)))


def _count(reply: object) -> int:
    assert isinstance(reply, int)
    return reply
