"""The set of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.files.seen import Seen, key_of

NUMBERS = st.from_regex(r"\+?[0-9]{1,18}", fullmatch=True)


class SeenTests(SynchronousTestCase):
    @given(NUMBERS, NUMBERS)
    def test_two_numbers_are_never_taken_for_one(self, one: str, other: str) -> None:
        self.assertEqual(key_of(one) == key_of(other), one == other)

    def test_leading_zeros_and_plus_count(self) -> None:
        self.assertEqual(len({key_of(one) for one in ("1", "01", "001", "+1", "+01")}), 5)

    def test_keys_have_64_bits(self) -> None:
        for number in ("", "9" * 18, "+" + "9" * 18, "9" * 19, "*72#", "１", "a" * 999):
            self.assertTrue(0 < key_of(number) < 1 << 64, number)

    @given(st.lists(st.integers(1, 5000)))
    def test_it_is_a_set(self, keys: list[int]) -> None:
        seen, plain = Seen(), set[int]()
        for key in keys:
            self.assertEqual(seen.add(key), key not in plain)
            plain.add(key)
        self.assertEqual(len(seen), len(plain))
        self.assertTrue(all(key in seen for key in plain))
        self.assertNotIn(6000, seen)

    def test_it_grows(self) -> None:
        seen = Seen()
        for index in range(20_000):
            self.assertTrue(seen.add(key_of(f"138{index:08}")))
        self.assertEqual(len(seen), 20_000)
        self.assertIn(key_of("13800019999"), seen)
        self.assertNotIn(key_of("13800020000"), seen)
