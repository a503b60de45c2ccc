"""``ctidialer explain --schedule``: why numbers of a configuration are, or are not, called."""

from __future__ import annotations

import json
from time import time
from typing import NoReturn

import click
import msgspec
from attrs import asdict, frozen

from ctidialer.cli.connection import with_redis
from ctidialer.cli.printable import printable
from ctidialer.contract import keys
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.report import NodeReport
from ctidialer.rules.explaining import local_time
from ctidialer.rules.schedule_explaining import (
    INVALID,
    UNKNOWN_CONFIG,
    LineNow,
    ScheduleExplanation,
    ScheduleFacts,
    explain_schedule,
)
from ctidialer.settings import Settings
from ctidialer.store.link import Link

LOOKED_AT = 1000
"""Members that are read to find those of one configuration, of those due and of the others."""


@frozen
class _Answer:
    """What is to be said; ``all_due`` counts the members of every configuration."""

    name: str
    node: NodeReport
    facts: ScheduleFacts
    explained: ScheduleExplanation
    all_due: int
    scheduled: int


@frozen
class _Members:
    """What waits: of this configuration, and of all."""

    due: int
    next_due: float | None
    all_due: int
    scheduled: int


def explain_a_schedule(settings: Settings, name: str, as_json: bool) -> NoReturn:
    """Print the answer and end with the exit status."""
    answer = with_redis(settings, lambda link: _ask(link, settings, name))
    if as_json:
        click.echo(json.dumps(_as_json(answer), ensure_ascii=False, indent=2))
    else:
        _print(answer)
    raise SystemExit(1 if answer.explained.reason in (UNKNOWN_CONFIG, INVALID) else 0)


async def _ask(link: Link, settings: Settings, name: str) -> _Answer:
    node = await NodeReader(link, settings.node).look_at(settings.node.host)
    now = time()
    domain = node.status.domain if node.status else settings.node.domain
    members = await _members(link, keys.at(keys.SCHEDULE_NUMBER, domain), name, now)
    facts = ScheduleFacts(
        now=now,
        zone=node.zone,
        config=node.tables.schedules.get(name),
        routes=node.tables.routes,
        faults=node.tables.faults.get((keys.SCHEDULE_CONFIG, name), ()),
        obstacles=node.obstacles(),
        refused_until=node.status.refused_until if node.status else None,
        lines=_lines(node),
        due=members.due,
        next_due=members.next_due,
    )
    explained = explain_schedule(facts)
    return _Answer(name, node, facts, explained, members.all_due, members.scheduled)


def _lines(node: NodeReport) -> dict[str, LineNow]:
    lines = node.status.lines if node.status else ()
    return {line.name: LineNow(line.state, line.until) for line in lines if line.state != "free"}


async def _members(link: Link, key: str, name: str, now: float) -> _Members:
    due = await _read(link, key, "-inf", str(now))
    later = await _read(link, key, f"({now}", "+inf")
    return _Members(
        due=sum(_is_of(member, name) for member, _ in due),
        next_due=next((score for member, score in later if _is_of(member, name)), None),
        all_due=_count(await link.call("ZCOUNT", key, "-inf", str(now))),
        scheduled=_count(await link.call("ZCARD", key)),
    )


async def _read(link: Link, key: str, least: str, most: str) -> list[tuple[bytes, float]]:
    """Return the earliest members between two times, and their times."""
    limit = ("LIMIT", "0", str(LOOKED_AT))
    reply = await link.call("ZRANGEBYSCORE", key, least, most, "WITHSCORES", *limit)
    assert isinstance(reply, list)
    found = [one for one in reply if isinstance(one, bytes)]
    return [(member, float(score)) for member, score in zip(found[::2], found[1::2], strict=True)]


def _is_of(member: bytes, name: str) -> bool:
    try:
        document = msgspec.json.decode(member)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    params = document.get("params") if isinstance(document, dict) else None
    return isinstance(params, dict) and params.get("config") == name


def _count(reply: object) -> int:
    return reply if isinstance(reply, int) else 0


def _as_json(answer: _Answer) -> dict[str, object]:
    facts, found = answer.facts, answer.explained
    return {
        "config": answer.name,
        "host": answer.node.host,
        "reason": found.reason,
        "text": found.text,
        "changes_at": found.changes_at,
        "changes_at_local": _local(answer, found.changes_at),
        "faults": [{"path": one.path, "problem": one.problem} for one in facts.faults],
        "lines": [{"name": name, **asdict(line)} for name, line in found.lines.items()],
        "due": facts.due,
        "next_due": facts.next_due,
        "all_due": answer.all_due,
        "scheduled": answer.scheduled,
        "node": {
            "daemon": answer.node.daemon,
            "problems": [
                {"condition": one.reason.value, "problem": one.text} for one in facts.obstacles
            ],
        },
    }


def _local(answer: _Answer, moment: float | None) -> str | None:
    return None if moment is None else local_time(moment, answer.facts.zone)


def _print(answer: _Answer) -> None:
    facts, found = answer.facts, answer.explained
    lines = [f"{answer.name} on {answer.node.host}: {found.reason}", found.text]
    if found.reason == UNKNOWN_CONFIG:
        there = ", ".join(sorted(answer.node.tables.schedules)) or "none at all"
        lines.append(f"there are: {there}")
    if found.changes_at is not None:
        lines.append(f"changes at {_local(answer, found.changes_at)}")
    more = f" or more (the first {LOOKED_AT} were read)" if answer.all_due > LOOKED_AT else ""
    lines.append(
        f"due: {facts.due}{more}; of all configurations: {answer.all_due} due,"
        f" {answer.scheduled} scheduled"
    )
    if facts.due and facts.next_due is not None:
        lines.append(f"the next one after these is due {_local(answer, facts.next_due)}")
    lines += [f"the node: {one.text}" for one in facts.obstacles if one.text != found.text]
    for line in lines:
        click.echo(printable(line))
