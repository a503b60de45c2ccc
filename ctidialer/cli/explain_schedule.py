"""``ctidialer explain --schedule``: why numbers of a configuration are, or are not, called."""

from __future__ import annotations

import json
from time import time
from typing import NoReturn

import click
import msgspec
from attrs import frozen

from ctidialer.cli import texts
from ctidialer.cli.connection import with_redis
from ctidialer.cli.language import language, say
from ctidialer.cli.printable import printable
from ctidialer.contract import keys
from ctidialer.nodes.doubts import Doubt, doubts_about
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.report import NodeReport
from ctidialer.nodes.schedules import (
    MAX_LOOKED_AT,
    WaitingMembers,
    explain_from_outside,
    read_waiting,
    schedule_names,
)
from ctidialer.rules.explaining import local_time
from ctidialer.rules.explanation import Explanation
from ctidialer.rules.node_facts import as_explained
from ctidialer.rules.reasons import Reason, reason_called
from ctidialer.settings import Settings
from ctidialer.store.link import Link


@frozen
class _Answer:
    """What is to be said of one configuration."""

    name: str
    node: NodeReport
    waiting: WaitingMembers
    found: Explanation

    @property
    def due(self) -> int:
        """How many of its numbers are due."""
        return self.waiting.due.get(self.name, 0)

    @property
    def next_due(self) -> float | None:
        """When the first that is not due will be."""
        return self.waiting.next_due.get(self.name)

    def doubts(self) -> tuple[Doubt, ...]:
        """Return what the tables hardly mean, as far as it touches this configuration."""
        return doubts_about(self.node.tables, keys.SCHEDULE_CONFIG, self.name)

    def local(self, moment: float | None) -> str | None:
        """Return a moment in the node's time zone."""
        return None if moment is None else local_time(moment, self.node.zone)


def explain_a_schedule(settings: Settings, name: str, as_json: bool) -> NoReturn:
    """Print the answer and end with the exit status."""
    answer = with_redis(settings, lambda link: _ask(link, settings, name))
    if as_json:
        click.echo(json.dumps(_as_json(answer), ensure_ascii=False, indent=2))
    else:
        for line in _lines(answer):
            click.echo(printable(line))
    bad = (Reason.UNKNOWN_CONFIG, Reason.INVALID)
    raise SystemExit(1 if answer.found.reason in bad else 0)


async def _ask(link: Link, settings: Settings, name: str) -> _Answer:
    node = await NodeReader(link, settings.node).look_at(settings.node.host)
    now = time()
    domain = node.status.domain if node.status else settings.node.domain
    waiting = await read_waiting(link, domain, now)
    return _Answer(name, node, waiting, explain_from_outside(node, name, waiting, now))


def _as_json(answer: _Answer) -> dict[str, object]:
    waiting = answer.waiting
    return {
        "config": answer.name,
        "host": answer.node.host,
        **msgspec.to_builtins(as_explained(answer.found)),
        "changes_at_local": answer.local(answer.found.changes_at),
        "due": answer.due,
        "next_due": answer.next_due,
        "all_due": waiting.all_due,
        "scheduled": waiting.scheduled,
        "warnings": [one.as_json() for one in answer.doubts()],
        "node": {
            "daemon": answer.node.daemon,
            "problems": [
                {"condition": one.reason.value, "problem": one.text}
                for one in answer.node.obstacles()
            ],
        },
    }


def title(name: str, host: str, reason: str) -> str:
    """Return the first line of an answer."""
    known = reason_called(reason)
    label = known.words.label.in_(language()) if known else reason
    return say(texts.TITLE, name=name, host=host, reason=reason, label=label)


def _lines(answer: _Answer) -> list[str]:
    found, waiting = answer.found, answer.waiting
    text = found.in_(language())
    lines = [title(answer.name, answer.node.host, found.reason.value), text]
    if found.reason is Reason.UNKNOWN_CONFIG:
        there = ", ".join(schedule_names(answer.node.tables)) or say(texts.NONE_AT_ALL)
        lines.append(say(texts.THERE_ARE, there=there))
    if found.changes_at is not None:
        lines.append(say(texts.CHANGES, at=answer.local(found.changes_at)))
    read = MAX_LOOKED_AT if waiting.all_due > MAX_LOOKED_AT else None
    all_due, scheduled = waiting.all_due, waiting.scheduled
    lines.append(say(texts.DUE, due=answer.due, read=read, all_due=all_due, scheduled=scheduled))
    if answer.due and answer.next_due is not None:
        lines.append(say(texts.NEXT_DUE, at=answer.local(answer.next_due)))
    obstacles = [one.in_(language()) for one in answer.node.obstacles()]
    lines += [say(texts.THE_NODE, text=one) for one in obstacles if one != text]
    return [*lines, *map(doubt_line, answer.doubts())]


def doubt_line(doubt: Doubt) -> str:
    """Return the line of a warning."""
    where = f"{doubt.key} {doubt.name} {doubt.fault.path}"
    return say(texts.DOUBT, where=where, problem=doubt.fault.problem_in(language()))
