from __future__ import annotations

import json
import re
import sys
import time

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import ContractError, EntryError
from ctidialer.contract.number import NumberEntry
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.variables import NAME
from tests.contract.documents import paths_of
from tests.hostile import HOSTILE_ENTRIES

PATTERN = re.compile(r"\+?[0-9*#]{1,32}")


def number(raw: bytes) -> str:
    return decode_number(raw, PATTERN).number


class PlainTextTests(SynchronousTestCase):
    def test_what_is_taken(self) -> None:
        for raw, expected in [
            (b"13800138000", "13800138000"),
            (b"123", "123"),
            (b"+8613800138000", "+8613800138000"),
            (b"075512345678", "075512345678"),
            (b"*10#", "*10#"),
            (b"  13800138000\r\n", "13800138000"),
            ("\u3000\u00a013800138000\u3000".encode(), "13800138000"),
            (b"1" * 32, "1" * 32),
            ("\ufeff13800138000\u200b".encode(), "13800138000"),
            ("\u202a+8613800138000\u202c\u200e".encode(), "+8613800138000"),
            ("\u2066\u200f *10#\u2069\n".encode(), "*10#"),
            ("＋８６１３８００１３８０００".encode(), "+8613800138000"),
            ("＊１０＃".encode(), "*10#"),
            (b'"13800138000"', "13800138000"),
            (b' "+8613800138000\\r\\n" ', "+8613800138000"),
            (b'"075512345678"', "075512345678"),
            ('\ufeff"\\uFEFF１３８"'.encode(), "138"),
            (b'"\\"138\\""', "138"),
        ]:
            self.assertEqual(decode_number(raw, PATTERN), NumberEntry(expected, {}))

    def test_what_is_refused(self) -> None:
        for raw in (
            b"",
            b" \n",
            b"1" * 33,
            b"1" * 2000,
            b"138 0013 8000",
            b"138-0013-8000",
            b"abc",
            b'"',
            b'""',
            b'"138',
            b'"1.38E10"',
            b'"a"',
            b'"[1]"',
            b'"{"',
            "\u200b\ufeff".encode(),
            "138\u200b00".encode(),
            "١٣٨".encode(),
            b"[1]",
            b"true",
            b"1.38e10",
            b"13800138000\n13800138001",
            b"13800138000,13800138001",
            b"\xff138",
            b"138\x00",
        ):
            self.assertEqual(paths_of(decode_number, raw, PATTERN), ["$"], raw)

    def test_every_space_of_unicode_is_cut_off(self) -> None:
        for mark in filter(str.isspace, map(chr, range(sys.maxunicode))):
            self.assertEqual(number(f"{mark}138{mark}".encode()), "138", repr(mark))

    def test_the_pattern_is_the_operators(self) -> None:
        pattern = re.compile("被叫号码|[a-z]+")
        self.assertEqual(decode_number("被叫号码".encode(), pattern).number, "被叫号码")
        self.assertEqual(paths_of(decode_number, b"abc1", pattern), ["$"])


