"""A link that is stopped while it is being made leaves nothing behind."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.task import deferLater

from ctidialer.store.address import parse_address
from ctidialer.store.link import Link
from tests.support.redis import RedisTestCase

MOST_TURNS = 15
"""Of the reactor, in which a link logs in."""


def watched_connections() -> int:
    """Return how many connections to Redis are open: each has a timer."""
    return sum("WatchedConnection._tick" in str(call) for call in reactor.getDelayedCalls())


class StopTests(RedisTestCase):
    async def test_at_any_moment_of_the_login(self) -> None:
        before = watched_connections()
        were_up = set()
        for turns in range(MOST_TURNS):
            link = Link(reactor, parse_address(self.url))
            link.start()
            for _ in range(turns):
                await deferLater(reactor, 0)
            were_up.add(link.is_up)
            await link.stop()
            self.assertEqual((turns, watched_connections()), (turns, before))
        self.assertEqual(were_up, {False, True})
