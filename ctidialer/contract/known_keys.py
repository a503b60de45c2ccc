"""The keys of the documents, and those that a document has beside them.

A key that ctidialer does not know is kept and ignored, and never silently: it may be misspelt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from attrs import field, frozen

from ctidialer.contract.document import MAX_FAULTS, Place
from ctidialer.contract.faults import Fault
from ctidialer.contract.fields import is_configured
from ctidialer.contract.problems import Problem, Told

_MAX_COMPARED_LENGTH = 40  # characters of a key that is compared with others
_SHORT_LENGTH = 5  # characters up to which one slip makes a word another one


@frozen(eq=False)
class Keys:
    """The keys of one object.

    ``aliases`` are what others call them.  ``elsewhere`` are keys whose place is another one of the
    same document: ``in params``, say.  ``of_others`` are keys of other documents, and what is said
    of them here.
    """

    names: frozenset[str]
    aliases: Mapping[str, str] = field(factory=dict)
    elsewhere: Mapping[str, str] = field(factory=dict)
    of_others: Mapping[str, Told] = field(factory=dict)


@frozen
class Ignored:
    """A key that is ignored; ``doubtful`` is whether that is hardly meant."""

    fault: Fault
    doubtful: bool


_DESTINATION = {
    "extension": "destination_extension",
    "exten": "destination_extension",
    "dialplan": "destination_dialplan",
    "context": "destination_context",
}
_PACE = {
    **dict.fromkeys(("concurrency", "max_calls", "max_concurrent"), "limit"),
    **dict.fromkeys(("rate", "max_cps", "calls_per_second"), "cps"),
}
_AGENT_ALIASES = {
    **dict.fromkeys(("mode", "dialing_mode", "dialer_mode", "pacing"), "dial_mode"),
    **dict.fromkeys(("callcenter_queue", "cc_queue", "agents_queue"), "agent_queue"),
    **dict.fromkeys(("agents", "service_group", "skill_group"), "agent_group"),
    **dict.fromkeys(("drop_rate", "max_abandon_rate", "abandon_ratio"), "abandon_rate"),
    **dict.fromkeys(("ratio", "dial_ratio"), "agent_ratio"),
    **dict.fromkeys(("min_ring", "min_ring_time", "ring_time"), "ring_min"),
}
_CALLEE_ALIASES = {
    **dict.fromkeys(("retry", "retries", "retry_rule", "retry_rules"), "retry_plan"),
    **dict.fromkeys(("max_retries", "retry_times", "retry_max"), "retry_count"),
    **dict.fromkeys(("callee_hours", "callee_work_hour", "local_hour"), "callee_hour"),
    **dict.fromkeys(("do_not_call", "dnc_list", "blacklist", "black_list"), "dnc"),
    **dict.fromkeys(("callee_limits", "frequency_limit", "call_limit"), "callee_limit"),
    **dict.fromkeys(("region", "default_region", "country"), "callee_region"),
    **dict.fromkeys(("callee_zone", "callee_tz"), "callee_timezone"),
}
_TASK_ALIASES = {
    **_DESTINATION,
    **dict.fromkeys(("hours", "work_hours", "work_times", "working_hours"), "work_hour"),
    **dict.fromkeys(("week", "weekday", "weekdays", "work_day", "work_days"), "work_week"),
    **dict.fromkeys(("begin_time", "begin", "start"), "start_time"),
    **dict.fromkeys(("end_time", "end", "stop", "expires"), "stop_time"),
    **dict.fromkeys(("queue", "number_list"), "number_queue"),
    **dict.fromkeys(("group", "groups", "lines"), "line_group"),
    **dict.fromkeys(("zone", "tz"), "timezone"),
    **_PACE,
    **_AGENT_ALIASES,
    **_CALLEE_ALIASES,
    "active": "enable",
    "side": "number_queue_side",
}

ABANDONING = ("abandon_time", "abandon_from", "abandon_extension")
"""Keys that say when a call is abandoned, and what becomes of it."""

_AGENTS = (
    *("dial_mode", "agent_queue", "agent_group", "service_line_group"),
    *("agent_ratio", "agent_busy_ratio", "abandon_rate", "abandon_period"),
    *("ring_min", "ring_release"),
)
AGENTS_OF_A_TASK = (*_AGENTS, *ABANDONING)
"""Keys of a task that have to do with its agents."""

CALLEE = (
    *("retry_plan", "retry_count", "callee_hour", "callee_week", "callee_holiday"),
    *("callee_timezone", "callee_region", "callee_limit", "callee_limit_scope"),
    *("dnc", "dnc_add", "compliance"),
)
"""Keys that say who may be called, and when again."""

_AFTER_CALL = ("record_variables", "outcome_rule", "agent_variable")
_TASK = frozenset(
    (
        *("enable", "line_group", "limit", "cps", "limit_scope", "cps_scope"),
        *("start_time", "stop_time", "work_hour"),
        *("work_time", "work_week", "holiday", "number_queue", "number_queue_side", "timezone"),
        *("destination_extension", "destination_dialplan", "destination_context", "brake_after"),
        *_AFTER_CALL,
        *AGENTS_OF_A_TASK,
        *CALLEE,
    )
)
_CONFIG = frozenset(
    (
        *(
            "line_group",
            "limit",
            "cps",
            "destination_extension",
            "destination_dialplan",
            "destination_context",
        ),
        *_AFTER_CALL,
        *ABANDONING,
        *CALLEE,
    )
)
_LINE = frozenset(
    (
        *("count", "rest", "cps", "dialstring", "fault_threshold", "fault_try_interval"),
        *("fault_condition", "areacode", "scope", "gateway"),
    )
)
_GATEWAY = frozenset(("count", "cps", "scope"))
_GROUP = frozenset(
    ("enable", "line", "redialer_count", "rest", "no_redialer_rule", "redialer_rule")
)
_GATEWAY_ALIASES = {
    **dict.fromkeys(("limit", "max", "max_calls", "concurrency"), "count"),
    **dict.fromkeys(("rate", "max_cps"), "cps"),
}
_LINE_ALIASES = {
    **dict.fromkeys(("dial", "dial_str", "string", "url", "endpoint"), "dialstring"),
    **_GATEWAY_ALIASES,
    "trunk": "gateway",
    "fault_count": "fault_threshold",
    "fault_interval": "fault_try_interval",
}
_GROUP_ALIASES = {
    **dict.fromkeys(("redial", "redials", "redial_count", "retry", "retries"), "redialer_count"),
    "redial_rule": "redialer_rule",
    "no_redial_rule": "no_redialer_rule",
    "interval": "rest",
}
_BOUNDS = {"start": "begin", "from": "begin", "stop": "end", "to": "end"}
_PLACES = frozenset(("params", "variables"))
_PLACE_ALIASES = {"param": "params", "vars": "variables", "channel_variables": "variables"}
_NUMBER = frozenset(("number", "timezone"))
_NUMBER_ALIASES = dict.fromkeys(
    ("phone", "tel", "mobile", "phone_number", "callee", "called", "destination_number"), "number"
)
_SCHEDULED = frozenset(("number", "expires", "config", "timezone"))
_AGENT = frozenset(("group", "state", "time"))
_AGENT_TABLE_ALIASES = {
    **dict.fromkeys(("groups", "service_line_group", "queue"), "group"),
    **dict.fromkeys(("since", "timestamp", "changed", "change_time"), "time"),
    "status": "state",
}
_AGENT_COUNT = frozenset(("free", "busy"))
_AGENT_COUNT_ALIASES = {
    **dict.fromkeys(("idle", "available"), "free"),
    **dict.fromkeys(("talk", "talking"), "busy"),
}

TASK_DOCUMENT = Keys(_PLACES, _PLACE_ALIASES, dict.fromkeys(_TASK, "in params"))
TASK = Keys(_TASK, _TASK_ALIASES)
WINDOW = Keys(
    frozenset(("begin", "end", "wday")),
    _BOUNDS | dict.fromkeys(("week", "day", "weekday"), "wday"),
)
SPAN = Keys(frozenset(("begin", "end")), _BOUNDS)
CONFIG_DOCUMENT = Keys(_PLACES, _PLACE_ALIASES, dict.fromkeys(_CONFIG, "in params"))
CONFIG = Keys(
    _CONFIG,
    _DESTINATION | _PACE | _CALLEE_ALIASES | {"group": "line_group", "groups": "line_group"},
    of_others=dict.fromkeys(_AGENTS, Problem.AGENTS_OF_TASKS_ALONE.of()),
)
LINE_DOCUMENT = Keys(_PLACES | _LINE, _PLACE_ALIASES | _LINE_ALIASES)
LINE = Keys(_LINE, _LINE_ALIASES, {"variables": "beside params"})
FAULT_CONDITION = Keys(frozenset(("connect_time",)))
GATEWAY_DOCUMENT = Keys(_GATEWAY | {"params"}, _GATEWAY_ALIASES)
GATEWAY = Keys(_GATEWAY, _GATEWAY_ALIASES)
GROUP_DOCUMENT = Keys(_GROUP | {"params"}, _GROUP_ALIASES)
GROUP = Keys(_GROUP, _GROUP_ALIASES)
RULE = Keys(
    frozenset(("hangup_sipcode", "hangup_cause", "duration", "bill")),
    {"sipcode": "hangup_sipcode", "sip_code": "hangup_sipcode", "cause": "hangup_cause"},
)
OUTCOME_RULE = Keys(frozenset(("variable", "value", "outcome")), {"pattern": "value"})
NUMBER_DOCUMENT = Keys(_PLACES, _PLACE_ALIASES, dict.fromkeys(_NUMBER, "in params"))
NUMBER = Keys(_NUMBER, _NUMBER_ALIASES)
SCHEDULED_DOCUMENT = Keys(_PLACES, _PLACE_ALIASES, dict.fromkeys(_SCHEDULED, "in params"))
SCHEDULED = Keys(_SCHEDULED, _NUMBER_ALIASES | {"expire": "expires", "expire_time": "expires"})

AGENT = Keys(_AGENT, _AGENT_TABLE_ALIASES)
AGENT_DOCUMENT = Keys(_AGENT | {"params"}, {"param": "params", **_AGENT_TABLE_ALIASES})
AGENT_COUNT = Keys(_AGENT_COUNT, _AGENT_COUNT_ALIASES)
AGENT_COUNT_DOCUMENT = Keys(_AGENT_COUNT | {"params"}, {"param": "params", **_AGENT_COUNT_ALIASES})

_UNKNOWN = Problem.IGNORED.of()
_HARMLESS = {
    "remark": Problem.REMARK.of(),
    "number_cacheable": Problem.NUMBER_CACHEABLE.of(),
}


def ignored_keys(node: Place | None, keys: Keys) -> Iterator[Ignored]:
    """Yield each key of an object that is none of ``keys``; of what is no object there are none."""
    if node is None or not isinstance(node.value, dict) or node.value.keys() <= keys.names:
        return
    left = MAX_FAULTS
    for name, value in node.value.items():
        if name not in keys.names and is_configured(value) and left > 0:
            left -= 1
            problem, doubtful = (
                _about(keys, name) if len(name) <= _MAX_COMPARED_LENGTH else (_UNKNOWN, False)
            )
            yield Ignored(Fault.of(node.member(name, None).path, problem, node.key), doubtful)


def doubtful(found: Iterable[Ignored]) -> Iterator[Fault]:
    """Yield the keys that are hardly meant to be ignored."""
    return (one.fault for one in found if one.doubtful)


@lru_cache(maxsize=4096)
def _about(keys: Keys, name: str) -> tuple[Told, bool]:
    """Return what is to be said of an ignored key, and whether ignoring it is hardly meant."""
    if name in _HARMLESS:
        return _HARMLESS[name], False
    if name in keys.of_others:
        return keys.of_others[name], True
    place = keys.elsewhere.get(name)
    if place is not None:
        return Problem.IGNORED_HERE.of(place=place), True
    meant = nearest(name, keys.names, keys.aliases)
    if meant is not None:
        return Problem.DID_YOU_MEAN.of(meant=meant), True
    return _UNKNOWN, False


def nearest(name: str, names: Iterable[str], aliases: Mapping[str, str]) -> str | None:
    """Return the one of ``names`` that was probably meant by ``name``, None if there is none."""
    bare = _bare(name)
    for known, meant in [*((one, one) for one in sorted(names)), *sorted(aliases.items())]:
        if _bare(known) == bare:
            return meant
    slips, meant = min((_slips(bare, _bare(one)), one) for one in names)
    return (
        meant if slips <= (1 if min(len(bare), len(_bare(meant))) <= _SHORT_LENGTH else 2) else None
    )


def _bare(name: str) -> str:
    """Return a key without what the styles of writing differ in: workHour, work-hour, WORK_HOUR."""
    return "".join(mark for mark in name.lower() if mark.isalnum())


def _slips(one: str, other: str) -> int:
    """Return how many letters are wrong, missing, too many or changed in their order."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, mark in enumerate(one, 1):
        before, last, row = row, before, [at]
        for to, wanted in enumerate(other, 1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (mark != wanted))
            if at > 1 and to > 1 and mark == other[to - 2] and one[at - 2] == wanted:
                cost = min(cost, last[to - 2] + 1)
            row.append(cost)
    return row[-1]
