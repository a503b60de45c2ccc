"""The documents of tasks, lines, line groups and schedule configurations, and what comes of them.

An input is one document, or several with ``SEPARATOR`` between them: template and host, and the
name under which they stand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from functools import partial
from random import Random
from typing import TypeVar

from attrs import evolve, frozen

from ctidialer.contract.faults import Fault
from ctidialer.contract.line_document import decode_line, decode_line_group
from ctidialer.contract.line_warnings import line_group_warnings, line_warnings
from ctidialer.contract.notice import decode_notice
from ctidialer.contract.schedule_document import decode_schedule_config
from ctidialer.contract.task import Task
from ctidialer.contract.task_document import decode_task
from ctidialer.contract.task_warnings import task_warnings
from ctidialer.contract.variables import merge_variables
from ctidialer.rules.calling_hours import opening
from ctidialer.rules.originate import MAX_VARIABLES, Call
from ctidialer.rules.soundness import (
    sound_line,
    sound_line_group,
    sound_schedule_config,
    sound_task,
    way_problem,
)
from fuzz.calls import BASE, check_call
from fuzz.faults import check_faults, decoded, shape_of
from fuzz.json_shapes import restructured
from fuzz.meter import Broken, Meter
from fuzz.target import Target
from tests.contract import seed_examples
from tests.hostile import DOCUMENTS, FRAGMENTS

Value = TypeVar("Value")
Read = Callable[[], Value]

SEPARATOR = b"\x1e"
_DEFAULT_NAME = "spring"
_DEFAULT_DIALSTRING = "sofia/gateway/${line_group}/${destination_number}"
_MOMENTS = (0.0, 1_600_000_000.0, 1_711_846_800.0, 4_102_444_800.0)
"""Among them the hour in which Europe's clocks were put forward."""
_MOST_AT_ONCE = MAX_VARIABLES // 2 - 20
"""Template and host may each have as many variables as this, and one call carries all."""

KEYS = (
    *("params", "variables", "enable", "line_group", "limit", "cps", "start_time", "stop_time"),
    *("work_hour", "work_time", "work_week", "holiday", "number_queue", "number_queue_side"),
    *("destination_extension", "destination_dialplan", "destination_context", "timezone"),
    *("begin", "end", "wday", "count", "rest", "dialstring", "fault_threshold"),
    *("fault_try_interval", "fault_condition", "connect_time", "line", "redialer_count"),
    *("no_redialer_rule", "redialer_rule", "hangup_sipcode", "hangup_cause", "duration", "bill"),
    *("type", "table", "key", "a", "A", "_b.c-d", "ignore_early_media", "cti_host"),
)

_PARAMS = {
    "enable": True,
    "line_group": ["g", "外呼"],
    "limit": 9,
    "cps": "0.5",
    "number_queue": "q",
    "destination_extension": "6/v3",
    "timezone": "Europe/Berlin",
    "start_time": "2020-1-20 12:00",
    "stop_time": "2030-01-20 12:00:00",
    "work_hour": [
        {"begin": "22:00", "end": "6:00", "wday": "5"},
        {"begin": "8:00", "end": "24:00"},
    ],
    "work_week": [1, "2", 5, 7],
    "holiday": [{"begin": "2024-3-30 12:00", "end": "2024-3-31 4:00"}],
    "number_queue_side": "right",
}
_LINE = {
    "count": 3,
    "rest": 1000,
    "dialstring": "{a=1,b=${destination_number}}[leg_timeout=20]sofia/ims/${destination_number}",
    "fault_threshold": 3,
    "fault_try_interval": "60000",
    "fault_condition": {"connect_time": 500},
}
_RULE = {
    "hangup_sipcode": [486, "404"],
    "hangup_cause": ["USER_BUSY", 17],
    "duration": 5,
    "bill": 3,
}
_GROUP = {
    "enable": "true",
    "line": [["a", "b"], ["c"]],
    "redialer_count": 2,
    "rest": 100,
    "no_redialer_rule": _RULE,
    "redialer_rule": _RULE,
}
_CHANGE = {"type": "config_change", "table": "cti_line@fs1", "key": "test"}


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def seeds() -> list[bytes]:
    """Return good documents of each kind, alone and together, and what is none."""
    variables = {"a": "it's", "B": "x,y", "c": 1.10, "d": "record /r/${uuid}-${cti_task_name}"}
    task = _json({"params": _PARAMS, "variables": variables})
    host = _json({"params": {"limit": "3", "work_hour": None}, "variables": {"b": "z", "d": True}})
    line = _json({"params": _LINE, "variables": {"a": "{x}", "b": "${uuid} {${cti_line_name}}"}})
    good = [
        *(task, host, line, _json(_GROUP), _json({"params": _GROUP}), _json(_CHANGE)),
        *(seed_examples.TASK, seed_examples.SCHEDULE_CONFIG),
        SEPARATOR.join([task, host]),
        SEPARATOR.join([task, host, b"name's"]),
        SEPARATOR.join([line, b"{}", b"gw1"]),
        _json({"params": {"line_group": ["g"], "destination_extension": "&playback(a b.wav)"}}),
    ]
    return [*good, *DOCUMENTS]


