"""The events that a connection is subscribed to: some always, some for a while."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.connection import Accepted
from ctidialer.esl.errors import CommandRefused, EslError
from ctidialer.esl.jobs import BACKGROUND_JOB

HEARTBEAT = "HEARTBEAT"


@frozen
class Subscription:
    """The events wanted: names, then ``CUSTOM`` and names of subclasses.

    ``filters`` are pairs of header and value, ORed; a value ``- x`` is a veto.  BACKGROUND_JOB is
    always subscribed to and passes the filters, HEARTBEAT too if the user may have it; neither
    needs to be named.
    """

    events: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()

    async def set_up(self, protocol: EventSocketProtocol, accepted: Accepted) -> None:
        """Subscribe on a new connection; the filters first, so that nothing else comes between."""
        always = [BACKGROUND_JOB, *([HEARTBEAT] if accepted.allows_event(HEARTBEAT) else [])]
        if self.filters:
            for header, value in (*(("Event-Name", name) for name in always), *self.filters):
                await protocol.filter(header, value)
        # Words after CUSTOM are subclasses, so these go before it.
        await protocol.event([*always, *(name for name in self.events if name not in always)])


@frozen
class More:
    """An event that is wanted for a while.

    ``subclass``: of CUSTOM events.  ``filter``: a header and a value, added to the filters if there
    are any, so that the event passes; None = only the other filters let it pass.
    """

    name: str
    subclass: str = ""
    filter: tuple[str, str] | None = None

    @property
    def words(self) -> list[str]:
        """The words that name it to FreeSWITCH."""
        return [self.name, self.subclass] if self.subclass else [self.name]


class Wishes:
    """The events wanted: ``always``, and more as long as they are needed.

    ``adjust`` brings a connection up to date after a change, also one that was being set up then.
    """

    log = Logger()

    def __init__(self, always: Subscription) -> None:
        self._always = always
        self._more: dict[More, None] = {}
        self._heard: dict[More, None] = {}
        """What the present connection is subscribed to, besides ``always``."""
        self._adjusting: EventSocketProtocol | None = None

    async def set_up(self, protocol: EventSocketProtocol, accepted: Accepted) -> None:
        """Subscribe on a new connection to all that is wanted now."""
        self._heard = dict(self._more)
        await self._always.set_up(protocol, accepted)
        for one in list(self._heard):
            await self._add(protocol, one)

    def hear(self, more: Iterable[More]) -> None:
        """Want these too."""
        self._more.update(dict.fromkeys(more))

    def hear_no_more(self, more: Iterable[More]) -> None:
        """Want these no more."""
        for one in more:
            self._more.pop(one, None)

    def adjust(self, protocol: EventSocketProtocol | None) -> None:
        """Bring the present connection up to date; None = there is none."""
        if protocol is not None and self._adjusting is not protocol:
            self._adjusting = protocol
            Deferred.fromCoroutine(self._adjust(protocol)).addErrback(self._failed)

    async def _adjust(self, protocol: EventSocketProtocol) -> None:
        try:
            while self._heard != self._more and protocol.ending is None:
                for one in [one for one in self._more if one not in self._heard]:
                    self._heard[one] = None
                    await self._add(protocol, one)
                for one in [one for one in self._heard if one not in self._more]:
                    del self._heard[one]
                    await self._remove(protocol, one)
        finally:
            if self._adjusting is protocol:
                self._adjusting = None

    async def _add(self, protocol: EventSocketProtocol, more: More) -> None:
        try:
            if more.filter and self._always.filters:
                await protocol.filter(*more.filter)
            await protocol.event(more.words)
        except CommandRefused as error:
            self.log.warn(
                "FreeSWITCH does not give {event}: {problem}",
                event=" ".join(more.words),
                problem=str(error),
            )

    async def _remove(self, protocol: EventSocketProtocol, more: More) -> None:
        if all(one.words != more.words for one in self._more):  # others may want it too
            await protocol.nixevent(more.words)
        if more.filter and self._always.filters:
            await protocol.filter_delete(*more.filter)

    def _failed(self, failure: Failure) -> None:
        """The connection is gone: `set_up` subscribes to all of it on the next one."""
        failure.trap(EslError)
