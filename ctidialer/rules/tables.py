"""The tables of this node as they stand in Redis, decoded (docs/redis-contract.rst).

Raw documents go in, decoded values come out; a document that did not change is not decoded again.
Only the faults are kept of a document that cannot be used, and it harms nothing else: a task with
faults counts as missing, a broken line has no room, a broken group has no lines.

What was read goes into a :class:`Draft` beside the tables in force, a little at a time.  Then it is
put in force at once, so that nobody ever sees half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from attrs import evolve

from ctidialer.contract import keys
from ctidialer.contract.after_call import WantedVariable
from ctidialer.contract.control import Control, decode_control
from ctidialer.contract.faults import Fault
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.switched_off import is_plainly_off, switched_off
from ctidialer.contract.task import Task
from ctidialer.rules.decoding import Decoded, Decoder
from ctidialer.rules.routing import Routes
from ctidialer.rules.table_names import NO_NAMES
from ctidialer.rules.table_names import Changed as Changed
from ctidialer.rules.table_names import Named as Named

Documents = Mapping[str, bytes]

NAMES_PER_SLICE = 256
"""Documents that are compared between two steps of a draft; a changed one is a step of its own."""

MANY_TASKS = 1000
"""If so many tasks change together, those that are switched off are decoded afterwards."""

MANY_LINES = 1000
"""If a group has more lines, only those that are not known are read with it."""


class Tables:
    """All that the back ends have configured for one node, decoded.

    ``record_variables``: what every record of this node carries.  ``dnc``: the do-not-call lists
    that hold for every number.
    """

    def __init__(
        self,
        host: str,
        domain: str,
        default_dialstring: str,
        record_variables: tuple[WantedVariable, ...] = (),
        dnc: tuple[str, ...] = (),
    ) -> None:
        self.domain = domain
        self._host = host
        self._template_key = keys.at(keys.TASK, keys.TEMPLATE)
        self._host_key = keys.at(keys.TASK, host)
        self._tables: dict[str, str] = {
            self._template_key: keys.TASK,
            self._host_key: keys.TASK,
            keys.at(keys.LINE, domain): keys.LINE,
            keys.at(keys.LINE_GROUP, domain): keys.LINE_GROUP,
            keys.at(keys.GATEWAY, domain): keys.GATEWAY,
            keys.at(keys.SCHEDULE_CONFIG, domain): keys.SCHEDULE_CONFIG,
            keys.control(host): keys.CONTROL,
        }
        self._keys_of: dict[str | None, tuple[str, ...]] = {
            table: tuple(key for key, name in self._tables.items() if table in (None, name))
            for table in (None, *self._tables.values())
        }
        self._decoder = Decoder(host, self._tables, record_variables, dnc)
        self._raw: dict[str, dict[str, bytes]] = {key: {} for key in self._tables}
        self.tasks: dict[str, Task] = {}
        self.schedules: dict[str, ScheduleConfig] = {}
        self.control = Control()
        self.faults: dict[tuple[str, str], tuple[Fault, ...]] = {}
        self.warnings: dict[tuple[str, str], tuple[Fault, ...]] = {}
        """What documents probably do not mean, by table and name, also of those with faults."""
        self.postponed: dict[str, None] = {}
        """Tasks that are switched off, and of which nothing else was decoded yet."""
        self.unreadable: dict[str, str] = {}
        """Sentences why keys cannot be read; their earlier content is kept, but not dialed by."""
        self._lines: dict[str, Line] = {}
        self._groups: dict[str, LineGroup] = {}
        self._gateways: dict[str, Line] = {}
        self._values: dict[str, dict[str, Any]] = {
            keys.TASK: self.tasks,
            keys.LINE: self._lines,
            keys.LINE_GROUP: self._groups,
            keys.GATEWAY: self._gateways,
            keys.SCHEDULE_CONFIG: self.schedules,
        }
        self.routes = Routes({}, {}, default_dialstring)

    def keys_of(self, table: str | None = None) -> tuple[str, ...]:
        """Return the Redis keys that make up ``table``, or all of them."""
        return self._keys_of.get(table, ())

    @property
    def scopes(self) -> tuple[str, ...]:
        """In whose names numbers of this node wait: the template's, the host's, the domain's."""
        return tuple(dict.fromkeys((keys.TEMPLATE, self._host, self.domain)))

    def scope_of(self, task: str) -> str:
        """Return under which name keys of this task are shared: that of the template, if it stands
        there, so that other hosts may run it too, else that of the host."""
        return keys.TEMPLATE if task in self._raw[self._template_key] else self._host

    def draft(self) -> Draft:
        """Begin a change."""
        return Draft(self)

    def replace(self, key: str, documents: Documents) -> Changed:
        """The whole hash at ``key`` was read: take over what is different."""
        draft = self.draft()
        for _ in draft.whole(key, documents.items()):
            pass
        return self._put_in_force(draft, key)

    def put(self, key: str, name: str, document: bytes | None) -> Changed:
        """One field of the hash at ``key`` was read; None = there is no such field."""
        draft = self.draft()
        draft.field(key, name, document)
        return self._put_in_force(draft, key)

    def unknown(self, groups: Iterable[str]) -> Named:
        """Return the names among ``groups`` that are no group or line: they may be fallbacks."""
        routes = self.routes
        names = [one for one in groups if one not in routes.groups and one not in routes.lines]
        return _as_routes(names) if names else NO_NAMES

    def is_line(self, name: str) -> bool:
        """Say whether calls can be placed by this name: a line, or a fallback that is in use."""
        routes = self.routes
        if name in routes.lines or name in routes.groups:
            return name in routes.lines
        if any(name in task.line_groups for task in self.tasks.values()):
            return True
        return any(name in config.line_groups for config in self.schedules.values())

    def lines_to_read(self, group: LineGroup) -> set[str]:
        """Return the lines that are read with a group."""
        lines = {name for tier in group.tiers for name in tier}
        return lines - self._lines.keys() if len(lines) > MANY_LINES else lines

    def _put_in_force(self, draft: Draft, key: str) -> Changed:
        for _ in chain(draft.decode(), draft.apply()):
            pass
        return next(iter(draft.changes), Changed(self._tables[key], frozenset()))

    def _take(self, place: tuple[str, str], decoded: Decoded) -> None:
        table, name = place
        if table == keys.TASK:
            self.postponed.pop(name, None)
        _put_one(self._values[table], name, decoded.value)
        _put_one(self.faults, place, decoded.faults or None)
        _put_one(self.warnings, place, decoded.warnings or None)


