"""What is allowed in a line or a line group, and yet hardly meant."""

from __future__ import annotations

from collections.abc import Iterator

from ctidialer.contract import causes, fields, known_keys
from ctidialer.contract.document import FaultList, Params, Place
from ctidialer.contract.faults import Fault
from ctidialer.contract.known_keys import Ignored, doubtful, ignored_keys
from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.line_document import (
    GroupDocument,
    LineDocument,
    group_of,
    line_of,
    read_group,
    read_line,
)
from ctidialer.contract.problems import Problem, Told
from ctidialer.contract.task_warnings import own_variable_warnings

_RULES = ("no_redialer_rule", "redialer_rule")


def line_warnings(name: str, raw: bytes) -> tuple[Fault, ...]:
    """Return what is probably not meant in a line; nothing is raised.

    Of a line that is invalid these are the keys that are hardly meant to be ignored.
    """
    faults = FaultList()
    document = read_line(raw, faults)
    line = line_of(name, document)
    return warnings_of_line(None if faults else line, document)


def warnings_of_line(line: Line | None, document: LineDocument) -> tuple[Fault, ...]:
    """Return what is probably not meant in a line; ``line`` None = it is invalid."""
    found = tuple(doubtful(keys_ignored_in_line(document)))
    return found if line is None else (*found, *_warn_of_line(line, document))


def keys_ignored_in_line(document: LineDocument) -> Iterator[Ignored]:
    """Yield the keys of a line that are ignored."""
    yield from ignored_keys(document.root, known_keys.LINE_DOCUMENT)
    yield from ignored_keys(_nested(document.root), known_keys.LINE)
    yield from ignored_keys(document.params.get("fault_condition"), known_keys.FAULT_CONDITION)


def warnings_of_gateway(gateway: Line | None, document: GroupDocument) -> tuple[Fault, ...]:
    """Return what is probably not meant in a gateway; ``gateway`` None = it is invalid."""
    found = tuple(doubtful(keys_ignored_in_gateway(document)))
    if gateway is None or gateway.count != 0:
        return found
    return (*found, _at(document.params, "count", Problem.NO_CALLS_ON_LINE.of()))


def keys_ignored_in_gateway(document: GroupDocument) -> Iterator[Ignored]:
    """Yield the keys of a gateway that are ignored."""
    yield from ignored_keys(document.root, known_keys.GATEWAY_DOCUMENT)
    yield from ignored_keys(_nested(document.root), known_keys.GATEWAY)


def line_group_warnings(name: str, raw: bytes) -> tuple[Fault, ...]:
    """Return what is probably not meant in a line group; nothing is raised.

    Of a group that is invalid these are the keys that are hardly meant to be ignored.
    """
    faults = FaultList()
    document = read_group(raw, faults)
    group = group_of(name, document)
    return warnings_of_group(None if faults else group, document)


def warnings_of_group(group: LineGroup | None, document: GroupDocument) -> tuple[Fault, ...]:
    """Return what is probably not meant in a line group; ``group`` None = it is invalid."""
    found = tuple(doubtful(keys_ignored_in_group(document)))
    return found if group is None else (*found, *_warn_of_group(group, document.params))


def keys_ignored_in_group(document: GroupDocument) -> Iterator[Ignored]:
    """Yield the keys of a line group that are ignored."""
    yield from ignored_keys(document.root, known_keys.GROUP_DOCUMENT)
    yield from ignored_keys(_nested(document.root), known_keys.GROUP)
    for name in _RULES:
        yield from ignored_keys(document.params.get(name), known_keys.RULE)


def _nested(root: Place) -> Place | None:
    found = root.value.get("params") if isinstance(root.value, dict) else None
    return None if found is None else root.member("params", found)


def _warn_of_line(line: Line, document: LineDocument) -> Iterator[Fault]:
    if line.count == 0:
        yield _at(document.params, "count", Problem.NO_CALLS_ON_LINE.of())
    if line.faults.threshold and not line.faults.try_interval:
        yield _at(document.params, "fault_try_interval", Problem.TRIED_AT_ONCE.of())
    yield from own_variable_warnings(document.variables)


def _at(params: Params, name: str, problem: Told) -> Fault:
    node = params.get(name)
    return Fault.of(f"$.params.{name}" if node is None else node.path, problem)


def _warn_of_group(group: LineGroup, params: Params) -> Iterator[Fault]:
    if group.enabled and not group.tiers:
        yield Fault.of("$.line", Problem.GROUP_WITHOUT_LINES.of())
    finished = group.finished_rule
    if finished is not None and finished.duration == 0:
        yield Fault.of("$.no_redialer_rule.duration", Problem.ALWAYS_REACHED.of())
    for name in _RULES:
        yield from _warn_of_causes(params.get(name))


def _warn_of_causes(rule: Place | None) -> Iterator[Fault]:
    listed = None if rule is None else (fields.members(rule) or {}).get("hangup_cause")
    for item in fields.some_items(listed) or () if listed is not None else ():
        number = fields.whole(Place(item.value, "$", FaultList()))
        if number is not None and number in causes.EARLIER_NAMES:
            name = causes.EARLIER_NAMES[number]
            yield Fault.of(item.path, Problem.EARLIER_CAUSE.of(name=name))
        elif number is not None and causes.name_of(number) is None:
            yield Fault.of(item.path, Problem.UNHEARD_OF_CAUSE.of(number=number))
