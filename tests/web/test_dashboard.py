"""The dashboard as its users meet it: a real daemon, a real Redis, a real browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from ctidialer.contract import keys
from tests.support.node import HOST
from tests.web.browser_case import HOSTILE, TOKEN, DashboardTestCase, has_text, task_row, wait_until

SLOW = {"default": {"result": "answer", "talk": 0.05}}


class SignInTests(DashboardTestCase):
    async def test_it_wants_the_token(self) -> None:
        await self.serve()
        await self.open(sign_in=False)
        await self.see(refuses_the_wrong_token)
        await self.see(takes_the_right_token)
        await self.see(forgets_after_signing_out)

    async def test_it_wants_the_token_again_when_the_session_is_over(self) -> None:
        daemon = await self.serve()
        await self.open()
        await daemon.kill()
        await self.serve()
        await self.see(lambda page: expect(page.get_by_label("Token")).to_be_visible())
        await self.see(takes_the_right_token)


def refuses_the_wrong_token(page: Page) -> None:
    assert page.locator("#tasks").count() == 0
    assert page.evaluate("fetch('api/tasks').then((answer) => answer.status)") == 401
    token = page.get_by_label("Token")
    assert token.get_attribute("type") == "password"
    assert token.get_attribute("autocomplete") == "current-password"
    token.fill("not this one")
    token.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This is not the token.")
    page.get_by_role("combobox").select_option("中文")
    expect(page.get_by_role("alert")).to_have_text("令牌不正确。")
    expect(page.get_by_role("button")).to_have_text("登录")
    page.get_by_role("combobox").select_option("English")


def takes_the_right_token(page: Page) -> None:
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("#host")).to_have_text(HOST)
    kept = page.evaluate("JSON.stringify({...localStorage}) + document.cookie")
    assert TOKEN not in kept
    page.reload()
    expect(page.locator("#connection")).to_have_text("Live")


def forgets_after_signing_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Token")).to_be_visible()


class LiveTests(DashboardTestCase):
    script = SLOW

    async def test_it_shows_what_happens_while_it_happens(self) -> None:
        await self.usual_tables()
        await self.put_task(HOSTILE, number_queue="hostile")
        await self.put_task("two", number_queue=["first", "second"], limit=0)
        await self.put_numbers(["1001", "1002"], queue="second")
        await self.serve()
        await self.open()
        await self.see(shows_an_idle_node)
        await self.put_numbers([f"1380000{n:04d}" for n in range(15)])
        await self.put_numbers(["13900000000", "not a number"], queue="hostile")
        await self.records_of(17)
        await self.see(shows_the_calls)
        await self.see(shows_markup_as_text)
        await self.see(shows_every_list)
        await self.see(filters_the_records)
        await self.put_numbers([f"1390000{n:04d}" for n in range(200)])
        await self.see(counts_what_it_does_not_show)
        self.assert_no_trouble()

    async def test_what_was_before_is_there_after_a_reload(self) -> None:
        await self.usual_tables()
        await self.serve()
        await self.put_numbers([f"1380000{n:04d}" for n in range(70)])
        await self.records_of(70)
        await self.open()
        await self.see(pages_back_through_the_records)
        self.assert_no_trouble()


def shows_an_idle_node(page: Page) -> None:
    expect(page.locator("#service")).to_have_text("Dialing is on")
    expect(page.locator("#freeswitch")).to_have_text("FreeSWITCH up")
    expect(page.locator("#redis")).to_have_text("Redis up")
    expect(task_row(page, "t").locator(".badge")).to_have_text("Queue empty")
    expect(page.locator("#records-none")).to_have_text("No number has ended yet.")
    expect(page.locator("#figure-answered")).to_have_text("–")
    page.evaluate("window.stillTheSamePage = true")


def shows_the_calls(page: Page) -> None:
    expect(page.locator("#records tbody")).to_have_count(17)
    answered = page.locator("#records tbody").filter(has_text="13800000014")
    expect(answered).to_contain_text("Answered")
    expect(answered).to_contain_text("NORMAL_CLEARING")
    expect(page.locator("#figure-answered")).to_have_text("100%")
    expect(page.locator("#outcome-chart .legend li").first).to_contain_text("16 · ")
    has_text(page, "#rate-chart-summary", "16 calls started")
    wait_until(page, "document.querySelector('.rate-line').getBBox().height > 5")
    assert page.evaluate("window.stillTheSamePage")


def shows_every_list(page: Page) -> None:
    row = task_row(page, "two")
    expect(row).to_contain_text("2")
    row.locator(".opener").click()
    expect(row.locator(".details")).to_contain_text("first (0), second (2)")
    page.keyboard.press("Escape")


def shows_markup_as_text(page: Page) -> None:
    row = task_row(page, HOSTILE)
    expect(row).to_have_count(1)
    row.locator(".opener").click()
    expect(row.locator(".details")).to_contain_text("Redis list: hostile")
    page.keyboard.press("Escape")
    expect(row.locator(".details")).to_have_count(0)
    assert page.evaluate("document.activeElement.textContent") == HOSTILE
    invalid = page.locator("#records tbody").filter(has_text="Invalid")
    expect(invalid).to_contain_text("not a number")
    assert page.locator("img").count() == 0


def filters_the_records(page: Page) -> None:
    page.locator("#records-outcome").select_option("Invalid")
    expect(page.locator("#records tbody")).to_have_count(1)
    page.locator("#records-outcome").select_option("All outcomes")
    page.get_by_label("Number", exact=True).fill("13800000007")
    expect(page.locator("#records tbody")).to_have_count(1)
    page.get_by_label("Number", exact=True).fill("13811111111")
    expect(page.locator("#records-none")).to_have_text("No record matches.")
    page.get_by_label("Number", exact=True).fill("")
    page.locator("#records-task").fill(HOSTILE)
    expect(page.locator("#records tbody")).to_have_count(2)
    page.locator("#records-task").fill("")
    expect(page.locator("#records tbody")).to_have_count(17)


def counts_what_it_does_not_show(page: Page) -> None:
    has_text(page, "#records-count", "more have ended than are shown")
    has_text(page, "#outcome-chart-summary", "Answered 216")
    assert page.locator("#records tbody").count() <= 100


def pages_back_through_the_records(page: Page) -> None:
    rows = page.locator("#records tbody")
    expect(rows).to_have_count(50)
    newest = rows.first.locator(".name").text_content()
    page.get_by_role("button", name="Older").click()
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="Back to live").click()
    expect(rows).to_have_count(50)
    assert rows.first.locator(".name").text_content() == newest
    has_text(page, "#outcome-chart-summary", "Answered 70")


class PauseTests(DashboardTestCase):
    script = SLOW

    async def test_a_task_is_paused_by_mouse_and_resumed_by_keyboard(self) -> None:
        await self.usual_tables(cps=20)
        await self.put_task("probe", number_queue="probe")
        await self.serve()
        await self.put_numbers([f"1380000{n:04d}" for n in range(3000)])
        await self.open()
        await self.see(pauses_by_mouse)
        self.assertTrue(await self.is_paused("t"))
        await self.nothing_in_flight()
        left = await self.queue_length()
        self.assertGreater(left, 0)
        await self.another_task_dials()
        self.assertEqual(await self.queue_length(), left)
        await self.see(resumes_by_keyboard)
        self.assertFalse(await self.is_paused("t"))
        await self.until("the queue shrinks", lambda: self.is_shorter_than(left))
        await self.see(undoes_it)
        self.assertTrue(await self.is_paused("t"))
        self.assert_no_trouble()

    async def another_task_dials(self) -> None:
        """Dial a number of another task, so that the paused one has had every chance to."""
        before = await self.originates()
        await self.put_numbers(["13900000000"], queue="probe")

        async def has_dialed() -> bool:
            return await self.originates() > before

        await self.until("the other task dials", has_dialed)
        self.assertEqual(await self.originates(), before + 1)

    async def is_shorter_than(self, length: int) -> bool:
        return await self.queue_length() < length


def pauses_by_mouse(page: Page) -> None:
    expect(task_row(page, "t").locator(".badge")).to_have_text("Paced")
    pause = page.get_by_role("button", name="Pause t", exact=True)
    pause.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(task_row(page, "t").locator(".badge")).to_have_text("Paced")
    pause.click()
    page.get_by_label("Reason, for everybody who asks why").fill("the list is wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("t is paused")
    expect(task_row(page, "t").locator(".sentence")).to_contain_text("(the list is wrong)")
    expect(task_row(page, "t").locator(".badge")).to_have_text("Paused")


def resumes_by_keyboard(page: Page) -> None:
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    tab_to(page, "Skip to the content")
    page.keyboard.press("Enter")
    tab_to(page, "Resume t")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid", "the focus cannot be seen"
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("t goes on.")
    expect(task_row(page, "t").locator(".badge")).to_have_text("Paced")
    assert name_of_focused(page) == "Pause t", "the focus was lost"


def undoes_it(page: Page) -> None:
    tab_to(page, "Undo")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("t is paused")
    expect(task_row(page, "t").locator(".badge")).to_have_text("Paused")


def name_of_focused(page: Page) -> Any:
    focused = "document.activeElement"
    return page.evaluate(f"{focused}.getAttribute('aria-label') ?? {focused}.textContent.trim()")


def tab_to(page: Page, name: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if name_of_focused(page) == name:
            return
    raise AssertionError(f"{name!r} cannot be reached with the Tab key")


class TroubleTests(DashboardTestCase):
    token = ""

    async def test_it_says_that_freeswitch_is_away(self) -> None:
        await self.usual_tables()
        await self.serve()
        await self.open()
        await self.switch.kill()
        await self.see(says_that_freeswitch_is_away)
        await self.start_switch(listen=f"127.0.0.1:{self.switch.port}")
        await self.see(has_text, "#service", "Dialing is on")
        await self.see(lambda page: expect(page.locator("#notices")).to_be_empty())

    async def test_it_says_that_the_node_is_drained(self) -> None:
        await self.usual_tables()
        await self.serve()
        await self.open()
        await self.call("HSET", keys.control(HOST), "drain", '{"by":"ann"}')
        await self.published("cti_dialer_control")
        await self.see(has_text, "#service", "Out of service")
        await self.see(has_text, "#notices", "Out of service by ann")

    async def test_it_marks_itself_as_stale_and_recovers(self) -> None:
        await self.usual_tables()
        daemon = await self.serve()
        await self.put_numbers(["13800000001"])
        await self.records_of(1)
        await self.open()
        await self.see(lambda page: expect(task_row(page, "t")).to_be_visible())
        await daemon.kill()
        await self.see(is_stale)
        await self.serve()
        await self.see(is_live)
        await self.see(lambda page: has_text(page, "#service", "Dialing is on"))
        await self.put_numbers(["13800000002"])
        await self.see(lambda page: has_text(page, "#records tbody", "13800000002"))


def says_that_freeswitch_is_away(page: Page) -> None:
    expect(page.locator("#freeswitch")).to_have_text("FreeSWITCH away")
    expect(page.locator("#service")).to_have_text("Nothing is dialed")
    has_text(page, "#notices", "Nothing is dialed, because:")
    has_text(page, "#notices li", "FreeSWITCH is away")
    expect(task_row(page, "t").locator(".badge")).to_have_text("FreeSWITCH away")
    page.locator("#language").select_option("中文")
    expect(page.locator("#freeswitch")).to_have_text("FreeSWITCH 断开")
    has_text(page, "#notices li", "FreeSWITCH 断开：Connection was refused")
    page.locator("#language").select_option("English")


def is_stale(page: Page) -> None:
    expect(page.locator("#connection")).to_have_text("Reconnecting…")
    has_text(page, "#notices", "The daemon has not been heard since")
    for selector in ("#figure-calls", "#service"):
        struck = f"getComputedStyle(document.querySelector('{selector}')).textDecorationLine"
        assert page.evaluate(struck) == "line-through", selector
    page.get_by_role("button", name="Pause t", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("t: the daemon does not answer.")


def is_live(page: Page) -> None:
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("body")).not_to_have_class("stale")
