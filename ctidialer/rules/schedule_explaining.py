"""Why the scheduled numbers of one configuration are, or are not, being called right now.

As with tasks: facts go in, one reason comes out, the first that applies.  What stands first could
not be mended by what comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from ctidialer.contract.faults import Fault
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.rules.explaining import local_time
from ctidialer.rules.explanation import Obstacle
from ctidialer.rules.routing import Routes, lines_of

UNKNOWN_CONFIG = "unknown_config"
INVALID = "invalid"
FREESWITCH_REFUSING = "freeswitch_refusing"
NOTHING_SCHEDULED = "nothing_scheduled"
NOT_DUE = "not_due"
NO_FREE_LINE = "no_free_line"
DIALING = "dialing"


@frozen
class LineNow:
    """The state of a line as its daemon told it; ``until``: when it is free by itself."""

    state: str
    until: float | None = None


@frozen
class ScheduleFacts:
    """What is known; times are unix seconds.

    ``config`` None = there is none of the name, or it has ``faults``.  ``due`` are the members
    whose time has come, ``next_due`` is the time of the next one that has not.  ``lines`` are those
    that are not free.
    """

    now: float
    zone: str
    config: ScheduleConfig | None
    routes: Routes
    faults: tuple[Fault, ...] = ()
    obstacles: Sequence[Obstacle] = ()
    refused_until: float | None = None
    lines: Mapping[str, LineNow] = {}
    due: int = 0
    next_due: float | None = None


@frozen
class ScheduleExplanation:
    """One reason, in a word and a sentence; ``lines`` are those in the way, by name."""

    reason: str
    text: str
    changes_at: float | None = None
    lines: Mapping[str, LineNow] = {}


def explain_schedule(facts: ScheduleFacts) -> ScheduleExplanation:
    """Return why numbers of a configuration are, or are not, called at ``facts.now``."""
    if facts.config is None:
        return _no_config(facts)
    if facts.obstacles:
        first = facts.obstacles[0]
        return ScheduleExplanation(first.reason.value, first.text)
    if facts.refused_until is not None and facts.refused_until > facts.now:
        text = "FreeSWITCH refuses calls; it is given a rest"
        return ScheduleExplanation(FREESWITCH_REFUSING, text, facts.refused_until)
    if not facts.due:
        return _nothing_due(facts)
    return _no_free_line(facts, facts.config) or ScheduleExplanation(
        DIALING, f"numbers that are due are called; due: {facts.due}", facts.next_due
    )


def _no_config(facts: ScheduleFacts) -> ScheduleExplanation:
    if not facts.faults:
        text = "there is no schedule configuration of this name: its numbers end as invalid"
        return ScheduleExplanation(UNKNOWN_CONFIG, text)
    problems = "; ".join(str(fault) for fault in facts.faults)
    text = f"the configuration is malformed: {problems}; its numbers end as invalid"
    return ScheduleExplanation(INVALID, text)


def _nothing_due(facts: ScheduleFacts) -> ScheduleExplanation:
    if facts.next_due is None:
        return ScheduleExplanation(NOTHING_SCHEDULED, "no number of this configuration waits")
    text = f"no number is due; the next one is due {local_time(facts.next_due, facts.zone)}"
    return ScheduleExplanation(NOT_DUE, text, facts.next_due)


def _no_free_line(facts: ScheduleFacts, config: ScheduleConfig) -> ScheduleExplanation | None:
    lines = lines_of(facts.routes, config.line_groups)
    if not lines:
        text = f"none of its line groups has a line; due: {facts.due}"
        return ScheduleExplanation(NO_FREE_LINE, text)
    busy = {name: facts.lines[name] for name in lines if name in facts.lines}
    if len(busy) < len(lines):
        return None
    said = "; ".join(f"{name}: {line.state.replace('_', ' ')}" for name, line in busy.items())
    text = f"no line is free ({said}); due: {facts.due}"
    free_at = min((one.until for one in busy.values() if one.until is not None), default=None)
    return ScheduleExplanation(NO_FREE_LINE, text, free_at, busy)
