"""Tasks, lines, groups, configurations and numbers that some call could not carry.

What no ``originate`` can carry makes a number's entry invalid.  In a task or a line it
would make every number of the list invalid, one after the other: so there it makes the task or the
line invalid, and the numbers stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from attrs import evolve

from ctidialer.contract.document import (
    MOST_FAULTS,
    FaultList,
    Node,
    Params,
    member_path,
    read_json,
)
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.fields import parts, word
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.line_document import decode_line, decode_line_group, places
from ctidialer.contract.placeholders import Fillable
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.schedule_document import decode_schedule_config
from ctidialer.contract.task import Destination, Task
from ctidialer.contract.task_document import decode_task, read_destination, read_task
from ctidialer.contract.variables import NAME, read_configured_variables
from ctidialer.rules.originate import MAX_VARIABLES, Call, Uncarriable, originate_command

Value = TypeVar("Value")

_HARMLESS_NUMBER = re.compile(r"[0-9+*#]{1,64}")
_HARMLESS_VALUE = re.compile(r"[^{}$:\x00\ud800-\udfff]{0,4096}")
_FEW = 50

_PROBE = Call(
    uuid="0",
    dialstring="null/${destination_number}",
    number="0",
    group="group",
    destination=Destination("0"),
    host="host",
)


def sound_task(name: str, *, template: bytes | None, host: bytes | None, host_name: str) -> Task:
    """Return a task as `decode_task` does; raises ContractError for what no call can carry too."""

    def uncarriable() -> Iterator[Fault]:
        documents = read_task(template=template, host=host, host_name=host_name)
        params = documents.merged()
        probe, faults = _named(
            evolve(_PROBE, task=name, host=host_name), documents.present()[0].root.key
        )
        yield from faults
        for document in documents.present():
            variables = read_configured_variables(document.variables)
            yield from _variable_faults(variables, document.root.key, probe)
        yield from _destination_faults(read_destination(params), params)

    return _sound(
        lambda: decode_task(name, template=template, host=host, host_name=host_name), uncarriable
    )


def sound_line(name: str, raw: bytes) -> Line:
    """Return a line as `decode_line` does; raises ContractError for what no call can carry too."""

    def uncarriable() -> Iterator[Fault]:
        probe, faults = _named(evolve(_PROBE, line=name))
        yield from faults
        place = places(raw).get("dialstring")
        dialstring = word(place) if place is not None else None
        if dialstring is not None:
            yield from _faults_at(place, evolve(_PROBE, dialstring=dialstring))
        yield from _variable_faults(read_configured_variables(_parts(raw)[1]), probe=probe)

    return _sound(lambda: decode_line(name, raw), uncarriable)


def sound_line_group(name: str, raw: bytes) -> LineGroup:
    """Return a line group as `decode_line_group` does; raises ContractError also for a name that
    no call can carry."""
    return _sound(
        lambda: decode_line_group(name, raw), lambda: _named(evolve(_PROBE, group=name))[1]
    )


def sound_schedule_config(name: str, raw: bytes) -> ScheduleConfig:
    """Return a schedule configuration as `decode_schedule_config` does; raises ContractError for
    what no call can carry too."""

    def uncarriable() -> Iterator[Fault]:
        params, variables = _parts(raw)
        probe, faults = _named(evolve(_PROBE, task=name))
        yield from faults
        yield from _variable_faults(read_configured_variables(variables), probe=probe)
        yield from _destination_faults(read_destination(params), params)

    return _sound(lambda: decode_schedule_config(name, raw), uncarriable)


def number_faults(
    number: str, variables: Mapping[str, str], path: str = "$.params.number"
) -> tuple[Fault, ...]:
    """Return why no call can carry the number that stands at ``path``, with its variables; mostly
    nothing."""
    if _is_harmless(number, variables):
        return ()
    probe = evolve(_PROBE, number=number, variables=variables)
    problem = _problem(probe)
    if problem is None:
        return ()
    of_number = _problem(evolve(_PROBE, number=number))
    found = [] if of_number is None else [Fault(path, of_number)]
    return (*found, *_first(_variable_faults(variables), MOST_FAULTS - len(found)))


def _is_harmless(number: str, variables: Mapping[str, str]) -> bool:
    """Say whether a number and its variables can be carried so surely that no call is needed to
    tell: files of a million numbers are checked, and nearly all of them are such."""
    return (
        _HARMLESS_NUMBER.fullmatch(number) is not None
        and len(variables) <= _FEW
        and all(_is_harmless_variable(*pair) for pair in variables.items())
    )


def _is_harmless_variable(name: str, value: str) -> bool:
    return NAME.fullmatch(name) is not None and _HARMLESS_VALUE.fullmatch(value) is not None


@lru_cache(maxsize=4096)
def way_problem(dialstring: str, group: str) -> str | None:
    """Say why no call can go out by ``dialstring`` through the group of this name; None = it can.

    A dial string may name ``${line_group}``, where not every name can stand.
    """
    return _problem(evolve(_PROBE, dialstring=dialstring, group=group))


def _sound(decode: Callable[[], Value], uncarriable: Callable[[], Iterable[Fault]]) -> Value:
    """Return what ``decode`` does; raises ContractError with its faults and the others, one a
    place, at most ``MOST_FAULTS``."""
    value, known = _decoded(decode)
    taken = {(fault.key, fault.path) for fault in known}
    others = (fault for fault in uncarriable() if (fault.key, fault.path) not in taken)
    more = _first(others, MOST_FAULTS - len(known))
    if value is None or more:
        raise ContractError((*known, *more))
    return value


def _first(faults: Iterable[Fault], most: int) -> tuple[Fault, ...]:
    """Return the first faults; a document may have so many that to find them all takes seconds."""
    if most <= 0:
        return ()
    found = tuple(islice(faults, most + 1))
    if len(found) <= most:
        return found
    return (*found[:most], Fault("$", "more faults are not listed", found[-1].key))


def _decoded(decode: Callable[[], Value]) -> tuple[Value | None, tuple[Fault, ...]]:
    try:
        return decode(), ()
    except ContractError as error:
        return None, error.faults


def _parts(raw: bytes) -> tuple[Params, Node | None]:
    return parts(read_json(raw, FaultList()))


def _named(probe: Call, key: str = "") -> tuple[Call, tuple[Fault, ...]]:
    """Return ``probe`` and no fault; where a name in it, which each call carries in a variable,
    cannot be carried, the probe without names and that fault."""
    problem = _problem(probe)
    if problem is None:
        return probe, ()
    return _PROBE, (Fault("$", f"has a name that no call can carry: {problem}", key),)


def _variable_faults(
    variables: Mapping[str, str], key: str = "", probe: Call = _PROBE
) -> Iterator[Fault]:
    """Yield the faults of each variable, or of their number, or else of all together.

    The names of ``probe`` may stand in placeholders; without any they need no second look.
    """
    if not any(isinstance(value, Fillable) for value in variables.values()):
        probe = _PROBE
    faults = _faults_of_each(variables if len(variables) <= MAX_VARIABLES else {}, key, probe)
    first = next(faults, None)
    problem = _problem(evolve(probe, variables=variables)) if first is None else None
    if problem is not None:
        first = Fault("$.variables", problem, key)
    if first is not None:
        yield first
    yield from faults


def _faults_of_each(variables: Mapping[str, str], key: str, probe: Call) -> Iterator[Fault]:
    for name, value in variables.items():
        if _is_harmless_variable(name, value):
            continue
        problem = _problem(evolve(probe, variables={name: value}))
        if problem is not None:
            yield Fault(member_path("$.variables", name), problem, key)


def _destination_faults(destination: Destination, params: Params) -> Iterable[Fault]:
    """Yield the faults of each word; a task that is switched off need not have any."""
    words = {
        "destination_extension": Destination(destination.extension),
        "destination_dialplan": Destination("0", dialplan=destination.dialplan),
        "destination_context": Destination("0", context=destination.context),
    }
    for name, one in words.items():
        yield from _faults_at(params.get(name), evolve(_PROBE, destination=one))


def _faults_at(place: Node | None, call: Call) -> Iterator[Fault]:
    problem = None if place is None else _problem(call)
    if place is not None and problem is not None:
        yield Fault(place.path, problem, place.key)


def _problem(call: Call) -> str | None:
    try:
        originate_command(call)
    except Uncarriable as error:
        return error.reason
    return None
