"""When a task may start calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.hours import CallingHours, Span, Window
from ctidialer.rules.calling_hours import Closed, Opening, opening

SHANGHAI = "Asia/Shanghai"
BERLIN = "Europe/Berlin"


def window(begin: str, end: str, weekday: int | None = None) -> Window:
    return Window(seconds(begin), seconds(end), weekday)


def seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def at(local: str, zone: str = SHANGHAI, fold: int = 0) -> float:
    """Return the unix time of a local time that exists."""
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class HoursCase(SynchronousTestCase):
    zone = SHANGHAI

    def assert_open(self, hours: CallingHours, now: float, until: float | None) -> None:
        self.assertEqual(opening(hours, self.zone, now), Opening(True, None, until))

    def assert_closed(
        self, hours: CallingHours, now: float, why: Closed, until: float | None
    ) -> None:
        self.assertEqual(opening(hours, self.zone, now), Opening(False, why, until))

    def openings(self, hours: CallingHours, begin: float, end: float) -> list[tuple[str, str]]:
        """Return every opening between two moments, as UTC times."""
        found: list[tuple[str, str]] = []
        now: float | None = begin
        while now is not None and now < end:
            present = opening(hours, self.zone, now)
            if present.open:
                until = min(end, present.changes_at or end)
                found.append((shown(now), shown(until)))
            now = present.changes_at
        return found


def shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%d %H:%M")


class MomentTests(HoursCase):
    """Date-times that have a zone of their own, whatever the task's is."""

    def test_start_stop_and_holiday(self) -> None:
        for zone in ("UTC", SHANGHAI, "America/New_York"):
            hours = CallingHours(
                timezone=zone,
                start=datetime(2020, 1, 20, 4, tzinfo=UTC),
                stop=datetime(2020, 1, 21, 4, tzinfo=UTC),
                holidays=(
                    Span(
                        datetime(2020, 1, 20, 5, tzinfo=UTC), datetime(2020, 1, 20, 6, tzinfo=UTC)
                    ),
                ),
            )
            begin, stop = utc("2020-01-20 04:00"), utc("2020-01-21 04:00")
            self.assert_closed(hours, begin - 1, Closed.BEFORE_START, begin)
            self.assert_open(hours, begin, begin + 3600)
            self.assert_closed(hours, begin + 3600, Closed.HOLIDAY, begin + 7200)
            self.assert_open(hours, begin + 7200, stop)
            self.assert_closed(hours, stop, Closed.AFTER_STOP, None)


