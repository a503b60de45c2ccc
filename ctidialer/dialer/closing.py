"""The end of a number: its record is written, or it goes back where it was.

Redis may be away at that moment.  What has to be written is then kept and written when Redis is
back: nothing is claimed meanwhile, so there is never more of it than there were calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ctidialer.contract.record import Kind, Record
from ctidialer.contract.record_document import encode_record
from ctidialer.dialer.gate import Gate
from ctidialer.dialer.number_in_hand import Finished
from ctidialer.store.errors import LeaseLost, StoreUnavailable
from ctidialer.store.in_flight import Claimed
from ctidialer.store.store import Store

RETRY_PAUSE = 0.1
"""Seconds between two tries of a write that Redis refused although it is there."""


class Closing:
    """Settles numbers and gives numbers back, whatever it takes.

    ``writable`` is open while Redis is there and this daemon holds its host's name.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime, host: str, store: Store, writable: Gate) -> None:
        self._clock = clock
        self._host = host
        self._store = store
        self._writable = writable
        self._returning: list[str] = []
        self.unwritten = 0

    async def settle(
        self,
        claim: Claimed,
        kind: Kind,
        name: str,
        finished: Finished,
        *,
        number: str | None = None,
        requested_uuid: str | None = None,
    ) -> None:
        """Write the one record of a number and take it out of the in-flight entries."""
        record = Record(
            id=claim.id,
            kind=kind,
            task=name,
            number=number,
            entry=claim.entry,
            outcome=finished.outcome,
            taken_at=claim.taken_at,
            ended_at=self._clock.seconds(),
            host=self._host,
            attempts=finished.attempts,
            requested_uuid=requested_uuid,
            reason=finished.reason,
        )
        encoded = encode_record(record)
        await self._surely(lambda: self._store.settle(claim.id, encoded))

    def give_back(self, claim: Claimed) -> None:
        """Put a number back at the head of its queue.

        Those of one reactor turn go together, so that they keep their order: the loss of
        FreeSWITCH sends back many at once.
        """
        if not self._returning:
            self._clock.callLater(0, self._return_all)
        self._returning.append(claim.id)
        self.unwritten += 1

    def write_back(self, claim: Claimed, due: float) -> None:
        """Put a scheduled number back, to be called at ``due`` (unix seconds)."""
        self._write(lambda: self._store.write_back(claim.id, due))

    def _return_all(self) -> None:
        ids, self._returning = self._returning, []
        self.unwritten -= len(ids)
        self._write(lambda: self._store.give_back(ids))

    def _write(self, write: Callable[[], Deferred[Any]]) -> None:
        Deferred.fromCoroutine(self._surely(write)).addErrback(
            lambda failure: self.log.failure("Putting back failed", failure)
        )

    async def _surely(self, write: Callable[[], Deferred[Any]]) -> None:
        """Write until it is written, or until another daemon has this host's name: what was in
        flight is its own now."""
        self.unwritten += 1
        try:
            while True:
                try:
                    await write()
                    return
                except LeaseLost as error:
                    if error.holder:
                        return
                except StoreUnavailable:
                    pass
                await deferLater(self._clock, RETRY_PAUSE)
                await self._writable.passed()
        finally:
            self.unwritten -= 1
