"""What a wall shows, and what whoever is on duty orders, in a real browser."""

from __future__ import annotations

import json
import os
from pathlib import Path
from time import time

from playwright.sync_api import Page, expect

from ctidialer.contract import keys
from tests.support.node import HOST
from tests.web.browser_case import DashboardTestCase, has_text, task_row

SHOTS = "CTIDIALER_SCREENSHOTS"
"""A directory for pictures of what is tested; without it none are made."""


class WallTests(DashboardTestCase):
    script = {"default": {"result": "answer", "bridge": 0.1, "talk": 0.5}}  # noqa: RUF012 - read only

    async def test_figures(self) -> None:
        await self.usual_tables(number_queue=["q", "q2"], limit=4)
        await self.put_task("closed", number_queue="c", work_hour=[], start_time="2099-01-01 08:00")
        await self.put_task("paused", number_queue="p")
        await self.call("HSET", keys.control(HOST), "pause:paused", "{}")
        await self.serve()
        await self.open()
        await self.see(has_text, "#figure-queued", "0")
        await self.put_numbers([f"1380000{n:04d}" for n in range(3)])
        await self.put_numbers(["13800000003"], queue="q2")
        await self.records_of(4)
        await self.put_numbers(["1", "2", "3"], queue="p")
        await self.put_numbers(["1"], queue="c")
        await self.see(shows_figures)
        self.assert_no_trouble()

    async def test_an_hour_and_today(self) -> None:
        now = time()
        outcomes = {"answered": 30, "unknown": 2, "busy": 8}
        minute = {"at": now - 900, "started": 41, "calls": 9, "outcomes": outcomes}
        talk = {"talks": 20, "talk_seconds": 1300.0}
        entry = f"{int((now - 900) * 1000)}-0"
        await self.call("XADD", keys.minutes(HOST), entry, "minute", json.dumps(minute | talk))
        await self.usual_tables()
        await self.serve()
        await self.open()
        await self.see(chooses_the_hour)
        self.assert_no_trouble()

    async def test_the_node_is_drained_and_put_back_with_a_reason(self) -> None:
        await self.usual_tables()
        await self.serve()
        await self.open()
        await self.see(thinks_better_of_it)
        self.assertIsNone(await self.call("HGET", keys.control(HOST), "drain"))
        await self.see(drains)
        order = await self.call("HGET", keys.control(HOST), "drain")
        assert isinstance(order, bytes)
        self.assertEqual(json.loads(order)["why"], "the trunk is replaced")
        await self.see(shows_one_cause_once)
        await self.see(puts_back)
        self.assertIsNone(await self.call("HGET", keys.control(HOST), "drain"))
        self.assert_no_trouble()


class HostsTests(DashboardTestCase):
    async def test_other_hosts_stand_in_a_table_and_lead_to_their_dashboards(self) -> None:
        await self.usual_tables()
        await self.call("HSET", keys.in_flight("fs2"), "id", "left behind")
        await self.serve()
        await self.open()
        await self.see(shows_the_hosts)
        self.assert_no_trouble()

    async def test_one_host_alone_needs_no_table(self) -> None:
        await self.usual_tables()
        await self.serve()
        await self.open()
        await self.see(lambda page: expect(page.locator("#hosts tbody")).to_have_count(1))
        await self.see(lambda page: expect(page.locator("#hosts")).to_be_hidden())


def shows_the_hosts(page: Page) -> None:
    own = page.locator("#hosts tbody").filter(has_text=HOST)
    expect(own.locator(".badge")).to_have_text("Dialing is on")
    other = page.locator("#hosts tbody").filter(has_text="fs2")
    expect(other.locator(".badge")).to_have_text("Left numbers behind")
    has_text(page, "#hosts-count", "2 hosts")


def shows_figures(page: Page) -> None:
    expect(page.locator("#figure-queued")).to_have_text("3")
    expect(page.locator("#figure-answered")).to_have_text("100%")
    expect(page.locator("#figure-talk")).to_contain_text("s")
    expect(page.locator("#beside-talk")).to_have_text("mean of 4 conversations, last 10 min")
    expect(page.locator("#figure-later")).to_have_text("0")
    expect(page.locator("#beside-later")).to_have_text("none waits for a later call")
    expect(page.locator("#figure-unknown")).to_have_text("0")
    expect(page.locator("#unknown")).not_to_have_class("alarming")
    expect(page.locator("#figure-numbers")).to_be_visible()
    expect(page.locator("#figure-agents")).to_be_hidden()
    picture(page, "wall")


def chooses_the_hour(page: Page) -> None:
    expect(page.locator("#figure-unknown")).to_have_text("0")
    ranges = page.get_by_role("group", name="What time is shown")
    ranges.get_by_role("button", name="1 hour").click()
    expect(page.locator("#figure-answered")).to_have_text("75%")
    expect(page.locator("#figure-unknown")).to_have_text("2")
    expect(page.locator("#unknown")).to_have_class("alarming")
    expect(page.locator("#beside-talk")).to_have_text("mean of 20 conversations, last hour")
    expect(page.locator("#figure-talk")).to_have_text("1 min 5 s")
    has_text(page, "#rate-chart-title", "Calls started a minute")
    has_text(page, "#rate-chart-summary", "Last hour: 41 calls started, at most 41 a minute")
    has_text(page, "#outcome-chart-summary", "Answered 30 · Busy 8 · Unknown 2")
    picture(page, "hour")
    page.reload()
    expect(page.locator("#figure-answered")).to_have_text("75%")
    ranges.get_by_role("button", name="Today").click()
    has_text(page, "#rate-chart-title", "Calls started each quarter of an hour")
    ranges.get_by_role("button", name="10 minutes").click()
    expect(page.locator("#figure-answered")).to_have_text("–")


def thinks_better_of_it(page: Page) -> None:
    page.get_by_role("button", name="Drain…").click()
    dialog = page.get_by_role("dialog", name="Take this node out of service?")
    expect(dialog).to_be_visible()
    picture(page, "question")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#service")).to_have_text("Dialing is on")


def drains(page: Page) -> None:
    page.get_by_role("button", name="Drain…").click()
    page.get_by_label("Reason").fill("the trunk is replaced")
    page.get_by_role("button", name="Drain", exact=True).click()
    expect(page.locator("#service")).to_have_text("Out of service")
    has_text(page, "#notices", "the trunk is replaced")


def shows_one_cause_once(page: Page) -> None:
    expect(task_row(page, "t").locator(".badge")).to_have_text("Out of service")
    expect(task_row(page, "t").locator(".sentence")).to_be_hidden()


def puts_back(page: Page) -> None:
    page.get_by_role("button", name="Back into service…").click()
    page.get_by_label("Reason").fill("done")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Back into service…").click()
    page.get_by_role("button", name="Back into service", exact=True).click()
    expect(page.locator("#service")).to_have_text("Dialing is on")
    expect(page.get_by_role("button", name="Drain…")).to_be_visible()


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page, where a directory for them is named."""
    directory = os.environ.get(SHOTS)
    if directory:
        page.screenshot(path=Path(directory, f"wall-{name}.png"), full_page=True)
