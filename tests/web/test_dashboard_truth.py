"""The dashboard says what is so: in both languages, and nothing before it is known."""

from __future__ import annotations

import json
from time import time
from typing import Any

import msgspec
from playwright.sync_api import Page, Route, expect

from ctidialer.contract import keys
from ctidialer.contract.status import Explained
from ctidialer.rules.node_facts import explained_in
from tests.support.node import HOST
from tests.web.browser_case import DashboardTestCase, has_text, task_row

LATER = 3600


class TruthTests(DashboardTestCase):
    token = ""

    async def begin(self) -> None:
        """Have a malformed group and line, a paused task, and a number that is scheduled."""
        await self.usual_tables()
        await self.put(keys.at(keys.LINE_GROUP, HOST), {"torn": '{"line": [['})
        await self.put(keys.at(keys.LINE, HOST), {"odd": '{"params": {"count": "many"}}'})
        await self.put_task("cut", line_group=["torn"], number_queue="cut", limti=3)
        await self.put_task("wrong", limit="many")
        await self.put(keys.control(HOST), {"pause:t": '{"by": "ann", "why": "lunch"}'})
        config = {"params": {"line_group": ["g"], "destination_extension": "8888"}}
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"callback": config})
        member = json.dumps({"params": {"number": "1001", "config": "callback"}})
        await self.call("ZADD", keys.at(keys.SCHEDULE_NUMBER, HOST), str(time() + LATER), member)
        await self.serve()

    async def test_each_state_in_both_languages(self) -> None:
        await self.begin()
        await self.open()
        await self.see(says_what_is_so)
        self.assert_no_trouble()

    async def test_the_page_says_what_the_commands_say(self) -> None:
        """Sentences are made in two languages, once in Python and once in JavaScript."""
        await self.begin()
        await self.put_group("six", line=[[f"l{index}" for index in range(6)]])
        await self.put(keys.at(keys.LINE, HOST), {f"l{index}": "{" for index in range(4)})
        await self.put_task("many", line_group=["six"], number_queue="many")
        await self.open()
        pairs = await self.see(sentences)
        self.assertGreater(len(pairs), 4)
        for raw, shown in pairs:
            self.assertEqual(explained_in(msgspec.convert(raw, Explained), "zh"), shown)
        self.assert_no_trouble()

    async def test_agents_and_abandoned_calls(self) -> None:
        await self.begin()
        await self.put(keys.at(keys.AGENT_COUNT, HOST), {"sales": {"free": 3, "busy": 9}})
        await self.put_task("paced", agent_group="sales", number_queue="paced")
        await self.call("SET", keys.at(keys.AGENT_HEART, HOST), "1")
        await self.open()
        await self.see(shows_agents)
        self.assert_no_trouble()

    async def test_the_rest_of_a_list(self) -> None:
        """Asked for on demand, for agents there are and for others; no daemon may dial it."""
        await self.usual_tables()
        await self.put(keys.at(keys.AGENT_COUNT, HOST), {"sales": {"free": 3, "busy": 0}})
        paused = {"pause:paced": '{"by": "ann"}', "pause:t": '{"by": "ann"}'}
        await self.put(keys.control(HOST), paused)
        await self.put_task("paced", agent_group="sales", number_queue="paced")
        await self.call("RPUSH", "paced", *(str(1000 + place) for place in range(50)))
        await self.call("SET", keys.at(keys.AGENT_HEART, HOST), "1")
        await self.serve()
        await self.open()
        await self.see(foresees)
        self.assert_no_trouble()

    async def test_what_hosts_share_and_whose_it_is(self) -> None:
        """Two hosts on a trunk; one of them is gone, and its calls still count."""
        trunk = {"count": 60, "cps": 9, "scope": "domain"}
        await self.put(keys.at(keys.GATEWAY, HOST), {"trunk": {"params": trunk}})
        key = keys.counted_calls(HOST, "gateway", "trunk")
        members = ("fs8\ta", "fs8\tb", "fs9\tc")
        await self.call("ZADD", key, *(part for one in members for part in ("1", one)))
        await self.call("ZADD", keys.HOSTS, "1000", "fs9", "4000000000", "fs8")
        await self.begin()
        await self.open()
        await self.see(shows_what_is_shared)
        self.assert_no_trouble()

    async def test_nothing_is_said_before_it_is_known(self) -> None:
        await self.begin()
        await self.open()
        await self.see(waits_for_the_history)
        self.assert_no_trouble()


