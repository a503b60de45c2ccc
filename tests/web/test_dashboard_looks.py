"""The dashboard is legible: in both languages and themes, on a phone, to a screen reader, and with
two thousand tasks.
"""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, expect

from ctidialer.contract import keys
from tests.support.node import HOST
from tests.web.browser_case import DashboardTestCase, has_text, task_row
from tests.web.browser_scripts import (
    CONTRASTS,
    FAULTS_OF_STRUCTURE,
    LONG_TASKS,
    TOO_SMALL,
    TOO_WIDE,
)

LONG = "x" * 120
MAX_HEIGHT = 2000
"""Pixels, of a part of the page on a phone."""

NEVER = 3000
"""Milliseconds for which the page may never stand still, however slow the machine is."""

WANTED = 4.5
"""The least contrast of text that is not large: WCAG 2.2, 1.4.3."""


class LooksTests(DashboardTestCase):
    script = {  # noqa: RUF012 - it is only read
        "default": {"result": "answer", "talk": 0.02},
        "prefixes": {"139": {"result": "busy"}, "137": {"result": "sip", "status": 503}},
    }

    async def busy_node(self) -> None:
        """Start a node that has something of everything to show."""
        await self.usual_tables(limit=100)
        await self.put_task("off", enable=False)
        await self.put_task("broken", limit="many")
        await self.put_task("paused", number_queue="p")
        await self.put_task("no-line", number_queue="n", line_group=["dead"])
        await self.put_task("later", start_time="2099-01-01 08:00")
        await self.put_task(LONG, number_queue=LONG, limit=0)
        await self.put_line("bad", count=1, fault_threshold=1, fault_try_interval=3_600_000)
        await self.put_group("dead", line=[["bad"]])
        await self.call("HSET", keys.control(HOST), "pause:paused", "{}")
        await self.serve()
        await self.put_numbers([f"138{n:08d}" for n in range(20)])
        await self.put_numbers([f"139{n:08d}" for n in range(5)])
        await self.put_numbers([LONG], queue="q")
        await self.put_numbers(["13700000000", "13700000001"], queue="n")
        await self.records_of(27)

    async def test_it_is_legible_in_both_themes_and_languages(self) -> None:
        await self.busy_node()
        await self.open(color_scheme="dark")
        await self.see(shows_everything)
        await self.see(is_legible)
        await self.see(is_well_built)
        await self.see(speaks_chinese)
        await self.see(is_legible)
        await self.see(changes_theme)
        await self.see(is_legible)
        await self.see(remembers_both)
        self.assert_no_trouble()

    async def test_it_fits_a_phone(self) -> None:
        await self.busy_node()
        phone = {"width": 360, "height": 740}
        await self.open(viewport=phone, has_touch=True, is_mobile=True)
        await self.see(fits)
        await self.see(shows_the_worst)
        await self.see(lambda page: page.locator("#language").select_option("中文"))
        await self.see(fits)
        self.assert_no_trouble()

    async def test_a_chart_is_read_with_the_keyboard_and_as_a_table(self) -> None:
        await self.busy_node()
        await self.open(reduced_motion="reduce")
        await self.see(reads_the_chart)
        self.assert_no_trouble()

    async def test_two_thousand_tasks_are_no_burden(self) -> None:
        await self.put_line()
        await self.put_group()
        await self.put_many_tasks(2000)
        await self.serve()
        await self.open()
        longest = await self.see(works_with_many_tasks)
        self.assertLess(longest, NEVER, "the page stands still")
        self.assert_no_trouble()

    async def put_many_tasks(self, count: int) -> None:
        params = {
            "enable": True,
            "line_group": ["g"],
            "limit": 1,
            "destination_extension": "8888",
        }
        pairs: list[str] = []
        for number in range(count):
            own = {**params, "number_queue": f"q{number}", "enable": number % 4 != 0}
            pairs += [f"task-{number:04d}", json.dumps({"params": own})]
        await self.call("HSET", keys.at(keys.TASK, keys.TEMPLATE), *pairs)


def shows_everything(page: Page) -> None:
    for name, state in (
        ("off", "Disabled"),
        ("broken", "Invalid"),
        ("paused", "Paused"),
        ("later", "Not begun"),
        (LONG, "Limit is 0"),
        ("no-line", "No free line"),
    ):
        expect(task_row(page, name).locator(".badge").first).to_have_text(state)
    for name in ("broken", "no-line"):
        page.get_by_role("button", name=name, exact=True).click()
    has_text(page, "#tasks .details code", "$.params.limit")
    expect(task_row(page, "no-line").locator(".details")).to_contain_text("dead › bad")
    bad = page.locator("#lines tbody").filter(has_text="bad")
    expect(bad.locator(".badge")).to_have_text("Out of use")
    expect(page.locator("#records tbody")).to_have_count(27)


