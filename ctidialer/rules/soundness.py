"""Tasks, lines, groups, configurations and numbers that some call could not carry.

A value that no ``originate`` can carry makes a number's entry invalid.  In a task or a line it
would make every number of the list invalid, one after the other.  So there it makes the task or the
line invalid, and the numbers stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from itertools import islice
from typing import Generic, TypeVar

from attrs import evolve, frozen

from ctidialer.contract.document import MAX_FAULTS, FaultList, Params, Place, member_path
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.line_document import (
    LineDocument,
    gateway_of,
    group_of,
    line_of,
    read_group,
    read_line,
)
from ctidialer.contract.line_warnings import (
    warnings_of_gateway,
    warnings_of_group,
    warnings_of_line,
)
from ctidialer.contract.placeholders import Fillable
from ctidialer.contract.problems import Problem, Told
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.schedule_document import config_of, read_config, warnings_of_config
from ctidialer.contract.task import Destination, Task
from ctidialer.contract.task_document import TaskDocuments, read_task, task_of
from ctidialer.contract.task_warnings import warnings_of_task
from ctidialer.contract.variables import NAME
from ctidialer.rules.dialstring import doubts
from ctidialer.rules.originate import MAX_VARIABLES, Call, Uncarriable, originate_command

Value = TypeVar("Value")

_HARMLESS_NUMBER = re.compile(r"[0-9+*#]{1,64}")
_HARMLESS_VALUE = re.compile(r"[^{}$:\x00\ud800-\udfff]{0,4096}")
_HARMLESS_WORD = re.compile(r"(?!(?i:undef)$)[A-Za-z0-9_./-]{1,64}")
_FEW_TRIED = 50

_PROBE = Call(
    uuid="0",
    dialstring="null/${destination_number}",
    number="0",
    group="group",
    destination=Destination("0"),
    host="host",
)


@frozen
class Examined(Generic[Value]):
    """A document that was read: ``value`` None = it is at fault.

    ``warnings`` are what it says and hardly means, whether it is at fault or not.
    """

    value: Value | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]

    def sound(self) -> Value:
        """Return the value; raises ContractError with the faults."""
        if self.value is None:
            raise ContractError(self.faults)
        return self.value


def examined_task(
    name: str, *, template: bytes | None, host: bytes | None, host_name: str
) -> Examined[Task]:
    """Return a task, with the faults of `decode_task` and of what no call can carry.

    Raises ContractError where there is no document at all.
    """
    documents = read_task(template=template, host=host, host_name=host_name)
    task = task_of(name, documents)
    probe = evolve(_PROBE, task=name, host=host_name)
    faults = _all_faults(documents.faults, _faults_of_task(task, documents, probe))
    return _examined(task, faults, partial(warnings_of_task, documents=documents))


def sound_task(name: str, *, template: bytes | None, host: bytes | None, host_name: str) -> Task:
    """Return a task as `decode_task` does; raises ContractError for what no call can carry too."""
    return examined_task(name, template=template, host=host, host_name=host_name).sound()


def examined_line(name: str, raw: bytes) -> Examined[Line]:
    """Return a line, with the faults of `decode_line` and of what no call can carry."""
    noted = FaultList()
    document = read_line(raw, noted)
    line = line_of(name, document)
    faults = _all_faults(noted, _faults_of_line(line, document.params.get("dialstring")))
    return _examined(line, faults, partial(_warnings_of_line, document=document))


def sound_line(name: str, raw: bytes) -> Line:
    """Return a line as `decode_line` does; raises ContractError for what no call can carry too."""
    return examined_line(name, raw).sound()


def examined_gateway(name: str, raw: bytes) -> Examined[Line]:
    """Return a gateway, counted as a line that has no dial string (`gateway_of`)."""
    noted = FaultList()
    document = read_group(raw, noted)
    gateway = gateway_of(name, document)
    return _examined(gateway, noted.all(), partial(warnings_of_gateway, document=document))


def examined_line_group(name: str, raw: bytes) -> Examined[LineGroup]:
    """Return a line group, with the faults of `decode_line_group`, and a name that no call can
    carry as one."""
    noted = FaultList()
    document = read_group(raw, noted)
    group = group_of(name, document)
    faults = _all_faults(noted, _named(evolve(_PROBE, group=name))[1])
    return _examined(group, faults, partial(warnings_of_group, document=document))


def sound_line_group(name: str, raw: bytes) -> LineGroup:
    """Return a line group as `decode_line_group` does; raises ContractError also for a name that
    no call can carry."""
    return examined_line_group(name, raw).sound()


def examined_schedule_config(name: str, raw: bytes) -> Examined[ScheduleConfig]:
    """Return a schedule configuration, with the faults of `decode_schedule_config` and of what no
    call can carry."""
    noted = FaultList()
    document = read_config(raw, noted)
    config = config_of(name, document)
    faults = _all_faults(noted, _faults_of_config(config, document.params))
    return _examined(config, faults, lambda _: warnings_of_config(document))


def sound_schedule_config(name: str, raw: bytes) -> ScheduleConfig:
    """Return a schedule configuration as `decode_schedule_config` does; raises ContractError for
    what no call can carry too."""
    return examined_schedule_config(name, raw).sound()


def _examined(
    value: Value, faults: tuple[Fault, ...], warn: Callable[[Value | None], tuple[Fault, ...]]
) -> Examined[Value]:
    found = None if faults else value
    return Examined(found, faults, warn(found))


def _faults_of_task(task: Task, documents: TaskDocuments, probe: Call) -> Iterator[Fault]:
    named, faults = _named(probe, documents.present()[0].root.key)
    yield from faults
    for document, variables in (
        (documents.template, task.template_variables),
        (documents.host, task.host_variables),
    ):
        if document is not None:
            yield from _variable_faults(variables, document.root.key, named)
    yield from _destination_faults(task.destination, documents.merged())


def _faults_of_line(line: Line, place: Place | None) -> Iterator[Fault]:
    named, faults = _named(evolve(_PROBE, line=line.name))
    yield from faults
    if line.dialstring:
        yield from _faults_at(place, evolve(_PROBE, dialstring=line.dialstring))
    yield from _variable_faults(line.variables, probe=named)


def _faults_of_config(config: ScheduleConfig, params: Params) -> Iterator[Fault]:
    named, faults = _named(evolve(_PROBE, task=config.name))
    yield from faults
    yield from _variable_faults(config.variables, probe=named)
    yield from _destination_faults(config.destination, params)


def _warnings_of_line(line: Line | None, document: LineDocument) -> tuple[Fault, ...]:
    place = document.params.get("dialstring")
    found = warnings_of_line(line, document)
    if line is None or place is None:
        return found
    return (*found, *(Fault.of(place.path, doubt) for doubt in doubts(line.dialstring)))


def number_faults(
    number: str, variables: Mapping[str, str], path: str = "$.params.number"
) -> tuple[Fault, ...]:
    """Return the faults of the number at ``path`` and its variables that no call can carry."""
    if _is_harmless(number, variables):
        return ()
    probe = evolve(_PROBE, number=number, variables=variables)
    problem = _problem(probe)
    if problem is None:
        return ()
    of_number = _problem(evolve(_PROBE, number=number))
    found = [] if of_number is None else [Fault.of(path, of_number)]
    return (*found, *_first(_variable_faults(variables), MAX_FAULTS - len(found)))


def _is_harmless(number: str, variables: Mapping[str, str]) -> bool:
    """Say whether a number and its variables can certainly be carried, without building a call.

    Files of a million numbers are checked, and this is true for nearly all of them.
    """
    return _HARMLESS_NUMBER.fullmatch(number) is not None and are_harmless(variables)


def are_harmless(variables: Mapping[str, str]) -> bool:
    """Say whether every call can carry all of these variables; False = it has to be tried."""
    few = len(variables) <= _FEW_TRIED
    return few and all(_is_harmless_variable(*pair) for pair in variables.items())


def is_harmless_name(name: str) -> bool:
    """Say whether every call can carry a name in a variable; False = it has to be tried."""
    return _HARMLESS_VALUE.fullmatch(name) is not None


def is_harmless_word(word: str) -> bool:
    """Say whether a word can be part of any destination; False = it has to be tried."""
    return _HARMLESS_WORD.fullmatch(word) is not None


def _is_harmless_variable(name: str, value: str) -> bool:
    return NAME.fullmatch(name) is not None and _HARMLESS_VALUE.fullmatch(value) is not None


@lru_cache(maxsize=4096)
def way_problem(dialstring: str, group: str) -> Told | None:
    """Say why no call can go out by ``dialstring`` through the group of this name; None = it can.

    A dial string may name ``${line_group}``, where not every name can stand.
    """
    return _problem(evolve(_PROBE, dialstring=dialstring, group=group))


def _all_faults(noted: FaultList, uncarriable: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return the faults that were noted and the others, one a place, at most ``MAX_FAULTS``."""
    known = noted.all()
    taken = {(fault.key, fault.path) for fault in known}
    others = (fault for fault in uncarriable if (fault.key, fault.path) not in taken)
    return (*known, *_first(others, MAX_FAULTS - len(known)))


