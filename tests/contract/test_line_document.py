from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.document import FaultList
from ctidialer.contract.faults import ContractError
from ctidialer.contract.line import CallRule, FaultPolicy, Line, LineGroup, Scope
from ctidialer.contract.line_document import (
    decode_line,
    decode_line_group,
    gateway_of,
    read_group,
)
from ctidialer.contract.line_warnings import line_group_warnings, line_warnings
from tests.contract.documents import as_json, paths_of

DIALSTRING = "sofia/gateway/ims/${destination_number}"


def line(**changed: object) -> Line:
    return decode_line("移动", as_json({"params": {"dialstring": DIALSTRING, **changed}}))


def group(**changed: object) -> LineGroup:
    return decode_line_group("主线路组", as_json({"line": [["a"]], **changed}))


def rule(written: object) -> CallRule | None:
    return group(redialer_rule=written).redial_rule


class LineTests(SynchronousTestCase):
    """Each row of the table of lines in docs/redis-contract.rst."""

    def test_the_least_that_is_valid(self) -> None:
        expected = Line("移动", DIALSTRING, 1, 0.0, FaultPolicy(0, 0.0, None), {})
        self.assertEqual(line(), expected)

    def test_everything(self) -> None:
        raw = as_json(
            {
                "params": {
                    "count": "30",
                    "rest": 1500,
                    "dialstring": " user/1000 ",
                    "fault_threshold": 3,
                    "fault_try_interval": "60000",
                    "fault_condition": {"connect_time": 2500},
                },
                "variables": {"origination_caller_id_number": "01012345678"},
            }
        )
        self.assertEqual(
            decode_line("a", raw),
            Line(
                "a",
                "user/1000",
                30,
                1.5,
                FaultPolicy(3, 60.0, 2.5),
                {"origination_caller_id_number": "01012345678"},
            ),
        )

    def test_null_is_not_configured(self) -> None:
        nothing: dict[str, object] = {
            "count": None,
            "rest": None,
            "fault_threshold": None,
            "fault_try_interval": None,
            "fault_condition": None,
        }
        self.assertEqual(line(**nothing), line())
        self.assertEqual(line(fault_condition={"connect_time": None}), line())
        self.assertEqual(line(fault_condition=[]), line())

    def test_the_empty_text_is_not_configured(self) -> None:
        blank = ("count", "rest", "cps", "fault_threshold", "fault_try_interval", "fault_condition")
        self.assertEqual(line(**dict.fromkeys(blank, "")), line())
        self.assertEqual(line(fault_condition={"connect_time": ""}), line())

    def test_zeros(self) -> None:
        found = line(count=0, fault_condition={"connect_time": 0})
        self.assertEqual((found.count, found.faults.connect_time), (0, 0.0))

    def test_cps(self) -> None:
        self.assertIsNone(line().cps)
        written: list[tuple[object, float]] = [(2, 2.0), (0.05, 0.05), ("2.5", 2.5), ("１", 1.0)]
        for value, expected in written:
            self.assertEqual(line(cps=value).cps, expected, value)
        at_the_top = as_json({"dialstring": "a", "cps": 3})
        self.assertEqual(decode_line("a", at_the_top).cps, 3.0)

    def test_keys_at_the_top_are_taken_too(self) -> None:
        raw = as_json({"dialstring": "a", "count": 5, "params": {"count": 6}})
        found = decode_line("a", raw)
        self.assertEqual((found.dialstring, found.count), ("a", 6))

    def test_faults(self) -> None:
        table: list[tuple[dict[str, object], str]] = [
            ({"count": -1}, "$.params.count"),
            ({"count": 1.5}, "$.params.count"),
            ({"count": "many"}, "$.params.count"),
            ({"rest": -1}, "$.params.rest"),
            ({"rest": "1s"}, "$.params.rest"),
            ({"dialstring": ""}, "$.params.dialstring"),
            ({"dialstring": None}, "$.params.dialstring"),
            ({"dialstring": ["a"]}, "$.params.dialstring"),
            ({"dialstring": "a\nbgapi status"}, "$.params.dialstring"),
            ({"fault_threshold": -1}, "$.params.fault_threshold"),
            ({"fault_threshold": []}, "$.params.fault_threshold"),
            ({"fault_try_interval": True}, "$.params.fault_try_interval"),
            ({"fault_condition": 5}, "$.params.fault_condition"),
            ({"cps": 0}, "$.params.cps"),
            ({"cps": "-1"}, "$.params.cps"),
            ({"cps": "fast"}, "$.params.cps"),
            ({"cps": []}, "$.params.cps"),
            ({"fault_condition": {"connect_time": "x"}}, "$.params.fault_condition.connect_time"),
        ]
        for changed, path in table:
            self.assertEqual(paths_of(line, **changed), [path], changed)

    def test_faults_of_the_whole(self) -> None:
        table: list[tuple[bytes, str]] = [
            (b"", "$"),
            (b"[1]", "$"),
            (b"\xff", "$"),
            (b"{}", "$.params.dialstring"),
            (b'{"params":1}', "$.params"),
            (b'{"params":{"dialstring":"a"},"variables":1}', "$.variables"),
            (b'{"params":{"dialstring":"a"},"variables":{"x":[]}}', "$.variables.x"),
        ]
        for raw, path in table:
            self.assertEqual(paths_of(decode_line, "a", raw), [path], raw)

    def test_warnings(self) -> None:
        raw = as_json(
            {
                "params": {"dialstring": "a", "count": 0, "fault_threshold": 2},
                "variables": {"cti_line_name": "x"},
            }
        )
        self.assertEqual(
            [warning.path for warning in line_warnings("a", raw)],
            ["$.params.count", "$.params.fault_try_interval", "$.variables.cti_line_name"],
        )
        self.assertEqual(line_warnings("a", b'{"params":{"dialstring":"a"}}'), ())
        self.assertEqual(line_warnings("a", b"{"), ())


