"""What is wrong, or hardly meant, with gateways that lines share, and with what is counted over
hosts: for ``ctidialer check``."""

from __future__ import annotations

from collections.abc import Iterator

from ctidialer.check.findings import Finding, Severity, finding_at
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.sentences import Sentence
from ctidialer.contract import keys
from ctidialer.contract.document import shown
from ctidialer.contract.line import Line, Scope
from ctidialer.contract.line_document import places


def shared_findings(of: NodeTables) -> Iterator[Finding]:
    """Yield what is to be said of gateways of the tables, and of the lines that name them."""
    lines = [
        line
        for name, line in of.tables.routes.lines.items()
        if line.gateway is not None and (keys.LINE, name) not in of.tables.faults
    ]
    for line in lines:
        yield from _of_line(of, line)
    for name, gateway in of.tables.routes.gateways.items():
        sharing = sorted(line.name for line in lines if line.gateway == name)
        if not sharing:
            key = of.key(keys.GATEWAY)
            yield Finding.of(Severity.NOTICE, key, name, "$", Sentence.GATEWAY_UNUSED.of())
        yield from _of_scopes(of, gateway, [line for line in lines if line.gateway == name])


def _of_line(of: NodeTables, line: Line) -> Iterator[Finding]:
    key, place = of.key(keys.LINE), places(of.raw(keys.LINE)[line.name])
    gateway = of.tables.routes.gateway_of(line)
    if gateway is None:
        problem = Sentence.NO_SHARED_GATEWAY.of(
            gateway=shown(line.gateway or ""), key=of.key(keys.GATEWAY)
        )
        yield finding_at(place.get("gateway"), Severity.WARNING, key, line.name, problem)
    elif line.scope is Scope.DOMAIN and gateway.scope is Scope.HOST and not gateway.fault:
        problem = Sentence.WIDER_THAN_GATEWAY.of(gateway=shown(gateway.name))
        yield finding_at(place.get("scope"), Severity.WARNING, key, line.name, problem)


def _of_scopes(of: NodeTables, gateway: Line, sharing: list[Line]) -> Iterator[Finding]:
    """Yield that some lines of a gateway are counted over the domain and others are not."""
    wide, narrow = (
        sorted(line.name for line in sharing if line.scope is scope)
        for scope in (Scope.DOMAIN, Scope.HOST)
    )
    if wide and narrow:
        problem = Sentence.SCOPES_DIFFER.of(wide=shown(wide[0]), narrow=shown(narrow[0]))
        yield Finding.of(Severity.NOTICE, of.key(keys.GATEWAY), gateway.name, "$", problem)
