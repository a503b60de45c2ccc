"""Why a task is, or is not, dialing right now, and when that changes next.

Facts go in and one reason comes out: the first that applies, in the order of ``Reason``.  Removing
a later reason would not help while an earlier one applies: an invalid task stays invalid, whatever
the lines do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from ctidialer.contract.control import Order
from ctidialer.contract.faults import Fault, joined
from ctidialer.contract.said import as_values
from ctidialer.contract.status import Later
from ctidialer.contract.task import Task
from ctidialer.rules import pacing
from ctidialer.rules.agent_explaining import explain_agents
from ctidialer.rules.brake import next_try, shown_entry
from ctidialer.rules.calling_hours import MAX_MOMENT, Closed, Opening
from ctidialer.rules.explanation import (
    NO_START,
    Explanation,
    NodeFacts,
    Obstacle,
    TaskFacts,
)
from ctidialer.rules.reasons import Reason
from ctidialer.rules.routing import LineBusy, NoLine, choose, free_room, next_free_at
from ctidialer.rules.words import Values

SECONDS_A_YEAR = 31_556_952

CLOSED = {
    Closed.AFTER_STOP: Reason.AFTER_STOP,
    Closed.BEFORE_START: Reason.BEFORE_START,
    Closed.HOLIDAY: Reason.HOLIDAY,
    Closed.NOT_A_WORKING_DAY: Reason.NOT_A_WORKING_DAY,
    Closed.OUTSIDE_HOURS: Reason.OUTSIDE_HOURS,
}


def explain(facts: TaskFacts, node: NodeFacts) -> Explanation:
    """Return why the task is, or is not, dialing at ``node.now``."""
    if facts.task is None:
        return _not_usable(facts, node)
    for look in _LOOKS:
        found = look(facts, facts.task, node)
        if found is not None:
            return found
    values = {"calls": str(facts.up)}
    return Explanation(Reason.DIALING, facts.opening.changes_at, values=values)


def local_time(moment: float, zone: str) -> str:
    """Return a unix time as people in ``zone`` read it, with the zone's name.

    Of a time beyond the calendar (a score in milliseconds, say) it is the year.
    """
    if not is_on_calendar(moment):
        return f"{moment:.0f} ({year_of(moment)})"
    return f"{datetime.fromtimestamp(moment, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} ({zone})"


def is_on_calendar(moment: float) -> bool:
    """Return whether a unix time is one that people can be told."""
    return 0 <= moment < MAX_MOMENT


def year_of(moment: float) -> int:
    """Return about the year of a unix time, also of one beyond the calendar."""
    return int(1970 + moment / SECONDS_A_YEAR)


def given(order: Order, zone: str) -> Values:
    """Return who gave an order, when and why, as far as it tells: ``by``, ``since``, ``why``."""
    values = {"by": order.by} if order.by else {}
    values |= {"why": order.why} if order.why else {}
    if order.since is not None and is_on_calendar(order.since):
        values["since"] = local_time(order.since, zone)
    return values


def faults_said(faults: tuple[Fault, ...]) -> Values:
    """Return the value ``faults``."""
    return as_values("faults", joined(faults))


def of_obstacle(node: NodeFacts) -> Explanation | None:
    """Return what keeps the whole node from dialing, None = nothing does."""
    return _as_explanation(node.obstacles[0]) if node.obstacles else None


def of_switch(node: NodeFacts) -> Explanation | None:
    """Return that FreeSWITCH is paused, or refuses calls for a while; None = it takes them."""
    pressure = node.load.backpressure
    if node.load.is_paused and pressure.pause:
        return Explanation(Reason.FREESWITCH_PAUSED)
    if not pressure.holds(node.now):
        return None
    values = {"rest": f"{pressure.pause:g}"} if pressure.pause else {}
    return Explanation(Reason.FREESWITCH_REFUSING, pressure.until, values=values)


def of_node_limit(node: NodeFacts, kept: int) -> Explanation | None:
    """Return that the node's limits are used up; ``kept`` calls are kept free for others."""
    load, limit = node.load, Reason.NODE_LIMIT
    if load.max_calls and load.calls + kept >= load.max_calls:
        values = {"calls": str(load.calls), "max_calls": str(load.max_calls)}
        return Explanation(limit, values=values | ({"kept": str(kept)} if kept else {}))
    if load.max_cps and load.next_start > node.now:
        values = {"max_cps": f"{load.max_cps:g}"}
        return Explanation(limit, load.next_start, form="max_cps", values=values)
    return None


def of_lines(node: NodeFacts, groups: tuple[str, ...]) -> Explanation | None:
    """Return that no line of the groups is free, and why; None = one is."""
    if groups not in node.ways:
        node.ways[groups] = _no_way(node, groups)
    return node.ways[groups]


def of_later(later: Later, zone: str) -> Explanation:
    """Return that numbers wait in Redis, and until when; ``zone`` is that of the time."""
    counts = {"retry": later.retry, "hours": later.hours, "cap": later.cap}
    values = {"count": str(later.total)} | {why: str(one) for why, one in counts.items() if one}
    if later.next_due is not None:
        values["next"] = local_time(later.next_due, zone)
    return Explanation(Reason.NUMBERS_WAIT, later.next_due, values=values)


def _not_usable(facts: TaskFacts, node: NodeFacts) -> Explanation:
    if facts.faults:
        values = faults_said(facts.faults)
        return Explanation(Reason.INVALID, faults=facts.faults, values=values)
    if not node.tables_read and node.obstacles:
        return _as_explanation(node.obstacles[0])
    return Explanation(Reason.UNKNOWN_TASK)


