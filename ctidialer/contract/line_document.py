"""The documents of lines and line groups (docs/redis-contract.rst).

The keys of a line stand under ``params``, those of a group at the top; either may stand in either
place, and ``params`` counts where a key stands in both.
"""

from __future__ import annotations

from attrs import frozen

from ctidialer.contract import causes, fields
from ctidialer.contract.document import FaultList, Params, Place, read_json, shown
from ctidialer.contract.line import CallRule, FaultPolicy, Line, LineGroup, Scope
from ctidialer.contract.problems import Problem
from ctidialer.contract.variables import read_configured_variables

_MIN_SIP_STATUS = 100
_MAX_SIP_STATUS = 699


@frozen
class LineDocument:
    """The document of a line: its keys, wherever they stand, and its variables."""

    root: Place
    params: Params
    variables: Place | None


@frozen
class GroupDocument:
    """The document of a line group: its keys, wherever they stand."""

    root: Place
    params: Params


def decode_line(name: str, raw: bytes) -> Line:
    """Return the line ``name`` from its JSON; raises ContractError with every fault."""
    faults = FaultList()
    line = line_of(name, read_line(raw, faults))
    faults.settle()
    return line


def read_line(raw: bytes, faults: FaultList) -> LineDocument:
    """Return the document of a line; its faults are noted, not raised."""
    root = read_json(raw, faults)
    document = fields.members(root) or {}
    params = _params(document, Place({}, "$.params", faults))
    return LineDocument(root, params, document.get("variables"))


def line_of(name: str, document: LineDocument) -> Line:
    """Return the line in its document; what is wrong with it is noted there."""
    params = document.params
    _refuse_area_code(params.get("areacode"))
    return Line(
        name=name,
        dialstring=params.required("dialstring", fields.word, ""),
        count=params.optional("count", fields.whole, 1),
        rest=params.optional("rest", fields.seconds, 0.0),
        faults=_fault_policy(params),
        variables=read_configured_variables(document.variables),
        cps=params.optional("cps", fields.rate, None),
        scope=params.optional("scope", _scope, Scope.HOST),
        gateway=params.optional("gateway", fields.word, None),
    )


def gateway_of(name: str, document: GroupDocument) -> Line:
    """Return the gateway in its document, as a line without a dial string: calls are counted on it
    in the same way; without ``count`` there is no limit."""
    params = document.params
    return Line(
        name=name,
        dialstring="",
        count=params.optional("count", fields.whole, None),
        cps=params.optional("cps", fields.rate, None),
        scope=params.optional("scope", _scope, Scope.HOST),
    )


def decode_line_group(name: str, raw: bytes) -> LineGroup:
    """Return the line group ``name`` from its JSON; raises ContractError with every fault.

    ``line`` may also be a plain list of names: that is one tier.  A rule in which nothing is
    configured is no rule.  A group that is not enabled needs no ``line``.
    """
    faults = FaultList()
    group = group_of(name, read_group(raw, faults))
    faults.settle()
    return group


def read_group(raw: bytes, faults: FaultList) -> GroupDocument:
    """Return the document of a line group; its faults are noted, not raised."""
    root = read_json(raw, faults)
    return GroupDocument(root, _params(fields.members(root) or {}, root))


def group_of(name: str, document: GroupDocument) -> LineGroup:
    """Return the line group in its document; what is wrong with it is noted there."""
    params = document.params
    enabled = params.optional("enable", fields.flag, True)
    return LineGroup(
        name=name,
        tiers=(params.required if enabled else params.optional)("line", _tiers, ()),
        enabled=enabled,
        redials=params.optional("redialer_count", fields.whole, 0),
        rest=params.optional("rest", fields.seconds, 0.0),
        finished_rule=params.optional("no_redialer_rule", _rule, None),
        redial_rule=params.optional("redialer_rule", _rule, None),
    )


def places(raw: bytes) -> Params:
    """Return the keys of a line or a line group, each with the path at which it stands.

    Nothing is raised: of a malformed document there are none.
    """
    return read_group(raw, FaultList()).params


def _params(document: dict[str, Place], home: Place) -> Params:
    nested = document.get("params")
    members = {} if nested is None else fields.members(nested) or {}
    return Params(document | members, home, complete=not home.faults)


def _scope(node: Place) -> Scope | None:
    return fields.one_of(node, Scope)


def _refuse_area_code(node: Place | None) -> None:
    """Refuse the key of mod_cti that puts a 0 before mobile numbers from elsewhere.

    Without it such calls would fail, one after the other.
    """
    if node is not None and fields.as_written(node.value) not in (None, "0"):
        node.fault(Problem.AREA_CODE.of())


def _fault_policy(params: Params) -> FaultPolicy:
    return FaultPolicy(
        threshold=params.optional("fault_threshold", fields.whole, 0),
        try_interval=params.optional("fault_try_interval", fields.seconds, 0.0),
        connect_time=params.optional("fault_condition", _connect_time, None),
    )


def _connect_time(node: Place) -> float | None:
    condition = Params(fields.members(node) or {}, node)
    return condition.optional("connect_time", fields.seconds, None)


def _tiers(node: Place) -> tuple[tuple[str, ...], ...] | None:
    nodes = fields.items(node) if isinstance(node.value, list | dict) else [node]
    if nodes is None:
        return None
    is_tiered = any(isinstance(item.value, list | dict) for item in nodes)
    tiers = [fields.texts(item) for item in nodes] if is_tiered else [fields.texts(node)]
    return tuple(tier for tier in tiers if tier)


def _rule(node: Place) -> CallRule | None:
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


def _lists_something(node: Place | None) -> bool:
    return node is not None and fields.some_items(Place(node.value, "$", FaultList())) != []


def _sip_codes(node: Place) -> frozenset[int]:
    codes = (_sip_code(item) for item in fields.some_items(node) or ())
    return frozenset(code for code in codes if code is not None)


def _sip_code(node: Place) -> int | None:
    return fields.whole(node, _MIN_SIP_STATUS, _MAX_SIP_STATUS)


def _causes(node: Place) -> frozenset[str]:
    names = (_cause(item) for item in fields.some_items(node) or ())
    return frozenset(name for name in names if name is not None)


def _cause(node: Place) -> str | None:
    """Read a cause as its name; a number of Q.850 that FreeSWITCH never gives has none."""
    name = fields.normalised(node.value).upper() if isinstance(node.value, str) else ""
    if name in causes.NUMBERS:
        return name
    number = fields.whole(Place(node.value, "$", FaultList()))
    if number is None or not causes.is_number(number):
        node.fault(Problem.NO_CAUSE.of(value=shown(node.value)))
        return None
    return causes.name_of(number)
