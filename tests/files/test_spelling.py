"""Numbers as people spell them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.files.spelling import extension_of, is_cut, normalized


class NormalizedTests(SynchronousTestCase):
    def test_what_people_write(self) -> None:
        for spelt, number in (
            ("+1 (310) 820-7129", "+13108207129"),
            ("138-0013-8000", "13800138000"),
            ("138 0013 8001", "13800138001"),
            ("138\u00a00013\u00a08001", "13800138001"),
            ("310.555.1234", "3105551234"),
            ('="13800138000"', "13800138000"),
            ("'13800138000", "13800138000"),
            ('"13800138000"', "13800138000"),
            ("13800138000.0", "13800138000"),
            ("13800138000.00", "13800138000"),
            ("tel:+13108207129", "+13108207129"),
            ("TEL:13800138000", "13800138000"),
            ("（020）8888－6666", "02088886666"),
            ("１３８００１３８０００", "13800138000"),
            ("+44 (0)20 7946 0018", "+442079460018"),
            ("(020) 88886666", "02088886666"),
            ("010/8888 6666", "01088886666"),
            ("\u202a13800138000\u202c", "13800138000"),
            ("138\u20130013\u20138000", "13800138000"),
            ("\t13800138000 ", "13800138000"),
            ("*72#", "*72#"),
        ):
            self.assertEqual(normalized(spelt), number, repr(spelt))

    def test_what_is_no_number_stays_none(self) -> None:
        for text in ("abc", "", "1.38E+10", "138x", "13800138000,13800138001", "1;2"):
            self.assertFalse(normalized(text).isdigit(), text)

    @given(st.text(max_size=30))
    def test_twice_is_once(self, text: str) -> None:
        once = normalized(text)
        if once.isdigit():
            self.assertEqual(normalized(once), once)

    @given(st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True))
    def test_what_can_be_dialed_stays_as_it_is(self, number: str) -> None:
        self.assertEqual(normalized(number), number)


class ExtensionTests(SynchronousTestCase):
    def test_extensions(self) -> None:
        for number, extension in (
            ("02088886666-801", "-801"),
            ("020-88886666-801", "-801"),
            ("02088886666转801", "转801"),
            ("310 820 7129 ext. 12", "ext. 12"),
            ("+13108207129x12", "x12"),
            ("+13108207129;ext=12", ";ext=12"),
            ("020-88886666 分机 801", "分机 801"),
        ):
            self.assertEqual(extension_of(number), extension, number)

    def test_dashes_that_are_none(self) -> None:
        for number in (
            *("138-0013-8000", "1380013-8000", "010-8888-6666", "+1 310-820-7129", "310-555-1234"),
            *("0755-26668888", "13800138000", "86-13800138000"),
        ):
            self.assertIsNone(extension_of(number), number)


class CutTests(SynchronousTestCase):
    def test_numbers_that_lost_digits(self) -> None:
        for number in ("1.38E+10", "1.3800E+10", "1e10", "1,38E+10", "8.61E+12"):
            self.assertTrue(is_cut(number), number)
        for number in ("13800138000", "1.38", "E10", "13800138000.0"):
            self.assertFalse(is_cut(number), number)
