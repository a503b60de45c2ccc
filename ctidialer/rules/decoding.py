"""What the documents of one name mean: a value, and what is wrong or probably not meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from attrs import evolve, frozen

from ctidialer.contract import keys
from ctidialer.contract.after_call import AfterCall, WantedVariable
from ctidialer.contract.callee import CalleeRules
from ctidialer.contract.faults import Fault, joined
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.said import Said
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.task import Task
from ctidialer.rules.compliance import agents_obeying, obeying
from ctidialer.rules.plain_task import plain_task
from ctidialer.rules.soundness import (
    Examined,
    examined_gateway,
    examined_line,
    examined_line_group,
    examined_schedule_config,
    examined_task,
    is_harmless_name,
)

MAX_KNOWN = 256
"""Different ``after_call`` and ``callee`` values of tasks that are remembered."""


@frozen
class _Kind:
    """How the documents of one table are examined.

    ``broken`` makes the value in place of a document with faults, from its name and the faults.
    """

    examine: Callable[[str, bytes], Examined[Any]]
    broken: Callable[[str, Said], Any] = lambda name, fault: None


# A broken line stays known, without room, and a broken group without lines: if they were missing, a
# task that names them would be dialed through the fallback for unknown names.
_KINDS = {
    keys.LINE: _Kind(
        examined_line, lambda name, fault: Line(name=name, dialstring="", count=0, fault=fault)
    ),
    keys.GATEWAY: _Kind(
        examined_gateway, lambda name, fault: Line(name=name, dialstring="", count=0, fault=fault)
    ),
    keys.LINE_GROUP: _Kind(
        examined_line_group,
        lambda name, fault: LineGroup(name=name, tiers=(), enabled=False, fault=fault),
    ),
    keys.SCHEDULE_CONFIG: _Kind(examined_schedule_config),
}


@frozen
class Decoded:
    """What a document means; ``value`` None = it counts as missing."""

    value: Any = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


NO_DOCUMENT = Decoded()


class Decoder:
    """Decodes the documents of one node.

    ``tables``: the table of each key.  ``record_variables``: what every record carries.  ``dnc``:
    the do-not-call lists that hold for every number.
    """

    def __init__(
        self,
        host: str,
        tables: Mapping[str, str],
        record_variables: tuple[WantedVariable, ...],
        dnc: tuple[str, ...] = (),
    ) -> None:
        self._host = host
        self._tables = tables
        self._record_variables = record_variables
        self._dnc = dnc
        self._may_be_plain = is_harmless_name(host)
        self._with_variables = lru_cache(MAX_KNOWN)(self._extended)
        self._obeying = lru_cache(MAX_KNOWN)(self._with_rules)

    def meaning(self, table: str, name: str, documents: Sequence[bytes | None]) -> Decoded:
        """Return what the documents of a name mean: a task has two, template and host, else one."""
        if not any(document is not None for document in documents):
            return NO_DOCUMENT
        found = self._examined(table, name, documents)
        value = found.value
        if value is None:
            value = self._broken(table, name, found.faults)
        elif isinstance(value, Task | ScheduleConfig):
            value = self._completed(value)
        return Decoded(value, found.faults, found.warnings)

    def _completed(self, value: Task | ScheduleConfig) -> Task | ScheduleConfig:
        """Return a value with what the settings and its rule files add."""
        if self._record_variables:
            value = evolve(value, after_call=self._with_variables(value.after_call))
        names = value.callee.compliance
        if names or self._dnc:
            value = evolve(value, callee=self._obeying(value.callee))
        if names and value.agents is not None:
            value = evolve(value, agents=agents_obeying(value.agents, names))
        return value

    def _with_rules(self, callee: CalleeRules) -> CalleeRules:
        dnc = tuple(dict.fromkeys((*callee.dnc, *self._dnc)))
        return evolve(obeying(callee), dnc=dnc)

    def _examined(self, table: str, name: str, documents: Sequence[bytes | None]) -> Examined[Any]:
        if table == keys.TASK:
            return self._task(name, *documents)
        (document,) = documents
        assert document is not None
        return _KINDS[table].examine(name, document)

    def _task(self, name: str, template: bytes | None, host: bytes | None) -> Examined[Task]:
        if self._may_be_plain:
            task = plain_task(name, template=template, host=host)
            if task is not None:
                return Examined(task, (), ())
        return examined_task(name, template=template, host=host, host_name=self._host)

    def _broken(self, table: str, name: str, faults: Iterable[Fault]) -> object:
        if table not in _KINDS:
            return None
        (key,) = (key for key, one in self._tables.items() if one == table)
        return _KINDS[table].broken(name, joined(faults, key))

    def _extended(self, after_call: AfterCall) -> AfterCall:
        return after_call.with_variables(self._record_variables)
