"""Orders for lines, over HTTP and on the dashboard."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page, expect

from ctidialer.contract import keys
from ctidialer.contract.control import LineOff, decode_line_off
from tests.dialer.line_case import UNAVAILABLE
from tests.dialer.switch_case import LONG, SwitchTestCase
from tests.support.node import HOST
from tests.web.browser_case import DashboardTestCase, has_text
from tests.web.web_case import Reply, WebTestCase


class LineOrderTests(WebTestCase, SwitchTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        await self.put_line(fault_threshold=1, fault_try_interval=3_600_000)
        await self.put_group()
        await self.put_task()
        dialer = self.start_web()
        await dialer.parts.link.when_up()
        await self.until_state("free")

    async def state(self) -> Any:
        page = (await self.ask("GET", "/api/lines")).json
        return page["lines"][0] if page["lines"] else {"state": ""}

    async def until_state(self, state: str) -> Any:
        async def is_so() -> bool:
            return bool((await self.state())["state"] == state)

        await self.until(f"the line is {state}", is_so)
        return await self.state()

    async def ordered(self, what: str, line: str = "l", **body: Any) -> Reply:
        return await self.ask("POST", f"/api/lines/{line}/{what}", body)

    async def given(self, host: str = HOST) -> LineOff:
        raw = await self.call("HGET", keys.control(host), "line_off:l")
        assert isinstance(raw, bytes)
        return decode_line_off(raw)

    async def test_off_for_a_time_and_on(self) -> None:
        done = await self.ordered("off", why="noise", seconds=600)
        self.assertEqual(done.status, 200, done.body)
        row = {"host": HOST, "changed": True, "error": ""}
        self.assertEqual((done.json["taken_out"], done.json["hosts"]), (True, [row]))
        line = await self.until_state("taken_out")
        self.assertEqual(line["until"], done.json["until"])
        order = line["off"]["order"]
        self.assertEqual(line["until"] - order["since"], 600)
        self.assertEqual((order["why"], order["by"]), ("noise", "http 127.0.0.1"))
        metrics = (await self.ask("GET", "/metrics")).body.decode()
        self.assertIn('ctidialer_line_taken_out{line="l"} 1.0', metrics)
        self.assertIn('ctidialer_line_out_of_use{line="l"} 0.0', metrics)
        self.assertIn('ctidialer_lines{state="taken_out"} 1.0', metrics)
        self.assertEqual((await self.ordered("on")).json["hosts"], [row])
        self.assertIsNone((await self.until_state("free"))["off"])
        self.assertFalse((await self.ordered("on")).json["hosts"][0]["changed"])

    async def test_those_that_somebody_should_look_at_first(self) -> None:
        for name in ("a", "m", "z"):
            await self.put_line(name)
        await self.published(keys.LINE)

        async def are_read() -> bool:
            return bool((await self.ask("GET", "/api/lines")).json["total"] == 4)

        await self.until("the lines are read", are_read)
        await self.ordered("off", "z")

        async def is_first() -> bool:
            page = (await self.ask("GET", "/api/lines?order=worst&limit=3")).json
            return [line["name"] for line in page["lines"]] == ["z", "a", "l"]

        await self.until("the one that is taken out comes first", is_first)
        page = (await self.ask("GET", "/api/lines?q=m&order=worst")).json
        self.assertEqual([line["name"] for line in page["lines"]], ["m"])

    async def test_on_all_hosts_and_one_that_refuses(self) -> None:
        await self.call("SET", keys.control("fs2"), "x")
        await self.call("HSET", keys.lease("fs3"), "holder", "{}")
        done = (await self.ordered("off", all_hosts=True)).json
        self.assertEqual([row["host"] for row in done["hosts"]], [HOST, "fs2", "fs3"])
        self.assertIn("cti_dialer_control@fs2", done["hosts"][1]["error"])
        self.assertIsNone((await self.given("fs3")).until)

    async def test_what_cannot_be_ordered(self) -> None:
        for what in ("off", "on", "try"):
            self.assertEqual((await self.ordered(what, "none")).status, 404)
        for seconds in (0, -1, 1.5, 10**9, "x"):
            self.assertEqual((await self.ordered("off", seconds=seconds)).status, 400)
        done = await self.ordered("off", second=5)
        self.assertEqual(done.status, 400)
        said = "there is no key 'second'; there are: why, all_hosts, seconds"
        self.assertIn(said, done.json["error"]["message"])
        done = await self.ordered("try")
        self.assertEqual(done.status, 409)
        self.assertIn("is not out of use after faults: it is free", done.json["error"]["message"])
        self.assertEqual(await self.call("EXISTS", keys.control(HOST)), 0)

    async def test_a_name_that_the_default_dial_string_dials(self) -> None:
        await self.put_task(line_group=["carrier1"])
        await self.published(keys.TASK)
        await self.sim(default=LONG)

        async def is_known() -> bool:
            return (await self.ordered("try", "carrier1")).status != 404

        await self.until("the task names it", is_known)
        await self.see_free("carrier1")
        await self.put_numbers(["1001"])
        await self.dialed(1)
        await self.see_free("carrier1")
        names = {one["name"]: one for one in (await self.ask("GET", "/api/lines")).json["lines"]}
        self.assertEqual((names["carrier1"]["state"], names["carrier1"]["calls"]), ("free", 1))

    async def see_free(self, line: str) -> None:
        done = await self.ordered("try", line)
        said = f"the line {line!r} is not out of use after faults: it is free"
        self.assertEqual((done.status, done.json["error"]["message"]), (409, said))

    async def test_states_that_there_are(self) -> None:
        free = (await self.ask("GET", "/api/lines?state=free")).json
        self.assertEqual([line["name"] for line in free["lines"]], ["l"])
        done = await self.ask("GET", "/api/lines?state=fre")
        self.assertEqual(done.status, 400)
        said = done.json["error"]["message"]
        self.assertTrue(said.startswith("state must be one of free, malformed, "), said)
        self.assertTrue(said.endswith(", removed, not 'fre'"), said)

    async def test_a_trial_by_hand(self) -> None:
        await self.sim(default=UNAVAILABLE)
        await self.put_numbers(["1001"])
        await self.until_state("out_of_use")
        await self.sim(default={"result": "answer", "talk": 0.02})
        await self.put_numbers(["1002"])
        self.assertEqual((await self.ordered("try")).json, {"line": "l", "tried": True})
        await self.records_of(2)
        await self.until_state("free")


class DashboardTests(DashboardTestCase, SwitchTestCase):
    async def test_out_with_a_reason_and_undone_and_back(self) -> None:
        await self.usual_tables()
        await self.serve()
        await self.open()
        await self.see(takes_it_out)
        raw = await self.call("HGET", keys.control(HOST), "line_off:l")
        assert isinstance(raw, bytes)
        given = decode_line_off(raw)
        assert given.until is not None
        self.assertEqual(given.order.why, "one-way <b>audio")
        await self.see(undoes_it)
        self.assertEqual(await self.call("HEXISTS", keys.control(HOST), "line_off:l"), 0)
        self.assert_no_trouble()

    async def test_an_order_without_an_end_is_put_back_and_that_undone(self) -> None:
        await self.usual_tables()
        order = {"line_off:l": {"by": "ann@pbx1", "why": "carrier works", "since": time.time()}}
        await self.put(keys.control(HOST), order)
        await self.serve()
        await self.open()
        await self.see(puts_it_back)
        raw = await self.call("HGET", keys.control(HOST), "line_off:l")
        assert isinstance(raw, bytes)
        self.assertEqual(decode_line_off(raw).order.why, "carrier works")
        self.assert_no_trouble()

    async def test_a_line_that_rests_after_faults_is_tried(self) -> None:
        await self.sim(default=UNAVAILABLE)
        await self.put_line(fault_threshold=1, fault_try_interval=3_600_000)
        await self.put_group()
        await self.put_task()
        await self.put_numbers(["1001"])
        await self.serve()
        await self.open()
        await self.see(has_text, "#lines .badge", "Out of use")
        await self.see(tries_it)
        self.assertEqual(await self.call("HEXISTS", keys.control(HOST), "line_try:l"), 1)
        self.assert_no_trouble()


def takes_it_out(page: Page) -> None:
    page.get_by_role("button", name="Take l out of use").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Take l out of use?")
    expect(dialog.get_by_label("On all hosts that have this line")).to_be_hidden()
    dialog.get_by_label("For how long").select_option("30 minutes")
    dialog.get_by_label("Reason, for everybody who asks why").fill("one-way <b>audio")
    dialog.get_by_role("button", name="Take out of use").click()
    has_text(page, "#toasts", "l is out of use until")
    expect(page.locator("#lines .badge")).to_have_text("Taken out of use")
    expect(page.locator("#lines-bad")).to_have_text("Taken out of use 1")
    has_text(page, "#lines .sentence", "by http 127.0.0.1 · reason: one-way <b>audio")
    page.get_by_role("button", name="t", exact=True).click()
    expect(page.locator(".plan .group .badge")).to_have_attribute("title", "Taken out of use")


def undoes_it(page: Page) -> None:
    page.get_by_role("button", name="Undo").click()
    has_text(page, "#toasts", "l is back in use on fs1")
    expect(page.locator("#lines .badge")).to_have_text("Free")


def puts_it_back(page: Page) -> None:
    has_text(page, "#lines .sentence", "by ann@pbx1 · reason: carrier works")
    expect(page.locator("#lines tbody td").nth(4)).to_have_text("it is put back")
    page.get_by_role("button", name="Put l back into use").click()
    expect(page.locator("#lines .badge")).to_have_text("Free")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#lines .badge")).to_have_text("Taken out of use")


def tries_it(page: Page) -> None:
    page.get_by_role("button", name="Try l now").click()
    has_text(page, "#toasts", "The next number that can use l tries it.")
