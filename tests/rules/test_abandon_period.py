"""Over which time the share of abandoned calls is taken."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.agent_dialing import AbandonPeriod
from ctidialer.rules.abandon_period import DAY, MONTH, period_start

SHANGHAI = "Asia/Shanghai"
START = datetime(2026, 3, 1, 9)
BEGIN = START.replace(tzinfo=ZoneInfo(SHANGHAI)).timestamp()


def month(now: float, start: datetime | None = START) -> float:
    return period_start(AbandonPeriod.MONTH, start, SHANGHAI, now)


def day(zone: str, year: int, month_: int, day_: int, hour: int) -> float:
    now = datetime(year, month_, day_, hour, tzinfo=ZoneInfo(zone)).timestamp()
    return (now - period_start(AbandonPeriod.DAY, None, zone, now)) / 3600


class PeriodTests(SynchronousTestCase):
    def test_successive_periods_of_30_days_since_the_start(self) -> None:
        for days, periods in ((0.0, 0), (29.99, 0), (30.0, 1), (59.0, 1), (60.5, 2)):
            self.assertEqual(month(BEGIN + days * DAY), BEGIN + periods * MONTH)

    def test_before_the_start_is_the_first_period(self) -> None:
        self.assertEqual(month(BEGIN - 5 * DAY), BEGIN)

    def test_a_start_with_an_offset(self) -> None:
        start = datetime(2026, 3, 1, 1, tzinfo=UTC)
        self.assertEqual(month(BEGIN + 1, start), BEGIN)

    @given(st.floats(1.6e9, 2.2e9))
    def test_without_a_start_they_follow_each_other_too(self, now: float) -> None:
        begun = month(now, None)
        self.assertTrue(begun <= now < begun + MONTH)
        self.assertEqual(month(begun, None), begun)

    def test_a_day_begins_at_midnight_of_the_zone(self) -> None:
        self.assertEqual(day(SHANGHAI, 2026, 5, 1, 15), 15.0)

    def test_days_on_which_clocks_change(self) -> None:
        self.assertEqual(day("Europe/London", 2026, 3, 29, 15), 14.0)
        self.assertEqual(day("Europe/London", 2026, 10, 25, 15), 16.0)