class WindowTests(HoursCase):
    day = CallingHours(windows=(window("8:00", "12:00"), window("14:00", "18:00")))

    def test_without_hours_it_is_always_open(self) -> None:
        self.assert_open(CallingHours(), 0.0, None)
        self.assert_open(CallingHours(weekdays=frozenset(range(7))), 0.0, None)

    def test_the_corners_of_a_window(self) -> None:
        begin, end = at("2026-03-02 08:00"), at("2026-03-02 12:00")
        self.assert_closed(self.day, begin - 0.001, Closed.OUTSIDE_HOURS, begin)
        self.assert_open(self.day, begin, end)
        self.assert_open(self.day, end - 0.001, end)
        self.assert_closed(self.day, end, Closed.OUTSIDE_HOURS, at("2026-03-02 14:00"))
        evening = at("2026-03-02 18:00")
        self.assert_open(self.day, evening - 0.001, evening)
        self.assert_closed(self.day, evening, Closed.OUTSIDE_HOURS, at("2026-03-03 08:00"))

    def test_windows_past_midnight_belong_to_the_day_on_which_they_began(self) -> None:
        hours = CallingHours(windows=(window("22:00", "2:00"),), weekdays=frozenset({5}))
        begin, end = at("2026-03-06 22:00"), at("2026-03-07 02:00")  # a Friday
        self.assert_closed(hours, at("2026-03-06 01:00"), Closed.OUTSIDE_HOURS, begin)
        self.assert_closed(hours, begin - 1, Closed.OUTSIDE_HOURS, begin)
        self.assert_open(hours, begin, end)
        self.assert_open(hours, at("2026-03-07 01:59"), end)
        following = begin + 7 * 86_400
        self.assert_closed(hours, end, Closed.NOT_A_WORKING_DAY, following)

    def test_a_windows_own_weekday(self) -> None:
        hours = CallingHours(windows=(window("23:00", "1:00", 0), window("9:00", "10:00", 1)))
        begin = at("2026-03-01 23:00")  # a Sunday
        self.assert_closed(hours, begin - 1, Closed.OUTSIDE_HOURS, begin)
        self.assert_open(hours, at("2026-03-02 00:59"), at("2026-03-02 01:00"))
        monday = at("2026-03-02 09:00")
        self.assert_closed(hours, at("2026-03-02 01:00"), Closed.OUTSIDE_HOURS, monday)
        self.assert_open(hours, monday, at("2026-03-02 10:00"))
        sunday = begin + 7 * 86_400
        self.assert_closed(hours, at("2026-03-02 10:00"), Closed.OUTSIDE_HOURS, sunday)

    def test_a_day_up_to_24_00_runs_on_into_the_next(self) -> None:
        hours = CallingHours(windows=(window("20:00", "24:00"), window("0:00", "6:00")))
        self.assert_open(hours, at("2026-03-02 23:00"), at("2026-03-03 06:00"))

    def test_windows_that_overlap_or_touch_are_one(self) -> None:
        hours = CallingHours(
            windows=(window("10:00", "12:00"), window("8:00", "11:00"), window("12:00", "13:00"))
        )
        self.assert_open(hours, at("2026-03-02 08:30"), at("2026-03-02 13:00"))

    def test_windows_that_cover_all_days_never_change(self) -> None:
        hours = CallingHours(windows=(window("0:00", "12:00"), window("12:00", "24:00")))
        self.assert_open(hours, at("2026-03-02 08:30"), None)

    def test_equal_begin_and_end_is_an_empty_window(self) -> None:
        for clock in ("0:00", "8:00"):
            hours = CallingHours(windows=(window(clock, clock),))
            self.assert_closed(hours, at("2026-03-02 08:00"), Closed.OUTSIDE_HOURS, None)

    def test_the_work_week_alone(self) -> None:
        hours = CallingHours(weekdays=frozenset({1, 2, 3, 4, 5}))
        saturday, monday = at("2026-03-07 00:00"), at("2026-03-09 00:00")
        self.assert_open(hours, saturday - 0.001, saturday)
        self.assert_closed(hours, saturday, Closed.NOT_A_WORKING_DAY, monday)
        self.assert_closed(hours, monday - 0.001, Closed.NOT_A_WORKING_DAY, monday)
        self.assert_open(hours, monday, at("2026-03-14 00:00"))

    def test_an_empty_work_week_never_opens(self) -> None:
        hours = evolve(self.day, weekdays=frozenset())
        self.assert_closed(hours, at("2026-03-02 09:00"), Closed.NOT_A_WORKING_DAY, None)

    def test_the_tasks_zone_comes_before_the_nodes(self) -> None:
        hours = evolve(self.day, timezone=BERLIN)
        self.assertTrue(opening(hours, SHANGHAI, at("2026-03-02 09:00", BERLIN)).open)
        self.assertFalse(opening(hours, SHANGHAI, at("2026-03-02 09:00", SHANGHAI)).open)

    def test_a_zone_that_is_none_is_said_so(self) -> None:
        self.assertRaises(ZoneInfoNotFoundError, opening, self.day, "Mars/Olympus", 0.0)