@frozen
class Documents:
    """What an input says."""

    template: bytes
    host: bytes | None
    name: str

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self.template) + len(self.host or b"") + len(self.name)


def documents(data: bytes) -> Documents:
    """Take an input apart."""
    template, *more = data.split(SEPARATOR, 2)
    name = more[1].decode("utf-8", "backslashreplace") if len(more) > 1 else _DEFAULT_NAME
    return Documents(template, more[0] if more else None, name)


def examine(data: bytes, meter: Meter) -> Hashable:
    """Read an input as every kind of document, and place a call with what can be read."""
    found = documents(data)
    raw = found.template
    meter.run("decode_notice", len(raw), lambda: decode_notice(raw))
    return (
        _examine_task(found, meter),
        _examine_line(found.name, raw, meter),
        _examine_group(found.name, raw, meter),
        _examine_config(found.name, raw, meter),
    )


def _both(
    meter: Meter, name: str, size: int, decode: Read[Value], sound: Read[Value]
) -> Value | tuple[Fault, ...]:
    """Return what is well-formed and sound, else the faults; see that the one who looks closer says
    the same."""
    plain = decoded(meter, f"decode_{name}", size, decode)
    close = decoded(meter, f"sound_{name}", size, sound)
    if isinstance(close, tuple):
        if isinstance(plain, tuple) and not _places(plain) <= _places(close):
            raise Broken("soundness keeps all faults", f"{plain!r}, {close!r}"[:2000])
    elif close != plain:
        raise Broken("soundness changes nothing", f"{plain!r}, {close!r}"[:2000])
    return close


def _places(faults: tuple[Fault, ...]) -> set[tuple[str, str]]:
    return {(fault.key, fault.path) for fault in faults}


def _examine_task(found: Documents, meter: Meter) -> Hashable:
    read = partial(
        decode_task, found.name, template=found.template, host=found.host, host_name="fs1"
    )
    look = partial(
        sound_task, found.name, template=found.template, host=found.host, host_name="fs1"
    )
    warn = partial(
        task_warnings, found.name, template=found.template, host=found.host, host_name="fs1"
    )
    _check_warnings(meter, "task_warnings", found.size, warn)
    task = _both(meter, "task", found.size, read, look)
    if isinstance(task, tuple):
        return shape_of(task)
    _check_hours(task, found.size, meter)
    return "task", _check_task_calls(task, meter)


def _check_hours(task: Task, size: int, meter: Meter) -> None:
    for now in _MOMENTS:
        found = meter.run("opening", size, partial(opening, task.hours, "Asia/Shanghai", now))
        if found.changes_at is not None and found.changes_at <= now:
            raise Broken("hours change later than now", f"{task.hours!r} at {now}: {found!r}")
        if found.open is (found.closed is not None):
            raise Broken("closed hours have a reason", f"{task.hours!r} at {now}: {found!r}")


def _check_task_calls(task: Task, meter: Meter) -> Hashable:
    variables = merge_variables(task.host_variables, task.template_variables)
    call = evolve(BASE, task=task.name, destination=task.destination, variables=variables)
    if task.enabled:  # a task that is switched off need not have a destination
        _check_sound(call, meter)
    for group in task.line_groups[:3]:
        _check_way(evolve(BASE, dialstring=_DEFAULT_DIALSTRING, group=group, line=None), meter)
    return task.enabled


