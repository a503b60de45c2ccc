"""What is allowed in a task, and yet hardly meant: for ``ctidialer check`` (docs/commands.rst)."""

from __future__ import annotations

from collections.abc import Iterator

from ctidialer.contract.document import FaultList, Node, Params
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.hours_document import WORK_HOUR_SPELLINGS
from ctidialer.contract.task import CallingHours, Task
from ctidialer.contract.task_document import TaskDocument, TaskDocuments, decode_task, read_task
from ctidialer.contract.variables import OWN_VARIABLES, read_variables

_NEEDED = ("line_group", "limit", "number_queue", "destination_extension")


def task_warnings(
    name: str, *, template: bytes | None, host: bytes | None, host_name: str
) -> tuple[Fault, ...]:
    """Return what is probably not meant in a task, as faults with key and path.

    Of a task that is invalid there are none: its faults come first.  The arguments are those of
    `decode_task`; nothing is raised.
    """
    try:
        task = decode_task(name, template=template, host=host, host_name=host_name)
        documents = read_task(template=template, host=host, host_name=host_name)
    except ContractError:
        return ()
    warnings = FaultList()
    for document in documents.present():
        _warn_of_document(document, warnings)
    _warn_of_params(task, documents.merged(), warnings)
    _warn_of_stub(documents, warnings)
    return warnings.all()


def own_variable_warnings(variables: Node | None) -> Iterator[Fault]:
    """Yield a warning for each variable that only ctidialer can set."""
    for name in read_variables(variables):
        if variables is not None and name.lower() in OWN_VARIABLES:
            place = variables.member(name, None)
            yield Fault(place.path, "is not heeded: ctidialer sets it itself", place.key)


def _warn_of_document(document: TaskDocument, warnings: FaultList) -> None:
    if all(name in document.params for name in WORK_HOUR_SPELLINGS):
        _warn(document.params["work_time"], "is not heeded: work_hour counts", warnings)
    for warning in own_variable_warnings(document.variables):
        warnings.add(warning)


def _warn_of_params(task: Task, params: Params, warnings: FaultList) -> None:
    hours = task.hours
    if hours.start is not None and hours.stop is not None and hours.start >= hours.stop:
        _warn(params.get("stop_time"), "is not after start_time: the task never dials", warnings)
    for name, what in (("work_hour", "all day"), ("work_week", "every day")):
        node = params.get(name)
        if node is not None and node.value == []:
            _warn(node, f"is empty, which means {what}", warnings)
    _warn_of_windows(hours, params.get("work_hour"), warnings)
    _warn_of_holidays(hours, params.get("holiday"), warnings)


def _warn_of_windows(hours: CallingHours, node: Node | None, warnings: FaultList) -> None:
    for index, window in enumerate(hours.windows):
        place = None if node is None else node.item(index, None)
        if window.begin == window.end:
            _warn(place, "never opens: begin and end are the same", warnings)
        elif hours.weekdays and window.weekday not in (None, *hours.weekdays):
            _warn(place, "never opens: its wday is not in work_week", warnings)


def _warn_of_holidays(hours: CallingHours, node: Node | None, warnings: FaultList) -> None:
    for index, span in enumerate(hours.holidays):
        if span.begin >= span.end:
            place = None if node is None else node.item(index, None)
            _warn(place, "has no effect: its end is not after its begin", warnings)


def _warn_of_stub(documents: TaskDocuments, warnings: FaultList) -> None:
    params = documents.merged()
    missing = [name for name in _NEEDED if params.get(name) is None]
    if missing:
        root = documents.present()[0].root
        _warn(root, f"is switched off and incomplete: {', '.join(missing)} missing", warnings)


def _warn(node: Node | None, problem: str, warnings: FaultList) -> None:
    if node is not None:
        warnings.add(Fault(node.path, problem, node.key))
