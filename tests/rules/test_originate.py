"""The variables of one originate, read back the way FreeSWITCH reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import evolve
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ctidialer.contract.placeholders import Fillable
from ctidialer.rules.dialstring import RESERVED
from ctidialer.rules.originate import Call, Part, Uncarriable, originate_command
from tests.rules.originate_case import BASE, OriginateCase, names, reading, text

DEFAULTS = ("ignore_early_media", "originate_timeout")


def balanced(value: str) -> bool:
    """Take out pairs of braces until none is left, which is another way than the code's."""
    left = re.sub(r"[^{}]", "", value)
    while "{}" in left:
        left = left.replace("{}", "")
    return not left


def with_value(value: str) -> Call:
    return evolve(BASE, variables={"v": value})


class CommandTests(OriginateCase):
    def test_a_whole_command(self) -> None:
        self.assertEqual(
            originate_command(evolve(BASE, variables={"b": "2", "a": "x,y"})),
            "{a=x\\\\,y,b=2,ignore_early_media=true,originate_timeout=60,cti_task_name=spring,"
            "cti_dial_number=+8613800138000,cti_line_name=ims,cti_line_group_name=外呼,"
            "cti_host=fs1,origination_uuid=3a3a6dee-7fc6-4121-b6bb-d7f059200001}"
            "sofia/gateway/ims/+8613800138000 8888 XML default",
        )

    def test_every_variable_arrives(self) -> None:
        result = reading(evolve(BASE, variables={"absolute_codec_string": "pcma,pcmu,g729"}))
        self.assertEqual(
            result.variables,
            {
                "absolute_codec_string": "pcma,pcmu,g729",
                "ignore_early_media": "true",
                "originate_timeout": "60",
                "cti_task_name": "spring",
                "cti_dial_number": "+8613800138000",
                "cti_line_name": "ims",
                "cti_line_group_name": "外呼",
                "cti_host": "fs1",
                "origination_uuid": BASE.uuid,
            },
        )
        self.assertEqual(result.legs, ["sofia/gateway/ims/+8613800138000"])
        self.assertEqual(result.words, ["8888", "XML", "default"])

    def test_the_order_of_the_mapping_does_not_matter(self) -> None:
        one = evolve(BASE, variables={"a": "1", "b": "2"})
        other = evolve(BASE, variables={"b": "2", "a": "1"})
        self.assertEqual(originate_command(one), originate_command(other))

    def test_without_line_and_task_their_variables_are_not_set(self) -> None:
        forged = {"cti_line_name": "forged", "cti_task_name": "forged"}
        result = reading(evolve(BASE, line=None, task=None, variables=forged))
        self.assertNotIn("cti_line_name", result.variables)
        self.assertNotIn("cti_task_name", result.variables)

    def test_nobody_else_sets_the_reserved_variables(self) -> None:
        plain = reading(BASE).variables
        for name in RESERVED:
            for spelling in (name, name.upper(), name.title()):
                forged = evolve(
                    BASE,
                    variables={spelling: "forged"},
                    dialstring="{" + spelling + "=forged}" + BASE.dialstring,
                )
                self.assertEqual(reading(forged).variables, plain)

    def test_a_task_may_override_the_defaults(self) -> None:
        theirs = {"Ignore_Early_Media": "false", "originate_timeout": "25"}
        result = reading(evolve(BASE, variables=theirs)).variables
        self.assertEqual({name: result[name] for name in theirs}, theirs)
        self.assertNotIn("ignore_early_media", result)

    def test_no_opinion_leaves_the_defaults(self) -> None:
        result = reading(evolve(BASE, variables={"ignore_early_media": "", "x": ""})).variables
        self.assertEqual(result["ignore_early_media"], "true")
        self.assertNotIn("x", result)

    def test_the_timeout_is_whole_seconds_and_never_none(self) -> None:
        for seconds, text_ in ((0.0, "1"), (0.2, "1"), (30.0, "30"), (30.1, "31")):
            result = reading(evolve(BASE, originate_timeout=seconds))
            self.assertEqual(result.variables["originate_timeout"], text_)

    def test_of_names_that_differ_in_case_the_last_is_sent_alone(self) -> None:
        result = reading(evolve(BASE, variables={"Foo": "number", "foo": "line"}))
        self.assertEqual(result.variables["foo"], "line")
        self.assertNotIn("Foo", result.variables)

    def test_a_megabyte_passes_and_more_than_a_command_can_hold_does_not(self) -> None:
        value = "x" * 1_000_000
        self.assertEqual(reading(with_value(value)).variables["v"], value)
        self.assert_refused(with_value("x" * 3_000_000), Part.COMMAND)

    def test_more_variables_than_freeswitch_splits_are_refused(self) -> None:
        fits = {f"v{number}": "1" for number in range(990)}
        self.assertEqual(len(reading(evolve(BASE, variables=fits)).variables), 998)
        too_many = {f"v{number}": "1" for number in range(1000)}
        self.assert_refused(evolve(BASE, variables=too_many), Part.VARIABLE)


