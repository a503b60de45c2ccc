"""What stays undone although it is time, as metrics: for alerts (docs/runbook.rst)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import Metric

from ctidialer.contract.backlog import Backlog
from ctidialer.contract.status import Later, NodeStatus
from ctidialer.rules.explaining import CLOSED
from ctidialer.rules.gateway_state import GatewayState
from ctidialer.rules.reasons import Reason
from ctidialer.web.families import gauge, sendable

HELD = frozenset(
    {reason.value for reason in CLOSED.values()}
    | {one.value for one in (Reason.DISABLED, Reason.PAUSED, Reason.LIMIT_ZERO)}
    | {one.value for one in (Reason.DRAINING, Reason.DRAINED)}
)
"""Reasons that people have given, or the clock: numbers of such tasks are not late."""

MAX_HELD = 1000
"""Pairs of a shared thing and a host that is gone which are told."""

Labels = tuple[str, ...]


def backlog_metrics(status: NodeStatus, now: float) -> Iterator[Metric]:
    """Yield the metrics; what is not known has no sample.  ``now``: unix seconds."""
    found = status.backlog or Backlog(now)
    yield from _scheduled(found, now)
    yield from _waiting(status, now)
    yield from _unread(found, now)
    yield from _gone(found, is_known=status.backlog is not None)
    yield from _gateways(status)
    yield from _shared(status)


def _scheduled(found: Backlog, now: float) -> Iterator[Metric]:
    due = [] if found.scheduled_due is None else [((), float(found.scheduled_due))]
    yield gauge("scheduled_due_numbers", "Scheduled numbers of the domain that are due.", (), due)
    late = 0.0 if found.scheduled_since is None else max(0.0, now - found.scheduled_since)
    text = "For how long the oldest of them has been due, as far as this daemon has seen it."
    yield gauge("scheduled_overdue_seconds", text, (), [((), late)] if due else [])


def _waiting(status: NodeStatus, now: float) -> Iterator[Metric]:
    open_ones = [one for one in status.tasks if one.explained.reason not in HELD]
    places: list[tuple[Labels, Later | None]] = [
        *((("queue", sendable(one.name)), one.later) for one in open_ones),
        *((("schedule", sendable(one.name)), one.later) for one in status.schedules),
    ]
    late = [
        (labels, later.overdue, now - later.next_due)
        for labels, later in places
        if later is not None and later.next_due is not None and later.next_due <= now
    ]
    text = "Waiting numbers that are due and not taken, of tasks that may dial."
    counts = [(labels, float(count)) for labels, count, _ in late if count]
    yield gauge("waiting_due_numbers", text, ("kind", "task"), counts)
    ages = [(labels, age) for labels, _, age in late]
    text = "For how long the oldest of them has been due."
    yield gauge("waiting_overdue_seconds", text, ("kind", "task"), ages)


def _unread(found: Backlog, now: float) -> Iterator[Metric]:
    of = ("consumer",)
    counts = [
        ((sendable(one.consumer),), float(one.count))
        for one in found.unread
        if one.count is not None
    ]
    text = "Records that a consumer has yet to take (the list of records.list, a consumer group)."
    yield gauge("unread_records", text, of, counts)
    ages = [
        ((sendable(one.consumer),), 0.0 if one.oldest is None else max(0.0, now - one.oldest))
        for one in found.unread
    ]
    yield gauge("unread_records_age_seconds", "How old the oldest of them is.", of, ages)


def _gone(found: Backlog, is_known: bool) -> Iterator[Metric]:
    count = [((), float(len(found.gone)))] if is_known else []
    text = "Hosts that have no daemon and have left numbers in flight (at most 100)."
    yield gauge("gone_hosts", text, (), count)
    left = [((sendable(one.host),), float(one.in_flight)) for one in found.gone]
    yield gauge(
        "gone_host_numbers", "Numbers that such a host has left in flight.", ("gone",), left
    )


def _gateways(status: NodeStatus) -> Iterator[Metric]:
    counts = Counter(status.gateways.values())
    states = [((one.value,), float(counts[one.value])) for one in GatewayState]
    text = "Gateways that lines name (at most 100), by what FreeSWITCH says of them."
    yield gauge("gateways", text, ("state",), states if status.gateways else [])
    up = [
        ((sendable(name),), float(state == GatewayState.UP.value))
        for name, state in status.gateways.items()
        if state != GatewayState.UNTOLD.value
    ]
    text = "1 while FreeSWITCH has a gateway and it is not down (at most 100)."
    yield gauge("gateway_up", text, ("gateway",), up)


def _shared(status: NodeStatus) -> Iterator[Metric]:
    of, told = ("what", "name"), "(at most 200)"
    shared = [((one.what, sendable(one.name)), one) for one in status.shared]
    used = [(labels, float(one.used)) for labels, one in shared if one.used is not None]
    text = f"Calls of all hosts on a gateway, a line or of a task that they share {told}."
    yield gauge("shared_used", text, of, used)
    counts = [(labels, float(one.count)) for labels, one in shared if one.count is not None]
    yield gauge("shared_count", f"How many there may be {told}.", of, counts)
    gone = [
        ((*labels, sendable(holder.host)), float(holder.calls))
        for labels, one in shared
        for holder in one.gone
    ]
    text = f"Of these, calls of hosts that have no daemon (at most {MAX_HELD})."
    yield gauge("shared_held_by_gone", text, (*of, "gone"), gone[:MAX_HELD])
