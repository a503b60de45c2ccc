"""Which lines, gateways and tasks are counted over hosts, and what Redis last said of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.counted import Counted
from ctidialer.contract.line import Line, Scope
from ctidialer.contract.record import Kind
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.rules import counting
from ctidialer.rules.line_state import UNUSED
from ctidialer.rules.tables import Tables


@frozen
class Thing:
    """One that is counted, with the account that notes what Redis says of it.

    ``account``: the name of the state of a line or gateway; with ``is_task``, that of the task.
    """

    counted: Counted
    account: str
    is_task: bool = False

    @property
    def key(self) -> str:
        """Its name in Redis."""
        return self.counted.key


class CountedThings:
    """What is counted over hosts by the present tables."""

    def __init__(self, tables: Tables, lines: LineAccounts, runs: TaskRuns) -> None:
        self._tables = tables
        self._lines = lines
        self._runs = runs
        self._known: dict[tuple[str, str], Thing] = {}
        self._by_key: dict[str, Thing] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def named(self) -> Iterator[tuple[str, str, Thing]]:
        """Yield each with its table and its name there."""
        for (table, name), thing in self._known.items():
            yield table, name, thing

    @property
    def keys(self) -> frozenset[str]:
        """The names in Redis of all that are counted."""
        return frozenset(self._by_key)

    def of_key(self, key: str) -> Thing | None:
        """Return the one that has this name in Redis."""
        return self._by_key.get(key)

    def edited(self, table: str, names: Iterable[str]) -> set[str]:
        """Take over an edit of lines, gateways or tasks; return the keys that are new."""
        new: set[str] = set()
        for name in names:
            before, now = self._known.pop((table, name), None), self._named(table, name)
            if now is not None:
                self._known[table, name] = now
            if before is not None and (now is None or now.key != before.key):
                self._by_key.pop(before.key, None)
                self._write(before, 0, None)
            if now is not None:
                if now.key not in self._by_key:
                    new.add(now.key)
                self._by_key[now.key] = now
        return new

    def on_way(self, line: Line | None) -> Iterator[Thing]:
        """Yield what is counted of a call on a line: the line, its gateway."""
        for way in counting.of_way(self._tables.routes, self._tables.domain, line):
            yield Thing(way.counted, way.account)

    def of_task(self, kind: Kind, name: str, has_place: bool = False) -> Thing | None:
        """Return what is counted of a call of a task; None = nothing."""
        task = self._tables.tasks.get(name) if kind is Kind.QUEUE else None
        if task is None:
            return None
        counted = counting.of_task(task, self._tables.scope_of(name), has_place)
        return None if counted is None else Thing(counted, name, is_task=True)

    def others(self, thing: Thing) -> int:
        """Return how many places other hosts have."""
        if not thing.is_task:
            return self._lines.states.get(thing.account, UNUSED).others
        run = self._runs.get(thing.account)
        return 0 if run is None else run.others

    def note(
        self,
        thing: Thing,
        others: int | None,
        barred_until: float | None,
        sharers: int | None = None,
    ) -> None:
        """Note what Redis has said; None = it has not said how many places others have, or how many
        hosts share the starts."""
        if thing.key in self._by_key:
            known = self.others(thing) if others is None else max(0, others)
            self._write(thing, known, barred_until, sharers)

    def note_places(self, thing: Thing, others: int) -> None:
        """Note how many places other hosts have; when a call may start stays as it is."""
        if thing.key in self._by_key:
            self._write(thing, max(0, others), self._barred_until(thing), None)

    def _barred_until(self, thing: Thing) -> float | None:
        if not thing.is_task:
            return self._lines.states.get(thing.account, UNUSED).barred_until
        run = self._runs.get(thing.account)
        return None if run is None else run.barred_until

    def is_full_elsewhere(self, thing: Thing) -> bool:
        """Say whether a line or gateway takes no call because of those of other hosts."""
        state = self._lines.states.get(thing.account, UNUSED)
        count = thing.counted.count
        return bool(state.others) and count is not None and state.others + state.calls >= count

    def _write(
        self, thing: Thing, others: int, barred_until: float | None, sharers: int | None = 1
    ) -> None:
        if not thing.is_task:
            self._lines.counted(thing.account, others, barred_until, sharers)
            return
        run = self._runs.get(thing.account)
        if run is not None:
            run.others, run.barred_until = others, barred_until or 0.0

    def _named(self, table: str, name: str) -> Thing | None:
        if table == keys.TASK:
            return self.of_task(Kind.QUEUE, name)
        routes, domain = self._tables.routes, self._tables.domain
        is_line = table == keys.LINE
        value = (routes.lines if is_line else routes.gateways).get(name)
        if value is None or value.scope is not Scope.DOMAIN:
            return None
        way = (counting.of_line if is_line else counting.of_gateway)(domain, value)
        return Thing(way.counted, way.account)