def _check_way(call: Call, meter: Meter) -> None:
    """See that a way is passed over exactly where no call could go out by it."""
    blocked = way_problem(call.dialstring, call.group) is not None
    if blocked is not (check_call(call, meter) is None):
        raise Broken("a way that is not passed over can be gone", repr(call)[:2000])


def _check_sound(call: Call, meter: Meter) -> None:
    """See that what is sound can be called."""
    if check_call(call, meter) is None and len(call.variables) <= _MOST_AT_ONCE:
        raise Broken("what is sound can be called", repr(call)[:2000])


def _check_warnings(
    meter: Meter, name: str, size: int, warn: Callable[[], tuple[Fault, ...]]
) -> None:
    warnings = meter.run(name, size, warn)
    if warnings:
        check_faults(name, warnings[:1])


def _examine_line(name: str, raw: bytes, meter: Meter) -> Hashable:
    size = len(raw) + len(name)
    line = _both(meter, "line", size, lambda: decode_line(name, raw), lambda: sound_line(name, raw))
    _check_warnings(meter, "line_warnings", size, lambda: line_warnings(name, raw))
    if isinstance(line, tuple):
        return shape_of(line)
    call = evolve(BASE, line=name, dialstring=line.dialstring, variables=line.variables)
    _check_sound(call, meter)
    return "line", line.count, "{" in line.dialstring, "[" in line.dialstring


def _examine_group(name: str, raw: bytes, meter: Meter) -> Hashable:
    size = len(raw) + len(name)
    group = _both(
        meter,
        "line_group",
        size,
        lambda: decode_line_group(name, raw),
        lambda: sound_line_group(name, raw),
    )
    _check_warnings(meter, "line_group_warnings", size, lambda: line_group_warnings(name, raw))
    if isinstance(group, tuple):
        return shape_of(group)
    _check_sound(evolve(BASE, group=name), meter)
    return "group", len(group.tiers), group.enabled, group.finished_rule is None


def _examine_config(name: str, raw: bytes, meter: Meter) -> Hashable:
    config = _both(
        meter,
        "schedule_config",
        len(raw) + len(name),
        lambda: decode_schedule_config(name, raw),
        lambda: sound_schedule_config(name, raw),
    )
    if isinstance(config, tuple):
        return shape_of(config)
    call = evolve(BASE, task=name, destination=config.destination, variables=config.variables)
    _check_sound(call, meter)
    return "config", len(config.line_groups)


def restructure(data: bytes, other: bytes, random: Random) -> bytes:
    """Change one of the documents along its structure; now and then add one, or the name."""
    parts = data.split(SEPARATOR, 2)
    at = random.randrange(min(2, len(parts)))
    parts[at] = restructured(parts[at], other.split(SEPARATOR)[0], random, KEYS)
    if len(parts) == 1 and random.random() < 0.1:
        parts.append(other.split(SEPARATOR)[0])
    if len(parts) == 2 and random.random() < 0.1:
        parts.append(b"x" + random.choice(FRAGMENTS).encode())
    return SEPARATOR.join(parts)


TARGET = Target(
    name="tasks",
    seeds=seeds,
    tokens=(
        SEPARATOR,
        *(f'"{key}":'.encode() for key in KEYS),
        *(fragment.encode() for fragment in FRAGMENTS),
        *(b"null", b"true", b"[]", b"{}", b"[", b"]", b"{", b"}", b",", b":", b'"', b"8:00"),
        *(b'"on"', b'"0"', b'"1,2,3"', b'{"0":', b'"2020/1/20"', b'"2020-01-20T08:00:00+08:00"'),
        *(b"1579492800", b"1579492800000", b'"usr/1"', b'"work_hours":', b'"remark":', b'""'),
        *(b"24:00", b"2020-2-29 8:00", b"9999-12-31 24:00:00", b"Europe/Berlin", b"${line_group}"),
        *(
            b"${destination_number}",
            b"${uuid}",
            b"${cti_line_group_name}",
            b"user/1",
            b"{a=b}",
            b"[a=b]",
            b"USER_BUSY",
        ),
    ),
    examine=examine,
    restructure=restructure,
)
