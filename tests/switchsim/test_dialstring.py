"""How an originate's argument is read: recording 50, the documented encoder, hand-made cases."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.switchsim.dialstring import (
    BracesError,
    DialRequest,
    UndefinedExtension,
    UsageError,
    read_dial_request,
)
from ctidialer.switchsim.tokens import separate
from tests.switchsim.replay import read_recording

_FIRST = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", " ": "\\s"}
_SECOND = {"\\": "\\\\", "'": "\\'", ",": "\\,"}
_THIRD = {"\\": "\\\\", "'": "\\'"}


def encode(value: str) -> str:
    """Write a variable's value as docs/freeswitch.rst says it comes through all three passes."""
    for table in (_FIRST, _SECOND, _THIRD):
        value = "".join(table.get(letter, letter) for letter in value)
    return value


def expressible(value: str) -> bool:
    """Say whether docs/freeswitch.rst counts a value among those that can be written at all."""
    if "${" in value or ":_:" in value or value.startswith("ARRAY::") or "\0" in value:
        return False
    depth = 0
    for letter in value:
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            return False
    return depth == 0 and bool(value)


values = st.text(
    st.sampled_from("ab '\"\\,=|{}$%\n\r\t;:^é日^&()") | st.characters(exclude_categories=["Cs"]),
    min_size=1,
    max_size=40,
).filter(expressible)


def variables(text: str) -> dict[str, str]:
    return read_dial_request(f"{text}null/1 &park").variables


class EncodedValues(SynchronousTestCase):
    @settings(deadline=None, max_examples=400)
    @given(st.lists(values, min_size=1, max_size=4))
    def test_what_the_encoder_writes_arrives_unchanged(self, texts: list[str]) -> None:
        pairs = ",".join(f"v{at}={encode(text)}" for at, text in enumerate(texts))
        request = read_dial_request(f"{{{pairs},last=1}}sofia/gateway/gw/123 8888 XML default")
        wanted = {f"v{at}": text for at, text in enumerate(texts)} | {"last": "1"}
        self.assertEqual(request.variables, wanted)
        self.assertEqual(request.legs, ("sofia/gateway/gw/123",))
        self.assertEqual((request.extension, request.dialplan), ("8888", "XML"))

    @settings(deadline=None, max_examples=300)
    @given(st.text(max_size=60))
    def test_no_text_breaks_the_reader(self, text: str) -> None:
        try:
            request = read_dial_request(text)
        except (UsageError, BracesError, UndefinedExtension):
            return
        self.assertIsInstance(request, DialRequest)


class Recording50(SynchronousTestCase):
    """Every quoting experiment of the recording gives the variables FreeSWITCH made of it."""

    def experiments(self) -> list[tuple[str, dict[str, str] | None]]:
        found: list[tuple[str, dict[str, str] | None]] = []
        stream = b""
        for chunk in read_recording("50_"):
            if chunk.side == "<":
                stream += chunk.octets
            elif chunk.octets.startswith(b"bgapi originate "):
                found += self.outcome(found, stream)
                stream = b""
                found.append((chunk.octets[16:].decode().partition("\nJob-UUID")[0], None))
        return found + self.outcome(found, stream)

    def outcome(
        self, found: list[tuple[str, dict[str, str] | None]], stream: bytes
    ) -> list[tuple[str, dict[str, str] | None]]:
        """Put what was created into the last experiment; gives nothing more to add."""
        for match in re.finditer(rb'\{"Event-Name":"CHANNEL_CREATE".*?"\}', stream, re.DOTALL):
            event = json.loads(match[0])
            names = list(event)
            first = names.index("variable_channel_name") + 1
            last = names.index("variable_originate_early_media")
            made = {name[9:]: event[name] for name in names[first:last]}
            found[-1] = (found[-1][0], made)
        return []

    def test_the_variables_are_those_of_the_recording(self) -> None:
        checked = 0
        for argument, wanted in self.experiments():
            if wanted is None:
                continue
            got = dict(read_dial_request(argument).variables)
            got.pop("origination_uuid", None)
            self.assertEqual(got, wanted, argument)
            checked += 1
        self.assertGreater(checked, 10)


