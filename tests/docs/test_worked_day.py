"""The worked day of the page on waiting: its table is what the rules say of 10,000 numbers."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.callee import CalleeRules
from ctidialer.contract.record import Outcome
from ctidialer.contract.task_document import decode_task
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules.callee_hours import CalleeHours
from ctidialer.rules.permission import GO, End, LastMoments, Permission, WaitUntil, may_call
from tests.docs.blocks import ROOT, blocks

PAGES = (ROOT / "docs" / "waiting.rst", ROOT / "docs" / "zh" / "waiting.rst")
NEW_YORK = ZoneInfo("America/New_York")
TUESDAY = datetime(2026, 12, 1, tzinfo=NEW_YORK)
WEDNESDAY = TUESDAY + timedelta(days=1)
PLACES = {
    "212": ("New York", "纽约"),
    "312": ("Chicago", "芝加哥"),
    "303": ("Denver", "丹佛"),
    "213": ("Los Angeles", "洛杉矶"),
}
NUMBERS = tuple(f"{area}{index:07d}" for area in PLACES for index in range(5_550_000, 5_552_500))

ROW = re.compile(r"(\d+):00 +(\S.*?) {2,}([\d,]+) +([\d,]+)(.*)")
UNTIL = re.compile(r"(?:until|到)[^\d]*(\d+):00")


@frozen
class Row:
    """One row of the table; ``until``: the hour of Wednesday that it names, None = none."""

    hour: int
    place: str
    may_be_called: int
    wait: int
    until: int | None


def rows_of(page: Path) -> list[Row]:
    """Return the rows of the table."""
    found = map(ROW.match, page.read_text("utf-8").splitlines())
    return [_row(*match.groups()) for match in found if match]


def _row(hour: str, place: str, may_be_called: str, wait: str, more: str) -> Row:
    until = UNTIL.search(more)
    may, waiting = (int(count.replace(",", "")) for count in (may_be_called, wait))
    return Row(int(hour), place, may, waiting, int(until[1]) if until else None)


def rules_of(page: Path) -> CalleeRules:
    """Return what the task that the page creates says of its callees."""
    block = next(one.text for one in blocks(page) if " us_survey " in one.text)
    *_, name, document = shlex.split(block)
    task = decode_task(name, template=document.encode(), host=None, host_name="fs1")
    return task.callee


class Day:
    """What the rules say of every number at any hour of Tuesday by New York's clock."""

    def __init__(self, rules: CalleeRules, stops: float = float("inf")) -> None:
        self._rules = rules
        self._hours = CalleeHours()
        self._last = LastMoments(stops=stops)

    def at(self, hour: int) -> Counter[tuple[str, Permission]]:
        """Return how many numbers of each area code get which answer."""
        now = (TUESDAY + timedelta(hours=hour)).timestamp()
        asked = ((number, self._asked(number, now)) for number in NUMBERS)
        return Counter((number[:3], answer) for number, answer in asked)

    def _asked(self, number: str, now: float) -> Permission:
        return may_call(self._rules, self._hours, number, None, now, self._last)


def open_at(answers: Counter[tuple[str, Permission]]) -> set[str]:
    """Return the area codes whose numbers may be called."""
    return {area for area, answer in answers if answer == GO}


class WorkedDayTests(SynchronousTestCase):
    def test_each_row_is_what_the_rules_say(self) -> None:
        for page in PAGES:
            rows, day = rows_of(page), Day(rules_of(page))
            self.assertEqual([row.hour for row in rows], [8, 9, 10, 11, 12, 20, 21, 22, 23], page)
            for row in rows:
                self.compare(row, day.at(row.hour - 1), day.at(row.hour))

    def compare(
        self,
        row: Row,
        before: Counter[tuple[str, Permission]],
        now: Counter[tuple[str, Permission]],
    ) -> None:
        may = sum(count for (_, answer), count in now.items() if answer == GO)
        waiting = {area: answer for area, answer in now if isinstance(answer, WaitUntil)}
        self.assertEqual((may, now.total() - may), (row.may_be_called, row.wait), row)
        self.assertEqual({*open_at(now), *waiting}, set(PLACES), row)
        self.assertLessEqual({one.reason for one in waiting.values()}, {WaitReason.HOURS})
        changed = open_at(before) ^ open_at(now)
        named = {area for area, names in PLACES.items() if any(one in row.place for one in names)}
        self.assertEqual(changed, named, row)
        if row.until is None:
            self.assertLess(row.hour, 20)
        else:
            due = {waiting[area].at for area in changed}
            self.assertEqual(due, {(WEDNESDAY + timedelta(hours=row.until)).timestamp()}, row)

    def test_nobody_is_open_before_and_each_row_holds_until_the_next(self) -> None:
        day = Day(rules_of(PAGES[0]))
        for quiet, after in ((7, 8), (13, 12), (19, 12)):
            self.assertEqual(open_at(day.at(quiet)), open_at(day.at(after)))

    def test_with_a_stop_time_in_between(self) -> None:
        day = Day(rules_of(PAGES[0]), stops=(WEDNESDAY + timedelta(hours=10)).timestamp())
        for hour, area in ((20, "212"), (21, "312"), (22, "303"), (23, "213")):
            (answer,) = (answer for one, answer in day.at(hour) if one == area)
            if area == "212":
                assert isinstance(answer, WaitUntil)
                self.assertEqual(answer.at, (WEDNESDAY + timedelta(hours=9)).timestamp())
            else:
                assert isinstance(answer, End)
                self.assertIs(answer.outcome, Outcome.CLOSED)
