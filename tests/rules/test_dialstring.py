"""The dial string and the destination, read back the way FreeSWITCH reads them."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.task import Destination
from ctidialer.rules.dialstring import doubts
from ctidialer.rules.originate import Call, Part, Uncarriable, originate_command
from tests.rules.freeswitch_reading import read
from tests.rules.originate_case import BASE, OriginateCase, reading, text


class DialstringTests(OriginateCase):
    def legs(
        self, dialstring: str, number: str = BASE.number, group: str = BASE.group
    ) -> list[str]:
        return reading(evolve(BASE, dialstring=dialstring, number=number, group=group)).legs

    def test_the_operators_own_leg_variables_stay(self) -> None:
        dialstring = "[leg_timeout=20,a=b|c]sofia/gateway/a/${destination_number}"
        self.assertIn(
            "}[leg_timeout=20,a=b|c]sofia/gateway/a/+8613800138000 8888",
            originate_command(evolve(BASE, dialstring=dialstring)),
        )

    def test_a_line_is_one_leg(self) -> None:
        for dialstring in ("user/1|user/2", "user/1,user/2", "[a=b]user/1|[c=d]user/2"):
            with self.assertRaises(Uncarriable) as caught:
                self.legs(dialstring)
            self.assertIs(caught.exception.part, Part.DIALSTRING)
            self.assertIn("one leg", str(caught.exception.reason))

    def test_other_names_in_braces_stay(self) -> None:
        command = originate_command(evolve(BASE, dialstring="sofia/${gw}/${destination_number}"))
        self.assertIn("}sofia/${gw}/+8613800138000 8888", command)

    def test_the_group_is_filled_in_where_the_dial_string_wants_it(self) -> None:
        default = "sofia/gateway/${line_group}/${destination_number}"
        self.assertEqual(self.legs(default, group="外呼"), ["sofia/gateway/外呼/+8613800138000"])

    def test_what_is_filled_in_is_not_filled_in_again(self) -> None:
        call = evolve(BASE, dialstring="sofia/${line_group}", group="${destination_number}")
        self.assert_refused(call, Part.LINE_GROUP)

    def test_braces_at_the_beginning_are_variables_of_the_line(self) -> None:
        call = evolve(
            BASE,
            dialstring="{a=line,b=2}{c=${destination_number}}user/1",
            variables={"a": "task"},
        )
        result = reading(call)
        self.assertEqual(result.legs, ["user/1"])
        self.assertEqual(
            [result.variables[name] for name in "abc"], ["line", "2", "+8613800138000"]
        )

    def test_dial_strings_that_cannot_be_carried(self) -> None:
        for dialstring in (
            "",
            "user/1 &park",
            "user/1\n\napi shutdown",
            "user/1\tx",
            "user/'1",
            "user/1\\",
            "user/1\0",
            "user/\ud800",
            "user/1:_:user/2",
            "{a=b",
            "{a={b}}user/1",
            "{^^;a=b}user/1",
            "{a=b}",
            "{a=b}{",
            "<a=b>user/1",
            "[a=b user/1",
            "[a=buser/1",
            "user/}1{",
            "[CTI_Task_Name=forged]user/1",
            "[a=1,origination_uuid=2]user/1",
        ):
            self.assert_refused(evolve(BASE, dialstring=dialstring), Part.DIALSTRING)

    def test_numbers_that_would_be_more_than_a_number(self) -> None:
        for number in (
            "",
            "1,user/2",
            "1|user/2",
            "1 2",
            "1\n",
            "1{x}",
            "[a=b]1",
            "1'",
            '1"',
            "1\\",
            "${x}",
            "1$",
            "<1>",
            "1:_:2",
            "../x/1",
            "1;fs_path=sip:evil",
            "1%evil",
            "1^2",
            "１２",
            "\ud800",
        ):
            self.assert_refused(evolve(BASE, number=number), Part.NUMBER)

    def test_numbers_that_pass(self) -> None:
        for number in ("110", "+8613800138000", "007", "*61#", "alice", "1000@pbx.example:5060"):
            self.assertEqual(
                self.legs(BASE.dialstring, number=number), [f"sofia/gateway/ims/{number}"]
            )

    def test_groups_that_would_be_more_than_a_name(self) -> None:
        for group in ("", "a,b", "a|b", "a b", "a\n", "a}", "a'", "a\\", "a:_:b", "a;fs_path=x"):
            call = evolve(BASE, dialstring="sofia/${line_group}/1", group=group)
            self.assert_refused(call, Part.LINE_GROUP)

    @settings(deadline=None, max_examples=300)
    @given(text)
    def test_no_number_adds_a_leg_a_word_or_a_variable(self, number: str) -> None:
        try:
            result = reading(evolve(BASE, number=number))
        except Uncarriable as fault:
            self.assertIs(fault.part, Part.NUMBER)
            return
        self.assertEqual(result.legs, [f"sofia/gateway/ims/{number}"])
        self.assertEqual(result.words, ["8888", "XML", "default"])

    @settings(deadline=None, max_examples=300)
    @given(text)
    def test_no_dial_string_changes_the_words_or_our_variables(self, dialstring: str) -> None:
        try:
            command = originate_command(evolve(BASE, dialstring=dialstring + "user/1"))
        except Uncarriable as fault:
            self.assertIn(fault.part, (Part.DIALSTRING, Part.VARIABLE, Part.LINE_GROUP))
            return
        result = read(command)
        assert result is not None
        self.assertEqual(result.words, ["8888", "XML", "default"])
        self.assertEqual(result.variables["origination_uuid"], BASE.uuid)
        self.assertEqual(result.variables["cti_host"], "fs1")


class DestinationTests(OriginateCase):
    def destination(self, *words: str) -> Call:
        return evolve(BASE, destination=Destination(*words))

    def test_words_arrive_unchanged(self) -> None:
        for words in (
            ("8888", "XML", "default"),
            ("6/v3", "XML", "public"),
            ("&park", "XML", "default"),
            ("&playback(a b,c.wav)", "XML", "default"),
            ("set:a='x y',park", "inline", "my context"),
            ("\\", "'", '"'),
        ):
            self.assertEqual(reading(self.destination(*words)).words, list(words))

    def test_undef_is_refused_in_any_case_and_place(self) -> None:
        for undef in ("undef", "UNDEF", "Undef", " undef", "undef ", "\u00a0undef"):
            self.assert_refused(self.destination(undef), Part.DESTINATION)
            self.assert_refused(self.destination("1", undef), Part.DESTINATION)
            self.assert_refused(self.destination("1", "XML", undef), Part.DESTINATION)

    def test_words_that_cannot_be_carried(self) -> None:
        for word in ("", " ", "1\n\napi x", "1\r", "1\0", "\t", "\ud800", "\u2028"):
            self.assert_refused(self.destination(word), Part.DESTINATION)
            self.assert_refused(self.destination("1", "XML", word), Part.DESTINATION)

    def test_inline_applications_must_be_written_as_freeswitch_reads_them(self) -> None:
        for extension in ("&", "& park", "&park)", "&park(", "&a(b)c", "&a(b(c))", "&a b"):
            self.assert_refused(self.destination(extension), Part.DESTINATION)

    @settings(deadline=None, max_examples=300)
    @given(st.tuples(text, text, text))
    def test_no_destination_adds_a_word(self, words: tuple[str, str, str]) -> None:
        try:
            result = reading(self.destination(*words))
        except Uncarriable as fault:
            self.assertIs(fault.part, Part.DESTINATION)
            return
        self.assertEqual(result.words, list(words))


class UuidTests(OriginateCase):
    def test_a_producers_own_uuid_is_one_word(self) -> None:
        for uuid in ("", "a b", "a\n", "a'b", "a,b", "${x}", "ä", "x" * 201):
            self.assert_refused(evolve(BASE, uuid=uuid), Part.UUID)
        result = reading(evolve(BASE, uuid="crm:4711.a-b_c"))
        self.assertEqual(result.variables["origination_uuid"], "crm:4711.a-b_c")


class DoubtTests(SynchronousTestCase):
    """Dial strings that can be sent and cannot work."""

    def test_nothing_to_doubt(self) -> None:
        for dialstring in (
            "sofia/gateway/ims/${destination_number}",
            "sofia/gateway/${line_group}/${destination_number}",
            "sofia/gateway/ims/1000",
            "sofia/internal/${destination_number}@10.0.0.1;transport=tcp",
            "user/1000",
            "user/${destination_number}@example.com",
            "{a=${x}}[leg_timeout=20]loopback/${destination_number}/default",
            "{number=1,destination_number=5}null/1",
            "${sofia_contact(1000)}",
            "1000",
        ):
            self.assertEqual(list(doubts(dialstring)), [], dialstring)

    def test_each_is_told_the_right_form(self) -> None:
        right = "${destination_number}"
        for dialstring, parts in (
            ("sofia/gateway/ims/${number}", ["${number}, which stays empty", right]),
            ("sofia/gateway/ims/${phone_number}", [right]),
            ("sofia/gateway/ims/${Called_Number}", [right]),
            ("sofia/gateway/ims/{destination_number}", [right]),
            ("sofia/gateway/ims/$destination_number", [right]),
            ("usr/1000", ["usr/, which FreeSWITCH has not", "user/1000"]),
            ("PJSIP/trunk/1", ["sofia/gateway/NAME/${destination_number}"]),
            ("sofia/gateway/ims", ["dials no number: write sofia/gateway/ims/${destination"]),
            ("sofia/gateway/ims/", ["dials no number: write sofia/gateway/ims/${destination"]),
            ("{a=b}user/", ["dials no number: write user/${destination_number}"]),
        ):
            (doubt,) = doubts(dialstring)
            for part in parts:
                self.assertIn(part, str(doubt))
