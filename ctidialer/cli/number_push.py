"""Pushes the numbers of a spool to the list of a task, in the order in which they are dialed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ctidialer.cli.tasks import no_such_task, task_names
from ctidialer.contract import keys
from ctidialer.contract.document import shown
from ctidialer.contract.faults import ContractError
from ctidialer.contract.task import Side, Task
from ctidialer.files.checking import NumberOf, Spool
from ctidialer.files.seen import Seen, key_of
from ctidialer.rules.soundness import sound_task
from ctidialer.store.errors import StoreError, StoreUnavailable, WrongType
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

BATCH_SIZE = 1000
"""Entries of the list that are read at once."""

Advance = Callable[[int], None]
"""Is told how many more numbers have been looked at."""


class NoQueue(ValueError):
    """There is no list to push to; the message says why, and what there is."""


class PushBroken(Exception):
    """Redis went while numbers were pushed; the message says how far it had got."""


class NumberPush:
    """The push of a spool; with ``dry_run`` nothing is written.

    With ``number_of`` a number that stands in the list already is left out.  ``fresh`` counts the
    others, ``in_list`` those.
    """

    def __init__(self, spool: Spool, number_of: NumberOf | None, dry_run: bool) -> None:
        self._spool = spool
        self._number_of = number_of
        self.dry_run = dry_run
        self.queue = ""
        self.pushed = 0
        self.fresh = 0
        self.in_list = 0
        self.length = 0

    def progress(self) -> str:
        """Say how far it has got."""
        return f"{self.pushed} of {self._spool.count} numbers were pushed"

    async def run(
        self, link: Link, host: str, task: str, queue: str | None, advance: Advance
    ) -> None:
        """Find the list and push everything; raises NoQueue, PushBroken or StoreError."""
        self.queue, side = await _queue_of(link, host, task, queue)
        self.length = await _length(link, self.queue)
        waiting = None
        if self._number_of is not None:
            waiting = await _numbers_in(link, self.queue, side, self._number_of)
        # What is taken from the right must stand there in the order of the file.
        command = "RPUSH" if side is Side.LEFT else "LPUSH"
        for batch, left_out in self._spool.batches(waiting):
            self.fresh += len(batch)
            self.in_list += left_out
            if batch and not self.dry_run:
                await self._push(link, command, batch)
            advance(len(batch) + left_out)

    async def _push(self, link: Link, command: str, batch: list[bytes]) -> None:
        try:
            self.length = _count(await link.call(command, self.queue, *batch))
        except StoreError as error:
            raise PushBroken(self._how_far(error, len(batch))) from error
        self.pushed += len(batch)

    def _how_far(self, error: StoreError, count: int) -> str:
        unsure = isinstance(error, StoreUnavailable) and error.may_have_been_executed
        maybe = f" (the next {count} may have been, too: look at the list)" if unsure else ""
        return f"{self.progress()}{maybe}, then: {error}"


async def _queue_of(link: Link, host: str, name: str, queue: str | None) -> tuple[str, Side]:
    template_key, host_key = keys.at(keys.TASK, keys.TEMPLATE), keys.at(keys.TASK, host)
    reading = NodeReading(link, host)
    template = await reading.read_field(template_key, name)
    own = await reading.read_field(host_key, name)
    if template is None and own is None:
        raise NoQueue(no_such_task(name, host, await task_names(reading, host)))
    try:
        task = sound_task(name, template=template, host=own, host_name=host)
    except ContractError as error:
        raise NoQueue(f"the task {shown(name)} cannot dial: {error}") from error
    return _list_of(task, queue), task.queue_side


async def _length(link: Link, queue: str) -> int:
    kind = await link.call("TYPE", queue)
    if kind not in (b"none", b"list"):
        found = kind.decode() if isinstance(kind, bytes) else "value of another type"
        raise WrongType(queue, found, "list")
    return _count(await link.call("LLEN", queue))


def _list_of(task: Task, queue: str | None) -> str:
    if not (queue or task.number_queue):
        raise NoQueue(f"the task {shown(task.name)} names no number_queue (--queue can)")
    return queue or task.number_queue


async def _numbers_in(link: Link, queue: str, side: Side, number_of: NumberOf) -> Seen:
    """Return the numbers that wait in the list.

    It is read from the end from which nothing is taken, as what is taken meanwhile would move the
    others there into pages that were read already.
    """
    found = Seen()
    at = 0
    while True:
        page = (-at - BATCH_SIZE, -at - 1) if side is Side.LEFT else (at, at + BATCH_SIZE - 1)
        entries = await link.call("LRANGE", queue, *page)
        assert isinstance(entries, list)
        for entry in entries:
            assert isinstance(entry, bytes)
            with suppress(ContractError):  # such an entry ends as invalid: it calls nobody
                found.add(key_of(number_of(entry)))
        if not entries:
            return found
        at += BATCH_SIZE


def _count(reply: object) -> int:
    assert isinstance(reply, int)
    return reply
