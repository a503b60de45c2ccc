"""Whether a number may be called now, by the clock where its callee is."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.callee import CalleeRules
from ctidialer.contract.hours import CallingHours, Span, Window
from ctidialer.contract.record import Outcome
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules.callee_hours import CalleeHours, all_open
from ctidialer.rules.calling_hours import opening
from ctidialer.rules.permission import (
    GO,
    End,
    LastMoments,
    Permission,
    WaitUntil,
    may_call,
)

DAYTIME = CallingHours(windows=(Window(8 * 3600, 21 * 3600),))
RULES = CalleeRules(hours=(DAYTIME,), region="US")
NEW_YORK, DENVER, TOLL_FREE = "+12125550123", "+13035550123", "+18005550123"


def at(day: str, zone: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()


def asked(
    rules: CalleeRules,
    number: str,
    now: float,
    zone: str | None = None,
    last: LastMoments | None = None,
) -> Permission:
    return may_call(rules, CalleeHours(), number, zone, now, last or LastMoments())


class HoursTests(SynchronousTestCase):
    def test_his_own_clock_counts(self) -> None:
        nine_in_new_york = at("2026-11-30 09:00", "America/New_York")
        self.assertEqual(asked(RULES, NEW_YORK, nine_in_new_york), GO)
        found = asked(RULES, DENVER, nine_in_new_york)
        assert isinstance(found, WaitUntil)
        self.assertEqual(found.at, at("2026-11-30 08:00", "America/Denver"))
        self.assertIs(found.reason, WaitReason.HOURS)
        self.assertIn("America/Denver", found.text)

    def test_without_hours_nobody_asks_where_he_is(self) -> None:
        self.assertEqual(asked(CalleeRules(), "12", 0.0), GO)

    def test_the_zone_of_the_entry_wins_then_the_number_then_the_task(self) -> None:
        rules = evolve(RULES, timezone="Asia/Tokyo")
        noon_in_tokyo = at("2026-11-30 12:00", "Asia/Tokyo")
        self.assertEqual(asked(rules, "12", noon_in_tokyo), GO)
        self.assertIsInstance(asked(rules, NEW_YORK, noon_in_tokyo), WaitUntil)
        self.assertEqual(asked(rules, NEW_YORK, noon_in_tokyo, "Asia/Seoul"), GO)

    def test_a_number_that_nobody_can_place_is_closed(self) -> None:
        found = asked(RULES, "12", 0.0)
        assert isinstance(found, End)
        self.assertIs(found.outcome, Outcome.CLOSED)
        self.assertIn("callee_timezone", found.text)

    def test_of_several_zones_all_must_be_open(self) -> None:
        self.assertIsInstance(
            asked(RULES, TOLL_FREE, at("2026-11-30 09:00", "America/New_York")), WaitUntil
        )
        noon = CallingHours(windows=(Window(12 * 3600, 12 * 3600 + 1800),))
        found = asked(evolve(RULES, hours=(noon,)), "+18075550123", 1_800_000_000.0)
        assert isinstance(found, End)
        self.assertIn("never open", found.text)

    def test_of_several_hours_all_must_be_open(self) -> None:
        late = CallingHours(windows=(Window(10 * 3600, 23 * 3600),))
        found = asked(
            evolve(RULES, hours=(DAYTIME, late)),
            NEW_YORK,
            at("2026-11-30 07:00", "America/New_York"),
        )
        assert isinstance(found, WaitUntil)
        self.assertEqual(found.at, at("2026-11-30 10:00", "America/New_York"))

    def test_it_ends_where_that_comes_too_late(self) -> None:
        night = at("2026-11-30 23:00", "America/New_York")
        opens = at("2026-12-01 08:00", "America/New_York")
        for last, outcome in (
            (LastMoments(stops=opens), Outcome.CLOSED),
            (LastMoments(expires=opens - 1), Outcome.EXPIRED),
            (LastMoments(stops=opens, expires=opens - 1), Outcome.CLOSED),
        ):
            found = asked(RULES, NEW_YORK, night, last=last)
            assert isinstance(found, End)
            self.assertIs(found.outcome, outcome)
        in_time = LastMoments(stops=opens + 1, expires=opens)
        self.assertIsInstance(asked(RULES, NEW_YORK, night, last=in_time), WaitUntil)


ZONES = ["America/New_York", "America/Denver", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
windows = st.builds(
    Window, st.integers(0, 86_399), st.integers(0, 86_400), st.none() | st.integers(0, 6)
)
spans = st.builds(
    lambda begin, days: Span(begin, begin + days),
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 12, 1)),
    st.timedeltas(timedelta(), timedelta(days=31)),
)
hours = st.builds(
    CallingHours,
    windows=st.lists(windows, max_size=3).map(tuple),
    weekdays=st.none() | st.frozensets(st.integers(0, 6), min_size=1),
    holidays=st.lists(spans, max_size=2).map(tuple),
)
moments = st.floats(datetime(2026, 3, 1).timestamp(), datetime(2026, 12, 31).timestamp())


class AnyCalendarTests(SynchronousTestCase):
    @settings(deadline=None)
    @given(
        st.lists(hours, min_size=1, max_size=2).map(tuple),
        st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple),
        moments,
    )
    def test_open_means_open_in_every_zone_and_a_wait_ends_when_that_is_so(
        self, some: tuple[CallingHours, ...], zones: tuple[str, ...], now: float
    ) -> None:
        def every(moment: float) -> bool:
            return all(opening(one, zone, moment).open for one in some for zone in zones)

        found = all_open(some, zones, now)
        self.assertEqual(found.open, every(now))
        self.assertEqual(CalleeHours().at(some, zones, now), found)
        if not found.open and found.changes_at is not None:
            self.assertGreater(found.changes_at, now)
            self.assertTrue(every(found.changes_at))

    @settings(deadline=None)
    @given(hours, st.sampled_from(ZONES), moments, st.lists(st.floats(0, 86_400), max_size=12))
    def test_what_is_remembered_is_what_would_be_found(
        self, one: CallingHours, zone: str, now: float, steps: list[float]
    ) -> None:
        memory = CalleeHours()
        for step in steps:
            now += step
            self.assertEqual(
                memory.at((one,), (zone,), now).open, all_open((one,), (zone,), now).open
            )
