"""The documents of scheduled dialing (docs/redis-contract.rst)."""

from __future__ import annotations

import re

from ctidialer.contract import fields, times
from ctidialer.contract.after_call import read_after_call
from ctidialer.contract.document import FaultList, read_json
from ctidialer.contract.number_document import entry_error, read_number
from ctidialer.contract.schedule import ScheduleConfig, ScheduledNumber
from ctidialer.contract.task_document import read_destination
from ctidialer.contract.variables import read_configured_variables, read_variables


def decode_schedule_config(name: str, raw: bytes) -> ScheduleConfig:
    """Return the configuration ``name`` from its JSON; raises ContractError with every fault."""
    faults = FaultList()
    params, variables = fields.parts(read_json(raw, faults))
    config = ScheduleConfig(
        name=name,
        line_groups=params.required("line_group", fields.some_texts, ()),
        destination=read_destination(params),
        variables=read_configured_variables(variables),
        after_call=read_after_call(params),
    )
    faults.settle()
    return config


def decode_scheduled_number(raw: bytes, pattern: re.Pattern[str]) -> ScheduledNumber:
    """Return the number in a member of the schedule, which is always a JSON object.

    ``pattern`` must match the whole number.  Raises EntryError with every fault, whatever the
    bytes are.
    """
    faults = FaultList()
    params, variables = fields.parts(read_json(raw, faults))
    number = ScheduledNumber(
        number=params.required("number", lambda node: read_number(pattern, node), ""),
        config=params.required("config", fields.text, ""),
        expires=params.optional("expires", times.unix_time, None) or None,
        variables=read_variables(variables),
    )
    if faults:
        raise entry_error(faults, number.number, dict(number.variables), number.config)
    return number