def says_what_is_so(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    paused, cut = task_row(page, "t"), task_row(page, "cut")
    expect(paused.locator(".sentence")).to_contain_text("it is paused by ann")
    expect(paused.locator(".sentence")).to_contain_text("(lunch)")
    expect(cut.locator(".badge")).to_have_text("No free line")
    expect(cut.locator(".sentence")).to_contain_text("torn: it is malformed: cti_line_group@")
    expect(cut.locator(".warned")).to_contain_text("Warnings (1): ")
    expect(cut.locator(".warned")).to_contain_text("did you mean `limit`")
    expect(paused.locator(".warned")).to_be_hidden()
    callback = page.locator("#schedules tbody")
    expect(callback.locator(".badge")).to_have_text("Not due")
    callback.get_by_role("button", name="Pause callback").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause", exact=True).click()
    expect(callback.locator(".badge")).to_have_text("Paused")
    callback.get_by_role("button", name="Resume callback").click()
    expect(callback.locator(".badge")).to_have_text("Not due")
    expect(page.locator("#schedules-count")).to_have_text("0 due, 1 scheduled in all")
    odd = page.locator("#lines tbody").filter(has_text="odd")
    expect(odd.locator(".badge")).to_have_text("Malformed")
    page.locator("#language").select_option("中文")
    expect(paused.locator(".sentence")).to_contain_text("已暂停，操作人：ann，原因：lunch")
    expect(cut.locator(".sentence")).to_contain_text(
        "无空闲线路（torn：内容有错误：cti_line_group@"
    )
    expect(cut.locator(".warned")).to_contain_text("警告（1 个）：")
    cut.get_by_role("button", name="cut", exact=True).click()
    has_text(page, ".explained h3", "警告")
    has_text(page, ".explained", "$.params.limti")
    cut.get_by_role("button", name="cut", exact=True).click()
    expect(callback.locator(".sentence")).to_contain_text("没有到时间的号码；下一个在")
    wrong = task_row(page, "wrong")
    expect(wrong.locator(".sentence")).to_contain_text("任务内容有错误：cti_queue_dialer_task@")
    wrong.get_by_role("button", name="wrong", exact=True).click()
    has_text(page, ".explained", "怎么做：按路径修正")
    page.locator("#language").select_option("English")


def shows_agents(page: Page) -> None:
    agents = task_row(page, "paced").locator(".agents")
    expect(agents).to_have_text("Agents: 3 free, 0 ringing, 9 talking, 0 in wrap-up, 0 stale")
    expect(task_row(page, "t").locator(".agents")).to_be_hidden()
    page.locator("#language").select_option("中文")
    expect(agents).to_contain_text("坐席：空闲 3")
    page.locator("#language").select_option("English")


def shows_what_is_shared(page: Page) -> None:
    trunk = page.locator("#shared tbody")
    expect(trunk).to_contain_text("gateway")
    expect(trunk).to_contain_text("3 / 60")
    expect(trunk).to_contain_text("fs8: 2; fs9: 1, without a daemon since")
    page.locator("#language").select_option("中文")
    expect(trunk).to_contain_text("fs8：2 个")
    page.locator("#language").select_option("English")


def foresees(page: Page) -> None:
    row = task_row(page, "paced")
    row.get_by_role("button", name="paced", exact=True).click()
    panel = page.locator(".forecast")
    expect(panel).to_contain_text("0 calls on their way, 3 agents free")
    expect(panel).to_contain_text("6 more may be abandoned before the ceiling of 3%")
    panel.get_by_role("button", name="Foresee the rest of the list").click()
    expect(panel.locator(".end")).to_contain_text("Ends ")
    expect(panel).to_contain_text("50 calls, ")
    expect(panel).to_contain_text("3 agents: busy ")
    expect(panel).to_contain_text("the task does not dial now (Paused")
    panel.get_by_label("Agents:").fill("9")
    panel.get_by_label("Agents:").press("Enter")
    expect(panel).to_contain_text("9 agents: busy ")
    page.locator("#language").select_option("中文")
    expect(panel).to_contain_text("9 个坐席：忙碌时间")
    expect(panel).to_contain_text("任务现在没有呼叫")
    page.locator("#language").select_option("English")
    task_row(page, "t").get_by_role("button", name="t", exact=True).click()
    plain = task_row(page, "t").locator(".forecast")
    expect(plain.get_by_label("Agents:")).to_be_hidden()
    plain.get_by_role("button", name="Foresee the rest of the list").click()
    expect(plain.locator(".end")).to_contain_text("Ends ")

    def ends_in_some_runs(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(json={**answer.json(), "ends": 0.7})

    page.route("**/forecast*", ends_in_some_runs)
    plain.get_by_role("button", name="Foresee the rest of the list").click()
    expect(plain.locator(".end")).to_contain_text(" · in 70% of the runs it ends before ")


def sentences(page: Page) -> list[tuple[Any, str]]:
    """Return what is explained over HTTP, and what the page makes of it."""
    page.locator("#language").select_option("中文")
    expect(task_row(page, "many").locator(".sentence")).to_contain_text("没有这个名称的线路：2")
    found = page.evaluate(
        """async () => [
            ...(await (await fetch('api/tasks')).json()).tasks,
            ...(await (await fetch('api/schedules')).json()).schedules]"""
    )
    return [(one["explained"], sentence_of(page, one["name"])) for one in found]


def sentence_of(page: Page, name: str) -> str:
    """Return the sentence in the row of a task or configuration."""
    named = f'.name :text-is("{name}"), .name:text-is("{name}")'
    row = page.locator(f":is(#tasks, #schedules) tbody:has({named})")
    return row.locator(".sentence").inner_text()


def waits_for_the_history(page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/history", lambda route: held.append(route))
    page.reload()
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("#figure-calls")).to_have_text("0")
    expect(page.locator("#figure-answered")).to_have_text("–")
    counts = page.locator("#outcome-chart .legend .count")
    expect(counts.first).to_have_text("–")
    expect(page.locator("#rate-chart .legend")).to_have_text("")
    for route in held:
        route.continue_()
    expect(counts.first).to_have_text("0")
    page.locator("#rate-chart summary").click()
    oldest = page.locator("#rate-chart details tbody tr").last
    expect(oldest.locator("td")).to_have_text(["–", "–", "–"])
