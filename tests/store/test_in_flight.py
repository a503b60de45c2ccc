"""What is no in-flight entry is said to be none: nothing of another shape gets any further."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.store.in_flight import Dialing, InFlight, Place, decode_in_flight, dialing_line

TAKEN: dict[str, object] = {
    "v": 1,
    "kind": "queue",
    "key": "numbers",
    "side": "left",
    "task": "t",
    "taken_at": 1.5,
}
DIALING: dict[str, object] = {"uuid": "u", "line": None, "group": "g", "attempt": 2, "progress": ""}


def value(taken: object = TAKEN, dialing: object = None, entry: bytes = b"1\n2") -> bytes:
    second = b"" if dialing is None else json.dumps(dialing).encode()
    return b"\n".join([json.dumps(taken).encode(), second, entry])


class DecodingTests(SynchronousTestCase):
    def assert_none(self, raw: bytes) -> None:
        error = self.assertRaises(ValueError, decode_in_flight, "d-1-2", raw)
        self.assertLess(len(str(error)), 500)

    def test_one_that_is(self) -> None:
        dialing = Dialing("u", None, "g", 2, b"\x00progress")
        raw = value().replace(b"\n\n", b"\n" + dialing_line(dialing) + b"\n", 1)
        self.assertEqual(
            decode_in_flight("d-1-2", raw),
            InFlight("d-1-2", b"1\n2", 1.5, Kind.QUEUE, "numbers", Side.LEFT, "t", dialing=dialing),
        )

    def test_the_name_of_its_place(self) -> None:
        dialing = Dialing("u", None, "g", 1, place=Place("d-1-1", 3))
        raw = value().replace(b"\n\n", b"\n" + dialing_line(dialing) + b"\n", 1)
        self.assertEqual(decode_in_flight("d-1-2", raw).dialing, dialing)
        self.assertNotIn(b"pass", dialing_line(Dialing("u", None, "g", 1)))

    def test_values_of_another_kind(self) -> None:
        for name, other in (
            *(("v", 2), ("kind", "x"), ("kind", []), ("key", 5), ("key", None), ("side", 0)),
            *(("task", 1), ("task", {}), ("taken_at", "x"), ("taken_at", None), ("score", [])),
            ("taken_at", 10**400),
        ):
            self.assert_none(value({**TAKEN, name: other}))
        for name, other in (
            *(("uuid", 1), ("uuid", None), ("line", []), ("group", {}), ("group", None)),
            *(("attempt", "x"), ("attempt", None), ("progress", 1), ("progress", "a")),
            *(("answered_at", "x"), ("answered_at", {})),
        ):
            self.assert_none(value(dialing={**DIALING, name: other}))

    def test_what_lacks_something(self) -> None:
        for name in TAKEN:
            self.assert_none(value({key: TAKEN[key] for key in TAKEN if key != name}))
        for name in DIALING:
            self.assert_none(value(dialing={key: DIALING[key] for key in DIALING if key != name}))

    def test_what_is_nested_too_deeply(self) -> None:
        for deep in (b"[" * 100_000, b'{"a":' * 100_000):
            self.assert_none(deep + b"\n\n1")
            self.assert_none(json.dumps(TAKEN).encode() + b"\n" + deep + b"\n1")
