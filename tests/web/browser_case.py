"""A node whose dashboard is open in a real browser: the base of the tests of the dashboard."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, TypeVar

from playwright.sync_api import Page, expect
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Protocol

from ctidialer.contract import keys
from ctidialer.stage.daemon import DaemonProcess
from tests.support.node import HOST, NodeTestCase
from tests.web.browser import PATIENCE, Chromium, Watched, chromium_path, shared_chromium

TOKEN = "a token of the tests"
HOSTILE = "<img src=x onerror=alert(1)>"
SHORT_LEASE = "lease = 2"
"""Another daemon may take a killed one's name after so many seconds."""

T = TypeVar("T")
expect.set_options(timeout=PATIENCE)


def free_port() -> int:
    """Return a port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Leaving(Protocol):
    """A connection that is closed as soon as it is there: somebody listens."""

    def connectionMade(self) -> None:
        """Hang up."""
        assert self.transport is not None
        self.transport.loseConnection()


class DashboardTestCase(NodeTestCase):
    """Tests with a daemon that serves its dashboard at ``self.address``, and a page on it."""

    kind = "browser"
    token = TOKEN
    profile: dict[str, Any] = {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}}  # noqa: RUF012

    async def set_up(self) -> None:
        """Start the node; the tables are the test's own affair."""
        chromium_path()
        await super().set_up()
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        self.chromium: Chromium = shared_chromium()
        self.watched: Watched

    # --- the node ----------------------------------------------------------------------------

    async def serve(self, node: str = SHORT_LEASE) -> DaemonProcess:
        """Start the daemon, and wait until its HTTP interface listens."""
        token = f'\ntoken = "{self.token}"' if self.token else ""
        http = f'[http]\nlisten = "127.0.0.1:{self.port}"{token}'
        daemon = self.start_daemon(extra=http, node=node)
        await self.until("the HTTP interface listens", self._listens)
        return daemon

    async def _listens(self) -> bool:
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port, timeout=1)
        try:
            await connectProtocol(endpoint, Leaving())
        except ConnectError:
            return False
        return True

    async def originates(self) -> int:
        """Return how many calls the switch was asked for."""
        return len(self.switch_log().originates)

    async def queue_length(self, queue: str = "q") -> int:
        """Return how many numbers wait in a list."""
        length = await self.call("LLEN", queue)
        assert isinstance(length, int)
        return length

    async def is_paused(self, task: str) -> bool:
        """Return whether Redis holds the order to pause a task."""
        return await self.call("HEXISTS", keys.control(HOST), f"pause:{task}") == 1

    # --- the page ----------------------------------------------------------------------------

    async def open(self, *, sign_in: bool = True, **profile: Any) -> None:
        """Open the dashboard in a fresh profile; it is closed when the test ends."""
        self.watched = await self.chromium.run(self._open, sign_in, {**self.profile, **profile})
        self.addCleanup(self.chromium.run, self.watched.context.close)

    def _open(self, sign_in: bool, profile: dict[str, Any]) -> Watched:
        watched = Watched(self.chromium.new_context(**profile), self.address)
        if sign_in and self.token:
            form = {"token": self.token}
            answer = watched.context.request.post(f"{self.address}login", data=form)
            assert answer.ok, answer.status
        watched.page.goto(self.address)
        if sign_in:
            expect(watched.page.locator("#connection")).to_have_text("Live")
        return watched

    def see(self, look: Callable[..., T], *arguments: Any) -> Deferred[T]:
        """Call ``look(page, …)`` in the browser's thread."""
        return self.chromium.run(look, self.watched.page, *arguments)

    def assert_no_trouble(self) -> None:
        """Check that nothing was written to the console, and nothing asked for elsewhere."""
        self.assertEqual(self.watched.troubles, [])


def has_text(page: Page, selector: str, text: str) -> None:
    """Wait until the first element that fits shows a text."""
    expect(page.locator(selector).first).to_contain_text(text)


def wait_until(page: Page, expression: str) -> None:
    """Wait until an expression is true.  (Playwright's own way of it offends against the CSP.)"""
    for _ in range(PATIENCE // 50):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {expression}")


def task_row(page: Page, name: str) -> Any:
    """Return the row of a task."""
    opener = page.get_by_role("button", name=name, exact=True)
    return page.locator("#tasks tbody").filter(has=opener)
