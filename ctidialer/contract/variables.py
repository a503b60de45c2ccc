"""Channel variables (docs/redis-contract.rst): read exactly, and merged by precedence."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from ctidialer.contract import placeholders
from ctidialer.contract.document import NumberText, Place, shown
from ctidialer.contract.problems import Problem

REQUESTED_UUID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""A producer's own UUID in a form that can stand in FreeSWITCH's uuid_ commands (one word)."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

ORIGINATION_UUID = "origination_uuid"

# The five that each call carries from ctidialer itself; what a document says of them is not heeded.
OWN_VARIABLES = frozenset(
    {
        "cti_task_name",
        "cti_dial_number",
        "cti_line_name",
        "cti_line_group_name",
        "cti_host",
    }
)


def read_variables(node: Place | None) -> dict[str, str]:
    """Return name and exact text of each variable that has an opinion (docs/redis-contract.rst).

    Strings stay as they are, numbers are the digits that stand in the JSON (``1.10``, ``1e3``),
    booleans are ``true`` and ``false``; ``null`` and ``""`` are left out.
    """
    if node is None or node.value in (None, [], ""):
        return {}
    if not isinstance(node.value, dict):
        node.fault(Problem.NO_OBJECT.of(value=shown(node.value)))
        return {}
    found = {}
    for name, value in node.value.items():
        is_plain = type(value) is str and NAME.fullmatch(name) and "\0" not in value
        text = value if is_plain else _text(name, node.member(name, value))
        if text:
            found[name] = text
    return found


def read_configured_variables(node: Place | None) -> dict[str, str]:
    """Return the variables of a task, a line or a configuration, as `read_variables` does.

    Values with placeholders are `placeholders.Fillable`; any other ``${`` is a fault.
    """
    found = read_variables(node)
    for name, value in found.items():
        if "${" in value and node is not None:
            found[name] = _with_placeholders(node.member(name, value), value)
    return found


def _with_placeholders(node: Place, value: str) -> str:
    unknown = placeholders.unknown(value)
    if unknown is not None:
        names = placeholders.ALL_NAMES
        node.fault(Problem.UNKNOWN_PLACEHOLDER.of(value=shown(unknown), names=names))
    return placeholders.fillable(value)


def requested_uuid(variables: Mapping[str, str]) -> str | None:
    """Return the producer's own ``origination_uuid`` among the variables of a number.

    Of spellings that differ in their capitals the last counts, as it does in FreeSWITCH.
    """
    spellings = [value for name, value in variables.items() if name.lower() == ORIGINATION_UUID]
    return spellings[-1] if spellings else None


def merge_variables(*levels: Mapping[str, str]) -> dict[str, str]:
    """Return all variables of ``levels``, lowest first: where several have one, the last wins.

    FreeSWITCH does not tell capitals from small letters in the name of a variable, so neither
    does this; the name is spelt as the winner spells it.
    """
    merged: dict[str, tuple[str, str]] = {}
    for level in levels:
        for name, value in level.items():
            if value:
                merged[name.lower()] = (name, value)
    return dict(merged.values())


def _text(name: str, node: Place) -> str:
    if node.value is None:
        return ""
    if not NAME.fullmatch(name):
        node.fault(Problem.UNFIT_VARIABLE_NAME.of())
    value = _exact(node.value)
    if value is None:
        node.fault(Problem.NO_VARIABLE_VALUE.of(value=shown(node.value)))
        return ""
    if "\0" in value:
        node.fault(Problem.NUL.of())
    return value


def _exact(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NumberText):
        return value.text
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    return str(value) if isinstance(value, int) else None