def _disabled(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return None if task.enabled else Explanation(Reason.DISABLED)


def explain_closed(opening: Opening, zone: str) -> Explanation:
    """Return why a task is closed; ``zone`` is that of its times."""
    assert opening.closed is not None
    reason, opens_at = CLOSED[opening.closed], opening.changes_at
    if opens_at is None:
        form = "never" if "never" in reason.words.forms else ""
        return Explanation(reason, form=form)
    return Explanation(reason, opens_at, values={"opens": local_time(opens_at, zone)})


def _closed(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if facts.opening.closed is None:
        return None
    return explain_closed(facts.opening, task.hours.timezone or node.zone)


def _paused(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if facts.paused is None:
        return None
    return Explanation(Reason.PAUSED, values=given(facts.paused, node.zone))


def _limit_zero(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return Explanation(Reason.LIMIT_ZERO) if task.limit == 0 else None


def _obstacle(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return of_obstacle(node)


def _as_explanation(obstacle: Obstacle) -> Explanation:
    return Explanation(obstacle.reason, form=obstacle.form, values=obstacle.values)


def _switch(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return of_switch(node)


def _braked(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    brake = facts.brake
    if not brake.is_on or brake.outcome is None:
        return None
    values = {"count": str(brake.count), "outcome": brake.outcome.value}
    values |= {"common": ", ".join(brake.common)} if brake.common else {}
    values |= {"entry": shown_entry(brake.entry)}
    form = "abandoned" if brake.lacks_agents else ""
    return Explanation(Reason.BRAKED, next_try(brake), form=form, values=values)


def _careful(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    """Say that the rate is lowered; QUEUE_EMPTY goes first, or this would be said for ever."""
    if not node.load.slowed_to:
        return None
    values = {"careful": f"{node.load.slowed_to:.3g}", "calls": str(facts.up)}
    return Explanation(Reason.FREESWITCH_REFUSING, form="careful", values=values)


def _limit_reached(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if facts.calls + facts.others < task.limit:
        return None
    if facts.others:
        values = {"calls": str(facts.calls), "others": str(facts.others), "limit": str(task.limit)}
        return Explanation(Reason.LIMIT_REACHED, form="hosts", values=values)
    if facts.waiting:
        return _redials(facts, task, node)
    values = {"calls": str(facts.calls), "limit": str(task.limit)}
    return Explanation(Reason.LIMIT_REACHED, facts.opening.changes_at, values=values)


def _redials(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation:
    """Say that slots of the limit are taken by numbers that are between two calls."""
    values = {"up": str(facts.up), "limit": str(task.limit), "waiting": str(facts.waiting)}
    due = facts.next_call
    if due is not None and due > node.now:
        values["next"] = local_time(due, task.hours.timezone or node.zone)
    changes_at = due if due is not None and due > node.now else None
    return Explanation(Reason.LIMIT_REACHED, changes_at, form="redials", values=values)


def _queue_unusable(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if not facts.queue_problem:
        return None
    return Explanation(Reason.QUEUE_UNUSABLE, values={"problem": facts.queue_problem})


def _node_limit(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return of_node_limit(node, node.load.kept)


def _no_free_line(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return of_lines(node, task.line_groups)


def _no_way(node: NodeFacts, groups: tuple[str, ...]) -> Explanation | None:
    routes, states = node.routes, node.states
    if node.has_room(groups) if node.has_room else free_room(routes, states, groups, node.now, 1):
        return None
    lines = tuple(
        busy for group in groups for busy in _busy(choose(routes, states, group, node.now))
    )
    free_at = next_free_at(routes, states, groups, node.now)
    return Explanation(Reason.NO_FREE_LINE, free_at, lines=lines)


def _busy(choice: object) -> tuple[LineBusy, ...]:
    return choice.reasons if isinstance(choice, NoLine) else ()


def _queue_empty(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if not facts.queue_is_empty:
        return None
    if facts.later is not None:
        return of_later(facts.later, task.hours.timezone or node.zone)
    values = {"queue": ", ".join(map(repr, task.queues)), "calls": str(facts.up)}
    changes_at, recent = facts.opening.changes_at, facts.recent
    if not recent.is_bad:
        return Explanation(Reason.QUEUE_EMPTY, changes_at, values=values)
    values |= {"ended": str(recent.ended), "bad": str(recent.bad)}
    return Explanation(Reason.QUEUE_EMPTY, changes_at, form="failures", values=values)


def _paced(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if task.cps is None or facts.pace == NO_START:
        return None
    if facts.barred_until > node.now:
        values = {"cps": f"{task.cps:g}", "calls": str(facts.up)}
        return Explanation(Reason.PACED, facts.barred_until, form="hosts", values=values)
    values = {"cps": f"{task.cps:g}", "calls": str(facts.up)}
    next_at = pacing.next_start(facts.pace, task.cps, node.now)
    return Explanation(Reason.PACED, next_at, values=values)


def _agents(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return explain_agents(facts.pacing)


_LOOKS: tuple[Callable[[TaskFacts, Task, NodeFacts], Explanation | None], ...] = (
    _disabled,
    _closed,
    _paused,
    _limit_zero,
    _obstacle,
    _switch,
    _braked,
    _limit_reached,
    _queue_unusable,
    _node_limit,
    _no_free_line,
    _queue_empty,
    _agents,
    _careful,
    _paced,
)
