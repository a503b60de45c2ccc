"""Days and hours of a zone, on the days on which its clocks are set too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.periods import By, Periods

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/Havana", "Asia/Kathmandu", "UTC"]


def at(text: str) -> float:
    """Return the unix seconds of a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


MOMENTS = st.integers(int(at("2000-01-01")), int(at("2037-01-01"))).map(float)


class PeriodTests(SynchronousTestCase):
    @given(st.sampled_from(ZONES), st.sampled_from(By), MOMENTS)
    def test_a_period_begins_before_and_has_its_label(
        self, zone: str, by: By, moment: float
    ) -> None:
        periods = Periods(by, zone)
        begin = periods.begin(moment)
        longest = timedelta(hours=26 if by is By.DAY else 1).total_seconds()
        self.assertTrue(begin <= moment < begin + longest)
        self.assertEqual(periods.begin(begin), begin)
        local = datetime.fromtimestamp(moment, ZoneInfo(zone))
        form = "%Y-%m-%d" if by is By.DAY else "%Y-%m-%d %H:00"
        self.assertEqual(periods.label(begin), local.strftime(form))

    def test_a_day_without_a_midnight_begins_an_hour_later(self) -> None:
        periods = Periods(By.DAY, "America/Havana")  # 2026-03-08 00:00 is 01:00
        self.assertEqual(periods.begin(at("2026-03-08T12:00")), at("2026-03-08T05:00"))
        self.assertEqual(periods.label(at("2026-03-08T05:00")), "2026-03-08")

    def test_an_hour_that_comes_twice_is_two(self) -> None:
        periods = Periods(By.HOUR, "Europe/Berlin")
        first, second = at("2026-10-25T00:30"), at("2026-10-25T01:30")
        self.assertEqual(periods.begin(first), at("2026-10-25T00:00"))
        self.assertEqual(periods.begin(second), at("2026-10-25T01:00"))
        for one in (first, second):
            self.assertEqual(periods.label(periods.begin(one)), "2026-10-25 02:00")
