"""The scheduled numbers of a domain that wait, and why those of a configuration wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil

from attrs import field, frozen

from ctidialer.contract import keys
from ctidialer.contract.schedule_document import config_named
from ctidialer.contract.status import LineStatus, ScheduleStatus
from ctidialer.nodes.report import NodeReport
from ctidialer.rules.backpressure import Backpressure
from ctidialer.rules.explaining import of_lines
from ctidialer.rules.explanation import Explanation, NodeFacts, NodeLoad
from ctidialer.rules.line_reasons import FREE, REMOVED, Why
from ctidialer.rules.node_facts import taken_out_values
from ctidialer.rules.reasons import NO_VALUES, Reason
from ctidialer.rules.routing import LineBusy, lines_of
from ctidialer.rules.schedule_explaining import ScheduleFacts, explain_schedule
from ctidialer.rules.tables import Tables
from ctidialer.store.link import Link

MAX_LOOKED_AT = 1000
"""Due members that are read to find those of each configuration, and as many of the others."""


@frozen
class WaitingMembers:
    """What waits at one moment: by configuration among the members that were read, and in all.

    ``next_due``: the time (unix seconds) of the first member that is not due.
    """

    due: Mapping[str, int] = field(factory=dict)
    next_due: Mapping[str, float] = field(factory=dict)
    all_due: int = 0
    scheduled: int = 0


async def read_waiting(link: Link, domain: str, now: float) -> WaitingMembers:
    """Return what waits in a domain at ``now``; fails with StoreError."""
    key = keys.at(keys.SCHEDULE_NUMBER, domain)
    due = await _read(link, key, "-inf", str(now))
    later = await _read(link, key, f"({now}", "+inf")
    next_due: dict[str, float] = {}
    for member, moment in later:
        next_due.setdefault(config_named(member), moment)
    return WaitingMembers(
        due=Counter(config_named(member) for member, _ in due),
        next_due=next_due,
        all_due=_count(await link.call("ZCOUNT", key, "-inf", str(now))),
        scheduled=_count(await link.call("ZCARD", key)),
    )


def schedule_facts(
    tables: Tables, name: str, waiting: WaitingMembers, told: ScheduleStatus | None
) -> ScheduleFacts:
    """Return what is known of a configuration; ``told`` is what its daemon says of it."""
    told = told or ScheduleStatus(name, 0)
    return ScheduleFacts(
        config=tables.schedules.get(name),
        faults=tables.faults.get((keys.SCHEDULE_CONFIG, name), ()),
        due=waiting.due.get(name, 0),
        next_due=waiting.next_due.get(name),
        is_counted=waiting.all_due <= MAX_LOOKED_AT,
        paused=tables.control.paused_schedules.get(name),
        calls=told.calls,
        waiting=told.waiting,
        next_call=told.next_call,
        next_start=told.next_start,
        later=told.later,
    )


def schedule_names(tables: Tables) -> list[str]:
    """Return the names of all configurations, valid or not."""
    invalid = (name for table, name in tables.faults if table == keys.SCHEDULE_CONFIG)
    return sorted({*tables.schedules, *invalid})


def explain_from_outside(
    told: NodeReport, name: str, waiting: WaitingMembers, now: float
) -> Explanation:
    """Return why numbers of a configuration are, or are not, called, without asking the daemon."""
    said = told.status.schedules if told.is_alive and told.status else ()
    of_it = next((one for one in said if one.name == name), None)
    facts = schedule_facts(told.tables, name, waiting, of_it)
    node = NodeFacts(
        now, told.zone, told.tables.routes, obstacles=told.obstacles(), load=_load(told, now)
    )
    if facts.config is not None:
        groups = facts.config.line_groups
        node.ways[groups] = of_lines(node, groups) or _as_told(told, groups, node)
    return explain_schedule(facts, node)


def _load(told: NodeReport, now: float) -> NodeLoad:
    status = told.status
    if status is None:
        return NodeLoad()
    until = status.refused_until or 0.0
    pressure = Backpressure(float(max(0, ceil(until - now))), until)
    return NodeLoad(status.numbers, status.max_calls, backpressure=pressure)


def _as_told(told: NodeReport, groups: tuple[str, ...], node: NodeFacts) -> Explanation | None:
    """Return that no line is free by what the daemon said of the lines; None = one is."""
    lines = lines_of(node.routes, groups)
    said = {line.name: line for line in (told.status.lines if told.status else ())}
    busy = [said[name] for name in lines if name in said and not _is_free(said[name])]
    if len(busy) < len(lines):
        return None
    free_at = min((one.until for one in busy if one.until is not None), default=None)
    return Explanation(Reason.NO_FREE_LINE, free_at, lines=tuple(map(_as_busy, busy)))


def _is_free(line: LineStatus) -> bool:
    return line.state in (FREE, REMOVED)


def _as_busy(line: LineStatus) -> LineBusy:
    why = next((why for why in Why if why.value == line.state), Why.OUT_OF_USE)
    values = taken_out_values(line.off) if line.off else NO_VALUES
    return LineBusy(line.name, why, line.until, values=values)


async def _read(link: Link, key: str, least: str, most: str) -> list[tuple[bytes, float]]:
    """Return the earliest members between two times, and their times."""
    limit = ("LIMIT", "0", str(MAX_LOOKED_AT))
    reply = await link.call("ZRANGEBYSCORE", key, least, most, "WITHSCORES", *limit)
    assert isinstance(reply, list)
    found = [one for one in reply if isinstance(one, bytes)]
    return [(member, float(score)) for member, score in zip(found[::2], found[1::2], strict=True)]


def _count(reply: object) -> int:
    return reply if isinstance(reply, int) else 0
