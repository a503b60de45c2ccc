"""The gateways that the tables of one node name, and whether FreeSWITCH knows them.

Pure: tables in, questions for FreeSWITCH out; its answers in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from attrs import frozen

from ctidialer.check.findings import Finding, Severity
from ctidialer.check.node_tables import NodeTables, texts_in
from ctidialer.check.sentences import Sentence
from ctidialer.check.tables import dialstring_path
from ctidialer.contract import keys
from ctidialer.contract.document import shown
from ctidialer.contract.problems import Told
from ctidialer.rules.gateway_state import GROUP, GatewayState, gateway_in


@frozen
class Use:
    """A place in the tables that makes calls go through ``gateway``."""

    gateway: str
    key: str
    name: str
    path: str


def gateways_used(of: NodeTables) -> tuple[Use, ...]:
    """Return every place that names a gateway, the dial strings of lines and the fallbacks."""
    return (*_of_lines(of), *_of_fallbacks(of))


def gateway_findings(
    uses: Sequence[Use], states: Mapping[str, GatewayState], address: str
) -> tuple[Finding, ...]:
    """Return what is to be said of the gateways in use; ``address`` is FreeSWITCH's."""
    untold = sorted(name for name, state in states.items() if state is GatewayState.UNTOLD)
    found = [one for use in uses for one in _of_use(use, states[use.gateway], address)]
    if untold:
        why = Sentence.UNTOLD.of(gateway=shown(untold[0]))
        found.append(unasked(address, why, len(untold)))
    return tuple(found)


def unasked(address: str, why: Told, count: int) -> Finding:
    """Return the notice that ``count`` gateways could not be looked at."""
    gateways = "1 gateway" if count == 1 else f"{count} gateways"
    problem = Sentence.UNASKED.of(gateways=gateways, count=count, problem=why)
    return Finding.of(Severity.NOTICE, f"FreeSWITCH {address}", "", "", problem)


def _of_use(use: Use, state: GatewayState, address: str) -> Iterator[Finding]:
    which = {"address": address, "gateway": shown(use.gateway)}
    if state is GatewayState.UNKNOWN:
        problem = Sentence.NO_SUCH_GATEWAY.of(**which)
        yield Finding.of(Severity.FAULT, use.key, use.name, use.path, problem)
    elif state is GatewayState.DOWN:
        problem = Sentence.GATEWAY_DOWN.of(**which)
        yield Finding.of(Severity.WARNING, use.key, use.name, use.path, problem)


def _of_lines(of: NodeTables) -> Iterator[Use]:
    key, groups = of.key(keys.LINE), _groups_of_lines(of)
    for name, raw in of.raw(keys.LINE).items():
        if (keys.LINE, name) in of.tables.faults:
            continue
        dialstring = of.tables.routes.lines[name].dialstring
        written = groups.get(name, ()) if GROUP in dialstring else ("",)
        named = {gateway_in(dialstring, group) for group in written}
        for gateway in sorted(filter(None, named)):
            yield Use(gateway, key, name, dialstring_path(raw))


def _groups_of_lines(of: NodeTables) -> dict[str, list[str]]:
    """Return by which names of groups each line is dialed."""
    pairs = [
        (line, group)
        for group in of.raw(keys.LINE_GROUP)
        for _, line in of.lines_of_group(group)
        if (keys.LINE_GROUP, group) not in of.tables.faults
    ]
    pairs += [(name, name) for name in of.groups_named() & of.raw(keys.LINE).keys()]
    return {
        line: [group for _, group in some]
        for line, some in groupby(sorted(pairs), key=lambda pair: pair[0])
    }


def _of_fallbacks(of: NodeTables) -> Iterator[Use]:
    """Yield the names that are neither group nor line: the default dial string dials them."""
    tables = (
        (keys.TASK, ((name, of.task_params(name)) for name in of.task_names())),
        (
            keys.SCHEDULE_CONFIG,
            ((name, of.config_params(name)[0]) for name in of.raw(keys.SCHEDULE_CONFIG)),
        ),
    )
    known = of.raw(keys.LINE_GROUP).keys() | of.raw(keys.LINE).keys()
    for table, documents in tables:
        for name, params in documents:
            for place, group in texts_in(params.get("line_group")):
                gateway = gateway_in(of.settings.default_dialstring, group)
                if group not in known and gateway:
                    yield Use(gateway, place.key or of.key(table), name, place.path)
