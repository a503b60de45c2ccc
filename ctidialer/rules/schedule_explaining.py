"""Why the scheduled numbers of one configuration are, or are not, being called right now.

As with tasks, facts go in and one reason comes out, the first that applies.  Removing a later
reason would not help while an earlier one applies.
"""

from __future__ import annotations

from attrs import evolve, frozen

from ctidialer.contract.control import Order
from ctidialer.contract.faults import Fault
from ctidialer.contract.schedule import MAX_TIME, ScheduleConfig
from ctidialer.contract.status import Later
from ctidialer.rules.explaining import (
    faults_said,
    given,
    local_time,
    of_later,
    of_lines,
    of_node_limit,
    of_obstacle,
    of_switch,
    year_of,
)
from ctidialer.rules.explanation import Explanation, NodeFacts
from ctidialer.rules.reasons import Reason


@frozen
class ScheduleFacts:
    """What is known of one configuration.

    ``config`` None = there is none of the name, or it has ``faults``.  ``due`` are the members
    whose time has come, ``next_due`` is the time (unix seconds) of the next one that has not;
    ``is_counted``: all that are due were looked at, so that ``due`` is no guess.  ``paused`` is the
    operator's order.  ``calls`` counts its numbers in hand, ``waiting`` those of them that wait for
    a further call, the next one at ``next_call``; ``next_start``: when its ``cps`` lets the next
    call start, None = nothing was started yet.  ``later``: its numbers that wait in Redis.
    """

    config: ScheduleConfig | None
    faults: tuple[Fault, ...] = ()
    due: int = 0
    next_due: float | None = None
    is_counted: bool = True
    paused: Order | None = None
    calls: int = 0
    waiting: int = 0
    next_call: float | None = None
    next_start: float | None = None
    later: Later | None = None


def explain_schedule(facts: ScheduleFacts, node: NodeFacts) -> Explanation:
    """Return why numbers of a configuration are, or are not, called at ``node.now``."""
    if facts.config is None:
        return _no_config(facts)
    return (
        _held(facts, facts.config, node)
        or of_obstacle(node)
        or of_switch(node)
        or (None if facts.due or not facts.is_counted else _nothing_due(facts, node))
        or _limit_reached(facts, facts.config, node)
        or of_node_limit(node, kept=0)
        or _no_free_line(facts, facts.config, node)
        or _paced(facts, facts.config)
        or _dialing(facts)
    )


def _held(facts: ScheduleFacts, config: ScheduleConfig, node: NodeFacts) -> Explanation | None:
    if facts.paused is not None:
        return Explanation(Reason.PAUSED, values=given(facts.paused, node.zone))
    return Explanation(Reason.LIMIT_ZERO) if config.limit == 0 else None


def _limit_reached(
    facts: ScheduleFacts, config: ScheduleConfig, node: NodeFacts
) -> Explanation | None:
    if config.limit is None or facts.calls < config.limit:
        return None
    if not facts.waiting:
        values = {"calls": str(facts.calls), "limit": str(config.limit)}
        return Explanation(Reason.LIMIT_REACHED, values=values)
    up = max(0, facts.calls - facts.waiting)
    values = {"up": str(up), "limit": str(config.limit), "waiting": str(facts.waiting)}
    values |= {} if facts.next_call is None else {"next": local_time(facts.next_call, node.zone)}
    return Explanation(Reason.LIMIT_REACHED, facts.next_call, form="redials", values=values)


def _paced(facts: ScheduleFacts, config: ScheduleConfig) -> Explanation | None:
    if config.cps is None or facts.next_start is None:
        return None
    values = {"cps": f"{config.cps:g}", "calls": str(facts.calls)}
    return Explanation(Reason.PACED, facts.next_start, values=values)


def _no_config(facts: ScheduleFacts) -> Explanation:
    if not facts.faults:
        return Explanation(Reason.UNKNOWN_CONFIG)
    values = faults_said(facts.faults)
    return Explanation(Reason.INVALID, faults=facts.faults, form="config", values=values)


def _nothing_due(facts: ScheduleFacts, node: NodeFacts) -> Explanation:
    if facts.later is not None:
        return of_later(facts.later, node.zone)
    if facts.next_due is None:
        return Explanation(Reason.NOTHING_SCHEDULED)
    if facts.next_due > MAX_TIME:
        return _in_milliseconds(facts.next_due)
    values = {"next": local_time(facts.next_due, node.zone)}
    return Explanation(Reason.NOT_DUE, facts.next_due, values=values)


def _in_milliseconds(score: float) -> Explanation:
    values = {"score": f"{score:.0f}", "year": str(year_of(score))}
    return Explanation(Reason.NOT_DUE, score, form="milliseconds", values=values)


def _no_free_line(
    facts: ScheduleFacts, config: ScheduleConfig, node: NodeFacts
) -> Explanation | None:
    found = of_lines(node, config.line_groups)
    return None if found is None else evolve(found, values={"due": str(facts.due)})


def _dialing(facts: ScheduleFacts) -> Explanation:
    values = {"due": str(facts.due)}
    return Explanation(Reason.DIALING, facts.next_due, form="scheduled", values=values)