def is_legible(page: Page) -> None:
    found = page.evaluate(CONTRASTS)
    assert len(found) > 150, len(found)
    pale = [(text, ratio) for text, ratio in found if ratio < WANTED]
    assert pale == [], pale


def is_well_built(page: Page) -> None:
    faults = page.evaluate(FAULTS_OF_STRUCTURE)
    assert faults == [], faults


def speaks_chinese(page: Page) -> None:
    page.locator("#language").select_option("中文")
    expect(page.locator("#service")).to_have_text("正常外呼")
    expect(task_row(page, "off").locator(".badge")).to_have_text("未启用")
    answered = page.locator("#records tbody").filter(has_text="13800000001")
    expect(answered.locator(".badge")).to_have_text("已接听")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.evaluate("[...document.querySelectorAll('main')].map(n => n.innerText)[0]")
    # A key that has no translation would be shown as it is.
    assert page.get_by_text("tasks.").count() == 0


def changes_theme(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.locator("#theme").select_option("light")
    assert page.evaluate(ground) != dark
    page.locator("#theme").select_option("dark")
    assert page.evaluate(ground) == dark
    page.locator("#theme").select_option("light")


def remembers_both(page: Page) -> None:
    page.reload()
    expect(page.locator("#connection")).to_have_text("实时")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.locator("#theme").input_value() == "light"


def fits(page: Page) -> None:
    """Each part by itself fits a phone's width, and is not long to scroll."""
    expect(page.locator("#records tbody")).to_have_count(8)
    tabs = page.locator("#tabs button:visible")
    expect(tabs).to_have_count(5)  # nothing is scheduled
    for tab in tabs.all():
        tab.click()
        expect(tab).to_have_attribute("aria-pressed", "true")
        wide = page.evaluate(TOO_WIDE)
        assert wide == [], wide
        width, height = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert width == 360, width
        assert height <= MAX_HEIGHT, (tab.text_content(), height)
        small = page.evaluate(TOO_SMALL)
        assert small == [], small
        pale = [(text, ratio) for text, ratio in page.evaluate(CONTRASTS) if ratio < WANTED]
        assert pale == [], pale
        is_well_built(page)


def shows_the_worst(page: Page) -> None:
    page.locator("#tabs").get_by_role("button", name="Tasks").click()
    expect(page.locator("#tasks .badge").first).to_have_text("Invalid")
    page.get_by_role("button", name="broken", exact=True).click()
    has_text(page, "#tasks .details code", "$.params.limit")
    page.get_by_role("button", name="broken", exact=True).click()
    expect(task_row(page, LONG)).to_have_count(0)
    page.locator("#tasks-pages").get_by_role("button", name="Next").click()
    expect(task_row(page, LONG)).to_be_visible()
    page.locator("#tasks-pages").get_by_role("button", name="Previous").click()
    page.locator("#tabs").get_by_role("button", name="Lines").click()
    bad = page.locator("#lines tbody").filter(has_text="bad")
    expect(bad.locator(".badge")).to_have_text("Out of use")


def reads_the_chart(page: Page) -> None:
    has_text(page, "#outcome-chart-summary", "Answered 20")
    chart = page.get_by_role("slider", name="Outcomes every 10 seconds")
    chart.focus()
    read: list[Any] = []
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
        read.append(chart.get_attribute("aria-valuetext"))
    assert len(set(read)) == 5, read
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    rate = page.get_by_role("slider", name="Calls started a second")
    rate.hover(position={"x": 60, "y": 60})
    expect(page.locator("#rate-chart .rule")).to_have_class("rule shown")
    page.locator("#outcome-chart summary").click()
    table = page.locator("#outcome-chart details table")
    expect(table.locator("thead th")).to_have_count(9)
    expect(table.locator("tbody tr")).to_have_count(10)


def works_with_many_tasks(page: Page) -> float:
    page.evaluate(LONG_TASKS)
    expect(page.locator("#tasks-count")).to_have_text("2,000 in all")
    expect(page.locator("#tasks tbody")).to_have_count(50)
    pages = page.locator("#tasks-pages")
    pages.get_by_role("button", name="Next").click()
    expect(pages).to_contain_text("51–100 of 2,000")
    expect(task_row(page, "task-0133")).to_have_count(1)
    page.get_by_role("searchbox", name="Search tasks").fill("task-19")
    expect(page.locator("#tasks-count")).to_have_text("100 match")
    states = page.get_by_role("group", name="State")
    states.get_by_role("button", name="Disabled 25").click()
    expect(page.locator("#tasks-count")).to_have_text("25 match")
    states.get_by_role("button", name="All states 100").click()
    page.get_by_role("searchbox", name="Search tasks").fill("")
    expect(page.locator("#tasks-count")).to_have_text("2,000 in all")
    page.get_by_role("button", name="Queued", exact=True).click()
    expect(page.locator("#tasks-count")).to_contain_text("Sorted among the first 1,000")
    return float(page.evaluate("longest"))
