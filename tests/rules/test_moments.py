"""Moments as people type them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.moments import NoMoment, NoSpan, moment_of, since_and_until, span_of

NOW = datetime(2026, 11, 28, 12, 30, 15, tzinfo=UTC).timestamp()
ZONE = "Asia/Shanghai"  # there it is 20:30:15


class MomentTests(SynchronousTestCase):
    def utc(self, text: str, zone: str = ZONE) -> str:
        return f"{datetime.fromtimestamp(moment_of(text, NOW, zone), UTC):%Y-%m-%d %H:%M:%S}"

    def test_each_form(self) -> None:
        for text, expected in (
            ("2026-11-28 20:00", "2026-11-28 12:00:00"),
            ("2026-11-28T20:00:05", "2026-11-28 12:00:05"),
            ("2026/1/2 3:04", "2026-01-01 19:04:00"),
            ("2026-11-28", "2026-11-27 16:00:00"),
            ("2026-11-28 24:00", "2026-11-28 16:00:00"),
            ("2026-11-28T20:00:00Z", "2026-11-28 20:00:00"),
            ("2026-11-28 20:00 +0100", "2026-11-28 19:00:00"),
            ("2026-11-28T20:00:00+01:00", "2026-11-28 19:00:00"),
            ("20:00", "2026-11-28 12:00:00"),
            (" 8:05:06 ", "2026-11-28 00:05:06"),
            ("2h", "2026-11-28 10:30:15"),
            ("90 s ago", "2026-11-28 12:28:45"),
            ("3d", "2026-11-25 12:30:15"),
            ("1w", "2026-11-21 12:30:15"),
            ("30m", "2026-11-28 12:00:15"),
            ("today", "2026-11-27 16:00:00"),
            ("yesterday", "2026-11-26 16:00:00"),
            ("week", "2026-11-22 16:00:00"),
            ("1795825815.5", "2026-11-28 00:30:15"),
        ):
            self.assertEqual(self.utc(text), expected, text)

    def test_in_the_hour_that_is_there_twice_the_first_one_is_meant(self) -> None:
        self.assertEqual(self.utc("2026-10-25 02:30", "Europe/Berlin"), "2026-10-25 00:30:00")

    def test_others(self) -> None:
        for text in ("", "tomorrow", "25:00", "20:61", "2026-02-30", "2026-11-28 x", "2x", "-2h"):
            self.assertRaises(NoMoment, moment_of, text, NOW, ZONE)

    @given(st.text(st.sampled_from("0123456789:-/ TZ+hdmsagow２"), max_size=20))
    def test_whatever_is_typed(self, text: str) -> None:
        try:
            moment_of(text, NOW, ZONE)
        except NoMoment as error:
            self.assertEqual(len(str(error).splitlines()), 1)


class BetweenTests(SynchronousTestCase):
    def test_bounds(self) -> None:
        self.assertEqual(since_and_until("2h", "1h", NOW, ZONE), (NOW - 7200, NOW - 3600))
        self.assertEqual(since_and_until(None, "3h", NOW, ZONE), (None, NOW - 10800))
        self.assertEqual(since_and_until("3h", None, NOW, ZONE), (NOW - 10800, None))

    def test_what_cannot_be_meant(self) -> None:
        for since, until, said in (
            ("2h", "3h", "--until must be later than --since: nothing lies between '2h' and '3h'"),
            ("today", "today", "--until must be later than --since"),
            ("soon", "3h", "--since must be a moment like"),
            ("2h", "", "--until must be a moment like"),
        ):
            error = self.assertRaises(NoMoment, since_and_until, since, until, NOW, ZONE, "--")
            self.assertIn(said, str(error))


class SpanTests(SynchronousTestCase):
    def test_each_unit(self) -> None:
        spans = ("90s", "30m", " 2 h ", "1d", "1w")
        self.assertEqual(list(map(span_of, spans)), [90, 1800, 7200, 86_400, 604_800])

    def test_what_is_none(self) -> None:
        for text in ("", "0m", "30", "-5m", "1y", "2h30m", "1h ago", "1234567s"):
            with self.assertRaisesRegex(NoSpan, "must be a span of time like"):
                span_of(text)
