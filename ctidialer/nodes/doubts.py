"""The warnings of the tables that concern one task or schedule configuration."""

from __future__ import annotations

from itertools import islice

from attrs import field, frozen

from ctidialer.contract import keys
from ctidialer.contract.faults import Fault
from ctidialer.rules.tables import Tables

MAX_DOUBTS = 20
"""Warnings of one task: if it has thousands of lines, the first are enough."""


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


@frozen
class Doubts:
    """The warnings of ``tables``, which do not change meanwhile; each group is looked at once."""

    tables: Tables
    _lines: dict[str, dict[str, tuple[Doubt, ...]]] = field(factory=dict, init=False, eq=False)

    def about(self, table: str, name: str) -> tuple[Doubt, ...]:
        """Return the warnings of a document, then of the groups and the lines that it names."""
        values = self.tables.tasks if table == keys.TASK else self.tables.schedules
        value = values.get(name)
        groups = value.line_groups if value is not None else ()
        found = [*self._of(table, name)]
        for group in groups:
            found += self._of(keys.LINE_GROUP, group)
        lines: dict[str, tuple[Doubt, ...]] = {}
        for group in groups:
            lines |= self._of_lines(group)
        for some in lines.values():
            found += some
        return tuple(found[:MAX_DOUBTS])

    def _of(self, table: str, name: str) -> tuple[Doubt, ...]:
        faults = self.tables.warnings.get((table, name), ())
        keys_of = self.tables.keys_of(table) if faults else ()
        return tuple(Doubt(fault.key or keys_of[-1], name, fault) for fault in faults)

    def _of_lines(self, group: str) -> dict[str, tuple[Doubt, ...]]:
        """Return the warnings of the first lines of a group that have some."""
        if group not in self._lines:
            known = self.tables.routes.groups.get(group)
            tiers = ((group,),) if known is None else known.tiers
            named = (line for tier in tiers for line in tier)
            doubtful = (line for line in named if (keys.LINE, line) in self.tables.warnings)
            first = islice(dict.fromkeys(doubtful), MAX_DOUBTS)
            self._lines[group] = {line: self._of(keys.LINE, line) for line in first}
        return self._lines[group]


def doubts_about(tables: Tables, table: str, name: str) -> tuple[Doubt, ...]:
    """Return the warnings of the document and of the groups and lines that it names."""
    return Doubts(tables).about(table, name)
