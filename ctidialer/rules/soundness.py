"""Tasks, lines, groups, configurations and numbers that some call could not carry.

What no ``originate`` can carry (SPEC 2.5) makes a number's entry invalid.  In a task or a line it
would make every number of the list invalid, one after the other: so there it makes the task or the
line invalid, and the numbers stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from attrs import evolve

from ctidialer.contract import keys
from ctidialer.contract.document import FaultList, Node, Params, member_path, read_json
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.fields import parts
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.line_document import decode_line, decode_line_group, places
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.schedule_document import decode_schedule_config
from ctidialer.contract.task import Destination, Task
from ctidialer.contract.task_document import decode_task, read_task
from ctidialer.rules.originate import Call, Uncarriable, originate_command

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
    task = decode_task(name, template=template, host=host, host_name=host_name)
    documents = read_task(template=template, host=host, host_name=host_name)
    of_template, of_host = keys.at(keys.TASK, keys.TEMPLATE), keys.at(keys.TASK, host_name)
    _settle(
        *_name_faults(evolve(_PROBE, task=name), of_host if template is None else of_template),
        *_variable_faults(task.template_variables, of_template),
        *_variable_faults(task.host_variables, of_host),
        *_destination_faults(task.destination, documents.merged()),
    )
    return task


def sound_line(name: str, raw: bytes) -> Line:
    """Return a line as `decode_line` does; raises ContractError for what no call can carry too."""
    line = decode_line(name, raw)
    _settle(
        *_name_faults(evolve(_PROBE, line=name)),
        *_faults_at(places(raw).get("dialstring"), evolve(_PROBE, dialstring=line.dialstring)),
        *_variable_faults(line.variables),
    )
    return line


def sound_line_group(name: str, raw: bytes) -> LineGroup:
    """Return a line group as `decode_line_group` does; raises ContractError also for a name that
    no call can carry."""
    group = decode_line_group(name, raw)
    _settle(*_name_faults(evolve(_PROBE, group=name)))
    return group


def sound_schedule_config(name: str, raw: bytes) -> ScheduleConfig:
    """Return a schedule configuration as `decode_schedule_config` does; raises ContractError for
    what no call can carry too."""
    config = decode_schedule_config(name, raw)
    params, _ = parts(read_json(raw, FaultList()))
    _settle(
        *_name_faults(evolve(_PROBE, task=name)),
        *_variable_faults(config.variables),
        *_destination_faults(config.destination, params),
    )
    return config


def number_faults(number: str, variables: Mapping[str, str]) -> tuple[Fault, ...]:
    """Return why no call can carry a number with its variables; mostly nothing."""
    probe = evolve(_PROBE, number=number, variables=variables)
    problem = _problem(probe)
    if problem is None:
        return ()
    of_number = _problem(evolve(_PROBE, number=number))
    return (
        *([] if of_number is None else [Fault("$.params.number", of_number)]),
        *_variable_faults(variables),
    )


@lru_cache(maxsize=4096)
def way_problem(dialstring: str, group: str) -> str | None:
    """Say why no call can go out by ``dialstring`` through the group of this name; None = it can.

    A dial string may name ``${line_group}``, where not every name can stand.
    """
    return _problem(evolve(_PROBE, dialstring=dialstring, group=group))


def _settle(*faults: Fault) -> None:
    if faults:
        raise ContractError(faults)


def _name_faults(call: Call, key: str = "") -> Iterator[Fault]:
    """Yield a fault where a name, which each call carries in a variable, cannot be carried."""
    problem = _problem(call)
    if problem is not None:
        yield Fault("$", f"has a name that no call can carry: {problem}", key)


def _variable_faults(variables: Mapping[str, str], key: str = "") -> Iterator[Fault]:
    faults = [*_faults_of_each(variables, key)]
    problem = None if faults else _problem(evolve(_PROBE, variables=variables))
    if problem is not None:
        faults = [Fault("$.variables", problem, key)]
    yield from faults


def _faults_of_each(variables: Mapping[str, str], key: str) -> Iterator[Fault]:
    for name, value in variables.items():
        problem = _problem(evolve(_PROBE, variables={name: value}))
        if problem is not None:
            yield Fault(member_path("$.variables", name), problem, key)


def _destination_faults(destination: Destination, params: Params) -> Iterable[Fault]:
    """Yield the faults of each word; a task that is switched off need not have any."""
    words = {
        "destination_extension": Destination(destination.extension),
        "destination_dialplan": Destination("0", dialplan=destination.dialplan),
        "destination_context": Destination("0", context=destination.context),
    }
    for name, word in words.items():
        yield from _faults_at(params.get(name), evolve(_PROBE, destination=word))


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
