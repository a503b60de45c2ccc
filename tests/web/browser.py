"""A real headless Chromium for tests, driven by Playwright in a thread of its own.

Playwright's synchronous interface runs a loop of its own and wants every call from the thread in
which it was started: never from the reactor's.  One browser serves all tests of a process.
"""

from __future__ import annotations

import atexit
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest

VARIABLE = "CTIDIALER_TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
PATIENCE = 60_000
"""Milliseconds after which something that is waited for in a page has not come."""

T = TypeVar("T")
Job = Callable[[], None]


def chromium_path() -> str:
    """Return the browser.  Without one the test is skipped; in CI, which has one, it fails."""
    named = os.environ.get(VARIABLE)
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found and Path(found).is_file():
        return found
    problem = f"no Chromium: neither {', '.join(NAMES)} on PATH, nor a file in ${VARIABLE}"
    if os.environ.get("CI") == "true":
        raise AssertionError(f"{problem}; .ci/run installs it")
    raise SkipTest(problem)


class Chromium:
    """The browser and its thread; ``run`` calls a function there."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._browser: Browser | None = None
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="chromium", daemon=True)
        self._thread.start()
        atexit.register(self._end)

    def run(self, function: Callable[..., T], *arguments: Any, **options: Any) -> Deferred[T]:
        """Call a function in the browser's thread; fires with what it returns or raises."""
        called: Deferred[T] = Deferred()
        from_thread = cast(IReactorFromThreads, reactor).callFromThread

        def job() -> None:
            try:
                result = function(*arguments, **options)
            except BaseException:  # noqa: BLE001 - it is the test's, which waits for it
                from_thread(called.errback, Failure())
            else:
                from_thread(called.callback, result)

        self._jobs.put(job)
        return called

    def new_context(self, **options: Any) -> BrowserContext:
        """Return a fresh profile; to be called in the browser's thread."""
        if self._browser is None:
            raise AssertionError("Chromium did not start") from self._problem
        context = self._browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        return context

    def _work(self) -> None:
        with sync_playwright() as playwright:
            try:
                launch = playwright.chromium.launch
                self._browser = launch(executable_path=self._path, args=ARGUMENTS)
            except Exception as error:  # noqa: BLE001 - told to each test that wants a page
                self._problem = error
            while (job := self._jobs.get()) is not None:
                job()
            if self._browser is not None:
                self._browser.close()

    def _end(self) -> None:
        self._jobs.put(None)
        self._thread.join(10)


_shared: list[Chromium] = []


def shared_chromium() -> Chromium:
    """Return the one browser that all tests of this process share."""
    if not _shared:
        _shared.append(Chromium(chromium_path()))
    return _shared[0]


class Watched:
    """A page, and what went wrong in it: errors, warnings of the CSP, requests to elsewhere."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self.address = address
        self.troubles: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.troubles.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self._request(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{message.type}: {message.text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self.address, "data:")):
            self.troubles.append(f"request to {url}")
