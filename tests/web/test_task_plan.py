"""What a task is to do, over HTTP and on the dashboard, and the change of its limit and rate."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from ctidialer.contract import keys
from tests.support.node import HOST
from tests.web.browser_case import DashboardTestCase, has_text, task_row
from tests.web.web_case import WebTestCase

TEMPLATE = keys.at(keys.TASK, keys.TEMPLATE)


class PlanTests(WebTestCase):
    async def is_ready(self) -> bool:
        return (await self.ask("GET", "/readyz", token=None)).status == 200

    async def test_groups_and_lines_in_the_order_of_their_use(self) -> None:
        await self.put_task(
            line_group=["g", "none"],
            work_hour=[{"begin": "9:00", "end": "12:00"}, {"begin": "13:00", "end": "18:00"}],
            timezone="Asia/Shanghai",
            cps=2.5,
            number_queue=["q", "q2"],
        )
        await self.put_line("a", count=1)
        await self.put_line("b", count=3)
        await self.put_group(line=[["a"], ["b", "gone"]], redialer_count=2)
        self.start_web()
        await self.until("ready", self.is_ready)
        plan = (await self.ask("GET", "/api/tasks/t")).json
        self.assertEqual((plan["limit"], plan["cps"], plan["queues"]), (10, 2.5, ["q", "q2"]))
        self.assertEqual(plan["timezone"], "Asia/Shanghai")
        begin, end = plan["day"]
        self.assertEqual(end - begin, 86_400)
        hours = [[(one - begin) / 3600 for one in span] for span in plan["open"]]
        self.assertEqual(hours, [[9, 12], [13, 18]])
        group, fallback = plan["groups"]
        self.assertEqual((group["name"], group["redials"], group["exists"]), ("g", 2, True))
        tiers = [[(line["name"], line["state"]) for line in tier] for tier in group["tiers"]]
        self.assertEqual(tiers, [[("a", "free")], [("b", "free"), ("gone", "removed")]])
        self.assertEqual((fallback["name"], fallback["exists"]), ("none", False))

    async def test_a_task_that_cannot_be_read_has_none(self) -> None:
        await self.put_task("broken", limit="many")
        self.start_web()
        await self.until("ready", self.is_ready)
        for name in ("broken", "nobody"):
            self.assertEqual((await self.ask("GET", f"/api/tasks/{name}")).status, 404)

    async def test_limit_and_cps_are_changed_where_they_stand(self) -> None:
        await self.usual_tables(limit=4)
        self.start_web()
        await self.until("ready", self.is_ready)
        path = "/api/tasks/t/rates"
        done = await self.ask("POST", path, {"limit": 7, "cps": 1.5, "why": "more agents"})
        self.assertEqual(done.status, 200, done.body)
        self.assertEqual(len(done.json["changes"]), 2)
        self.assertEqual(done.json["hosts"], [HOST])

        async def is_obeyed() -> bool:
            plan = (await self.ask("GET", "/api/tasks/t")).json
            return (plan["limit"], plan["cps"]) == (7, 1.5)

        await self.until("the daemon has read it", is_obeyed)
        await self.ask("POST", path, {"cps": 0})
        raw = await self.call("HGET", TEMPLATE, "t")
        assert isinstance(raw, bytes)
        params = json.loads(raw)["params"]
        self.assertEqual(params["limit"], 7)
        self.assertNotIn("cps", params)
        again = await self.ask("POST", path, {"cps": 0, "limit": 7})
        self.assertEqual((again.status, again.json["changes"]), (200, []))

    async def test_what_cannot_be_is_refused_and_nothing_is_changed(self) -> None:
        await self.usual_tables()
        self.start_web()
        await self.until("ready", self.is_ready)
        before = await self.call("HGET", TEMPLATE, "t")
        for body in ({}, {"limit": -1}, {"limit": "x"}, {"cps": -1}, {"cps": 3, "limt": 5}):
            reply = await self.ask("POST", "/api/tasks/t/rates", body)
            self.assertEqual(reply.status, 400, body)
        self.assertEqual((await self.ask("POST", "/api/tasks/no/rates", {"limit": 1})).status, 404)
        self.assertEqual(await self.call("HGET", TEMPLATE, "t"), before)


class DashboardTests(DashboardTestCase):
    async def test_the_plan_stands_below_the_task_and_its_limit_is_changed(self) -> None:
        await self.usual_tables(limit=4)
        await self.serve()
        await self.open()
        await self.see(changes_the_limit)
        raw = await self.call("HGET", TEMPLATE, "t")
        assert isinstance(raw, bytes)
        self.assertEqual(json.loads(raw)["params"]["limit"], 6)
        await self.see(undoes_it)
        self.assert_no_trouble()

    async def test_a_rate_that_somebody_else_has_changed_meanwhile_stays(self) -> None:
        await self.usual_tables(limit=4, cps=5)
        await self.serve()
        await self.open()
        await self.see(changes_the_limit_after_another)
        raw = await self.call("HGET", TEMPLATE, "t")
        assert isinstance(raw, bytes)
        params = json.loads(raw)["params"]
        self.assertEqual((params["limit"], params["cps"]), (6, 20))
        self.assert_no_trouble()


def changes_the_limit(page: Page) -> None:
    page.get_by_role("button", name="t", exact=True).click()
    has_text(page, ".plan", "Open 00:00–24:00 (Asia/Shanghai)")
    expect(page.locator(".plan .group")).to_contain_text("l 0/100")
    page.get_by_label("Limit", exact=True).fill("6")
    page.get_by_role("button", name="Change", exact=True).click()
    has_text(page, "#toasts", "limit")
    expect(task_row(page, "t")).to_contain_text("0 / 6")


def changes_the_limit_after_another(page: Page) -> None:
    page.get_by_role("button", name="t", exact=True).click()
    expect(page.get_by_label("Calls a second", exact=True)).to_have_value("5")
    page.get_by_label("Limit", exact=True).fill("6")
    status = page.evaluate(
        """async () => (await fetch('api/tasks/t/rates', {
            method: 'POST', body: '{"cps": 20}',
            headers: {'Content-Type': 'application/json', 'X-Requested-With': 'ctidialer'},
        })).status"""
    )
    assert status == 200, status
    page.get_by_role("button", name="Change", exact=True).click()
    has_text(page, "#toasts", "limit")
    expect(page.get_by_label("Calls a second", exact=True)).to_have_value("20")


def undoes_it(page: Page) -> None:
    page.get_by_role("button", name="Undo").click()
    expect(task_row(page, "t")).to_contain_text("0 / 4")
