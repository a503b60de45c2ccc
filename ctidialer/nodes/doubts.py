"""What the tables hardly mean, as far as it touches one task or schedule configuration."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.faults import Fault
from ctidialer.rules.tables import Tables

MAX_DOUBTS = 20
"""Of a task with thousands of lines the first warnings are enough."""


@frozen
class Doubt:
    """A warning of the document ``name`` at the Redis key ``key``."""

    key: str
    name: str
    fault: Fault

    def as_json(self) -> dict[str, str]:
        """Return this as JSON data."""
        return {
            "key": self.key,
            "name": self.name,
            "path": self.fault.path,
            "problem": self.fault.problem,
        }


def doubts_about(tables: Tables, table: str, name: str) -> tuple[Doubt, ...]:
    """Return what the document hardly means, or the groups and lines that it names."""
    found = (
        Doubt(fault.key or tables.keys_of(of)[-1], named, fault)
        for of, named in _touched(tables, table, name)
        for fault in tables.warnings.get((of, named), ())
    )
    return tuple(islice(found, MAX_DOUBTS))


def _touched(tables: Tables, table: str, name: str) -> Iterator[tuple[str, str]]:
    yield table, name
    values = tables.tasks if table == keys.TASK else tables.schedules
    value = values.get(name)
    lines: dict[str, None] = {}
    for group in value.line_groups if value is not None else ():
        yield keys.LINE_GROUP, group
        known = tables.routes.groups.get(group)
        tiers = ((group,),) if known is None else known.tiers
        lines |= dict.fromkeys(line for tier in tiers for line in tier)
    for line in lines:
        yield keys.LINE, line
