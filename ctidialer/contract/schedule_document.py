"""The documents of scheduled dialing (docs/redis-contract.rst)."""

from __future__ import annotations

import re

from ctidialer.contract import fields
from ctidialer.contract.document import FaultList, Node, read_json
from ctidialer.contract.number_document import read_number
from ctidialer.contract.schedule import ScheduleConfig, ScheduledNumber
from ctidialer.contract.task_document import read_destination
from ctidialer.contract.variables import read_configured_variables, read_variables

_LAST_MOMENT = 1e15  # unix seconds, or milliseconds where a producer mistakes the unit


def decode_schedule_config(name: str, raw: bytes) -> ScheduleConfig:
    """Return the configuration ``name`` from its JSON; raises ContractError with every fault."""
    faults = FaultList()
    params, variables = fields.parts(read_json(raw, faults))
    config = ScheduleConfig(
        name=name,
        line_groups=params.required("line_group", fields.some_texts, ()),
        destination=read_destination(params),
        variables=read_configured_variables(variables),
    )
    faults.settle()
    return config


def decode_scheduled_number(raw: bytes, pattern: re.Pattern[str]) -> ScheduledNumber:
    """Return the number in a member of the schedule, which is always a JSON object.

    ``pattern`` must match the whole number.  Raises ContractError with every fault, whatever the
    bytes are.
    """
    faults = FaultList()
    params, variables = fields.parts(read_json(raw, faults))
    number = ScheduledNumber(
        number=params.required("number", lambda node: read_number(pattern, node), ""),
        config=params.required("config", fields.text, ""),
        expires=params.optional("expires", _expires, None) or None,
        variables=read_variables(variables),
    )
    faults.settle()
    return number


def _expires(node: Node) -> float | None:
    return fields.decimal(node, 0, _LAST_MOMENT)
