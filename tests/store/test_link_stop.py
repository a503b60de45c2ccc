"""A link, or a feed of changes, that is stopped while it is being made leaves nothing behind."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.task import deferLater

from ctidialer.contract.notice import ConfigChange
from ctidialer.store.address import parse_address
from ctidialer.store.changes import ChangeFeed
from ctidialer.store.link import Link
from tests.support.redis import RedisTestCase

MAX_TURNS = 20
"""Of the reactor, in which a link logs in and a feed subscribes."""


def watched_connections() -> int:
    """Return how many connections to Redis are open: each has a timer."""
    return sum("WatchedConnection._tick" in str(call) for call in reactor.getDelayedCalls())


class Subscriber:
    """Knows whether changes are heard."""

    def __init__(self) -> None:
        self.is_subscribed = False

    def change(self, change: ConfigChange) -> None:
        raise AssertionError(change)

    def subscribed(self) -> None:
        self.is_subscribed = True


class StopTests(RedisTestCase):
    async def test_a_link_at_any_moment_of_the_login(self) -> None:
        before = watched_connections()
        were_up = set()
        for turns in range(MAX_TURNS):
            link = Link(reactor, parse_address(self.url))
            link.start()
            for _ in range(turns):
                await deferLater(reactor, 0)
            were_up.add(link.is_up)
            await link.stop()
            self.assertEqual((turns, watched_connections()), (turns, before))
        self.assertEqual(were_up, {False, True})

    async def test_a_feed_at_any_moment_of_the_subscription(self) -> None:
        before = watched_connections()
        were_subscribed = set()
        for turns in range(MAX_TURNS):
            subscriber = Subscriber()
            feed = ChangeFeed(reactor, parse_address(self.url), "fs1", "fs1", subscriber)
            feed.start()
            for _ in range(turns):
                await deferLater(reactor, 0)
            were_subscribed.add(subscriber.is_subscribed)
            await feed.stop()
            self.assertEqual((turns, watched_connections()), (turns, before))
        self.assertEqual(were_subscribed, {False, True})
