"""What `check` says of gateways that lines share, and of what is counted over hosts."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.findings import Finding, Severity
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.shared import shared_findings
from ctidialer.settings import Node

LINE, GATEWAY = "cti_line@d", "cti_gateway@d"


def said(lines: dict[str, Any], gateways: dict[str, Any]) -> list[tuple[str, str, str, Severity]]:
    """Return key, name, path and severity of what is found; lines and gateways by their params."""
    tables = {LINE: lines, GATEWAY: gateways}
    documents = {
        key: {
            name: json.dumps({"params": {"dialstring": "user/1", **params}}).encode()
            if key == LINE
            else json.dumps({"params": params}).encode()
            for name, params in documents.items()
        }
        for key, documents in tables.items()
    }
    found: list[Finding] = list(shared_findings(NodeTables(Node(host="h", domain="d"), documents)))
    return [(one.key, one.name, one.path, one.severity) for one in found]


class SharedTests(SynchronousTestCase):
    def test_nothing_to_say(self) -> None:
        lines = {"a": {"gateway": "t"}, "b": {"gateway": "t"}, "c": {"scope": "domain"}}
        for scope in ("host", "domain"):
            self.assertEqual(said(lines, {"t": {"count": 5, "scope": scope}}), [])

    def test_a_gateway_that_is_not_there(self) -> None:
        found = said({"a": {"gateway": "x"}}, {})
        self.assertEqual(found, [(LINE, "a", "$.params.gateway", Severity.WARNING)])

    def test_a_gateway_that_nobody_names(self) -> None:
        found = said({"a": {}}, {"t": {"count": 5}})
        self.assertEqual(found, [(GATEWAY, "t", "$", Severity.NOTICE)])

    def test_a_line_that_counts_over_more_hosts_than_its_gateway(self) -> None:
        found = said({"a": {"gateway": "t", "scope": "domain"}}, {"t": {"count": 5}})
        self.assertEqual(found, [(LINE, "a", "$.params.scope", Severity.WARNING)])

    def test_lines_of_one_gateway_that_count_in_two_ways(self) -> None:
        lines = {"a": {"gateway": "t", "scope": "domain"}, "b": {"gateway": "t"}}
        found = said(lines, {"t": {"count": 5, "scope": "domain"}})
        self.assertEqual(found, [(GATEWAY, "t", "$", Severity.NOTICE)])

    def test_a_faulty_gateway_is_reported_as_such_alone(self) -> None:
        lines = {"a": {"gateway": "t", "scope": "domain"}}
        self.assertEqual(said(lines, {"t": {"count": "many"}}), [])
