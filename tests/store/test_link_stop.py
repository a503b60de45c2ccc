"""A link, or a feed of changes, that is stopped while it is being made leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet import reactor
from twisted.internet.task import deferLater

from ctidialer.contract.notice import ConfigChange
from ctidialer.store.address import parse_address
from ctidialer.store.changes import ChangeFeed
from ctidialer.store.link import Link
from tests.support.redis import RedisTestCase

TURNS_AFTER = 5
"""Turns of the reactor for which it is stopped later still, after it was up."""


def turns() -> Iterator[int]:
    """Yield after how many turns of the reactor to stop it: each, then fewer and fewer of many."""
    count = 0
    while True:
        yield count
        count += 1 + count // 20


def watched_connections() -> int:
    """Return how many connections to Redis are open: each has a timer."""
    return sum("WatchedConnection._tick" in str(call) for call in reactor.getDelayedCalls())


async def let_pass(turns: int) -> None:
    """Wait for so many turns of the reactor."""
    for _ in range(turns):
        await deferLater(reactor, 0)


class Subscriber:
    """Knows whether changes are heard."""

    def __init__(self) -> None:
        self.is_subscribed = False

    def change(self, change: ConfigChange) -> None:
        raise AssertionError(change)

    def subscribed(self) -> None:
        self.is_subscribed = True


class StopTests(RedisTestCase):
    """It is stopped later and later, until it was up when it was stopped."""

    async def test_a_link_at_any_moment_of_the_login(self) -> None:
        before = watched_connections()
        were_up: list[bool] = []
        for count in turns():
            link = Link(reactor, parse_address(self.url))
            link.start()
            await let_pass(count)
            were_up.append(link.is_up)
            await link.stop()
            self.assertEqual((count, watched_connections()), (count, before))
            if were_up.count(True) > TURNS_AFTER:
                break
        self.assertIs(were_up[0], False)

    async def test_a_feed_at_any_moment_of_the_subscription(self) -> None:
        before = watched_connections()
        were_subscribed: list[bool] = []
        for count in turns():
            subscriber = Subscriber()
            feed = ChangeFeed(reactor, parse_address(self.url), "fs1", "fs1", subscriber)
            feed.start()
            await let_pass(count)
            were_subscribed.append(subscriber.is_subscribed)
            await feed.stop()
            self.assertEqual((count, watched_connections()), (count, before))
            if were_subscribed.count(True) > TURNS_AFTER:
                break
        self.assertIs(were_subscribed[0], False)
