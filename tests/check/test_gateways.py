"""Which gateways the tables name, and what is made of FreeSWITCH's answers."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.findings import Severity
from ctidialer.check.gateways import Use, gateway_findings, gateways_used
from ctidialer.check.node_tables import NodeTables
from ctidialer.contract import keys
from ctidialer.rules.gateway_state import GatewayState, read_answer
from ctidialer.settings import Node
from tests.switchsim.replay import recorded

NODE = Node(host="fs1", domain="fs1")
TASKS = keys.at(keys.TASK, keys.TEMPLATE)
LINES = keys.at(keys.LINE, "fs1")
GROUPS = keys.at(keys.LINE_GROUP, "fs1")
CONFIGS = keys.at(keys.SCHEDULE_CONFIG, "fs1")
ADDRESS = "127.0.0.1:8021"


def tables(documents: dict[str, dict[str, Any]], node: Node = NODE) -> NodeTables:
    return NodeTables(
        node,
        {
            key: {name: json.dumps(one).encode() for name, one in some.items()}
            for key, some in documents.items()
        },
    )


def used(documents: dict[str, dict[str, Any]], node: Node = NODE) -> list[tuple[str, str, str]]:
    """Return gateway, name and path of every use."""
    return [(use.gateway, use.name, use.path) for use in gateways_used(tables(documents, node))]


def line(dialstring: str) -> dict[str, Any]:
    return {"params": {"dialstring": dialstring}}


class UsedTests(SynchronousTestCase):
    def gateways_of(self, dialstring: str) -> list[str]:
        return [gateway for gateway, _, _ in used({LINES: {"l": line(dialstring)}})]

    def test_the_dial_strings_of_lines(self) -> None:
        number = "${destination_number}"
        for dialstring, gateways in (
            (f"sofia/gateway/ims/{number}", ["ims"]),
            (f"sofia/gateway/external::ims/{number}", ["external::ims"]),
            (f"{{a=b}}sofia/gateway/a/{number}", ["a"]),
            (f"[a=b,c=d]Sofia/Gateway/a/0{number}@10.0.0.1", ["a"]),
            (f"sofia/external/{number}@10.0.0.1", []),
            (f"sofia/gateway/${{gw}}/{number}", []),
            ("user/1000", []),
            (f"loopback/{number}/sofia/gateway/x/1", []),
        ):
            self.assertEqual(self.gateways_of(dialstring), gateways, dialstring)

    def test_a_dial_string_that_names_its_group(self) -> None:
        by_group = line("sofia/gateway/${line_group}/${destination_number}")
        found = used(
            {
                LINES: {"l": by_group, "alone": by_group, "unused": by_group},
                GROUPS: {"a": {"line": [["l"]]}, "b": {"line": [["l"]]}},
                TASKS: {"t": {"params": {"line_group": ["alone"]}}},
            }
        )
        path = "$.params.dialstring"
        self.assertEqual(found, [("a", "l", path), ("b", "l", path), ("alone", "alone", path)])

    def test_the_fallbacks(self) -> None:
        found = used(
            {
                LINES: {"l": line("user/1000")},
                GROUPS: {"g": {"line": [["l"]]}},
                TASKS: {"t": {"params": {"line_group": ["g", "l", "carrier"]}}},
                CONFIGS: {"c": {"params": {"line_group": ["other"]}}},
            }
        )
        paths = [("carrier", "t", "$.params.line_group[2]")]
        self.assertEqual(found, [*paths, ("other", "c", "$.params.line_group[0]")])

    def test_another_default_dial_string(self) -> None:
        node = Node(host="fs1", domain="fs1", default_dialstring="user/${destination_number}")
        self.assertEqual(used({TASKS: {"t": {"params": {"line_group": ["x"]}}}}, node), [])

    def test_a_line_at_fault_is_left_out(self) -> None:
        bad = {"params": {"dialstring": "sofia/gateway/a/1", "count": "many"}}
        self.assertEqual(used({LINES: {"l": bad}}), [])


class AnswerTests(SynchronousTestCase):
    """The answers are those of a real FreeSWITCH."""

    def test_as_recorded(self) -> None:
        answers = [frame.body.decode() for frame in recorded("73_") if frame.type == "api/response"]
        states = [read_answer(answer) for answer in answers[:3]]
        self.assertEqual(states, [GatewayState.UP, GatewayState.UNKNOWN, GatewayState.DOWN])

    def test_what_says_nothing(self) -> None:
        for answer in ("", "-ERR sofia Command not found!\n", "+OK", "Name\tx\n"):
            self.assertIs(read_answer(answer), GatewayState.UNTOLD)


class FindingTests(SynchronousTestCase):
    USE = Use("ims", LINES, "l", "$.params.dialstring")

    def test_each_state(self) -> None:
        for state, severity, said in (
            (GatewayState.UNKNOWN, Severity.FAULT, "FreeSWITCH at 127.0.0.1:8021 has no gateway"),
            (GatewayState.DOWN, Severity.WARNING, "is down at the moment"),
        ):
            (finding,) = gateway_findings([self.USE], {"ims": state}, ADDRESS)
            self.assertEqual((finding.severity, finding.key, finding.name), (severity, LINES, "l"))
            self.assertIn(said, finding.problem)
        self.assertEqual(gateway_findings([self.USE], {"ims": GatewayState.UP}, ADDRESS), ())

    def test_one_notice_for_all_that_is_not_told(self) -> None:
        states = {"ims": GatewayState.UNTOLD, "other": GatewayState.UNTOLD}
        uses = [self.USE, Use("other", LINES, "m", "$")]
        (finding,) = gateway_findings(uses, states, ADDRESS)
        self.assertIs(finding.severity, Severity.NOTICE)
        self.assertIn("the 2 gateways", finding.problem)
