"""The JSON API: the numbers of a task that wait or are queued, and what is ordered for them.

HTTP cannot ask: a request with ``dry_run`` says how many numbers it would be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time
from typing import NoReturn

import msgspec
from twisted.logger import Logger

from ctidialer.contract.control import Order
from ctidialer.contract.record import Kind
from ctidialer.contract.waiting import WaitReason
from ctidialer.nodes.number_orders import Done, ListedNumber, NumberOrders, OrderBroken, Standing
from ctidialer.nodes.number_owner import Owner, owner_of
from ctidialer.nodes.record_requeue import NEVER_AGAIN
from ctidialer.rules.moments import NoMoment, since_and_until
from ctidialer.settings import Settings
from ctidialer.store.link import Link
from ctidialer.web.answers import Asked, Refusal
from ctidialer.web.aside import LookFailed
from ctidialer.web.kept_looks import Looks
from ctidialer.web.node_api import NO_REDIS, order_of
from ctidialer.web.number_documents import (
    MAX_ORDERED,
    CancelBody,
    Canceled,
    RequeueBody,
    RequeueCounts,
    Requeued,
    WaitingEntry,
    WaitingPage,
    Which,
)
from ctidialer.web.queries import WaitingQuery
from ctidialer.web.routes import get, post

MAX_SCANNED = 20_000
"""Numbers looked at for one page; ``next`` goes on behind them."""

NO_TASK = {404: "there is no such task, and no number of it waits", **NO_REDIS}
NO_CONFIG = {404: "there is no such configuration, and no number of it waits", **NO_REDIS}


class NumbersApi:
    """Answers for the numbers of this host's tasks, and of its domain's configurations."""

    log = Logger()

    def __init__(
        self, settings: Settings, link: Link, aside: Looks, now: Callable[[], float] = time
    ) -> None:
        self._settings = settings
        self._link = link
        self._aside = aside
        self._now = now

    @get("/api/tasks/{task}/waiting", "The numbers of a task that wait", others=NO_TASK)
    async def waiting(self, task: str, query: WaitingQuery) -> WaitingPage:
        """Return a page of the numbers that wait, those due first before others."""
        return await self._page(await self._owner(task, Kind.QUEUE), query)

    @get(
        "/api/schedules/{config}/waiting",
        "The numbers of a schedule configuration that wait",
        others=NO_CONFIG,
    )
    async def waiting_of_config(self, config: str, query: WaitingQuery) -> WaitingPage:
        """Return a page of the numbers that wait, those due first before others."""
        return await self._page(await self._owner(config, Kind.SCHEDULE), query)

    @post(
        "/api/tasks/{task}/cancel",
        "End the numbers of a task that wait or are queued",
        others=NO_TASK,
    )
    async def cancel(self, asked: Asked, task: str, body: CancelBody) -> Canceled:
        """End numbers with records that say who and why."""
        return await self._cancel(await self._owner(task, Kind.QUEUE), asked, body)

    @post(
        "/api/schedules/{config}/cancel",
        "End the numbers of a schedule configuration that wait",
        others=NO_CONFIG,
    )
    async def cancel_of_config(self, asked: Asked, config: str, body: CancelBody) -> Canceled:
        """End numbers with records that say who and why."""
        return await self._cancel(await self._owner(config, Kind.SCHEDULE), asked, body)

    @post(
        "/api/tasks/{task}/requeue",
        "Queue numbers of a task anew: those that wait, or of given outcomes",
        others={**NO_TASK, 409: "the task has no queue"},
    )
    async def requeue(self, asked: Asked, task: str, body: RequeueBody) -> Requeued:
        """Put numbers into a queue of their task, behind all others, as new ones."""
        owner = await self._owner(task, Kind.QUEUE)
        queue = _queue_of(owner, body.queue)
        if body.waiting == bool(body.outcomes):
            raise Refusal(400, "say which numbers: waiting, or outcomes, and not both")
        if not NEVER_AGAIN.isdisjoint(body.outcomes):
            raise Refusal(400, "who does not want to be called (dnc) is not called again")
        order = order_of(asked, body)
        if body.waiting:
            counts = await self._requeue_waiting(owner, queue, order, body.dry_run)
        else:
            counts = await self._requeue_of_records(owner, queue, body)
            if not body.dry_run:
                self._log_queued(owner, counts.queued, queue, order)
        return Requeued(
            **msgspec.structs.asdict(counts), task=task, queue=queue, dry_run=body.dry_run
        )

    async def _page(self, owner: Owner, query: WaitingQuery) -> WaitingPage:
        orders = NumberOrders(self._link, self._settings, owner)
        standing, found = await orders.standing(), list[WaitingEntry]()
        at, following = query.offset, None
        async for one in orders.listed(query.offset):
            if len(found) == query.limit or at - query.offset == MAX_SCANNED:
                following = at
                break
            at += 1
            if query.reason in (None, one.reason):
                found.append(_entry(one))
        reasons = {one.value: getattr(standing.later, one.value) for one in WaitReason}
        return WaitingPage(standing.waiting, reasons, standing.later.next_due, found, following)

    async def _cancel(self, owner: Owner, asked: Asked, body: CancelBody) -> Canceled:
        orders = NumberOrders(self._link, self._settings, owner)
        standing, order = await orders.standing(), order_of(asked, body)
        waiting = 0 if body.which is Which.QUEUE else standing.waiting
        queued = {} if body.which is Which.WAITING else dict(standing.queued)
        if not body.dry_run:
            try:
                await self._end(orders, waiting, queued, order)
            finally:  # it may have broken off, or the client has gone
                self._log(owner, f"canceled {orders.done.numbers} numbers", order)
        done = orders.done
        left = waiting + sum(queued.values()) - done.numbers - done.unsure
        return Canceled(
            name=owner.name,
            dry_run=body.dry_run,
            waiting=waiting,
            queued=queued,
            canceled=done.numbers,
            unsure=done.unsure,
            left=max(0, left),
        )

    async def _end(
        self, orders: NumberOrders, waiting: int, queued: Mapping[str, int], order: Order
    ) -> None:
        most, room = {}, MAX_ORDERED - min(waiting, MAX_ORDERED)
        for queue, count in queued.items():
            most[queue] = min(count, room)
            room -= most[queue]
        try:
            await orders.cancel_waiting(min(waiting, MAX_ORDERED), order, _ignore)
            await orders.cancel_queued(most, order, _ignore)
        except OrderBroken as error:
            _broken(orders.done, error)

    async def _requeue_waiting(
        self, owner: Owner, queue: str, order: Order, dry_run: bool
    ) -> RequeueCounts:
        orders = NumberOrders(self._link, self._settings, owner)
        standing: Standing = await orders.standing()
        found = standing.waiting
        if not dry_run:
            try:
                await orders.requeue_waiting(min(found, MAX_ORDERED), queue, order, _ignore)
            except OrderBroken as error:
                _broken(orders.done, error)
            finally:
                self._log_queued(owner, orders.done.numbers, queue, order)
        done = orders.done
        left = max(0, found - done.numbers - done.unsure)
        return RequeueCounts(found, 0, done.numbers, done.unsure, left)

    async def _requeue_of_records(
        self, owner: Owner, queue: str, body: RequeueBody
    ) -> RequeueCounts:
        """Look through the records in a process of its own: no call may wait for it."""
        texts = body.since or None, body.until or None
        try:
            since, until = since_and_until(*texts, self._now(), self._settings.node.timezone)
        except NoMoment as error:
            raise Refusal(400, str(error)) from None
        details = {
            "task": owner.name,
            "outcomes": body.outcomes,
            "since": since,
            "until": until,
            "queue": queue,
            "dry_run": body.dry_run,
        }
        try:
            answer = await self._aside.look("requeue", **details)
        except LookFailed as error:
            raise Refusal(503, str(error)) from None
        return msgspec.json.decode(answer, type=RequeueCounts)

    async def _owner(self, name: str, kind: Kind) -> Owner:
        owner = await owner_of(self._link, self._settings.node, name, kind)
        if not owner.is_known:
            what = "task" if kind is Kind.QUEUE else "schedule configuration"
            raise Refusal(404, f"there is no {what} {name[:80]!r} on {self._settings.node.host}")
        return owner

    def _log_queued(self, owner: Owner, count: int, queue: str, order: Order) -> None:
        self._log(owner, f"put {count} numbers anew into {queue!r}", order)

    def _log(self, owner: Owner, what: str, order: Order) -> None:
        noun = "Task" if owner.kind is Kind.QUEUE else "Configuration"
        why = f": {order.why}" if order.why else ""
        what = f"{order.by} has {what}{why}"
        self.log.info("{noun} {task}: {what}", noun=noun, task=owner.name, what=what)


def _queue_of(owner: Owner, queue: str) -> str:
    if not owner.queues:
        raise Refusal(409, f"the task has no queue: {owner.problem or 'it names no number_queue'}")
    if queue and queue not in owner.queues:
        raise Refusal(400, f"queue must be one of the task's: {', '.join(owner.queues)}")
    return queue or owner.queues[0]


def _entry(one: ListedNumber) -> WaitingEntry:
    return WaitingEntry(
        number=one.number,
        due=one.waiting.due,
        reason=one.reason,
        try_number=one.try_number,
        entry_id=one.entry_id,
        entry=one.waiting.entry.decode("utf-8", "backslashreplace"),
    )


def _broken(done: Done, error: OrderBroken) -> NoReturn:
    text = f"broken off after {done.numbers} numbers (and {done.unsure} unsure): {error}"
    raise Refusal(503, text) from None


def _ignore(_: int) -> None:
    """Nobody looks on."""
