"""What would become of numbers if they were called now."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.callee import CalleeRules, Cap
from ctidialer.contract.hours import CallingHours, Window
from ctidialer.contract.number import NumberEntry
from ctidialer.rules.permission import LastMoments
from ctidialer.rules.prospects import CalleeNow, Prospects

NOW = datetime(2026, 12, 1, 14, tzinfo=UTC).timestamp()
HOUR = 3600.0
NINE_TO_EIGHT = (CallingHours(windows=(Window(9 * 3600, 20 * 3600),)),)
RULES = CalleeRules(hours=NINE_TO_EIGHT, region="US", caps=(Cap(2, 86_400.0),))
NEW_YORK, CHICAGO, LOS_ANGELES = "2125550100", "3125550100", "2135550100"


def prospects(*callees: CalleeNow, stops: float = float("inf")) -> Prospects:
    found = Prospects(RULES, LastMoments(stops), NOW)
    for one in callees:
        found.add(one)
    return found


def callee(number: str, zone: str | None = None, *calls: float) -> CalleeNow:
    return CalleeNow(NumberEntry(number, timezone=zone), calls=calls)


class ProspectsTests(SynchronousTestCase):
    """At 9 o'clock in New York."""

    def test_hours_are_counted_by_when_they_open(self) -> None:
        found = prospects(callee(NEW_YORK), *[callee(CHICAGO)] * 2, callee(LOS_ANGELES))
        self.assertEqual(found.callable_now, 1)
        self.assertEqual(found.opening, {NOW + HOUR: 2, NOW + 3 * HOUR: 1})

    def test_the_zone_of_an_entry_wins(self) -> None:
        found = prospects(callee(LOS_ANGELES, "America/New_York"))
        self.assertEqual((found.callable_now, found.opening), (1, {}))

    def test_nobody_knows_where_or_it_is_too_late(self) -> None:
        late = prospects(callee(CHICAGO), callee("nowhere"), stops=NOW + HOUR)
        self.assertEqual((late.closed, late.opening), (2, {}))

    def test_lists_go_first(self) -> None:
        found = prospects(CalleeNow(NumberEntry(LOS_ANGELES), is_listed=True, calls=(NOW, NOW)))
        self.assertEqual((found.listed, found.opening, found.capped), (1, {}, 0))

    def test_caps_and_when_the_first_may_be_called_again(self) -> None:
        found = prospects(
            callee(NEW_YORK, None, NOW - HOUR),
            callee(NEW_YORK, None, NOW - 2 * HOUR, NOW - HOUR),
            callee(NEW_YORK, None, NOW - 5 * HOUR, NOW - HOUR),
        )
        self.assertEqual((found.callable_now, found.capped), (1, 2))
        self.assertEqual(found.allowed_from, NOW + 19 * HOUR)
