"""Logs what is wrong, or probably not meant, in the documents that have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

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
    keys.GATEWAY: "gateway",
    keys.SCHEDULE_CONFIG: "config",
}
"""What the log calls a name in a table."""

MAX_SAID_PER_TABLE = 10
"""Names for which the same warning is logged: a back end may repeat it in all its tasks."""


class TableNews:
    """Logs what is wrong with the documents that have changed, and which are mended or gone, so
    that the log alone shows, say, why a group had no line."""

    def __init__(self) -> None:
        self._faulty: set[tuple[str, str]] = set()

    def tell(self, tables: Tables, change: Changed) -> None:
        """Log all faults and warnings of the documents that have changed."""
        table = change.table
        faulty = {(table, name) for name in change.names if (table, name) in tables.faults}
        for _, name in sorted(faulty):
            for fault in tables.faults[table, name]:
                _say(tables, table, name, fault)
        _warn(tables, table, sorted(one for one in change.names if (table, one) in tables.warnings))
        gone = {name for name in change.names if not _is_there(tables, table, name)}
        mended = {name for name in change.names - gone if (table, name) in self._faulty - faulty}
        self._faulty = self._faulty - {(table, name) for name in change.names} | faulty
        _tell_names(tables, table, "is mended", mended)
        if table != keys.TASK:  # of tasks `TaskNews` tells
            _tell_names(tables, table, "is no longer there", gone)


def _is_there(tables: Tables, table: str, name: str) -> bool:
    values: Mapping[str, Mapping[str, object]] = {
        keys.TASK: tables.tasks,
        keys.LINE: tables.routes.lines,
        keys.LINE_GROUP: tables.routes.groups,
        keys.GATEWAY: tables.routes.gateways,
        keys.SCHEDULE_CONFIG: tables.schedules,
    }
    is_known = table not in values or name in values[table]
    return is_known or (table, name) in tables.faults


def _named_in(tables: Tables, line: str) -> str:
    """Return which groups name a line, for the reader of the log."""
    groups = tables.routes.groups.values()
    names = sorted(one.name for one in groups if any(line in tier for tier in one.tiers))
    return f"; named in {', '.join(names[:MAX_SAID_PER_TABLE])}" if names else ""


def _tell_names(tables: Tables, table: str, what: str, names: Collection[str]) -> None:
    documents = tables.keys_of(table)
    key = documents[0] if len(documents) == 1 else table  # of which one is not known any more
    for name in sorted(names)[:MAX_SAID_PER_TABLE]:
        log.info(
            "{key} {name} {what}{where}",
            key=key,
            name=name,
            what=what,
            where=_named_in(tables, name) if table == keys.LINE else "",
            **{FIELDS[table]: name},
        )
    if len(names) > MAX_SAID_PER_TABLE:
        more = len(names) - MAX_SAID_PER_TABLE
        log.info("{key}: {count} more: each {what}", key=key, count=more, what=what)


def _warn(tables: Tables, table: str, names: Sequence[str]) -> None:
    """Log the warnings; if many names have the same one, log it for the first of them."""
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