def _first(faults: Iterable[Fault], most: int) -> tuple[Fault, ...]:
    """Return the first faults; a document may have so many that finding all takes seconds."""
    if most <= 0:
        return ()
    found = tuple(islice(faults, most + 1))
    if len(found) <= most:
        return found
    return (*found[:most], Fault.of("$", Problem.STILL_MORE_FAULTS.of(), found[-1].key))


def _named(probe: Call, key: str = "") -> tuple[Call, tuple[Fault, ...]]:
    """Return ``probe`` and no fault, or, if one of its names cannot be carried, a probe without
    names and that fault.  Each call carries the names in variables."""
    names = (probe.task or "", probe.line or "", probe.group, probe.host)
    problem = None if all(map(is_harmless_name, names)) else _problem(probe)
    if problem is None:
        return probe, ()
    return _PROBE, (Fault.of("$", Problem.UNFIT_NAME.of(problem=problem), key),)


def _variable_faults(
    variables: Mapping[str, str], key: str = "", probe: Call = _PROBE
) -> Iterator[Fault]:
    """Yield the faults of each variable, or of their number, or else of all together.

    The names of ``probe`` may stand in placeholders; without any they need no second look.
    """
    if are_harmless(variables):
        return
    if not any(isinstance(value, Fillable) for value in variables.values()):
        probe = _PROBE
    faults = _faults_of_each(variables if len(variables) <= MAX_VARIABLES else {}, key, probe)
    first = next(faults, None)
    problem = _problem(evolve(probe, variables=variables)) if first is None else None
    if problem is not None:
        first = Fault.of("$.variables", problem, key)
    if first is not None:
        yield first
    yield from faults


def _faults_of_each(variables: Mapping[str, str], key: str, probe: Call) -> Iterator[Fault]:
    for name, value in variables.items():
        if _is_harmless_variable(name, value):
            continue
        problem = _problem(evolve(probe, variables={name: value}))
        if problem is not None:
            yield Fault.of(member_path("$.variables", name), problem, key)


def _destination_faults(destination: Destination, params: Params) -> Iterator[Fault]:
    """Yield the faults of each word; a task that is switched off need not have any."""
    said = (destination.extension, destination.dialplan, destination.context)
    if all(map(is_harmless_word, said)):
        return
    words = {
        "destination_extension": Destination(destination.extension),
        "destination_dialplan": Destination("0", dialplan=destination.dialplan),
        "destination_context": Destination("0", context=destination.context),
    }
    for name, one in words.items():
        yield from _faults_at(params.get(name), evolve(_PROBE, destination=one))


def _faults_at(place: Place | None, call: Call) -> Iterator[Fault]:
    problem = None if place is None else _problem(call)
    if place is not None and problem is not None:
        yield Fault.of(place.path, problem, place.key)


def _problem(call: Call) -> Told | None:
    try:
        originate_command(call)
    except Uncarriable as error:
        return error.reason
    return None
