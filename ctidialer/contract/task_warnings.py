"""What is allowed in a task, and yet hardly meant: for ``ctidialer check`` (docs/commands.rst)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ctidialer.contract import known_keys
from ctidialer.contract.agent_dialing import GROUP_SPELLINGS, AgentDialing, DialMode
from ctidialer.contract.document import FaultList, Params, Place
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.fields import is_configured
from ctidialer.contract.hours import CallingHours
from ctidialer.contract.hours_document import WORK_HOUR_SPELLINGS, rows
from ctidialer.contract.known_keys import Ignored, Keys, doubtful, ignored_keys
from ctidialer.contract.problems import Problem, Told
from ctidialer.contract.task import Task
from ctidialer.contract.task_document import TaskDocument, TaskDocuments, read_task, task_of
from ctidialer.contract.variables import OWN_VARIABLES

_NEEDED = ("line_group", "limit", "number_queue", "destination_extension")


def task_warnings(
    name: str, *, template: bytes | None, host: bytes | None, host_name: str
) -> tuple[Fault, ...]:
    """Return what is probably not meant in a task, as faults with key and path.

    Of a task that is invalid these are the keys that are hardly meant to be ignored.  The arguments
    are those of `decode_task`; nothing is raised.
    """
    try:
        documents = read_task(template=template, host=host, host_name=host_name)
    except ContractError:
        return ()
    task = task_of(name, documents)
    return warnings_of_task(None if documents.faults else task, documents)


def warnings_of_task(task: Task | None, documents: TaskDocuments) -> tuple[Fault, ...]:
    """Return what is probably not meant in a task; ``task`` None = it is invalid."""
    warnings = FaultList()
    for document in documents.present():
        for warning in doubtful(keys_ignored_in_task(document)):
            warnings.add(warning)
    if task is None:
        return warnings.all()
    for document in documents.present():
        _warn_of_document(document, warnings)
    params = documents.merged()
    _warn_of_params(task, params, warnings)
    _warn_of_stub(documents, params, warnings)
    return warnings.all()


def keys_ignored_in_task(document: TaskDocument) -> Iterator[Ignored]:
    """Yield the keys of one document of a task that are ignored."""
    yield from ignored_keys(document.root, known_keys.TASK_DOCUMENT)
    yield from ignored_keys(document.home, known_keys.TASK)
    for name in WORK_HOUR_SPELLINGS:
        yield from _ignored_in_items(document.params.get(name), known_keys.WINDOW)
    yield from _ignored_in_items(document.params.get("holiday"), known_keys.SPAN)
    yield from _ignored_in_items(document.params.get("outcome_rule"), known_keys.OUTCOME_RULE)


def _ignored_in_items(node: Place | None, keys: Keys) -> Iterator[Ignored]:
    if node is not None and isinstance(node.value, list | dict):
        for row in rows(Place(node.value, node.path, FaultList(), node.key)):
            yield from ignored_keys(row, keys)


def own_variable_warnings(variables: Place | None) -> Iterator[Fault]:
    """Yield a warning for each variable that only ctidialer can set."""
    found = variables.value if variables is not None else None
    for name, value in found.items() if isinstance(found, dict) else ():
        if variables is not None and name.lower() in OWN_VARIABLES and is_configured(value):
            place = variables.member(name, None)
            yield Fault.of(place.path, Problem.OWN_VARIABLE.of(), place.key)


def _warn_of_document(document: TaskDocument, warnings: FaultList) -> None:
    if all(name in document.params for name in WORK_HOUR_SPELLINGS):
        _warn(document.params["work_time"], Problem.WORK_TIME_BESIDE_WORK_HOUR.of(), warnings)
    if all(name in document.params for name in GROUP_SPELLINGS):
        problem = Problem.SERVICE_LINE_GROUP_BESIDE_AGENT_GROUP.of()
        _warn(document.params["service_line_group"], problem, warnings)
    for warning in own_variable_warnings(document.variables):
        warnings.add(warning)


def _warn_of_params(task: Task, params: Params, warnings: FaultList) -> None:
    hours = task.hours
    if stops_before_start(hours):
        _warn(params.get("stop_time"), Problem.STOP_BEFORE_START.of(), warnings)
    if not hours.windows:
        _warn(params.get("work_hour"), Problem.ALL_DAY.of(), warnings)
    if hours.weekdays is None:
        _warn(params.get("work_week"), Problem.EVERY_DAY.of(), warnings)
    groups = params.get("line_group")
    if groups is not None and isinstance(groups.value, str) and "," in groups.value:
        _warn(groups, Problem.COMMA_IN_NAME.of(), warnings)
    _warn_of_windows(hours, params.get("work_hour"), warnings)
    _warn_of_holidays(hours, params.get("holiday"), warnings)
    _warn_of_ratios(task.agents, params, warnings)


def stops_before_start(hours: CallingHours) -> bool:
    """Return whether a task with these hours never dials, since its end is not after its start."""
    if hours.start is None or hours.stop is None:
        return False
    return not _before(hours.start, hours.stop)


def _before(begin: datetime, end: datetime) -> bool:
    """Return whether one comes before the other; a local one and a moment may, nobody knows."""
    return begin < end if (begin.tzinfo is None) is (end.tzinfo is None) else True


def _warn_of_windows(hours: CallingHours, node: Place | None, warnings: FaultList) -> None:
    for row, window in zip(_rows(node), hours.windows, strict=True):
        if window.begin == window.end:
            _warn(row, Problem.EMPTY_WINDOW.of(), warnings)
        elif hours.weekdays and window.weekday not in (None, *hours.weekdays):
            _warn(row, Problem.DAY_NOT_WORKED.of(), warnings)


def _warn_of_holidays(hours: CallingHours, node: Place | None, warnings: FaultList) -> None:
    for row, span in zip(_rows(node), hours.holidays, strict=True):
        if not _before(span.begin, span.end):
            _warn(row, Problem.EMPTY_HOLIDAY.of(), warnings)


def _warn_of_ratios(agents: AgentDialing | None, params: Params, warnings: FaultList) -> None:
    if agents is not None and agents.mode is not DialMode.RATIO:
        for name in ("agent_ratio", "agent_busy_ratio"):
            _warn(params.get(name), Problem.RATIO_UNUSED.of(mode=agents.mode.value), warnings)


def _rows(node: Place | None) -> list[Place]:
    return [] if node is None else rows(node)


def _warn_of_stub(documents: TaskDocuments, params: Params, warnings: FaultList) -> None:
    missing = [name for name in _NEEDED if params.get(name) is None]
    if missing:
        root = documents.present()[0].root
        _warn(root, Problem.OFF_AND_INCOMPLETE.of(names=", ".join(missing)), warnings)


def _warn(node: Place | None, problem: Told, warnings: FaultList) -> None:
    if node is not None:
        warnings.add(Fault.of(node.path, problem, node.key))