class LineGroupTests(SynchronousTestCase):
    """Each row of the table of line groups in docs/redis-contract.rst."""

    def test_the_least_that_is_valid(self) -> None:
        expected = LineGroup("主线路组", (("a",),), True, 0, 0.0, None, None)
        self.assertEqual(group(), expected)

    def test_line(self) -> None:
        table: list[tuple[object, tuple[tuple[str, ...], ...]]] = [
            ([["a", "b"], ["备用"]], (("a", "b"), ("备用",))),
            (["a", "b"], (("a", "b"),)),
            ([["a"], []], (("a",),)),
            ([[1]], (("1",),)),
            ([], ()),
            ("a", (("a",),)),
            ([["a"], "b", None, ""], (("a",), ("b",))),
            ({"0": ["a", ""], "2": {"1": "b"}}, (("a",), ("b",))),
            ({"1": "a", "3": "b"}, (("a", "b"),)),
        ]
        for written, expected in table:
            self.assertEqual(group(line=written).tiers, expected, written)

    def test_a_group_that_is_switched_off_needs_no_line(self) -> None:
        found = decode_line_group("a", b'{"enable":"false"}')
        self.assertEqual((found.enabled, found.tiers), (False, ()))

    def test_numbers(self) -> None:
        found = group(enable="true", redialer_count="2", rest="1500")
        self.assertEqual((found.enabled, found.redials, found.rest), (True, 2, 1.5))
        self.assertEqual(group(enable="", redialer_count="", rest=""), group())
        for off in (0, "0", "off", "No"):
            self.assertFalse(group(enable=off).enabled)

    def test_keys_under_params_are_taken_too(self) -> None:
        raw = as_json({"params": {"line": [["a"]], "redialer_count": 3}, "redialer_count": 1})
        found = decode_line_group("a", raw)
        self.assertEqual((found.tiers, found.redials), ((("a",),), 3))

    def test_a_rule(self) -> None:
        written = {
            "hangup_sipcode": [486, "600", "４８０"],
            "hangup_cause": [17, "19", "no_user_response", " CALL_REJECTED "],
            "duration": "3",
            "bill": 0.5,
        }
        expected = CallRule(
            sip_codes=frozenset({486, 600, 480}),
            causes=frozenset({"USER_BUSY", "NO_ANSWER", "NO_USER_RESPONSE", "CALL_REJECTED"}),
            duration=3.0,
            bill=0.5,
        )
        self.assertEqual(rule(written), expected)
        self.assertEqual(group(no_redialer_rule=written).finished_rule, expected)

    def test_a_rule_with_nothing_in_it_is_none(self) -> None:
        empty: list[object] = [
            None,
            {},
            [],
            {"hangup_sipcode": [], "hangup_cause": [], "duration": None},
            {"remark": "x"},
            "",
            {"hangup_sipcode": "", "hangup_cause": [None, ""], "duration": "", "bill": None},
            {"hangup_sipcode": {}, "hangup_cause": {}},
        ]
        for written in empty:
            self.assertIsNone(rule(written), written)

    def test_lists_of_a_rule_in_one_text(self) -> None:
        found = rule({"hangup_sipcode": "486, 600", "hangup_cause": "17,NO_ANSWER"})
        expected = frozenset({"USER_BUSY", "NO_ANSWER"})
        self.assertEqual(found, CallRule(frozenset({486, 600}), expected))
        found = rule({"hangup_sipcode": 486.0, "hangup_cause": {"0": 17.0, "4": "19"}})
        self.assertEqual(found, CallRule(frozenset({486}), expected))
        self.assertEqual(rule({"hangup_cause": 17}), CallRule(causes=frozenset({"USER_BUSY"})))

    def test_a_cause_that_never_comes_keeps_the_rule(self) -> None:
        self.assertEqual(rule({"hangup_cause": [26]}), CallRule())

    def test_causes_of_freeswitch_itself(self) -> None:
        written = [487, 802, 602, "PROGRESS_TIMEOUT"]
        expected = frozenset({"ORIGINATOR_CANCEL", "ALLOTTED_TIMEOUT", "PROGRESS_TIMEOUT"})
        self.assertEqual(rule({"hangup_cause": written}), CallRule(causes=expected))

    def test_faults(self) -> None:
        rules: Mapping[str, list[tuple[object, str]]] = {
            f"{which}_rule": [
                ("x", ""),
                ([1], ""),
                ({"hangup_sipcode": 99}, ".hangup_sipcode"),
                ({"hangup_sipcode": [99]}, ".hangup_sipcode[0]"),
                ({"hangup_sipcode": [486, "busy"]}, ".hangup_sipcode[1]"),
                ({"hangup_cause": "USER_BUSY,BUSY"}, ".hangup_cause"),
                ({"hangup_cause": ["USERBUSY"]}, ".hangup_cause[0]"),
                ({"hangup_cause": [17, 128]}, ".hangup_cause[1]"),
                ({"hangup_cause": [-1]}, ".hangup_cause[0]"),
                ({"hangup_cause": [17.5]}, ".hangup_cause[0]"),
                ({"duration": -1}, ".duration"),
                ({"duration": "long"}, ".duration"),
                ({"bill": []}, ".bill"),
                ({"bill": {}}, ".bill"),
            ]
            for which in ("redialer", "no_redialer")
        }
        for key, table in rules.items():
            for written, rest in table:
                found = paths_of(group, **{key: written})
                self.assertEqual(found, [f"$.{key}{rest}"], written)

    def test_faults_outside_the_rules(self) -> None:
        table: list[tuple[dict[str, object], str]] = [
            ({"enable": "maybe"}, "$.enable"),
            ({"line": None}, "$.line"),
            ({"line": {"a": 1}}, "$.line"),
            ({"line": [["a"], True]}, "$.line[1]"),
            ({"line": [["a"], {"b": 1}]}, "$.line[1]"),
            ({"line": [[["a"]]]}, "$.line[0][0]"),
            ({"line": ["a", True]}, "$.line[1]"),
            ({"redialer_count": -1}, "$.redialer_count"),
            ({"redialer_count": 1.5}, "$.redialer_count"),
            ({"rest": "soon"}, "$.rest"),
            ({"params": 1}, "$.params"),
        ]
        for changed, path in table:
            self.assertEqual(paths_of(group, **changed), [path], changed)

    def test_faults_of_the_whole(self) -> None:
        for raw, path in [(b"", "$"), (b"1", "$"), (b"{}", "$.line"), (b"[]", "$.line")]:
            self.assertEqual(paths_of(decode_line_group, "a", raw), [path], raw)

    def test_warnings(self) -> None:
        raw = as_json(
            {
                "line": [],
                "no_redialer_rule": {"duration": 0, "hangup_cause": [17, 503]},
                "redialer_rule": {"hangup_cause": ["26", "USER_BUSY"]},
            }
        )
        self.assertEqual(
            [warning.path for warning in line_group_warnings("a", raw)],
            [
                "$.line",
                "$.no_redialer_rule.duration",
                "$.no_redialer_rule.hangup_cause[1]",
                "$.redialer_rule.hangup_cause[0]",
            ],
        )
        self.assertEqual(line_group_warnings("a", b'{"line":["a"]}'), ())
        self.assertEqual(line_group_warnings("a", b"{"), ())


