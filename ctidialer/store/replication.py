"""Waits until replicas have what was written: a fail-over to one of them then loses nothing.

Redis confirms a write before its replicas have it.  What must outlive its master (a claim, a note,
a record) counts as done only when ``redis.wait_replicas`` of them have it, too.  Where they have
not, it counts as a write whose answer was lost: it is done again, or called off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from twisted.internet.defer import Deferred

from ctidialer.store.batch import Batch
from ctidialer.store.connection import Reply
from ctidialer.store.errors import NotReplicated, StoreError, StoreUnavailable
from ctidialer.store.link import Link

REPLICATION_TIMEOUT = 1.0
"""Seconds that replicas get.  Redis does nothing else on the connection meanwhile, so this is far
less than the silence after which a connection counts as dead."""

CONNECTION_CHANGED = "the connection to Redis changed before its replicas had what was written"


class Replication:
    """Waits until ``count`` replicas have what was written on ``link``; 0 = it does not wait.

    What is written at about the same time is waited for once: WAIT is for all that came before it
    on its connection.
    """

    def __init__(self, link: Link, count: int, timeout: float = REPLICATION_TIMEOUT) -> None:
        self.count = count
        self._link = link
        self._timeout = timeout
        self._waits: Batch[object, bool] = Batch(link.clock, self._wait)

    async def surely(self, write: Awaitable[Reply]) -> Reply:
        """Make a write, and return its answer when enough replicas have it; fails as `follow`."""
        session = self._link.session
        answer = await write
        if self.count:
            await self.follow(session)
        return answer

    def follow(self, session: object) -> Deferred[None]:
        """Fire when enough replicas have what was written in ``session`` (`Link.session`).

        Fails with NotReplicated or another StoreUnavailable; both say that it may have been done.
        """
        return self._waits.add(session).addCallback(_same_connection)

    async def _wait(self, sessions: Sequence[object]) -> list[bool]:
        now = self._link.session
        milliseconds = round(self._timeout * 1000)
        try:
            found = await self._link.call("WAIT", self.count, milliseconds)
        except StoreUnavailable as error:
            raise StoreUnavailable(error.reason, may_have_been_executed=True) from None
        except StoreError as error:  # the right to it is missing
            raise NotReplicated(str(error)) from None
        assert isinstance(found, int)
        if found < self.count:
            raise NotReplicated(
                f"{found} of {self.count} replicas have what was written {self._timeout:g} s ago"
                " (redis.wait_replicas)"
            )
        return [session is now for session in sessions]


def _same_connection(is_same: bool) -> None:
    if not is_same:
        raise StoreUnavailable(CONNECTION_CHANGED, may_have_been_executed=True)
