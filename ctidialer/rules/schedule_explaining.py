"""Why the scheduled numbers of one configuration are, or are not, being called right now.

As with tasks: facts go in, one reason comes out, the first that applies.  What stands first could
not be mended by what comes after it.
"""

from __future__ import annotations

from attrs import evolve, frozen

from ctidialer.contract.faults import Fault
from ctidialer.contract.schedule import MAX_TIME, ScheduleConfig
from ctidialer.rules.explaining import (
    faults_said,
    local_time,
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
    whose time has come, ``next_due`` is the time (unix seconds) of the next one that has not.
    """

    config: ScheduleConfig | None
    faults: tuple[Fault, ...] = ()
    due: int = 0
    next_due: float | None = None


def explain_schedule(facts: ScheduleFacts, node: NodeFacts) -> Explanation:
    """Return why numbers of a configuration are, or are not, called at ``node.now``."""
    if facts.config is None:
        return _no_config(facts)
    return (
        of_obstacle(node)
        or of_switch(node)
        or (None if facts.due else _nothing_due(facts, node))
        or of_node_limit(node, kept=0)
        or _no_free_line(facts, facts.config, node)
        or _dialing(facts)
    )


def _no_config(facts: ScheduleFacts) -> Explanation:
    if not facts.faults:
        return Explanation(Reason.UNKNOWN_CONFIG)
    values = faults_said(facts.faults)
    return Explanation(Reason.INVALID, faults=facts.faults, form="config", values=values)


def _nothing_due(facts: ScheduleFacts, node: NodeFacts) -> Explanation:
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