class SharedTests(SynchronousTestCase):
    """What counts over hosts, and what lines share."""

    def gateway(self, **params: object) -> tuple[Line, FaultList]:
        faults = FaultList()
        document = read_group(as_json({"params": params}), faults)
        return gateway_of("t", document), faults

    def test_without_them_a_line_is_as_before(self) -> None:
        found = line()
        self.assertEqual((found.scope, found.gateway), (Scope.HOST, None))

    def test_a_scope_and_a_gateway(self) -> None:
        for written in ("domain", "DOMAIN", " domain "):
            found = line(scope=written, gateway=" carrier1 ")
            self.assertEqual((found.scope, found.gateway), (Scope.DOMAIN, "carrier1"))
        self.assertIs(line(scope="").scope, Scope.HOST)

    def test_another_word_is_a_fault(self) -> None:
        with self.assertRaises(ContractError) as raised:
            line(scope="all")
        self.assertIn("$.params.scope", str(raised.exception))

    def test_a_gateway(self) -> None:
        gateway, faults = self.gateway(count=5, cps="2.5", scope="domain")
        expected = Line("t", "", count=5, cps=2.5, scope=Scope.DOMAIN)
        self.assertEqual((gateway, bool(faults)), (expected, False))

    def test_a_gateway_without_limits(self) -> None:
        self.assertEqual(self.gateway()[0], Line("t", "", count=None))

    def test_a_gateway_with_faults(self) -> None:
        for params in ({"count": -1}, {"cps": 0}, {"scope": "host,domain"}):
            self.assertTrue(self.gateway(**params)[1], params)
