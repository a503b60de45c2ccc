"""The documents of scheduled dialing (docs/redis-contract.rst)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from ctidialer.contract import fields, known_keys, times
from ctidialer.contract.after_call import read_after_call
from ctidialer.contract.agent_dialing import read_judging
from ctidialer.contract.callee_document import read_callee_rules
from ctidialer.contract.document import FaultList, Params, Place, read_json
from ctidialer.contract.faults import Fault
from ctidialer.contract.known_keys import Ignored, doubtful, ignored_keys
from ctidialer.contract.number_document import entry_error, read_number
from ctidialer.contract.schedule import ScheduleConfig, ScheduledNumber
from ctidialer.contract.task_document import read_destination
from ctidialer.contract.task_warnings import own_variable_warnings
from ctidialer.contract.variables import read_configured_variables, read_variables


@frozen
class ConfigDocument:
    """The document of a schedule configuration."""

    root: Place
    params: Params
    variables: Place | None


def decode_schedule_config(name: str, raw: bytes) -> ScheduleConfig:
    """Return the configuration ``name`` from its JSON; raises ContractError with every fault."""
    faults = FaultList()
    config = config_of(name, read_config(raw, faults))
    faults.settle()
    return config


def read_config(raw: bytes, faults: FaultList) -> ConfigDocument:
    """Return the document of a configuration; its faults are noted, not raised."""
    root = read_json(raw, faults)
    return ConfigDocument(root, *fields.parts(root))


def config_of(name: str, document: ConfigDocument) -> ScheduleConfig:
    """Return the configuration in its document; what is wrong with it is noted there."""
    return ScheduleConfig(
        name=name,
        line_groups=document.params.required("line_group", fields.some_texts, ()),
        destination=read_destination(document.params),
        limit=document.params.optional("limit", fields.whole, None),
        cps=document.params.optional("cps", fields.rate, None),
        variables=read_configured_variables(document.variables),
        after_call=read_after_call(document.params),
        agents=read_judging(document.params),
        callee=read_callee_rules(document.params),
    )


def warnings_of_config(document: ConfigDocument) -> tuple[Fault, ...]:
    """Return what is probably not meant in a configuration, valid or not."""
    found = doubtful(keys_ignored_in_config(document))
    return (*found, *own_variable_warnings(document.variables))


def keys_ignored_in_config(document: ConfigDocument) -> Iterator[Ignored]:
    """Yield the keys of a configuration that are ignored."""
    yield from ignored_keys(document.root, known_keys.CONFIG_DOCUMENT)
    yield from ignored_keys(document.params.home, known_keys.CONFIG)


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
        timezone=params.optional("timezone", times.timezone, None),
    )
    if faults:
        raise entry_error(faults, number.number, dict(number.variables), number.config)
    return number


def config_named(raw: bytes) -> str:
    """Return the name of the configuration that a member of the schedule names, valid or not;
    empty = none."""
    params, _ = fields.parts(read_json(raw, FaultList()))
    return params.optional("config", fields.text, "")
