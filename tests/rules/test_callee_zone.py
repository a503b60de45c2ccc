"""Where the callee of a number is, and how a list may have it."""

from __future__ import annotations

import subprocess
import sys
from zoneinfo import available_timezones

import phonenumbers
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import timezone
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules import callee_zone
from ctidialer.rules.callee_zone import e164, is_region, spellings, zones_of


class ZoneTests(SynchronousTestCase):
    def test_by_the_number(self) -> None:
        for number, region, zones in (
            ("13800138000", "CN", ("Asia/Shanghai",)),
            ("+8613800138000", None, ("Asia/Shanghai",)),
            ("2125550123", "US", ("America/New_York",)),
            ("+13035550123", None, ("America/Denver",)),
            ("+14155550123", "DE", ("America/Los_Angeles",)),
            ("030123456", "DE", ("Europe/Berlin",)),
        ):
            self.assertEqual(zones_of(number, region), zones, number)

    def test_a_national_number_of_no_region_is_not_known(self) -> None:
        self.assertEqual(zones_of("2125550123", None), ())
        self.assertEqual(zones_of("12", "US"), ())
        self.assertEqual(zones_of("*100#", "CN"), ())

    def test_area_codes_that_the_library_misses(self) -> None:
        for code, older in (("364", "270"), ("448", "850"), ("930", "812")):
            self.assertEqual(
                zones_of(f"+1{code}5550123", None), zones_of(f"+1{older}5550123", None)
            )
            self.assertTrue(zones_of(f"+1{code}5550123", None))
        self.assertEqual(zones_of("+18075550123", None), ("America/Toronto", "America/Winnipeg"))

    def test_a_number_of_no_place_may_be_anywhere_in_its_country(self) -> None:
        self.assertGreater(len(zones_of("+18005550123", None)), 4)
        self.assertGreater(len(zones_of("+61412345678", None)), 2)

    @given(st.text("+0123456789*#", max_size=20), st.sampled_from([None, "US", "CN", "AU", "RU"]))
    def test_any_number_has_zones_that_exist_or_none(self, number: str, region: str | None) -> None:
        self.assertLessEqual(set(zones_of(number, region)), available_timezones())

    @given(
        st.sampled_from(["+86", "+1", "+49", "+44", "+7", "+39", "+52", "8", "0", "00", ""]),
        st.text("0123456789", min_size=6, max_size=11),
        st.sampled_from([None, "CN", "US", "DE", "GB", "RU", "IT", "MX"]),
    )
    def test_a_plain_number_is_where_the_library_says(
        self, start: str, digits: str, region: str | None
    ) -> None:
        number = start + digits
        if region is not None or (number.startswith("+") and e164(number, None)):
            self.assertEqual(zones_of(number, region), by_the_library(number, region))

    def test_the_library_is_loaded_by_the_first_number_and_no_sooner(self) -> None:
        code = (
            "import sys; from ctidialer.rules import callee_zone as z;"
            " z.spellings('+8613800138000', None); z.e164('1', None);"
            " z.zones_of('13800138000', None); early = 'phonenumbers' in sys.modules;"
            " z.zones_of('1', 'US');"
            " late = 'phonenumbers' in sys.modules;"
            " heavy = {'phonenumbers.geodata', 'phonenumbers.carrierdata'} & set(sys.modules);"
            " print(early, late, heavy)"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        self.assertEqual(said.stdout.split(b"\n")[0], b"False True set()")

    def test_a_daemon_whose_tasks_need_no_zone_goes_without_the_library(self) -> None:
        """With lists and caps it need not be loaded; a region needs it."""
        code = (
            "import json, sys, ctidialer.tap, ctidialer.dialer.assembly;"
            " from ctidialer.contract.task_document import decode_task;"
            " plain = {'line_group': ['g'], 'limit': 1, 'number_queue': 'q', 'dnc': ['out'],"
            " 'destination_extension': '8', 'callee_limit': [{'count': 1, 'time': 60}]};"
            " read = lambda params: decode_task('t', host=None, host_name='fs1',"
            " template=json.dumps({'params': params}).encode());"
            " from ctidialer.rules import callee_zone as z;"
            " task = read(plain); z.spellings('+8613800138000', task.callee.region);"
            " early = 'phonenumbers' in sys.modules;"
            " task = read(plain | {'callee_region': 'CN'});"
            " z.spellings('13800138000', task.callee.region);"
            " print(early, 'phonenumbers' in sys.modules)"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        self.assertEqual(said.stdout.split(), [b"False", b"True"])


def by_the_library(number: str, region: str | None) -> tuple[str, ...]:
    """Return what the library says, but for the area codes that it misses."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return ()
    if not phonenumbers.is_possible_number(parsed):
        return ()
    area = str(parsed.national_number)[:3]
    if parsed.country_code == 1 and area in {*callee_zone.SAME_PLACE, *callee_zone.TWO_ZONES}:
        return zones_of(number, region)
    found = timezone.time_zones_for_number(parsed)
    return tuple(zone for zone in found if zone != callee_zone.UNKNOWN_ZONE)


class SpellingTests(SynchronousTestCase):
    def test_one_number_however_it_is_written(self) -> None:
        for number, region, same in (
            ("13800138000", "CN", "+8613800138000"),
            ("+8613800138000", "CN", "13800138000"),
            ("075512345678", "CN", "+8675512345678"),
            ("+8675512345678", "CN", "075512345678"),
            ("008613800138000", "CN", "13800138000"),
            ("+12125550123", "US", "2125550123"),
            ("2125550123", "US", "12125550123"),
            ("+12125550123", "US", "0012125550123"),
        ):
            self.assertIn(same, spellings(number, region), (number, region))

    def test_a_foreign_number_has_no_national_spelling(self) -> None:
        self.assertNotIn("13800138000", spellings("+8613800138000", "US"))

    def test_without_a_region_it_is_what_it_is(self) -> None:
        self.assertEqual(spellings("13800138000", None), ("13800138000",))
        self.assertEqual(spellings("+8613800138000", None), ("+8613800138000", "8613800138000"))

    def test_as_it_was_written_comes_first(self) -> None:
        for number in ("2125550123", "+12125550123", "*100#"):
            self.assertEqual(spellings(number, "US")[0], number)

    @given(st.from_regex(r"\A1[3-9][0-9]{9}\Z"))
    def test_two_ways_to_write_a_number_share_its_international_form(self, number: str) -> None:
        international = e164(number, "CN")
        self.assertEqual(international, f"+86{number}")
        self.assertIn(international, spellings(number, "CN"))
        self.assertIn(number, spellings(f"+86{number}", "CN"))

    @given(
        st.sampled_from(("CN", "US", "CA", "DE", "GB")),
        st.from_regex(r"\A\+?[0-9]{5,13}\Z") | st.from_regex(r"\A1?[2-9][0-9]{9}\Z"),
    )
    def test_the_quick_way_says_what_the_library_says(self, region: str, number: str) -> None:
        parsed = callee_zone._parsed(number, region)
        quick = callee_zone._quick(number, region)
        if quick is not None:
            self.assertIsNotNone(parsed)
            assert parsed is not None
            self.assertEqual(quick, callee_zone._international(parsed))

    def test_regions(self) -> None:
        self.assertTrue(is_region("CN"))
        self.assertFalse(is_region("XX"))
