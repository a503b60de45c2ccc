"""What is found in the tables of a node, document by document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.findings import Severity
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.tables import check_tables
from ctidialer.contract import keys
from ctidialer.settings import Node

NODE = Node(host="fs1", domain="d", timezone="Asia/Shanghai")
TEMPLATE = "cti_queue_dialer_task@template"
OWN = "cti_queue_dialer_task@fs1"
LINE = "cti_line@d"
GROUP = "cti_line_group@d"
GATEWAY = "cti_gateway@d"
CONFIG = "cti_schedule_dialer_config@d"
NOW = datetime(2026, 8, 1, 4, tzinfo=UTC).timestamp()

PARAMS: dict[str, Any] = {
    "enable": True,
    "line_group": ["g"],
    "limit": 5,
    "number_queue": "q",
    "destination_extension": "8888",
}
USUAL: dict[str, dict[str, Any]] = {
    TEMPLATE: {"t": {"params": PARAMS}},
    LINE: {"l": {"params": {"dialstring": "user/${destination_number}"}}},
    GROUP: {"g": {"line": [["l"]]}},
}

Documents = Mapping[str, Mapping[str, Any]]


def raw(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def task(variables: object = None, **params: object) -> dict[str, Any]:
    """Return the usual task with some params changed."""
    return {"params": {**PARAMS, **params}, "variables": variables or {}}


def line(dialstring: str = "user/1", **document: object) -> dict[str, Any]:
    return {"params": {"dialstring": dialstring}, **document}


class TableCheckTests(SynchronousTestCase):
    """Each with the usual tables, which have nothing wrong, and one thing changed."""

    def found(self, changed: Documents, node: Node = NODE) -> list[tuple[str, str, str, str, str]]:
        documents = {
            key: {**USUAL.get(key, {}), **changed.get(key, {})} for key in {**USUAL, **changed}
        }
        read = {
            key: {name: raw(document) for name, document in table.items() if document is not None}
            for key, table in documents.items()
        }
        findings = check_tables(NodeTables(node, read), NOW)
        return [(f.severity.value, f.key, f.name, f.path, f.problem) for f in findings]

    def assert_found(self, expected: list[str], changed: Documents, node: Node = NODE) -> str:
        """Compare "severity key name path" of each finding; return their problems."""
        found = self.found(changed, node)
        self.assertEqual([" ".join(one[:4]) for one in found], expected)
        return "\n".join(one[4] for one in found)

    def test_nothing_to_say(self) -> None:
        self.assert_found([], {})
        config = {"params": {"line_group": ["g"], "destination_extension": "1"}}
        self.assert_found([], {CONFIG: {"c": config}, OWN: {"t": {"params": {"limit": 1}}}})

    def test_faults_name_the_document_in_which_they_stand(self) -> None:
        for document, paths in (
            (b"{", ["$"]),
            (task(limit="x", cps=-1), ["$.params.limit", "$.params.cps"]),
            (task(start_time="2020-2-30 1:00"), ["$.params.start_time"]),
            (
                task(work_hour=[{"begin": "25:00", "end": "1"}]),
                ["$.params.work_hour[0].begin", "$.params.work_hour[0].end"],
            ),
            (task({"a": "}"}), ["$.variables.a"]),
            (task({"a": "}"}, limit=-1), ["$.params.limit", "$.variables.a"]),
            (task(destination_extension="undef"), ["$.params.destination_extension"]),
            (task(destination_context="a\nb"), ["$.params.destination_context"]),
        ):
            for key in (TEMPLATE, OWN):
                expected = [f"fault {key} t {path}" for path in paths]
                self.assert_found(expected, {key: {"t": document}})

    def test_faults_of_the_other_tables(self) -> None:
        for key, name, document, path in (
            (LINE, "l", line("user/a b"), "$.params.dialstring"),
            (LINE, "l", {"dialstring": "a'"}, "$.dialstring"),
            (LINE, "l", line(variables={"a": "${x}"}), "$.variables.a"),
            (GROUP, "g", {"line": {"x": "l"}}, "$.line"),
            (CONFIG, "c", {"params": {"line_group": ["g"]}}, "$.params.destination_extension"),
        ):
            self.assert_found([f"fault {key} {name} {path}"], {key: {name: document}})

    def test_names_that_no_call_can_carry(self) -> None:
        group = {TEMPLATE: {"t": task(line_group=["g", "{"])}, GROUP: {"{": {"line": [["l"]]}}}
        self.assert_found([f"fault {GROUP} {{ $"], group)
        self.assert_found([f"fault {TEMPLATE} ${{t}} $"], {TEMPLATE: {"${t}": task()}})

    def test_no_key_is_ignored_silently(self) -> None:
        for changed, expected in (
            ({TEMPLATE: {"t": task(work_hours=[])}}, [f"warning {TEMPLATE} t $.params.work_hours"]),
            ({OWN: {"t": {"params": {"stoptime": 1}}}}, [f"warning {OWN} t $.params.stoptime"]),
            ({TEMPLATE: {"t": task(remark="x")}}, [f"notice {TEMPLATE} t $.params.remark"]),
            ({LINE: {"l": line(tenant=5)}}, [f"notice {LINE} l $.tenant"]),
            (
                {GROUP: {"g": {"line": "l", "redial_count": 1, "x": 1}}},
                [f"warning {GROUP} g $.redial_count", f"notice {GROUP} g $.x"],
            ),
        ):
            self.assert_found(expected, changed)

    def test_dial_strings_that_cannot_work(self) -> None:
        for dialstring, part in (
            ("sofia/gateway/ims/${number}", "the number is ${destination_number}"),
            ("usr/1000", "did you mean user/1000?"),
            ("sofia/gateway/ims/", "dials no number"),
        ):
            changed = {LINE: {"l": line(dialstring)}}
            problem = self.assert_found([f"warning {LINE} l $.params.dialstring"], changed)
            self.assertIn(part, problem)

    def test_documents_in_strings_are_looked_into(self) -> None:
        text = json.dumps(json.dumps(line("1000"))).encode()
        self.assert_found([f"fault {LINE} l $.params.dialstring"], {LINE: {"l": text}})

    def test_a_name_that_is_neither_group_nor_line(self) -> None:
        changed = {TEMPLATE: {"t": task(line_group=["g", "ghost"])}}
        problem = self.assert_found([f"warning {TEMPLATE} t $.params.line_group[1]"], changed)
        self.assertEqual(
            problem,
            '"ghost" is neither in cti_line_group@d nor in cti_line@d:'
            " it is dialed as sofia/gateway/ghost/${destination_number}",
        )

    def test_a_name_that_the_default_cannot_take(self) -> None:
        changed = {OWN: {"t": {"params": {"line_group": ["a b", "g"]}}}}
        problem = self.assert_found([f"fault {OWN} t $.params.line_group[0]"], changed)
        self.assertIn("the default dial string cannot take it: 'a b': ' ' cannot stand", problem)

    def test_a_name_that_a_line_cannot_take(self) -> None:
        named = line("sofia/gateway/${line_group}/${destination_number}")
        self.assert_found(
            [f"fault {GROUP} a b $.line[1]"],
            {
                TEMPLATE: {"t": task(line_group=["g", "a b"])},
                GROUP: {"a b": {"line": ["l", "named"]}},
                LINE: {"named": named},
            },
        )
        self.assert_found(
            [f"fault {TEMPLATE} t $.params.line_group[1]"],
            {TEMPLATE: {"t": task(line_group=["g", "a b"])}, LINE: {"a b": named}},
        )

    def test_lines_that_are_not_there(self) -> None:
        self.assert_found(
            [f"warning {GROUP} g $.line[1][0]"], {GROUP: {"g": {"line": [["l"], ["x"]]}}}
        )
        self.assert_found(
            [f"warning {GROUP} g $.params.line[0][0]", f"warning {GROUP} g $"],
            {GROUP: {"g": {"params": {"line": [["x"]]}}}, LINE: {"l": None}},
        )

    def test_what_nobody_uses(self) -> None:
        self.assert_found([f"warning {LINE} m $"], {LINE: {"m": line()}})
        self.assert_found([f"notice {GROUP} h $"], {GROUP: {"h": {"line": [["l"]]}}})

    def test_what_a_document_that_cannot_be_read_names_is_not_known(self) -> None:
        more = {LINE: {"m": line()}}
        self.assert_found([f"fault {GROUP} h $"], {GROUP: {"h": b"{"}, **more})
        self.assert_found([f"fault {TEMPLATE} u $"], {TEMPLATE: {"u": b"{"}, **more})

    def test_what_a_faulty_document_names_is_used(self) -> None:
        self.assert_found([f"fault {TEMPLATE} t $.params.limit"], {TEMPLATE: {"t": task(limit=-1)}})
        self.assert_found(
            [f"fault {GROUP} g $.rest"], {GROUP: {"g": {"line": [["l"]], "rest": "x"}}}
        )
        config = {"params": {"line_group": ["m"]}}
        self.assert_found(
            [f"fault {CONFIG} c $.params.destination_extension"],
            {CONFIG: {"c": config}, LINE: {"m": line()}},
        )

    def test_times_that_never_open(self) -> None:
        every_day = [{"begin": "2026-01-01 0:00", "end": "2099-01-01 0:00"}]
        for severity, path, params in (
            ("notice", "stop_time", {"stop_time": "2026-08-01 12:00"}),
            ("warning", "work_hour", {"work_hour": [{"begin": "8:00", "end": "8:00"}]}),
            ("warning", "holiday", {"holiday": every_day, "stop_time": "2098-01-01 0:00"}),
        ):
            found = self.found({TEMPLATE: {"t": task(**params)}})
            self.assertIn(
                (severity, TEMPLATE, "t", f"$.params.{path}"), [one[:4] for one in found], found
            )
        self.assert_found([], {TEMPLATE: {"t": task(stop_time="2026-08-01 12:01")}})

    def test_the_warnings_of_the_documents(self) -> None:
        hours = [{"begin": "8:00", "end": "9:00"}]
        self.assert_found(
            [f"warning {OWN} t $.params.work_time"],
            {OWN: {"t": {"params": {"work_hour": hours, "work_time": hours}}}},
        )
        for key, name, document in (
            (TEMPLATE, "t", task({"origination_uuid": "x"})),
            (OWN, "t", {"variables": {"origination_uuid": "x"}}),
            (LINE, "l", line(variables={"origination_uuid": "x"})),
        ):
            self.assert_found(
                [f"warning {key} {name} $.variables.origination_uuid"], {key: {name: document}}
            )
        self.assert_found(
            [f"warning {LINE} l $.params.count"],
            {LINE: {"l": {"params": {"dialstring": "user/1", "count": 0}}}},
        )

    def test_nothing_there_at_all(self) -> None:
        (finding,) = check_tables(NodeTables(NODE, {}), NOW)
        self.assertIs(finding.severity, Severity.WARNING)
        self.assertIn('host "fs1" and domain "d"', finding.problem)

    @settings(deadline=None, max_examples=150)
    @given(st.data())
    def test_whatever_stands_there_it_is_read(self, data: st.DataObject) -> None:
        anything = st.recursive(
            st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["params", "line", "line_group", "variables"]), inner
                )
            ),
            max_leaves=6,
        )
        documents = {
            key: {name: raw(data.draw(anything)) for name in ("t", "g", "l")}
            for key in (TEMPLATE, OWN, LINE, GROUP, CONFIG)
        }
        for finding in check_tables(NodeTables(NODE, documents), NOW):
            self.assertIn(finding.key, documents)

    def test_the_keys_are_those_of_the_contract(self) -> None:
        tables = NodeTables(NODE, {}).tables
        control = "cti_dialer_control@fs1"
        self.assertEqual(tables.keys_of(), (TEMPLATE, OWN, LINE, GROUP, GATEWAY, CONFIG, control))
        self.assertEqual(tables.keys_of(keys.TASK), (TEMPLATE, OWN))
