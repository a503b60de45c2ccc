"""Events: lazily read, unforgeable from inside a value, exact in their bytes."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.errors import ProtocolFault
from ctidialer.esl.events import Event, TornEvent, make_event, plain_event
from ctidialer.esl.json_events import json_event

NOTICE = (
    b"Content-Type: text/disconnect-notice\nContent-Length: 39\n\n"
    b"killed listener because of lost events\n"
)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,15}", fullmatch=True).filter(
    lambda name: name != "Content-Length"
)


def event(*lines: bytes, body: bytes = b"") -> Event:
    announced = [b"Content-Length: %d" % len(body)] if body else []
    return plain_event(b"\n" + b"\n".join([*lines, *announced]) + b"\n\n" + body)


class Headers(SynchronousTestCase):
    def test_first_last_and_missing(self) -> None:
        read = event(b"Event-Name: CHANNEL_ANSWER", b"Unique-ID: u1", b"Answer-State: answered")
        self.assertEqual(read.name, "CHANNEL_ANSWER")
        self.assertEqual(read["Unique-ID"], "u1")
        self.assertEqual(read["Answer-State"], "answered")
        self.assertIsNone(read.get("Nothing"))
        self.assertEqual(read.get("Nothing", "else"), "else")
        self.assertRaises(KeyError, read.__getitem__, "Nothing")
        self.assertIn("Unique-ID", read)
        self.assertNotIn("Nothing", read)
        self.assertEqual(read.body, "")

    def test_an_event_without_a_name(self) -> None:
        self.assertEqual(event(b"X: 1").name, "")

    def test_an_encoded_line_break_forges_no_header(self) -> None:
        read = event(b"Event-Name: A", b"variable_v: x%0AUnique-ID: forged%0A%0Abody", b"Z: 1")
        self.assertIsNone(read.get("Unique-ID"))
        self.assertEqual(read["variable_v"], "x\nUnique-ID: forged\n\nbody")
        self.assertEqual([name for name, _ in read.headers()], ["Event-Name", "variable_v", "Z"])

    def test_a_name_inside_a_longer_name_does_not_match(self) -> None:
        read = event(b"variable_Event-Name: CHANNEL_ANSWER", b"Event-Name: CUSTOM")
        self.assertEqual(read.name, "CUSTOM")

    def test_a_body_holds_no_headers(self) -> None:
        read = event(b"Event-Name: BACKGROUND_JOB", body=b"+OK\nUnique-ID: forged\n\nX: 1\n\n")
        self.assertIsNone(read.get("Unique-ID"))
        self.assertIsNone(read.get("X"))
        self.assertEqual(read.body, "+OK\nUnique-ID: forged\n\nX: 1\n\n")

    def test_duplicates(self) -> None:
        read = event(b"Hangup-Cause: FIRST", b"X: 1", b"Hangup-Cause: SECOND")
        self.assertEqual(read["Hangup-Cause"], "FIRST")
        self.assertEqual(read.all("Hangup-Cause"), ["FIRST", "SECOND"])
        self.assertEqual(read.all("Nothing"), [])

    def test_channel_variables(self) -> None:
        read = event(
            b"Event-Name: CHANNEL_ANSWER",
            b"variable_a: 1%202",
            b"xvariable_b: 3",
            b"variable_a: 4",
            b"variable_bc: 5",
            b"variable_a: 6",
            b"variable_none: ",
            b"variable_octet: \xff",
            body=b"\nvariable_d: 7\n",
        )
        said = {name: read.variable(name) for name in ("a", "b", "bc", "c", "d", "none", "octet")}
        self.assertEqual(said, {name: read.get(f"variable_{name}") for name in said})
        self.assertEqual((said["a"], said["b"], said["d"]), ("1 2", None, None))
        self.assertEqual((said["bc"], said["none"], said["octet"]), ("5", "", "\\xff"))

    def test_lists(self) -> None:
        read = event(b"A: ARRAY%3A%3Aa%7C%3Ab%7C%3Ac", b"B: ARRAY::one", b"C: plain")
        self.assertEqual(read.values("A"), ["a", "b", "c"])
        self.assertEqual(read.values("B"), ["one"])
        self.assertEqual(read.values("C"), ["plain"])
        self.assertEqual(read.values("D"), [])

    def test_bytes_that_are_no_utf_8(self) -> None:
        read = event(b"A: caf%E9", b"B: \xff\xfe raw", body=b"\x80!")
        self.assertEqual(read["A"], "caf\\xe9")
        self.assertEqual(read.raw("A"), b"caf\xe9")
        self.assertEqual(read.raw("B"), b"\xff\xfe raw")
        self.assertEqual(read.body, "\\x80!")
        self.assertEqual(read.raw_body, b"\x80!")
        json.dumps(read.headers()).encode()  # every value can be written as UTF-8

    def test_bad_percent_signs_stand_for_themselves(self) -> None:
        self.assertEqual(event(b"A: 100% %zz %4")["A"], "100% %zz %4")

    def test_repr_names_the_event_and_the_call_only(self) -> None:
        read = event(b"Event-Name: CHANNEL_ANSWER", b"Unique-ID: u1", b"Caller-ANI: 13800138000")
        self.assertEqual(repr(read), "<Event CHANNEL_ANSWER u1>")
        read = plain_event(b"\nEvent-Name: CUSTOM\nEvent-Subclass: callcenter%3A%3Ainfo\n\n")
        self.assertEqual(repr(read), "<Event CUSTOM callcenter::info>")

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.tuples(names, texts), max_size=8), texts)
    def test_what_is_made_is_read_back(self, pairs: list[tuple[str, str]], body: str) -> None:
        made = make_event(pairs, body)
        self.assertEqual(made.body, body)
        self.assertEqual([pair for pair in made.headers() if pair[0] != "Content-Length"], pairs)
        for name, value in reversed(pairs):
            self.assertEqual(made.all(name)[0], made.get(name))
            self.assertIn(value, made.all(name))


class Wholeness(SynchronousTestCase):
    """The notice of a killed listener is written over the rest of an event (recording 88)."""

    def test_every_cut_is_found(self) -> None:
        whole = b"\nEvent-Name: CHANNEL_HANGUP\nUnique-ID: u1\nHangup-Cause: USER_BUSY\n\n"
        for cut in range(1, len(whole) - 2):
            for taken in range(1, len(NOTICE) + 1):
                torn = whole[:cut] + NOTICE[:taken]
                if torn != whole[: len(torn)]:
                    self.assertRaises(TornEvent, plain_event, torn)

    def test_a_length_that_does_not_fit_the_body(self) -> None:
        self.assertRaises(TornEvent, plain_event, b"\nA: 1\nContent-Length: 5\n\nabc")
        self.assertRaises(TornEvent, plain_event, b"\nA: 1\n\nabc")
        self.assertRaises(TornEvent, plain_event, b"\n")

    def test_two_lengths_as_sendevent_makes_them(self) -> None:
        read = plain_event(b"\nContent-Length: 3\nA: 1\nContent-Length: 3\n\nabc")
        self.assertEqual(read.body, "abc")

    def test_a_length_header_of_an_event_without_body(self) -> None:
        self.assertEqual(plain_event(b"\nA: 1\nContent-Length: 0\n\n")["A"], "1")

    @settings(deadline=None, max_examples=300)
    @given(
        st.binary(max_size=60)
        | st.lists(st.sampled_from([b"\n", b": ", b"A", b"Content-Length: 1"])).map(b"".join)
    )
    def test_random_bytes_are_an_event_or_torn(self, junk: bytes) -> None:
        try:
            read = plain_event(b"\n" + junk)
        except TornEvent:
            return
        read.headers(), read.name, read.body, read.values("A"), repr(read)


class Json(SynchronousTestCase):
    def test_the_same_interface(self) -> None:
        document = {
            "Event-Name": "BACKGROUND_JOB",
            "Job-UUID": "j1",
            "list": ["a", "b"],
            "text": "100%25 %0AUnique-ID: x\nUnique-ID: y 日本",
            "Content-Length": "3",
            "_body": "+OK",
        }
        read = json_event(json.dumps(document).encode())
        self.assertEqual(read.name, "BACKGROUND_JOB")
        self.assertEqual(read.values("list"), ["a", "b"])
        self.assertEqual(read["text"], document["text"])
        self.assertIsNone(read.get("Unique-ID"))
        self.assertEqual(read.body, "+OK")
        self.assertEqual(read.all("Content-Length"), ["3"])

    def test_odd_values(self) -> None:
        read = json_event(b'{"n": 1, "t": true, "z": null, "d": {"a": 1}, "l": [1, ["x"]]}')
        self.assertEqual([read[name] for name in "ntzd"], ["1", "true", "null", '{"a": 1}'])
        self.assertEqual(read.values("l")[0], "1")

    def test_names_forge_nothing(self) -> None:
        read = json_event(b'{"a: b\\nUnique-ID": "x", "Unique-ID: u": "y", "": "z"}')
        self.assertIsNone(read.get("Unique-ID"))
        self.assertIsNone(read.get("a"))

    def test_bytes_that_are_no_utf_8(self) -> None:
        read = json_event(b'{"A": "caf\xe9"}')
        self.assertEqual(read.raw("A"), b"caf\xe9")
        self.assertEqual(read["A"], "caf\\xe9")

    def test_a_surrogate_that_stands_for_no_byte_is_shown(self) -> None:
        read = json_event(rb'{"a": "x\ud800", "_body": "\udfff", "\ud801": "y"}')
        self.assertEqual((read["a"], read.body), ("x\\ud800", "\\udfff"))
        self.assertEqual(len(read.headers()), 3)

    def test_what_is_nested_too_deeply_is_a_fault(self) -> None:
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            for depth in (500, 900, 2000, 100_000):
                value = opening * depth + b"1" + closing * depth
                with contextlib.suppress(ProtocolFault):
                    self.assertTrue(json_event(b'{"a":' + value + b"}")["a"])
        self.assertRaises(ProtocolFault, json_event, b'{"a":' + b"[" * 900 + b"]" * 900 + b"}")

    def test_what_is_no_object_is_a_fault(self) -> None:
        for document in (b"", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000):
            self.assertRaises(ProtocolFault, json_event, document)

    @settings(deadline=None, max_examples=100)
    @given(st.dictionaries(names, texts, max_size=6))
    def test_any_values_come_through(self, document: dict[str, str]) -> None:
        read = json_event(json.dumps(document).encode())
        self.assertEqual(dict(read.headers()), document)

    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=60))
    def test_random_bytes(self, junk: bytes) -> None:
        try:
            json_event(b'{"a": "' + junk + b'"}')
        except ProtocolFault as fault:
            self.assertIn("JSON", str(fault))