class Draft:
    """A change of the tables, not in force yet: whole tables and single fields, decoded here.

    ``whole`` and ``decode`` work step by step, since they may take long; the tables must not change
    meanwhile.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._raw: dict[str, dict[str, bytes | None]] = {}
        self._replaced: dict[str, dict[str, bytes]] = {}
        self._unreadable: dict[str, str] = {}
        self._readable: set[str] = set()
        self._changed: dict[str, dict[str, None]] = {}
        self._decoded: dict[tuple[str, str], Decoded] = {}
        self._control: Control | None = None
        self._postponed: dict[str, None] = {}

    def whole(self, key: str, pairs: Iterable[tuple[str, bytes]]) -> Iterator[None]:
        """The whole hash at ``key`` was read, as pairs of name and document."""
        before, table = self._tables._raw[key], self._tables._tables[key]
        raw: dict[str, bytes] = {}
        changed = self._changed.setdefault(table, {})
        for count, (name, document) in enumerate(pairs):
            raw[name] = document
            if before.get(name) != document:
                changed[name] = None
            if count % NAMES_PER_SLICE == 0:
                yield
        changed.update(dict.fromkeys(before.keys() - raw.keys()))
        self._replaced[key] = raw
        self._readable.add(key)

    def field(self, key: str, name: str, document: bytes | None) -> None:
        """One field of the hash at ``key`` was read; None = there is no such field."""
        self._raw.setdefault(key, {})[name] = document
        self._readable.add(key)
        if self._tables._raw[key].get(name) != document:
            self._changed.setdefault(self._tables._tables[key], {})[name] = None

    def fields(self, key: str, pairs: Iterable[tuple[str, bytes | None]]) -> Iterator[None]:
        """These fields of the hash at ``key`` were read."""
        for name, document in pairs:
            self.field(key, name, document)
            yield

    def again(self, table: str, names: Iterable[str]) -> None:
        """Decode these documents as they were read before."""
        self._changed.setdefault(table, {}).update(dict.fromkeys(names))

    def unreadable(self, key: str, problem: str) -> None:
        """The key ``key`` cannot be read: its table is not empty, but unknown."""
        self._unreadable[key] = problem

    def decode(self, postpone: bool = False) -> Iterator[None]:
        """Decode what has changed, one document a step.

        With ``postpone``, if very many tasks have changed, those that are switched off are left to
        a later draft (`Tables.postponed`), so that the others can dial sooner.
        """
        decoder = self._tables._decoder
        for table, names in self._changed.items():
            if table == keys.CONTROL:
                self._control = decode_control(self._documents(*self._tables.keys_of(table)))
                continue
            in_a_hurry = postpone and table == keys.TASK and len(names) > MANY_TASKS
            look_up = self._lookup(table)
            for name in names:
                documents = look_up(name)
                if in_a_hurry and is_plainly_off(*documents):
                    self._postponed[name] = None
                    self._decoded[table, name] = Decoded(switched_off(name))
                else:
                    self._decoded[table, name] = decoder.meaning(table, name, documents)
                yield

    def referred(self, read: Named) -> Named:
        """Return the names that the ``read`` names refer to, by this draft."""
        groups: set[str] = set()
        lines: set[str] = set()
        gateways: set[str] = set()
        for table, name in read:
            value = self._value(table, name)
            if isinstance(value, Task | ScheduleConfig):
                groups.update(value.line_groups)
            elif isinstance(value, LineGroup):
                lines |= self._tables.lines_to_read(value)
            elif isinstance(value, Line) and value.gateway is not None:
                gateways.add(value.gateway)
        # A name of ``line_group`` may be a line that acts as a group.
        found = {keys.LINE_GROUP: groups, keys.LINE: groups | lines, keys.GATEWAY: gateways}
        return Named({table: frozenset(names) for table, names in found.items() if names})

    def apply(self) -> Iterator[None]:
        """Put all of it in force, step by step; whoever may see the tables must see all steps."""
        tables = self._tables
        for key in self._readable:
            tables.unreadable.pop(key, None)
        tables.unreadable.update(self._unreadable)
        tables._raw.update(self._replaced)
        for key, fields in self._raw.items():
            _put(tables._raw[key], fields)
        for count, (place, decoded) in enumerate(self._decoded.items()):
            tables._take(place, decoded)
            if count % NAMES_PER_SLICE == 0:
                yield
        tables.postponed.update(self._postponed)
        if self._control is not None:
            tables.control = self._control
        if any(self._changed.get(one) for one in (keys.LINE, keys.LINE_GROUP, keys.GATEWAY)):
            lines, groups = dict(tables._lines), dict(tables._groups)
            gateways = dict(tables._gateways)
            tables.routes = evolve(tables.routes, lines=lines, groups=groups, gateways=gateways)

    @property
    def changes(self) -> list[Changed]:
        """What this draft changes."""
        return [Changed(table, frozenset(names)) for table, names in self._changed.items() if names]

    def _value(self, table: str, name: str) -> object:
        decoded = self._decoded.get((table, name))
        return decoded.value if decoded else self._tables._values.get(table, {}).get(name)

    def _lookup(self, table: str) -> Callable[[str], list[bytes | None]]:
        """Return a function that finds the documents of a name as they will be.

        A field that was read counts before the whole table.
        """
        places = [
            (self._raw.get(key, {}), self._replaced.get(key, self._tables._raw[key]))
            for key in self._tables.keys_of(table)
        ]

        def documents(name: str) -> list[bytes | None]:
            return [fields[name] if name in fields else whole.get(name) for fields, whole in places]

        return documents

    def _documents(self, key: str) -> Documents:
        """Return the whole table as it will be."""
        documents = dict(self._replaced.get(key, self._tables._raw[key]))
        _put(documents, self._raw.get(key, {}))
        return documents


def _as_routes(names: Iterable[str]) -> Named:
    """Return names of ``line_group``: each may be a group, or a line that acts as one."""
    return Named.of((table, name) for name in names for table in (keys.LINE_GROUP, keys.LINE))


def _put(into: dict[Any, Any], values: Mapping[Any, Any]) -> None:
    """Take over the values; None = there is none any more."""
    for name, value in values.items():
        _put_one(into, name, value)


def _put_one(into: dict[Any, Any], name: object, value: object) -> None:
    if value is not None:
        into[name] = value
    elif name in into:
        del into[name]