class BoundsTests(HoursCase):
    day = WindowTests.day

    def test_start_and_stop(self) -> None:
        start, stop = datetime(2026, 3, 2, 9), datetime(2026, 3, 2, 10)
        hours = CallingHours(start=start, stop=stop)
        begin, end = at("2026-03-02 09:00"), at("2026-03-02 10:00")
        self.assert_closed(hours, begin - 0.001, Closed.BEFORE_START, begin)
        self.assert_open(hours, begin, end)
        self.assert_open(hours, end - 0.001, end)
        self.assert_closed(hours, end, Closed.AFTER_STOP, None)

    def test_a_start_outside_the_hours_waits_for_them(self) -> None:
        hours = evolve(self.day, start=datetime(2027, 3, 2, 12))
        begin = at("2027-03-02 14:00")
        self.assert_closed(hours, at("2026-03-02 09:00"), Closed.BEFORE_START, begin)

    def test_a_stop_before_the_next_hours_is_the_end(self) -> None:
        hours = evolve(self.day, stop=datetime(2026, 3, 2, 13))
        self.assert_closed(hours, at("2026-03-02 12:30"), Closed.OUTSIDE_HOURS, None)
        hours = evolve(self.day, stop=datetime(2026, 3, 2, 11))
        self.assert_open(hours, at("2026-03-02 08:30"), at("2026-03-02 11:00"))

    def test_a_stop_before_the_start_never_opens(self) -> None:
        hours = CallingHours(start=datetime(2026, 3, 3), stop=datetime(2026, 3, 2))
        self.assert_closed(hours, at("2026-03-01 12:00"), Closed.BEFORE_START, None)

    def test_a_holiday_cuts_through(self) -> None:
        holiday = Span(datetime(2026, 3, 2, 10), datetime(2026, 3, 3, 9))
        hours = evolve(self.day, holidays=(holiday,))
        begin, end = at("2026-03-02 10:00"), at("2026-03-03 09:00")
        self.assert_open(hours, begin - 0.001, begin)
        self.assert_closed(hours, begin, Closed.HOLIDAY, end)
        self.assert_closed(hours, end - 0.001, Closed.HOLIDAY, end)
        self.assert_open(hours, end, at("2026-03-03 12:00"))

    def test_a_holiday_in_the_night_of_a_window(self) -> None:
        night = CallingHours(
            windows=(window("22:00", "6:00"),),
            holidays=(Span(datetime(2026, 3, 3), datetime(2026, 3, 3, 3)),),
        )
        self.assert_open(night, at("2026-03-02 23:00"), at("2026-03-03 00:00"))
        self.assert_closed(night, at("2026-03-03 01:00"), Closed.HOLIDAY, at("2026-03-03 03:00"))
        self.assert_open(night, at("2026-03-03 03:00"), at("2026-03-03 06:00"))

    def test_holidays_that_overlap_touch_or_are_empty(self) -> None:
        hours = CallingHours(
            holidays=(
                Span(datetime(2026, 3, 4), datetime(2026, 3, 5)),
                Span(datetime(2026, 3, 2), datetime(2026, 3, 4)),
                Span(datetime(2026, 3, 2, 12), datetime(2026, 3, 2, 13)),
                Span(datetime(2026, 3, 8), datetime(2026, 3, 8)),
                Span(datetime(2026, 3, 9), datetime(2026, 3, 7)),
            )
        )
        self.assert_closed(hours, at("2026-03-02 12:30"), Closed.HOLIDAY, at("2026-03-05 00:00"))
        self.assert_open(hours, at("2026-03-05 00:00"), None)
        self.assert_open(hours, at("2026-03-01 00:00"), at("2026-03-02 00:00"))

    def test_a_holiday_that_ends_at_night_waits_for_the_morning(self) -> None:
        hours = evolve(self.day, holidays=(Span(datetime(2026, 3, 2), datetime(2026, 4, 1, 3)),))
        self.assert_closed(hours, at("2026-03-02 09:00"), Closed.HOLIDAY, at("2026-04-01 08:00"))

    def test_ten_years_of_weekends_as_holidays(self) -> None:
        first = datetime(2026, 3, 7)
        weekends = tuple(
            Span(first + timedelta(weeks=week), first + timedelta(weeks=week, days=2))
            for week in range(520)
        )
        hours = CallingHours(
            windows=(window("9:00", "17:00", 6), window("9:00", "17:00", 0)), holidays=weekends
        )
        now = at("2026-03-07 10:00")
        self.assert_closed(hours, now, Closed.HOLIDAY, now + 520 * 7 * 86_400 - 3600)

    def test_the_ends_of_the_calendar(self) -> None:
        forever = Span(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59))
        now = at("2026-03-02 09:00")
        for zone in (SHANGHAI, "Pacific/Pago_Pago"):
            self.zone = zone
            self.assert_closed(evolve(self.day, holidays=(forever,)), now, Closed.HOLIDAY, None)
            always = CallingHours(start=datetime(1, 1, 1), stop=datetime(9999, 12, 31, 23, 59))
            self.assertTrue(opening(always, zone, now).open)
            late = evolve(self.day, start=datetime(9999, 12, 31, 23, 59, 59))
            self.assert_closed(late, now, Closed.BEFORE_START, None)


