"""The quick way from documents to a task, for documents of the usual form.

It takes a tenth of the time of :mod:`ctidialer.rules.soundness`, and returns the same task or none.
If a document has another form, or anything in it is wrong or probably not meant, the slow way has
to read it.  Parts that take longer to read, such as the hours, are read the slow way once for all
documents with the same text there.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar

import msgspec
from attrs import evolve
from msgspec import Raw, Struct

from ctidialer.contract import fields
from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.document import FaultList, Params, Place, read_json
from ctidialer.contract.hours import CallingHours
from ctidialer.contract.hours_document import read_hours
from ctidialer.contract.known_keys import AGENTS_OF_A_TASK
from ctidialer.contract.task import Destination, Task
from ctidialer.contract.task_warnings import stops_before_start
from ctidialer.contract.variables import NAME, OWN_VARIABLES
from ctidialer.rules.soundness import (
    are_harmless,
    examined_task,
    is_harmless_name,
    is_harmless_word,
)

Value = TypeVar("Value")

MAX_KNOWN = 4096
"""Different texts whose meaning is remembered, of each sort."""

MAX_SHARED_BYTES = 4096
"""Longer texts are not remembered."""

_NOTHING = Raw(b"")

_BOUNDS = ("timezone", "start_time", "stop_time")
"""Params that often differ from task to task, and are quickly read."""

_SHARED = (
    *("cps", "brake_after", "number_queue_side", "work_hour", "work_time", "work_week", "holiday"),
    *("record_variables", "outcome_rule", "agent_variable"),
)
"""Params that are mostly the same in many tasks, or take long to read."""

_AGENTS = tuple(name for name in AGENTS_OF_A_TASK if name != "service_line_group")
"""Params of the agents, in one spelling: most tasks have none."""

_USUAL = (
    b'"enable":true,"line_group":["-"],"limit":1,"number_queue":"-","destination_extension":"0"'
)
"""The params that complete the shared ones to a whole task."""


class _Params(Struct, forbid_unknown_fields=True, gc=False):
    """The keys of a task that have an effect, and two that are known to have none."""

    enable: bool | int | str | None = None
    line_group: tuple[str, ...] | None = None
    limit: int | str | None = None
    number_queue: str | None = None
    destination_extension: str | None = None
    destination_dialplan: str | None = None
    destination_context: str | None = None
    cps: Raw = _NOTHING
    brake_after: Raw = _NOTHING
    number_queue_side: Raw = _NOTHING
    timezone: Raw = _NOTHING
    start_time: Raw = _NOTHING
    stop_time: Raw = _NOTHING
    work_hour: Raw = _NOTHING
    work_time: Raw = _NOTHING
    work_week: Raw = _NOTHING
    holiday: Raw = _NOTHING
    record_variables: Raw = _NOTHING
    outcome_rule: Raw = _NOTHING
    agent_variable: Raw = _NOTHING
    dial_mode: Raw = _NOTHING
    agent_queue: Raw = _NOTHING
    agent_group: Raw = _NOTHING
    service_line_group: Raw = _NOTHING
    agent_ratio: Raw = _NOTHING
    agent_busy_ratio: Raw = _NOTHING
    abandon_time: Raw = _NOTHING
    abandon_from: Raw = _NOTHING
    abandon_extension: Raw = _NOTHING
    abandon_rate: Raw = _NOTHING
    abandon_period: Raw = _NOTHING
    ring_min: Raw = _NOTHING
    ring_release: Raw = _NOTHING
    remark: str | int | None = None
    number_cacheable: bool | int | str | None = None


class _Document(Struct, forbid_unknown_fields=True, gc=False):
    params: _Params
    variables: dict[str, str | int | bool | None] | None = None


_DECODER = msgspec.json.Decoder(_Document)
_bounds_of = attrgetter(*_BOUNDS)
_shared_of = attrgetter(*_SHARED)
_agents_of = attrgetter(*_AGENTS)


class _NotPlain(Exception):
    """Only the slow way can tell what is meant."""


def plain_task(name: str, *, template: bytes | None, host: bytes | None) -> Task | None:
    """Return the task that `examined_task` finds, without faults and warnings; None = ask there.

    The name of the host must be one that every call can carry.
    """
    try:
        if not is_harmless_name(name):
            return None
        return _task(name, _decoded(template), _decoded(host))
    except (_NotPlain, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _decoded(raw: bytes | None) -> _Document | None:
    return None if raw is None else _DECODER.decode(raw)


def _task(name: str, template: _Document | None, host: _Document | None) -> Task:
    merged = _merged(template, host)
    raws = _raws(_shared_of(merged))
    shared = _plain(_shared(raws))
    faults = FaultList()
    task = Task(
        name=name,
        enabled=_flag(merged.enable, faults),
        line_groups=_groups(merged.line_group or ()),
        limit=_limit(merged.limit, faults),
        number_queue=fields.text(Place(merged.number_queue, "$", faults)) or "",
        destination=_destination(
            merged.destination_extension or "",
            merged.destination_dialplan,
            merged.destination_context,
        ),
        cps=shared.cps,
        hours=_plain(_hours(_raws(_bounds_of(merged)), raws)),
        queue_side=shared.queue_side,
        host_variables=_variables(host),
        template_variables=_variables(template),
        after_call=shared.after_call,
        brake_after=shared.brake_after,
        agents=_agents(_raws(_agents_of(merged))),
    )
    if faults:
        raise _NotPlain
    return task


def _plain(value: Value | None) -> Value:
    if value is None:
        raise _NotPlain
    return value


def _merged(template: _Document | None, host: _Document | None) -> _Params:
    """Return the params of both, the host's before the template's."""
    if template is None or host is None:
        one = template or host
        if one is None:
            raise _NotPlain
        return _one_spelling(one.params)
    merged, own = _one_spelling(template.params), _one_spelling(host.params)
    for key in _Params.__struct_fields__:
        value = getattr(own, key)
        if _is_configured(value):
            setattr(merged, key, value)
    return merged


def _one_spelling(params: _Params) -> _Params:
    """Return the params with working hours and agents as usual; with both spellings of a key the
    slow way warns."""
    if params.service_line_group is not _NOTHING:
        if params.agent_group is not _NOTHING:
            raise _NotPlain
        params.agent_group, params.service_line_group = params.service_line_group, _NOTHING
    if params.work_time is not _NOTHING:
        if params.work_hour is not _NOTHING:
            raise _NotPlain
        params.work_hour, params.work_time = params.work_time, _NOTHING
    return params


def _is_configured(value: object) -> bool:
    if isinstance(value, Raw):
        raw = bytes(value)
        return bool(raw) and fields.is_configured(msgspec.json.decode(raw))
    return fields.is_configured(value)


def _raws(values: Iterable[Raw]) -> tuple[bytes, ...]:
    found = tuple(map(bytes, values))
    if sum(map(len, found)) > MAX_SHARED_BYTES:
        raise _NotPlain
    return found


@lru_cache(MAX_KNOWN)
def _shared(raws: tuple[bytes, ...]) -> Task | None:
    """Return a task that has these `_SHARED` params; None = there is something to be said."""
    given = (
        b',"%b":%b' % (name.encode(), raw) for name, raw in zip(_SHARED, raws, strict=True) if raw
    )
    document = b'{"params":{%b%b}}' % (_USUAL, b"".join(given))
    found = examined_task("-", template=document, host=None, host_name="-")
    return None if found.warnings else found.value


@lru_cache(MAX_KNOWN)
def _hours(bounds: tuple[bytes, ...], shared: tuple[bytes, ...]) -> CallingHours | None:
    """Return the hours of both; None = there is something to be said of the `_BOUNDS`."""
    task = _shared(shared)
    if task is None:
        return None
    faults = FaultList()
    given = ((key, raw) for key, raw in zip(_BOUNDS, bounds, strict=True) if raw)
    places = ((key, read_json(raw, faults)) for key, raw in given)
    members = {key: place for key, place in places if fields.is_configured(place.value)}
    own = read_hours(Params(members, Place({}, "$", faults)))
    if faults or stops_before_start(own):
        return None
    return evolve(task.hours, timezone=own.timezone, start=own.start, stop=own.stop)


@lru_cache(MAX_KNOWN)
def _agents(raws: tuple[bytes, ...]) -> AgentDialing | None:
    """Return what these `_AGENTS` params say; raises _NotPlain where something is to be said."""
    if not any(raws):
        return None
    given = b",".join(
        b'"%b":%b' % (name.encode(), raw) for name, raw in zip(_AGENTS, raws, strict=True) if raw
    )
    document = b'{"params":{%b,%b}}' % (_USUAL, given)
    found = examined_task("-", template=document, host=None, host_name="-")
    if found.value is None or found.warnings:
        raise _NotPlain
    return found.value.agents


def _flag(value: bool | int | str | None, faults: FaultList) -> bool:
    if isinstance(value, bool):
        return value
    return fields.is_configured(value) and bool(fields.flag(Place(value, "$", faults)))


def _limit(value: int | str | None, faults: FaultList) -> int:
    if not fields.is_configured(value):
        raise _NotPlain
    if type(value) is int and 0 <= value <= fields.MAX_INTEGER:
        return value
    return fields.whole(Place(value, "$", faults)) or 0


def _groups(names: tuple[str, ...]) -> tuple[str, ...]:
    if sum(map(len, names)) > MAX_SHARED_BYTES:
        raise _NotPlain
    return _known_groups(names)


@lru_cache(MAX_KNOWN)
def _known_groups(names: tuple[str, ...]) -> tuple[str, ...]:
    faults = FaultList()
    found = fields.some_texts(Place(list(names), "$", faults))
    if faults:
        raise _NotPlain
    return _plain(found)


@lru_cache(MAX_KNOWN)
def _destination(extension: str, dialplan: str | None, context: str | None) -> Destination:
    usual = Destination(extension)
    words = (
        extension,
        dialplan if dialplan and fields.is_configured(dialplan) else usual.dialplan,
        context if context and fields.is_configured(context) else usual.context,
    )
    if not all(map(is_harmless_word, words)):
        raise _NotPlain
    return Destination(*words)


def _variables(document: _Document | None) -> dict[str, str]:
    variables = document.variables if document is not None else None
    if not variables:
        return {}
    found = {name: _exact(value) for name, value in variables.items() if value not in (None, "")}
    if not all(map(_is_plain_name, variables)) or not are_harmless(found):
        raise _NotPlain
    return found


def _exact(value: str | int | bool | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _is_plain_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None and name.lower() not in OWN_VARIABLES
