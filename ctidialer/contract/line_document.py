"""The documents of lines and line groups (docs/redis-contract.rst).

The keys of a line stand under ``params``, those of a group at the top; either may stand in either
place, and ``params`` counts where a key stands in both.
"""

from __future__ import annotations

from collections.abc import Iterator

from ctidialer.contract import causes, fields
from ctidialer.contract.document import FaultList, Node, Params, read_json, shown
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.line import CallRule, FaultPolicy, Line, LineGroup
from ctidialer.contract.task_warnings import own_variable_warnings
from ctidialer.contract.variables import read_configured_variables

_LEAST_SIP_STATUS = 100
_LARGEST_SIP_STATUS = 699


def decode_line(name: str, raw: bytes) -> Line:
    """Return the line ``name`` from its JSON; raises ContractError with every fault."""
    faults = FaultList()
    document = fields.members(read_json(raw, faults)) or {}
    params = _params(document, Node({}, "$.params", faults))
    line = Line(
        name=name,
        dialstring=params.required("dialstring", fields.word, ""),
        count=params.optional("count", fields.whole, 1),
        rest=params.optional("rest", fields.seconds, 0.0),
        faults=_fault_policy(params),
        variables=read_configured_variables(document.get("variables")),
        cps=params.optional("cps", fields.rate, None),
    )
    faults.settle()
    return line


def decode_line_group(name: str, raw: bytes) -> LineGroup:
    """Return the line group ``name`` from its JSON; raises ContractError with every fault.

    ``line`` may also be a plain list of names: that is one tier.  A rule in which nothing is
    configured is no rule.  A group that is not enabled needs no ``line``.
    """
    faults = FaultList()
    params = _group_params(raw, faults)
    enabled = params.optional("enable", fields.flag, True)
    group = LineGroup(
        name=name,
        tiers=(params.required if enabled else params.optional)("line", _tiers, ()),
        enabled=enabled,
        redials=params.optional("redialer_count", fields.whole, 0),
        rest=params.optional("rest", fields.seconds, 0.0),
        finished_rule=params.optional("no_redialer_rule", _rule, None),
        redial_rule=params.optional("redialer_rule", _rule, None),
    )
    faults.settle()
    return group


def line_warnings(name: str, raw: bytes) -> tuple[Fault, ...]:
    """Return what is probably not meant in a valid line; nothing is raised."""
    try:
        line = decode_line(name, raw)
    except ContractError:
        return ()
    return tuple(_warn_of_line(line, raw))


def line_group_warnings(name: str, raw: bytes) -> tuple[Fault, ...]:
    """Return what is probably not meant in a valid line group; nothing is raised."""
    try:
        group = decode_line_group(name, raw)
    except ContractError:
        return ()
    return tuple(_warn_of_group(group, _group_params(raw, FaultList())))


def places(raw: bytes) -> Params:
    """Return the keys of a line or a line group, each with the path at which it stands.

    Nothing is raised: of a malformed document there are none.
    """
    return _group_params(raw, FaultList())


def _group_params(raw: bytes, faults: FaultList) -> Params:
    root = read_json(raw, faults)
    return _params(fields.members(root) or {}, root)


def _params(document: dict[str, Node], home: Node) -> Params:
    nested = document.get("params")
    members = {} if nested is None else fields.members(nested) or {}
    return Params(document | members, home, complete=not home.faults)


def _fault_policy(params: Params) -> FaultPolicy:
    return FaultPolicy(
        threshold=params.optional("fault_threshold", fields.whole, 0),
        try_interval=params.optional("fault_try_interval", fields.seconds, 0.0),
        connect_time=params.optional("fault_condition", _connect_time, None),
    )


def _connect_time(node: Node) -> float | None:
    condition = Params(fields.members(node) or {}, node)
    return condition.optional("connect_time", fields.seconds, None)


def _tiers(node: Node) -> tuple[tuple[str, ...], ...] | None:
    nodes = fields.items(node) if isinstance(node.value, list | dict) else [node]
    if nodes is None:
        return None
    is_tiered = any(isinstance(item.value, list | dict) for item in nodes)
    tiers = [fields.texts(item) for item in nodes] if is_tiered else [fields.texts(node)]
    return tuple(tier for tier in tiers if tier)


def _rule(node: Node) -> CallRule | None:
    members = fields.members(node) or {}
    if not members.keys() & {"duration", "bill"} and not any(
        _lists_something(members.get(name)) for name in ("hangup_sipcode", "hangup_cause")
    ):
        return None
    rule = Params(members, node)
    return CallRule(
        sip_codes=rule.optional("hangup_sipcode", _sip_codes, frozenset()),
        causes=rule.optional("hangup_cause", _causes, frozenset()),
        duration=rule.optional("duration", fields.decimal, None),
        bill=rule.optional("bill", fields.decimal, None),
    )


def _lists_something(node: Node | None) -> bool:
    return node is not None and fields.some_items(Node(node.value, "$", FaultList())) != []


def _sip_codes(node: Node) -> frozenset[int]:
    codes = (_sip_code(item) for item in fields.some_items(node) or ())
    return frozenset(code for code in codes if code is not None)


def _sip_code(node: Node) -> int | None:
    return fields.whole(node, _LEAST_SIP_STATUS, _LARGEST_SIP_STATUS)


def _causes(node: Node) -> frozenset[str]:
    names = (_cause(item) for item in fields.some_items(node) or ())
    return frozenset(name for name in names if name is not None)


def _cause(node: Node) -> str | None:
    """Read a cause as its name; a number of Q.850 that FreeSWITCH never gives has none."""
    name = fields.normalised(node.value).upper() if isinstance(node.value, str) else ""
    if name in causes.NUMBERS:
        return name
    number = fields.whole(Node(node.value, "$", FaultList()))
    if number is None or not causes.is_number(number):
        node.fault(f"must be a Q.850 number or a FreeSWITCH cause, not {shown(node.value)}")
        return None
    return causes.name_of(number)


def _warn_of_line(line: Line, raw: bytes) -> Iterator[Fault]:
    if line.count == 0:
        yield Fault("$.params.count", "is 0: no call ever goes out on this line")
    if line.faults.threshold and not line.faults.try_interval:
        problem = "is missing or 0: a line out of use is tried again at once"
        yield Fault("$.params.fault_try_interval", problem)
    document = fields.members(read_json(raw, FaultList())) or {}
    yield from own_variable_warnings(document.get("variables"))


def _warn_of_group(group: LineGroup, params: Params) -> Iterator[Fault]:
    if group.enabled and not group.tiers:
        yield Fault("$.line", "names no line: every call through this group is passed on")
    finished = group.finished_rule
    if finished is not None and finished.duration == 0:
        yield Fault("$.no_redialer_rule.duration", "is 0, which every unanswered call reaches")
    for name in ("no_redialer_rule", "redialer_rule"):
        yield from _warn_of_causes(params.get(name))


def _warn_of_causes(rule: Node | None) -> Iterator[Fault]:
    listed = None if rule is None else (fields.members(rule) or {}).get("hangup_cause")
    for item in fields.some_items(listed) or () if listed is not None else ():
        number = fields.whole(Node(item.value, "$", FaultList()))
        if number is not None and number in causes.EARLIER_NAMES:
            name = causes.EARLIER_NAMES[number]
            yield Fault(item.path, f"is {name} of old FreeSWITCH; SIP codes go in hangup_sipcode")
        elif number is not None and causes.name_of(number) is None:
            yield Fault(item.path, f"is {number}, which FreeSWITCH never reports")
