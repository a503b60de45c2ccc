"""Tasks, lines and schedule configurations that no call could carry: found when they are read.

What no ``originate`` can carry (SPEC 2.5) makes a number's entry invalid.  In a task or a line it
would make every number of the list invalid, one after the other: so there it makes the task or the
line invalid, and the numbers stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import evolve

from ctidialer.contract import keys
from ctidialer.contract.document import member_path
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.line import Line
from ctidialer.contract.line_document import decode_line
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.schedule_document import decode_schedule_config
from ctidialer.contract.task import Destination, Task
from ctidialer.contract.task_document import decode_task
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
    _settle(
        *_variable_faults(task.template_variables, keys.at(keys.TASK, keys.TEMPLATE)),
        *_variable_faults(task.host_variables, keys.at(keys.TASK, host_name)),
        *_destination_faults(task.destination),
    )
    return task


def sound_line(name: str, raw: bytes) -> Line:
    """Return a line as `decode_line` does; raises ContractError for what no call can carry too."""
    line = decode_line(name, raw)
    problem = _problem(evolve(_PROBE, dialstring=line.dialstring))
    _settle(
        *([] if problem is None else [Fault("$.params.dialstring", problem)]),
        *_variable_faults(line.variables),
    )
    return line


def sound_schedule_config(name: str, raw: bytes) -> ScheduleConfig:
    """Return a schedule configuration as `decode_schedule_config` does; raises ContractError for
    what no call can carry too."""
    config = decode_schedule_config(name, raw)
    _settle(*_variable_faults(config.variables), *_destination_faults(config.destination))
    return config


def _settle(*faults: Fault) -> None:
    if faults:
        raise ContractError(faults)


def _variable_faults(variables: Mapping[str, str], key: str = "") -> Iterator[Fault]:
    for name, value in variables.items():
        problem = _problem(evolve(_PROBE, variables={name: value}))
        if problem is not None:
            yield Fault(member_path("$.variables", name), problem, key)


def _destination_faults(destination: Destination) -> Iterator[Fault]:
    # A task that is switched off need not have one.
    if destination.extension:
        problem = _problem(evolve(_PROBE, destination=destination))
        if problem is not None:
            yield Fault("$.params", f"the destination cannot be used: {problem}")


def _problem(call: Call) -> str | None:
    try:
        originate_command(call)
    except Uncarriable as error:
        return error.reason
    return None