class ValueTests(OriginateCase):
    def test_values_that_need_quoting_arrive_unchanged(self) -> None:
        for value in (
            "a,b",
            "a b",
            "  a  ",
            " ",
            "it's",
            "''",
            "'a b",
            '"quoted"',
            "\\",
            "\\n",
            "\\'",
            "a=b=c",
            "=",
            "{a,b}",
            "{}",
            "[x]",
            "line one\nline two\r\nline three\ttab",
            "\n\napi shutdown\n\n",
            "^^;a",
            "$",
            "$5",
            "a|b",
            "<sip:1000@fs1>;tag=1",
            "主叫号码",
            "\U0001f4de",
            "\x01\x02\x7f\u2028",
            "a ARRAY::b",
            "undef",
            ":_",
        ):
            self.assertEqual(reading(with_value(value)).variables["v"], value, repr(value))

    def test_what_cannot_be_carried_is_refused_by_name(self) -> None:
        for value in (
            "{",
            "}",
            "}{",
            "a{b}}",
            "a:_:b",
            "${x}",
            "$${x}",
            "a$\\{x}",
            "$\\\\{}",
            "ARRAY::a|:b",
            "ARRAY::",
            "a\0b",
            "\ud800",
        ):
            self.assert_refused(with_value(value), Part.VARIABLE, "v: ")

    def test_placeholders_are_filled_in(self) -> None:
        for template, expected in (
            ("record_session /tmp/${uuid}.wav", f"record_session /tmp/{BASE.uuid}.wav"),
            ("${destination_number}|${cti_dial_number}", "+8613800138000|+8613800138000"),
            ("${cti_task_name} ${cti_line_name}", "spring ims"),
            ("${cti_line_group_name}@${cti_host}", "外呼@fs1"),
            ("{${uuid}} $5 $", f"{{{BASE.uuid}}} $5 $"),
        ):
            call = evolve(BASE, variables={"v": Fillable(template)})
            self.assertEqual(reading(call).variables["v"], expected)

    def test_what_a_call_has_not_is_filled_in_as_nothing(self) -> None:
        variables = {"v": Fillable("a${cti_line_name}b${cti_task_name}c")}
        result = reading(evolve(BASE, line=None, task=None, variables=variables))
        self.assertEqual(result.variables["v"], "abc")

    def test_only_what_was_read_from_a_task_or_a_line_is_filled_in(self) -> None:
        self.assert_refused(with_value("${uuid}"), Part.VARIABLE, "v: ")

    def test_what_was_filled_in_is_looked_at(self) -> None:
        for value, call in (
            ("$${cti_line_group_name}", evolve(BASE, group="{x}")),
            ("${uuid}${system(id)}", BASE),
            ("a:_${destination_number}", evolve(BASE, number=":1")),
            ("ARRAY${destination_number}", evolve(BASE, number="::1")),
        ):
            variables = {"v": Fillable(value)}
            self.assert_refused(evolve(call, variables=variables), Part.VARIABLE, "v: ")

    @settings(deadline=None, max_examples=200)
    @given(text, text, text, text)
    def test_no_name_breaks_out_of_a_placeholder(
        self, task: str, line: str, group: str, host: str
    ) -> None:
        pattern = "a,${cti_task_name}'${cti_line_name} ${cti_line_group_name}=${cti_host}"
        call = evolve(
            BASE,
            task=task,
            line=line,
            group=group,
            host=host,
            dialstring="null/${destination_number}",
            variables={"v": Fillable(pattern)},
        )
        try:
            result = reading(call)
        except Uncarriable:
            return
        assert result.variables["v"] == f"a,{task}'{line} {group}={host}"
        assert result.words == ["8888", "XML", "default"]

    def test_names_that_are_none_are_refused(self) -> None:
        for name in ("", "a b", "a[0]", "a=b", "a,b", "1a", "ä", "a\n", "a}", "^^;a"):
            self.assert_refused(evolve(BASE, variables={name: "1"}), Part.VARIABLE)

    def test_a_refusal_is_short_however_long_the_name(self) -> None:
        for name, value in (("x" * 5000, "{"), ("1" * 5000, "x")):
            call = evolve(BASE, variables={name: value})
            fault = self.assertRaises(Uncarriable, originate_command, call)
            self.assertLess(len(str(fault)), 200)

    def test_our_own_values_are_looked_at_too(self) -> None:
        self.assert_refused(evolve(BASE, task="${x}"), Part.VARIABLE, "cti_task_name")
        self.assert_refused(evolve(BASE, group="}{"), Part.VARIABLE, "cti_line_group_name")

    @settings(deadline=None, max_examples=400)
    @given(st.dictionaries(names, text, max_size=6))
    def test_whatever_is_sent_arrives_unchanged_and_adds_nothing(
        self, variables: Mapping[str, str]
    ) -> None:
        call = evolve(BASE, variables=variables)
        try:
            result = reading(call)
        except Uncarriable as fault:
            self.assertIs(fault.part, Part.VARIABLE)
            return
        self.assertEqual(result.legs, ["sofia/gateway/ims/+8613800138000"])
        self.assertEqual(result.words, ["8888", "XML", "default"])
        expected = {name.lower(): value for name, value in variables.items() if value}
        reserved = {name.lower() for name in RESERVED}
        got = {
            name.lower(): value
            for name, value in result.variables.items()
            if name.lower() in expected or name not in (*RESERVED, *DEFAULTS)
        }
        self.assertEqual(got, {n: v for n, v in expected.items() if n not in reserved})

    @settings(deadline=None, max_examples=300)
    @given(text)
    def test_only_what_cannot_be_carried_is_refused(self, value: str) -> None:
        refused = re.search(r"\$\\*\{|:_:|^ARRAY::|\x00", value) or not balanced(value)
        assume(not refused and value)
        self.assertEqual(reading(with_value(value)).variables["v"], value)
