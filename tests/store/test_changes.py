"""What back ends publish, heard."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater

from ctidialer.contract.notice import ConfigChange
from ctidialer.store.address import parse_address
from ctidialer.store.changes import ChangeFeed, change_channels
from ctidialer.store.connection import ANSWER_TIMEOUT
from tests.store.test_link import LinkTestCase
from tests.support.proxy import start_proxy
from tests.support.redis import QUICK, while_time_passes

TASK = b'{"type":"config_change","table":"cti_queue_dialer_task","key":"%s"}'


class Changes:
    """A listener that can be waited for."""

    def __init__(self) -> None:
        self.heard: list[ConfigChange | None] = []
        self._waiting: list[tuple[int, Deferred[None]]] = []

    def change(self, change: ConfigChange) -> None:
        self._hear(change)

    def subscribed(self) -> None:
        self._hear(None)

    def _hear(self, what: ConfigChange | None) -> None:
        self.heard.append(what)
        for count, waiting in self._waiting:
            if len(self.heard) == count:
                waiting.callback(None)

    def many(self, count: int) -> Deferred[None]:
        """Fire when ``count`` things were heard."""
        waiting: Deferred[None] = Deferred()
        if len(self.heard) >= count:
            waiting.callback(None)
        self._waiting.append((count, waiting))
        return waiting.addTimeout(60, reactor)


class ChangesTests(LinkTestCase):
    """One node, listening through a proxy."""

    async def set_up(self) -> None:
        await super().set_up()
        self.proxy = await start_proxy(self, self.url)
        self.clock = Clock()
        self.changes = Changes()
        self.feed = self.feed_of("fs1", "example.com")
        await self.changes.many(1)

    async def hears(self, count: int) -> None:
        """Let time pass until ``count`` things were heard."""
        await while_time_passes(self.clock, self.changes.many(count))

    def feed_of(self, host: str, domain: str) -> ChangeFeed:
        address = parse_address(self.proxy.url)
        feed = ChangeFeed(
            reactor, address, host, domain, self.changes, clock=self.clock, back_off=QUICK
        )
        feed.start()
        self.addCleanup(feed.stop)
        return feed

    async def says(self, words: str) -> None:
        """Wait until the log has these words; the test's own timeout ends this."""
        while words not in self.logged():
            await deferLater(reactor, 0.005)

    def test_the_channels(self) -> None:
        self.assertEqual(change_channels("a", "a"), ("config@all", "config@a"))
        self.assertEqual(change_channels("a", "b"), ("config@all", "config@a", "config@b"))

    async def test_all_channels_are_heard(self) -> None:
        for channel in ("config@all", "config@fs1", "config@example.com", "config@fs2"):
            await self.call("PUBLISH", channel, TASK % channel.encode())
        await self.changes.many(4)
        heard = [change.key for change in self.changes.heard if change]
        self.assertEqual(heard, ["config@all", "config@fs1", "config@example.com"])

    async def test_anything_else_is_ignored_and_logged_once(self) -> None:
        for message in (b"\xff\0", b"7", b"[]", b'{"type":"config_change","table":"other"}'):
            await self.call("PUBLISH", "config@all", message)
        await self.call("PUBLISH", "config@all", TASK % b"0755")
        await self.changes.many(2)
        change = ConfigChange("cti_queue_dialer_task", "0755")
        self.assertEqual(self.changes.heard, [None, change])
        self.assertEqual(self.logged().count("no configuration change"), 1)

    async def test_it_subscribes_again_after_a_cut(self) -> None:
        self.proxy.cut()
        await self.hears(2)
        await self.call("PUBLISH", "config@all", TASK % b"a")
        await self.changes.many(3)
        self.assertEqual(
            self.changes.heard, [None, None, ConfigChange("cti_queue_dialer_task", "a")]
        )

    async def test_it_notices_a_dead_connection_by_itself(self) -> None:
        self.proxy.holds = True
        self.clock.pump([ANSWER_TIMEOUT / 10] * 20)
        await self.says("has said nothing for 5 s")
        self.proxy.release()
        await self.hears(2)

    async def test_an_idle_connection_is_kept(self) -> None:
        change = ConfigChange("cti_queue_dialer_task", "a")
        for count in range(1, 5):
            self.clock.pump([ANSWER_TIMEOUT / 10] * 8)  # it is asked whether it lives, and says so
            await self.call("PUBLISH", "config@all", TASK % b"a")
            await self.changes.many(1 + count)
        self.assertEqual(self.changes.heard, [None, *[change] * 4])

    async def test_a_user_who_may_not_subscribe(self) -> None:
        await self.call("ACL", "SETUSER", "deaf", "on", ">pw", "~*", "resetchannels", "+@all")
        self.addCleanup(self.call, "ACL", "DELUSER", "deaf")
        address = parse_address(self.proxy.url.replace("redis://", "redis://deaf:pw@"))
        feed = ChangeFeed(reactor, address, "fs1", "fs1", self.changes, back_off=QUICK)
        feed.start()
        await self.says("refuses the subscription")
        await feed.stop()

    async def test_stopped_it_hears_nothing(self) -> None:
        await self.feed.stop()
        while await self.call("PUBLISH", "config@all", TASK % b"a"):
            pass  # the proxy has not told Redis yet; the test's own timeout ends this
        self.assertEqual(self.changes.heard, [None])