class JsonTests(SynchronousTestCase):
    def test_the_number(self) -> None:
        for written, expected in [
            ('"13800138000"', "13800138000"),
            ("13800138000", "13800138000"),
            ("99999999999999999999999999999999", "99999999999999999999999999999999"),
            ('"+8613800138000"', "+8613800138000"),
            ('"075512345678"', "075512345678"),
            ('"\\u0031\\u0033"', "13"),
            ("0", "0"),
            ("1.38E10", "13800000000"),
            ("1.3800000007E10", "13800000007"),
            ("13800000008.0", "13800000008"),
            ("138.000", "138"),
            ("1e3", "1000"),
            ("0.0", "0"),
            ('" 13800138000\\n"', "13800138000"),
            ('"\\ufeff\\u202d+１３８\\u202c"', "+138"),
        ]:
            raw = f'{{"params":{{"number":{written}}}}}'.encode()
            self.assertEqual(decode_number(raw, PATTERN), NumberEntry(expected, {}), written)

    def test_a_number_at_fault(self) -> None:
        for written in (
            '""',
            '"13800138000\\r\\nbgapi status"',
            '"x"',
            '"\\u0000"',
            "1.5",
            "13800138000.5",
            "1.38e-3",
            "1e33",
            "1e999",
            "1e99999999999999999999",
            "0e99999999999999999999",
            "-1",
            "-1.0",
            "-0.0",
            '"1.38E10"',
            '"138.0"',
            '"138 0013 8000"',
            "true",
            "[]",
            '["13800138000"]',
            "{}",
            "null",
            "9" * 33,
            "9" * 4300,
        ):
            raw = f'{{"params":{{"number":{written}}}}}'.encode()
            self.assertEqual(paths_of(decode_number, raw, PATTERN), ["$.params.number"], written)

    def test_white_space_and_other_keys(self) -> None:
        raw = b' \n{"params" : {"number":"1","expires":0,"x":[{}]},"remark":null}\r\n '
        self.assertEqual(decode_number(raw, PATTERN), NumberEntry("1", {}))

    def test_a_string_that_holds_the_whole_document(self) -> None:
        document = '{"params":{"number":"+138"},"variables":{"a":"１, \\u200b"}}'
        expected = NumberEntry("+138", {"a": "１, \u200b"})
        text = "\ufeff" + document
        for _ in range(4):
            self.assertEqual(decode_number(text.encode(), PATTERN), expected)
            text = json.dumps(text.strip("\ufeff"))
        self.assertEqual(paths_of(decode_number, text.encode(), PATTERN), ["$"])

    def test_the_last_of_two_equal_keys_counts(self) -> None:
        self.assertEqual(number(b'{"params":{"number":"1","number":"2"}}'), "2")

    def test_variables(self) -> None:
        raw = '{"params":{"number":"1"},"variables":{"a":"值","b":1.10,"c":true,"d":null,"e":""}}'
        self.assertEqual(
            decode_number(raw.encode(), PATTERN).variables, {"a": "值", "b": "1.10", "c": "true"}
        )
        for none in ("null", "{}", "[]"):
            raw = f'{{"params":{{"number":"1"}},"variables":{none}}}'
            self.assertEqual(decode_number(raw.encode(), PATTERN).variables, {})

    def test_faults(self) -> None:
        table: list[tuple[bytes, list[str]]] = [
            (b"{", ["$"]),
            (b"{}", ["$.params.number"]),
            (b'{"number":"1"}', ["$.params.number"]),
            (b'{"params":null}', ["$.params.number"]),
            (b'{"params":"1"}', ["$.params"]),
            (b'{"params":{"number":"1"}} x', ["$"]),
            (b'{"params":{"number":0138}}', ["$"]),
            (b'{"params":{"number":"1"},"variables":"a=b"}', ["$.variables"]),
            (b'{"params":{"number":"1"},"variables":{"a":[]}}', ["$.variables.a"]),
            (
                b'{"params":{"number":"x"},"variables":{"a b":1}}',
                ["$.params.number", '$.variables["a b"]'],
            ),
        ]
        for raw, paths in table:
            self.assertEqual(paths_of(decode_number, raw, PATTERN), paths, raw)


class ReadAllTheSameTests(SynchronousTestCase):
    """What could be read of an entry that is at fault."""

    def read(self, raw: bytes) -> tuple[str | None, str | None]:
        error = self.assertRaises(EntryError, decode_number, raw, PATTERN)
        return error.number, error.requested_uuid

    def test_number_and_requested_uuid(self) -> None:
        for raw, expected in (
            (
                b'{"params":{"number":"138"},"variables":{"origination_uuid":"crm-1","x":[]}}',
                ("138", "crm-1"),
            ),
            (b'{"params":{"number":1.38e2},"variables":{"a b":1}}', ("138", None)),
            (b'{"params":{"number":"x"},"variables":{"Origination_UUID":7}}', (None, "7")),
            (b'{"params":{},"variables":{"origination_uuid":"u"}}', (None, "u")),
            (b'{"params":{"number":"138"},"variables":5}', ("138", None)),
            (b'{"params":5,"variables":{"origination_uuid":"u"}}', (None, "u")),
            (b'{"params":{"number":"138"', (None, None)),
            (b"138-0013", (None, None)),
            (b"\xff", (None, None)),
        ):
            self.assertEqual(self.read(raw), expected, raw)


class HostileTests(SynchronousTestCase):
    def test_there_are_enough_of_them(self) -> None:
        self.assertGreater(len(set(HOSTILE_ENTRIES)), 200)

    def test_each_is_refused_or_harmless_and_soon(self) -> None:
        for raw in HOSTILE_ENTRIES:
            began = time.process_time()
            self._check(raw)
            self.assertLess(time.process_time() - began, 5.0, raw[:60])

    def test_no_number_takes_a_fragment_with_it(self) -> None:
        taken = [raw for raw in HOSTILE_ENTRIES if not paths_of(decode_number, raw, PATTERN)]
        self.assertGreater(len(taken), 100)  # most put the fragment into a variable's value
        for raw in taken:
            self.assertRegex(number(raw), r"\A\+?[0-9*#]{1,32}\Z")

    @given(st.binary())
    def test_any_bytes(self, raw: bytes) -> None:
        self._check(raw)

    @given(st.binary())
    def test_any_bytes_that_begin_as_json(self, raw: bytes) -> None:
        self._check(b'{"params":{"number":"1"},"variables":{"a":' + raw)

    def _check(self, raw: bytes) -> None:
        try:
            entry = decode_number(raw, PATTERN)
        except ContractError as error:
            self.assertLess(len(str(error)), 20_000)
            self.assertTrue(error.faults)
            return
        self.assertIsNotNone(PATTERN.fullmatch(entry.number))
        for name, value in entry.variables.items():
            self.assertIsNotNone(NAME.fullmatch(name))
            self.assertNotIn("\0", value)
            value.encode()
