"""The tables of this node as they stand in Redis, decoded (docs/redis-contract.rst).

Raw documents go in, decoded values come out; what did not change is not decoded again.  A document
that cannot be used is kept as its faults and harms nothing else: a task with faults is no task, a
broken line has no room, a broken group has no lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import evolve, frozen

from ctidialer.contract import keys
from ctidialer.contract.after_call import WantedVariable
from ctidialer.contract.control import Control, decode_control
from ctidialer.contract.faults import Fault
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.task import Task
from ctidialer.rules.routing import Routes
from ctidialer.rules.soundness import (
    Examined,
    examined_line,
    examined_line_group,
    examined_schedule_config,
    examined_task,
)

Documents = Mapping[str, bytes]
Value = TypeVar("Value")


@frozen
class Changed:
    """The names that a change touched, by table (the part of the key before the ``@``)."""

    table: str
    names: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.names)


class Tables:
    """All that the back ends have configured for one node, decoded.

    ``record_variables``: what every record of this node carries.
    """

    def __init__(
        self,
        host: str,
        domain: str,
        default_dialstring: str,
        record_variables: tuple[WantedVariable, ...] = (),
    ) -> None:
        self._host = host
        self._record_variables = record_variables
        self.domain = domain
        self._template_key = keys.at(keys.TASK, keys.TEMPLATE)
        self._host_key = keys.at(keys.TASK, host)
        self._tables: dict[str, str] = {
            self._template_key: keys.TASK,
            self._host_key: keys.TASK,
            keys.at(keys.LINE, domain): keys.LINE,
            keys.at(keys.LINE_GROUP, domain): keys.LINE_GROUP,
            keys.at(keys.SCHEDULE_CONFIG, domain): keys.SCHEDULE_CONFIG,
            keys.control(host): keys.CONTROL,
        }
        self._raw: dict[str, dict[str, bytes]] = {key: {} for key in self._tables}
        self._decode: dict[str, Callable[[str], None]] = {
            keys.TASK: self._decode_task,
            keys.LINE: self._decode_line,
            keys.LINE_GROUP: self._decode_group,
            keys.SCHEDULE_CONFIG: self._decode_schedule,
        }
        self.tasks: dict[str, Task] = {}
        self.schedules: dict[str, ScheduleConfig] = {}
        self.control = Control()
        self.faults: dict[tuple[str, str], tuple[Fault, ...]] = {}
        self.warnings: dict[tuple[str, str], tuple[Fault, ...]] = {}
        """What documents say and hardly mean, by table and name, also of those with faults."""
        self._lines: dict[str, Line] = {}
        self._groups: dict[str, LineGroup] = {}
        self.routes = Routes({}, {}, default_dialstring)

    def keys_of(self, table: str | None = None) -> tuple[str, ...]:
        """Return the Redis keys that make up ``table``, or all of them."""
        return tuple(key for key, name in self._tables.items() if table in (None, name))

    def replace(self, key: str, documents: Documents) -> Changed:
        """The whole hash at ``key`` was read: take over what is different."""
        raw = self._raw[key]
        names = {
            name for name in raw.keys() | documents.keys() if raw.get(name) != documents.get(name)
        }
        self._raw[key] = dict(documents)
        return self._changed(key, names)

    def put(self, key: str, name: str, document: bytes | None) -> Changed:
        """One field of the hash at ``key`` was read; None = there is no such field."""
        raw = self._raw[key]
        if raw.get(name) == document:
            return self._changed(key, set())
        if document is None:
            del raw[name]
        else:
            raw[name] = document
        return self._changed(key, {name})

    def _changed(self, key: str, names: set[str]) -> Changed:
        table = self._tables[key]
        if table == keys.CONTROL:
            self.control = decode_control(self._raw[key])
            return Changed(table, frozenset(names))
        for name in names:
            self._decode[table](name)
        if names and table in (keys.LINE, keys.LINE_GROUP):
            self.routes = evolve(self.routes, lines=dict(self._lines), groups=dict(self._groups))
        return Changed(table, frozenset(names))

    def _decode_task(self, name: str) -> None:
        template = self._raw[self._template_key].get(name)
        host = self._raw[self._host_key].get(name)
        self.tasks.pop(name, None)
        if template is None and host is None:
            self._forget(keys.TASK, name)
            return
        found = examined_task(name, template=template, host=host, host_name=self._host)
        self._note(keys.TASK, name, found)
        task = found.value
        if task is not None:
            wanted = task.after_call.with_variables(self._record_variables)
            self.tasks[name] = evolve(task, after_call=wanted) if self._record_variables else task

    def _decode_line(self, name: str) -> None:
        # A broken line keeps its name, with no room: were it missing, a task that names it would
        # be dialed through the fallback for unknown names.
        self._take(
            *(keys.LINE, name, self._lines, examined_line),
            lambda fault: Line(name=name, dialstring="", count=0, fault=fault),
        )

    def _decode_group(self, name: str) -> None:
        self._take(
            *(keys.LINE_GROUP, name, self._groups, examined_line_group),
            lambda fault: LineGroup(name=name, tiers=(), enabled=False, fault=fault),
        )

    def _decode_schedule(self, name: str) -> None:
        self._take(keys.SCHEDULE_CONFIG, name, self.schedules, examined_schedule_config)
        config = self.schedules.get(name)
        if config is not None and self._record_variables:
            wanted = config.after_call.with_variables(self._record_variables)
            self.schedules[name] = evolve(config, after_call=wanted)

    def _take(
        self,
        table: str,
        name: str,
        values: dict[str, Value],
        examine: Callable[[str, bytes], Examined[Value]],
        broken: Callable[[str], Value] | None = None,
    ) -> None:
        values.pop(name, None)
        (key,) = self.keys_of(table)
        document = self._raw[key].get(name)
        if document is None:
            self._forget(table, name)
            return
        found = examine(name, document)
        self._note(table, name, found)
        if found.value is not None:
            values[name] = found.value
        elif broken is not None:
            values[name] = broken("; ".join(f"{key} {fault}" for fault in found.faults))

    def _note(self, table: str, name: str, found: Examined[Value]) -> None:
        for kept, faults in ((self.faults, found.faults), (self.warnings, found.warnings)):
            if faults:
                kept[table, name] = faults
            else:
                kept.pop((table, name), None)

    def _forget(self, table: str, name: str) -> None:
        self.faults.pop((table, name), None)
        self.warnings.pop((table, name), None)
