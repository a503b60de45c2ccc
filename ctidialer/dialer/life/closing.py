"""The end of a number: its record is written, or it goes back where it was.

Redis may be away at that moment.  What has to be written is then kept and written when Redis is
back: nothing is claimed meanwhile, so there is never more of it than there were calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ctidialer.contract.after_call import NOTHING_MORE, AfterCall
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from ctidialer.dialer.life.journal import Journal
from ctidialer.dialer.life.number_in_hand import Finished
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.glue import Gate
from ctidialer.rules import after_call as rules
from ctidialer.store.errors import LeaseLost, StoreError, StoreUnavailable
from ctidialer.store.in_flight import Claimed
from ctidialer.store.store import Store

RETRY_PAUSE = 0.1
"""Seconds between two tries of a write that did not get through although Redis is there."""

REFUSED_PAUSE = 1.0
"""Seconds between two tries of a write that Redis refuses: a key holds what it should not, say."""


class Closing:
    """Settles numbers and gives numbers back, whatever it takes.

    ``writable`` is open while Redis is there and this daemon holds its host's name.  A record that
    is refused takes ``Condition.RECORDS`` from ``readiness``: no number is taken whose record could
    not be written either.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        host: str,
        store: Store,
        writable: Gate,
        readiness: Readiness,
        journal: Journal,
    ) -> None:
        self._clock = clock
        self._host = host
        self._store = store
        self._writable = writable
        self._readiness = readiness
        self._journal = journal
        self._returning: list[str] = []
        self._is_returning = False
        self._complained = ""
        self._writing = 0
        self.finished: Callable[[], None] = lambda: None
        """Called when something has been written."""
        self.outcomes: Counter[Outcome] = Counter()
        """How the numbers ended whose records were written, since this daemon began."""

    @property
    def unwritten(self) -> int:
        """How many writes are still to be done; numbers that go back together count as one."""
        return self._writing + (1 if self._returning else 0)

    async def settle(
        self,
        claim: Claimed,
        kind: Kind,
        name: str,
        finished: Finished,
        *,
        number: str | None = None,
        requested_uuid: str | None = None,
        after_call: AfterCall = NOTHING_MORE,
    ) -> None:
        """Write the one record of a number and take it out of the in-flight entries."""
        said = finished.attempts[-1].said if finished.attempts else {}
        record = Record(
            id=claim.id,
            kind=kind,
            task=name,
            number=number,
            entry=claim.entry,
            outcome=rules.ruled(after_call, said) or finished.outcome,
            taken_at=claim.taken_at,
            ended_at=self._clock.seconds(),
            host=self._host,
            attempts=finished.attempts,
            requested_uuid=requested_uuid,
            reason=finished.reason,
            agent=rules.agent(after_call, said),
            variables=rules.carried(after_call, said),
        )
        encoded = encode_record(record)
        await self._surely(lambda: self._store.settle(claim.id, encoded), is_record=True)
        self._readiness.met(Condition.RECORDS)
        self.outcomes[record.outcome] += 1
        self._journal.number_ended(record)

    def give_back(self, claim: Claimed) -> None:
        """Put a number back at the head of its queue.

        Those of one reactor turn go together, and with them all that wait for Redis, so that they
        keep their order: the loss of FreeSWITCH sends back many at once.
        """
        self._returning.append(claim.id)
        if not self._is_returning:
            self._is_returning = True
            self._clock.callLater(0, self._run, self._return_all)

    def write_back(self, claim: Claimed, due: float) -> None:
        """Put a scheduled number back, to be called at ``due`` (unix seconds)."""
        self._run(partial(self._surely, lambda: self._store.write_back(claim.id, due)))

    async def _return_all(self) -> None:
        try:
            while self._returning:
                await self._surely(partial(self._return, []))
        finally:
            self._is_returning = False
            self.finished()

    def _return(self, sent: list[str]) -> Deferred[int]:
        sent += self._returning
        self._returning = []
        return self._store.give_back(sent)

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        Deferred.fromCoroutine(work()).addErrback(partial(self.log.failure, "Putting back failed"))

    async def _surely(self, write: Callable[[], Deferred[Any]], *, is_record: bool = False) -> None:
        """Write until it is written, or until another daemon has this host's name: what was in
        flight is its own now."""
        self._writing += 1
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
                except StoreError as error:
                    self._refused(str(error), is_record)
                    await deferLater(self._clock, REFUSED_PAUSE)
                await deferLater(self._clock, RETRY_PAUSE)
                await self._writable.passed()
        finally:
            self._writing -= 1
            self.finished()

    def _refused(self, problem: str, is_record: bool) -> None:
        if is_record:
            self._readiness.lost(Condition.RECORDS)
        if self._complained != problem:
            self._complained = problem
            self.log.error("Redis refuses to write, it is tried again: {problem}", problem=problem)
