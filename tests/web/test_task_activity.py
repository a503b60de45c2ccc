"""What waits, how numbers ended today, and the last records: below a task on the dashboard."""

from __future__ import annotations

import json
import time

from playwright.sync_api import Page, expect

from ctidialer.contract import keys
from ctidialer.web import queries
from tests.support.node import HOST
from tests.web.browser_case import DashboardTestCase, has_text
from tests.web.web_case import WebTestCase


def record(task: str, number: str, ended: float, **more: object) -> str:
    """Return a record as it stands in the stream."""
    attempt = {
        "uuid": f"u{number}",
        "line_group": "g",
        "line": "l",
        "dialed_at": ended - 9,
        "answered_at": ended - 6,
        "ended_at": ended,
        "hangup_cause": "NORMAL_CLEARING",
        "sip_code": 200,
        "bill_seconds": 6.0,
    }
    return json.dumps(
        {
            "id": f"i-{number}",
            "kind": "queue",
            "task": task,
            "number": number,
            "entry": number,
            "outcome": "answered",
            "taken_at": ended - 10,
            "ended_at": ended,
            "host": HOST,
            "attempts": [attempt],
            **more,
        }
    )


class ScanTests(WebTestCase):
    async def test_no_more_records_are_looked_at_than_was_asked_for(self) -> None:
        now = time.time()
        await self.call("XADD", keys.records(HOST), "*", "record", record("rare", "1", now))
        for index in range(queries.MIN_SCANNED):
            text = record("busy", str(1000 + index), now)
            await self.call("XADD", keys.records(HOST), "*", "record", text)
        dialer = self.start_web()
        await dialer.parts.link.when_up()
        path = f"/api/records?task=rare&scan={queries.MIN_SCANNED}"
        found = (await self.ask("GET", path)).json
        self.assertEqual(found["records"], [])
        found = (await self.ask("GET", f"{path}&before={found['next']}")).json
        self.assertEqual([one["number"] for one in found["records"]], ["1"])
        for scan in (0, queries.MIN_SCANNED - 1, queries.MAX_SCANNED + 1):
            reply = await self.ask("GET", f"/api/records?scan={scan}")
            self.assertEqual(reply.status, 400)


class ActivityTests(DashboardTestCase):
    async def test_what_waits_today_and_the_last_records(self) -> None:
        await self.usual_tables(retry_plan=[{"outcome": ["busy"], "after": 3600, "count": 2}])
        await self.put_task("other", number_queue="other")
        await self.sim_numbers()
        await self.serve()
        await self.put_numbers([f"100{index}" for index in range(10)])
        await self.put_numbers(["2001"], "other")
        await self.records_of(11)
        await self.open()
        await self.see(shows_it_all)
        self.assert_no_trouble()

    async def test_a_task_of_which_there_is_nothing_yet(self) -> None:
        await self.usual_tables()
        await self.serve()
        await self.open()
        await self.see(shows_nothing)
        self.assert_no_trouble()

    async def test_records_that_cannot_be_read_are_said(self) -> None:
        await self.usual_tables()
        await self.serve()
        await self.open()
        await self.call("SET", keys.records(HOST), "x")
        await self.see(says_the_problem)

    async def sim_numbers(self) -> None:
        """Let two of the numbers be busy, and the others answer."""
        busy = {"result": "busy"}
        await self.switch.kill()
        self.script = {**self.script, "numbers": {"1003": busy, "1004": busy}}
        self.switch = await self.start_switch()


def shows_it_all(page: Page) -> None:
    page.get_by_role("button", name="t", exact=True).click()
    activity = page.locator("#tasks .activity")
    expect(activity.first).to_contain_text("2 numbers wait; the next is due ")
    expect(activity.first).to_contain_text("2 for another try, the first is due ")
    expect(activity.first).to_contain_text("10 calls; 8 numbers ended for good, 8 of them called")
    expect(activity.first.locator(".badge")).to_have_text(["Answered 8"])
    rows = activity.last.locator("tbody tr")
    expect(rows).to_have_count(10)
    busy = rows.filter(has_text="1003")
    expect(busy).to_contain_text("Busy")
    expect(busy).to_contain_text("again ")
    expect(activity.last).not_to_contain_text("2001")
    page.get_by_role("button", name="All records of this task").click()
    expect(page.locator("#records tbody")).to_have_count(10)
    assert page.get_by_role("searchbox", name="Task", exact=True).input_value() == "t"


def shows_nothing(page: Page) -> None:
    page.get_by_role("button", name="t", exact=True).click()
    activity = page.locator("#tasks .activity")
    for text in ("No number waits.", "No number has ended today."):
        expect(activity.first).to_contain_text(text)
    expect(activity.last).to_contain_text("No number has ended yet.")
    page.get_by_role("combobox", name="Language").select_option("中文")
    expect(activity.first).to_contain_text("没有号码在等待。")
    expect(activity.last).to_contain_text("还没有号码结束。")


def says_the_problem(page: Page) -> None:
    page.get_by_role("button", name="t", exact=True).click()
    has_text(page, "#tasks .activity >> nth=1", "'cti_dialer_record@fs1'")
