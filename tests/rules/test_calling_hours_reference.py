"""Calling hours against a slow and simple reference: every minute of two weeks, one by one."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.hours import CallingHours, Span, Window
from ctidialer.rules.calling_hours import opening

DAYS = 14
MINUTES = DAYS * 1440

# A zone, and a week after which its clock is changed (or not).
PLACES = (
    ("Europe/Berlin", datetime(2026, 3, 22)),
    ("Europe/Berlin", datetime(2026, 10, 18)),
    ("America/New_York", datetime(2026, 3, 1)),
    ("America/New_York", datetime(2026, 10, 25)),
    ("Australia/Lord_Howe", datetime(2026, 3, 29)),
    ("Australia/Lord_Howe", datetime(2026, 9, 27)),
    ("Africa/Casablanca", datetime(2026, 2, 8)),
    ("Africa/Casablanca", datetime(2026, 3, 15)),
    ("America/Sao_Paulo", datetime(2018, 10, 28)),
    ("America/Sao_Paulo", datetime(2018, 2, 11)),
    ("America/St_Johns", datetime(2010, 10, 31)),
    ("Pacific/Apia", datetime(2011, 12, 23)),
    ("Asia/Shanghai", datetime(2026, 3, 2)),
)


@cache
def clock(zone_name: str, first_day: datetime) -> tuple[float, list[datetime]]:
    """Return the first minute (unix seconds), and the latest time the clock has shown by each."""
    zone = ZoneInfo(zone_name)
    begin = (first_day - timedelta(days=3)).replace(tzinfo=zone).timestamp()
    latest, shown = datetime.min, []
    for minute in range(MINUTES + 6 * 1440):
        latest = max(latest, datetime.fromtimestamp(begin + minute * 60, zone).replace(tzinfo=None))
        shown.append(latest)
    return begin, shown


def is_open(hours: CallingHours, zone_name: str, first_day: datetime) -> tuple[float, list[bool]]:
    """Return the first minute, and for each minute whether calls may start."""
    begin, shown = clock(zone_name, first_day)
    minutes = [False] * len(shown)

    def mark(first: datetime, last: datetime, value: bool) -> None:
        for minute in range(bisect_left(shown, first), bisect_left(shown, last)):
            minutes[minute] = value

    for number in range(-4, DAYS + 4):
        day = first_day + timedelta(days=number)
        weekday = (day.weekday() + 1) % 7
        if hours.weekdays is not None and weekday not in hours.weekdays:
            continue
        for window in hours.windows or (Window(0, 86_400),):
            if window.weekday in (None, weekday):
                length = window.end - window.begin + (86_400 if window.begin > window.end else 0)
                start = datetime.combine(day, time()) + timedelta(seconds=window.begin)
                mark(start, start + timedelta(seconds=length), True)
    if hours.start:
        mark(datetime.min, hours.start, False)
    if hours.stop:
        mark(hours.stop, datetime.max, False)
    for span in hours.holidays:
        mark(span.begin, span.end, False)
    return begin, minutes


clock_times = st.one_of(st.integers(0, 16), st.integers(0, 95)).map(lambda quarter: quarter * 900)
windows = st.builds(
    Window,
    clock_times,
    st.one_of(clock_times, st.just(86_400)),
    st.sampled_from([None, None, None, 0, 1, 6]),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, datetime, CallingHours]:
    zone_name, first_day = draw(st.sampled_from(PLACES))
    # Times cluster around the middle, where the clock is changed.
    moments = st.one_of(st.integers(7 * 96 - 8, 7 * 96 + 16), st.integers(0, DAYS * 96)).map(
        lambda quarter: first_day + timedelta(minutes=15 * quarter)
    )
    return (
        zone_name,
        first_day,
        CallingHours(
            start=draw(st.one_of(st.none(), st.none(), moments)),
            stop=draw(st.one_of(st.none(), st.none(), moments)),
            windows=tuple(draw(st.lists(windows, max_size=3))),
            weekdays=draw(st.one_of(st.none(), st.frozensets(st.integers(0, 6), min_size=1))),
            holidays=tuple(draw(st.lists(st.builds(Span, moments, moments), max_size=2))),
        ),
    )


class ReferenceTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(cases())
    def test_every_opening_is_found_to_the_minute(
        self, case: tuple[str, datetime, CallingHours]
    ) -> None:
        zone_name, first_day, hours = case
        begin, expected = is_open(hours, zone_name, first_day)
        first, last = 3 * 1440, 3 * 1440 + MINUTES
        minute = first
        while minute < last:
            present = opening(hours, zone_name, begin + minute * 60)
            changes = present.changes_at
            until = last if changes is None else min(last, round((changes - begin) / 60))
            self.assertGreater(until, minute)
            self.assertEqual(
                expected[minute:until],
                [present.open] * (until - minute),
                f"{minute=} {present} {zone_name}",
            )
            if until < last:
                self.assertNotEqual(expected[until], present.open, f"{until=} is no change")
            minute = until

    @settings(deadline=None, max_examples=100)
    @given(cases(), st.integers(0, MINUTES * 60 - 1))
    def test_what_is_said_holds_from_any_moment(
        self, case: tuple[str, datetime, CallingHours], second: int
    ) -> None:
        zone_name, first_day, hours = case
        begin, _ = clock(zone_name, first_day)
        now = begin + 3 * 86_400 + second
        present = opening(hours, zone_name, now)
        self.assertEqual(present.open, present.closed is None)
        if present.changes_at is not None:
            self.assertGreater(present.changes_at, now)
            before = opening(hours, zone_name, present.changes_at - 0.001)
            self.assertEqual((before.open, before.changes_at), (present.open, present.changes_at))
            self.assertNotEqual(opening(hours, zone_name, present.changes_at).open, present.open)
