"""What is known of a number without the library is what the library says of it."""

from __future__ import annotations

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberType
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.plain_numbers import plain_numbers

ALONE = sorted(
    region
    for region in phonenumbers.SUPPORTED_REGIONS
    if len(phonenumbers.region_codes_for_country_code(phonenumbers.country_code_for_region(region)))
    == 1
)
PLAIN = {region: plain_numbers(PhoneMetadata.metadata_for_region(region)) for region in ALONE}
TYPES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE)
BEFORE = ("", "0", "00", "+", "8", "1", "15", "17951", "12593", "010", "9")


def by_the_library(number: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def example(region: str, kind: int) -> str:
    found = phonenumbers.example_number_for_type(region, kind)
    return "" if found is None else phonenumbers.national_significant_number(found)


@st.composite
def numbers(draw: st.DrawFn, region: str) -> str:
    """Draw numbers near to those that there are: other digits, and all that may stand before."""
    digits = list(draw(st.sampled_from([example(region, kind) for kind in TYPES])))
    for _ in range(draw(st.integers(0, 3))):
        if digits:
            digits[draw(st.integers(0, len(digits) - 1))] = draw(st.sampled_from("0123456789"))
    more = draw(st.sampled_from(("", "", "", "0", "12")))
    code = str(phonenumbers.country_code_for_region(region))
    before = draw(st.sampled_from(BEFORE))
    return before + draw(st.sampled_from(("", code, code + "0"))) + "".join(digits) + more


class PlainNumberTests(SynchronousTestCase):
    def assert_as_the_library(self, region: str, number: str) -> bool:
        """Return whether the number is known here."""
        found = PLAIN[region].e164(number)
        if found is not None:
            self.assertEqual(found, by_the_library(number, region), (region, number))
        return found is not None

    @settings(max_examples=3000, deadline=None)
    @given(st.data(), st.sampled_from(("CN", "CN", "CN", *ALONE)))
    def test_as_the_library_says(self, data: st.DataObject, region: str) -> None:
        self.assert_as_the_library(region, data.draw(numbers(region)))

    @settings(max_examples=500, deadline=None)
    @given(st.sampled_from(ALONE), st.from_regex(r"\A\+?[0-9*#]{1,32}\Z"))
    def test_any_number(self, region: str, number: str) -> None:
        self.assert_as_the_library(region, number)

    def test_each_mobile_prefix_of_china(self) -> None:
        known = 0
        for first in range(1_000, 2_000):
            for before in ("", "0", "+86"):
                known += self.assert_as_the_library("CN", f"{before}{first}0138000")
        self.assertGreater(known, 1_500)

    def test_what_a_file_has_is_known(self) -> None:
        for number in ("13800138000", "+8613800138000", "013800138000", "01088886666"):
            self.assertTrue(self.assert_as_the_library("CN", number), number)

    def test_what_could_be_seen_in_two_ways_is_left_to_the_library(self) -> None:
        for number in ("8613800138000", "008613800138000", "1795113800138000", "+4915123456789"):
            self.assertFalse(self.assert_as_the_library("CN", number), number)
        self.assertIsNone(PLAIN["CN"].e164("１３８００１３８０００"))
