"""What became of the numbers, on the dashboard, in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web.browser_case import DashboardTestCase, has_text
from tests.web.browser_scripts import CONTRASTS, FAULTS_OF_STRUCTURE, TOO_WIDE

SHOTS = "CTIDIALER_SCREENSHOTS"
"""A directory for pictures of what is tested; without it none are made."""


class ResultsTests(DashboardTestCase):
    script = {  # noqa: RUF012 - it is only read
        "default": {"result": "answer", "ring": 0.1, "talk": 0.02},
        "prefixes": {"139": {"result": "busy"}},
    }

    async def test_this_week_by_task_and_by_day(self) -> None:
        await self.usual_tables(limit=20)
        again = {"outcome": "busy", "after": 0, "count": 1}
        await self.put_task("<b>催收</b>", number_queue="p", retry_plan=again)
        await self.serve()
        await self.put_numbers([f"138{n:08d}" for n in range(6)])
        await self.put_numbers([f"139{n:08d}" for n in range(2)], queue="p")
        await self.records_of(10)
        await self.open()
        await self.see(shows_the_week)
        await self.see(shows_days)
        await self.see(is_whole, "desktop")
        await self.see(speaks_chinese)
        await self.see(is_whole, "chinese")
        phone = {"width": 360, "height": 740}
        await self.open(viewport=phone, has_touch=True, is_mobile=True)
        await self.see(turns_to_results)
        await self.see(shows_the_week)
        await self.see(is_whole, "phone")
        self.assert_no_trouble()


def turns_to_results(page: Page) -> None:
    page.locator("#tabs").get_by_role("button", name="Results").click()


def shows_the_week(page: Page) -> None:
    # Since midnight the day may be another: a week holds what has just ended, but for one second.
    page.locator("#results-since").select_option("week")
    rows = page.locator("#results tbody")
    expect(rows).to_have_count(3)
    has_text(page, "#results .total", "All")
    expect(rows.nth(0).locator("td")).to_contain_text(["All", "8", "8", "6", "75%", "1"])
    expect(rows.nth(1).locator("td")).to_contain_text(["t", "6", "6", "6", "100%", "1"])
    expect(rows.nth(2).locator("td")).to_contain_text(["<b>催收</b>", "2", "2", "0", "0%", "2"])
    has_text(page, "#results-note", "Reached, by the number of the try: 1: 6/8 (75%), 2: 0/2 (0%).")
    expect(rows.nth(2).locator("td").nth(7)).to_have_text("–")
    expect(rows.nth(2).locator("td").nth(8)).to_have_text("–")


def shows_days(page: Page) -> None:
    page.locator("#results-by").select_option("period")
    expect(page.locator("#results tbody").nth(1).locator("td").first).to_contain_text("20")
    page.locator("#results-by").select_option("task")
    expect(page.locator("#results tbody")).to_have_count(3)


def speaks_chinese(page: Page) -> None:
    page.locator("#language").select_option("中文")
    has_text(page, "#results .total", "合计")
    expect(page.locator("#results-title")).to_have_text("结果汇总")


def is_whole(page: Page, name: str) -> None:
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(FAULTS_OF_STRUCTURE) == []
    assert [one for one in page.evaluate(CONTRASTS) if one[1] < 4.5] == []
    if SHOTS in os.environ:
        page.locator("#results-title").scroll_into_view_if_needed()
        page.screenshot(path=Path(os.environ[SHOTS]) / f"{name}.png", full_page=True)
