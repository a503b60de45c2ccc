"""Why a task is, or is not, dialing right now, and when that changes next.

Facts go in, one reason comes out: the first that applies, in the order of ``Reason``.  What stands
first could not be mended by what comes after it: an invalid task stays one whatever the lines do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from ctidialer.contract.control import Order
from ctidialer.contract.task import Task
from ctidialer.rules import pacing
from ctidialer.rules.backpressure import CAREFUL
from ctidialer.rules.calling_hours import Closed
from ctidialer.rules.explanation import (
    NO_START,
    Explanation,
    NodeFacts,
    Obstacle,
    Reason,
    TaskFacts,
)
from ctidialer.rules.routing import LineBusy, NoLine, choose, free_room, next_free_at

LINES_NAMED = 5
"""Lines that the sentence names one by one."""

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
    changes_at = facts.opening.changes_at
    return Explanation(Reason.DIALING, _now_up("calls are started", facts), changes_at)


def local_time(moment: float, zone: str) -> str:
    """Return a unix time as people in ``zone`` read it, with the zone's name."""
    return f"{datetime.fromtimestamp(moment, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} ({zone})"


def _not_usable(facts: TaskFacts, node: NodeFacts) -> Explanation:
    if facts.faults:
        problems = "; ".join(str(fault) for fault in facts.faults)
        return Explanation(Reason.INVALID, f"the task is malformed: {problems}", None, facts.faults)
    if not node.tables_read and node.obstacles:
        return _as_explanation(node.obstacles[0])
    return Explanation(Reason.UNKNOWN_TASK, "there is no task of this name on this host")


def _disabled(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return None if task.enabled else Explanation(Reason.DISABLED, "its enable is not true")


def _closed(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    closed, opens_at = facts.opening.closed, facts.opening.changes_at
    if closed is None:
        return None
    zone = task.hours.timezone or node.zone
    then = "it does not open again" if opens_at is None else f"opens {local_time(opens_at, zone)}"
    return Explanation(CLOSED[closed], f"{closed.value}; {then}", opens_at)


def _paused(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if facts.paused is None:
        return None
    text = f"it is paused{by_whom(facts.paused, node.zone)}, until it is resumed"
    return Explanation(Reason.PAUSED, text)


def by_whom(order: Order, zone: str) -> str:
    """Say who gave an order, when and why, as far as it tells."""
    by = f" by {order.by}" if order.by else ""
    why = f" ({order.why})" if order.why else ""
    try:
        since = "" if order.since is None else f" since {local_time(order.since, zone)}"
    except (ValueError, OverflowError, OSError):
        since = ""  # no time of any calendar
    return f"{by}{since}{why}"


def _limit_zero(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return Explanation(Reason.LIMIT_ZERO, "its limit is 0") if task.limit == 0 else None


def _obstacle(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    return _as_explanation(node.obstacles[0]) if node.obstacles else None


def _as_explanation(obstacle: Obstacle) -> Explanation:
    return Explanation(obstacle.reason, obstacle.text)


def _switch_paused(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if not (node.load.is_paused and node.load.backpressure.pause):
        return None
    text = "FreeSWITCH is paused (fsctl pause), until somebody tells it fsctl resume"
    return Explanation(Reason.FREESWITCH_PAUSED, text)


def _refusing(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    pressure = node.load.backpressure
    if not pressure.holds(node.now):
        return None
    text = f"FreeSWITCH refuses calls; it is given a rest of {pressure.pause:g} s"
    return Explanation(Reason.FREESWITCH_REFUSING, text, pressure.until)


def _careful(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    """Say that the rate is lowered; behind an empty queue, for that would hold for ever."""
    if not node.load.backpressure.pause:
        return None
    text = f"FreeSWITCH refused calls lately; {CAREFUL:g} a second are started at most"
    return Explanation(Reason.FREESWITCH_REFUSING, _now_up(text, facts))


def _limit_reached(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if facts.calls < task.limit:
        return None
    text = f"all calls that its limit allows are up: {facts.calls} of {task.limit}"
    return Explanation(Reason.LIMIT_REACHED, text, facts.opening.changes_at)


def _queue_unusable(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if not facts.queue_problem:
        return None
    return Explanation(Reason.QUEUE_UNUSABLE, f"no number can be taken: {facts.queue_problem}")


def _node_limit(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    load, limit = node.load, Reason.NODE_LIMIT
    if load.max_calls and load.calls + load.kept >= load.max_calls:
        kept = f", {load.kept} more are kept for scheduled numbers" if load.kept else ""
        text = f"all calls that the node's max_calls allows are up: {load.calls} of"
        return Explanation(limit, f"{text} {load.max_calls}{kept}")
    if load.max_cps and load.next_start > node.now:
        text = f"the node starts as many calls as its max_cps allows: {load.max_cps:g} a second"
        return Explanation(limit, text, load.next_start)
    return None


def _no_free_line(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if task.line_groups not in node.ways:
        node.ways[task.line_groups] = _no_way(node, task.line_groups)
    return node.ways[task.line_groups]


def _no_way(node: NodeFacts, groups: tuple[str, ...]) -> Explanation | None:
    routes, states = node.routes, node.states
    if free_room(routes, states, groups, node.now, 1):
        return None
    lines = tuple(
        busy for group in groups for busy in _busy(choose(routes, states, group, node.now))
    )
    text = f"no line is free ({_said(lines)})"
    free_at = next_free_at(routes, states, groups, node.now)
    return Explanation(Reason.NO_FREE_LINE, text, free_at, lines=lines)


def _said(lines: tuple[LineBusy, ...]) -> str:
    """Say why lines are busy: of a few by name, of many how many for each reason."""
    by_name = {busy.name: busy.text for busy in lines}
    if len(by_name) <= LINES_NAMED:
        return "; ".join(f"{name}: {why}" for name, why in by_name.items())
    return "; ".join(f"{why}: {count}" for why, count in Counter(by_name.values()).most_common())


def _busy(choice: object) -> tuple[LineBusy, ...]:
    return choice.reasons if isinstance(choice, NoLine) else ()


def _queue_empty(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if not facts.queue_is_empty:
        return None
    text = _now_up(f"there is no number left in {task.number_queue!r}", facts)
    return Explanation(Reason.QUEUE_EMPTY, text, facts.opening.changes_at)


def _paced(facts: TaskFacts, task: Task, node: NodeFacts) -> Explanation | None:
    if task.cps is None or facts.pace == NO_START:
        return None
    text = _now_up(f"calls are started as fast as its cps allows: {task.cps:g} a second", facts)
    return Explanation(Reason.PACED, text, pacing.next_start(facts.pace, task.cps, node.now))


def _now_up(text: str, facts: TaskFacts) -> str:
    return f"{text}; calls up: {facts.calls}"


_LOOKS: tuple[Callable[[TaskFacts, Task, NodeFacts], Explanation | None], ...] = (
    _disabled,
    _closed,
    _paused,
    _limit_zero,
    _obstacle,
    _switch_paused,
    _refusing,
    _limit_reached,
    _queue_unusable,
    _node_limit,
    _no_free_line,
    _queue_empty,
    _careful,
    _paced,
)
