"""Says in the log what is wrong, or hardly meant, in the documents that have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.faults import Fault
from ctidialer.rules.table_names import Changed
from ctidialer.rules.tables import Tables

log = Logger()

FIELDS = {
    keys.TASK: "task",
    keys.LINE: "line",
    keys.LINE_GROUP: "line_group",
    keys.SCHEDULE_CONFIG: "config",
}
"""What the log calls a name in a table."""

MAX_SAID_PER_TABLE = 10
"""Names of which the same warning is said: a back end writes it into all its tasks."""


def tell_faults(tables: Tables, change: Changed) -> None:
    """Say all faults of the documents that have changed, and what they hardly mean."""
    table = change.table
    for name in sorted(name for name in change.names if (table, name) in tables.faults):
        for fault in tables.faults[table, name]:
            _say(tables, table, name, fault)
    _warn(tables, table, sorted(one for one in change.names if (table, one) in tables.warnings))


def _warn(tables: Tables, table: str, names: Sequence[str]) -> None:
    """Say what is hardly meant; of many names with the same, the first ones."""
    said: Counter[tuple[str, str]] = Counter()
    for name in names:
        for warning in tables.warnings[table, name]:
            same = (warning.path, warning.problem)
            said[same] += 1
            if said[same] <= MAX_SAID_PER_TABLE:
                _say(tables, table, name, warning)
    for (path, problem), count in said.items():
        if count > MAX_SAID_PER_TABLE:
            log.warn(
                "{key}: the same of {count} more: {path}: {problem}",
                key=tables.keys_of(table)[0],
                count=count - MAX_SAID_PER_TABLE,
                path=path,
                problem=problem,
            )


def _say(tables: Tables, table: str, name: str, fault: Fault) -> None:
    log.warn(
        "{key} {name}: {path}: {problem}",
        key=fault.key or tables.keys_of(table)[-1],
        name=name,
        path=fault.path,
        problem=fault.problem,
        **{FIELDS[table]: name},
    )
