"""What an entry carries while it waits, also from one version to another."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.waiting import Carried, WaitReason, decode_carried, encode_carried

CARRIED = Carried("i-1-0", 10.5, 20.5, WaitReason.RETRY, 2, {"busy": 1}, "q", "left")
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5)


class CarriedTests(SynchronousTestCase):
    def test_what_is_written_has_a_version_and_is_read(self) -> None:
        text = encode_carried(CARRIED)
        self.assertEqual(json.loads(text)["v"], 1)
        self.assertEqual(decode_carried(text), CARRIED)

    def test_what_the_version_before_wrote(self) -> None:
        text = b'{"entry_id":"i","taken_at":1.0,"since":2.0,"reason":"hours"}'
        self.assertEqual(decode_carried(text), Carried("i", 1.0, 2.0, WaitReason.HOURS))

    def test_what_a_later_version_has_added_is_kept(self) -> None:
        later = json.loads(encode_carried(CARRIED)) | {"v": 2, "agent": {"id": "7", "x": [1.50]}}
        carried = decode_carried(json.dumps(later).encode())
        again = replace(carried, since=30.0, tried=3)
        expected = later | {"since": 30.0, "tried": 3}
        self.assertEqual(json.loads(encode_carried(again)), expected)

    def test_what_is_malformed(self) -> None:
        for text in (b"", b"[]", b"{}", b'{"entry_id":1}', encode_carried(CARRIED)[:-1]):
            with self.assertRaises(ValueError):
                decode_carried(text)

    @given(st.dictionaries(st.text(max_size=5), SCALARS, max_size=3))
    def test_any_further_member_goes_through(self, more: dict[str, Any]) -> None:
        given_text = json.loads(encode_carried(CARRIED))
        later = {**more, **given_text}
        text = encode_carried(decode_carried(json.dumps(later).encode()))
        self.assertEqual(json.loads(text), later)
        self.assertNotIn(b"\n", text)