class Passes(SynchronousTestCase):
    def test_quotes_and_escapes_are_taken_out_once_a_pass(self) -> None:
        cases = {
            "{v=abc,w=1}": {"v": "abc", "w": "1"},
            "{v='a,b',w=1}": {"v": "a", "w": "1"},
            r"{v=a\,b,w=1}": {"v": "a,b", "w": "1"},
            r"{v=a\\,b,w=1}": {"v": "a,b", "w": "1"},
            r"{v=\'a,b\',w=1}": {"v": "a,b", "w": "1"},
            "{^^;v=a,b;w=1}": {"v": "a,b", "w": "1"},
            "{v='a b',w=1}": {"v": "a b", "w": "1"},
            r"{v=a\sb,w=1}": {"v": "a b", "w": "1"},
            "{v=a=b,=x,y=,z}": {"v": "a=b"},
            "{v=1,V=2}": {"V": "2"},
            "{a=1}{b=2}": {"a": "1", "b": "2"},
            "{v=x${y}}": {},
            "{v[0]=a,v[1]=b}": {"v": "ARRAY::a|:b"},
            "{a=1}[a=2,b=3]": {"b": "3", "a": "1"},
            "[v='a,b',w=1]": {"v": "a", "w": "1"},
        }
        for text, wanted in cases.items():
            self.assertEqual(variables(text), wanted, text)

    def test_a_piece_keeps_a_lone_quote_and_an_unknown_escape(self) -> None:
        self.assertEqual(separate(r"it's,a\xb", ","), ["it's", r"a\xb"])

    def test_the_last_piece_takes_the_rest(self) -> None:
        self.assertEqual(separate("a=b=c", "=", 2), ["a", "b=c"])
        self.assertEqual(separate("a,b,", ","), ["a", "b"])
        self.assertEqual(separate("  a   b  ", " "), ["a", "b"])


class Words(SynchronousTestCase):
    def test_extension_dialplan_and_context(self) -> None:
        request = read_dial_request("null/1 6/v3 inline sales 'A B' 555 20")
        self.assertEqual(
            (request.extension, request.dialplan, request.context, request.timeout),
            ("6/v3", "inline", "sales", 20),
        )
        self.assertEqual(read_dial_request("null/1 8888").context, "default")

    def test_usage(self) -> None:
        for text in ("", "null/1", "a b c d e f g h"):
            self.assertRaises(UsageError, read_dial_request, text)

    def test_undef_in_any_case(self) -> None:
        for text in ("null/1 undef", "null/1 UnDef", "undef 8888"):
            self.assertRaises(UndefinedExtension, read_dial_request, text)
        self.assertEqual(read_dial_request("null/1 8888 undef undef").dialplan, "XML")

    def test_open_braces(self) -> None:
        for text in ("{a=1 &park", "{a={}null/1 &park", "{a=1} &park"):
            self.assertRaises(BracesError, read_dial_request, text)

    def test_legs_are_counted_and_the_first_is_dialed(self) -> None:
        request = read_dial_request("{a=1}sofia/gateway/x/139|sofia/gateway/y/139,user/1 8888")
        self.assertEqual(len(request.legs), 3)
        self.assertEqual(request.number, "139")
        escaped = read_dial_request(r"sofia/gateway/x/1\\,2\\|3 8888")
        self.assertEqual(escaped.legs, ("sofia/gateway/x/1,2|3",))

    def test_endpoint_destination_number(self) -> None:
        request = read_dial_request("sofia/internal/123@10.0.0.1 8888")
        self.assertEqual((request.endpoint, request.number), ("sofia", "123"))
        self.assertEqual(read_dial_request("12345 8888").endpoint, "")