class ClockChangeTests(HoursCase):
    """Berlin: 2026-03-29 02:00 -> 03:00 (01:00 UTC), 2026-10-25 03:00 -> 02:00 (01:00 UTC)."""

    zone = BERLIN

    def spring(self, begin: str, end: str) -> list[tuple[str, str]]:
        hours = CallingHours(windows=(window(begin, end),))
        return self.openings(hours, utc("2026-03-28 18:00"), utc("2026-03-29 18:00"))

    def autumn(self, begin: str, end: str) -> list[tuple[str, str]]:
        hours = CallingHours(windows=(window(begin, end),))
        return self.openings(hours, utc("2026-10-24 18:00"), utc("2026-10-25 18:00"))

    def test_a_window_inside_the_gap_does_not_open(self) -> None:
        self.assertEqual(self.spring("2:00", "3:00"), [])
        self.assertEqual(self.spring("2:15", "2:45"), [])

    def test_a_window_that_reaches_into_the_gap_is_cut(self) -> None:
        self.assertEqual(self.spring("1:30", "2:30"), [("29 00:30", "29 01:00")])
        self.assertEqual(self.spring("2:30", "4:00"), [("29 01:00", "29 02:00")])
        self.assertEqual(self.spring("1:00", "4:00"), [("29 00:00", "29 02:00")])
        self.assertEqual(self.spring("23:00", "2:30"), [("28 22:00", "29 01:00")])

    def test_a_window_in_the_hour_that_comes_twice_opens_once(self) -> None:
        self.assertEqual(self.autumn("2:15", "2:45"), [("25 00:15", "25 00:45")])
        self.assertEqual(self.autumn("2:00", "3:00"), [("25 00:00", "25 02:00")])
        self.assertEqual(self.autumn("1:30", "2:30"), [("24 23:30", "25 00:30")])
        self.assertEqual(self.autumn("2:30", "4:00"), [("25 00:30", "25 03:00")])
        self.assertEqual(self.autumn("1:00", "4:00"), [("24 23:00", "25 03:00")])

    def test_new_york(self) -> None:
        self.zone = "America/New_York"
        hours = CallingHours(windows=(window("1:30", "2:30"),))
        self.assertEqual(
            self.openings(hours, utc("2026-03-08 00:00"), utc("2026-03-09 00:00")),
            [("08 06:30", "08 07:00")],
        )
        hours = CallingHours(windows=(window("1:15", "1:45"),))
        self.assertEqual(
            self.openings(hours, utc("2026-11-01 00:00"), utc("2026-11-02 00:00")),
            [("01 05:15", "01 05:45")],
        )

    def test_half_an_hour_on_lord_howe(self) -> None:
        self.zone = "Australia/Lord_Howe"
        hours = CallingHours(windows=(window("1:45", "2:15"),))
        # 2026-10-04 02:00 -> 02:30 at 15:30 UTC; 2026-04-05 02:00 -> 01:30 at 15:00 UTC.
        self.assertEqual(
            self.openings(hours, utc("2026-10-03 00:00"), utc("2026-10-04 00:00")),
            [("03 15:15", "03 15:30")],
        )
        self.assertEqual(
            self.openings(hours, utc("2026-04-04 00:00"), utc("2026-04-05 00:00")),
            [("04 14:45", "04 15:45")],
        )

    def test_a_weekly_window_in_the_gap_opens_the_week_after(self) -> None:
        hours = CallingHours(windows=(window("2:15", "2:45", 0),))
        self.assert_closed(
            hours, utc("2026-03-28 12:00"), Closed.OUTSIDE_HOURS, at("2026-04-05 02:15", BERLIN)
        )

    def test_start_and_stop_in_the_gap(self) -> None:
        hours = CallingHours(start=datetime(2026, 3, 29, 2, 30))
        self.assert_closed(
            hours, utc("2026-03-29 00:59"), Closed.BEFORE_START, utc("2026-03-29 01:00")
        )

    def test_a_day_that_never_was(self) -> None:
        self.zone = "Pacific/Apia"  # went from 29 to 31 December 2011
        hours = CallingHours(windows=(window("8:00", "12:00"),))
        self.assertEqual(
            self.openings(hours, utc("2011-12-29 12:00"), utc("2012-01-01 00:00")),
            [("29 18:00", "29 22:00"), ("30 18:00", "30 22:00"), ("31 18:00", "31 22:00")],
        )
