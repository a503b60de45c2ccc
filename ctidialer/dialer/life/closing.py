"""The end of a number: its record is written, or it goes back where it was.

Redis may be away at that moment.  What has to be written is then kept in memory and written when
Redis is back.  Nothing is claimed meanwhile, so at most the numbers in hand have to be kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.contract.after_call import NOTHING_MORE, AfterCall
from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from ctidialer.dialer.life.again import Again
from ctidialer.dialer.life.journal import Journal
from ctidialer.dialer.life.number_in_hand import Finished
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.glue import Complaints, Gate, background
from ctidialer.rules import abandonment
from ctidialer.rules import after_call as rules
from ctidialer.store.errors import (
    LeaseLost,
    NotReplicated,
    NotReturned,
    StoreError,
    StoreUnavailable,
    WritesRefused,
)
from ctidialer.store.in_flight import Claimed
from ctidialer.store.store import Store

GATHER_INTERVAL = 0.1
"""Numbers go back with those that follow within so many seconds: written with one command they keep
their order.  Written apart, the later ones would stand before the earlier ones, time and again."""

MAX_GATHER = 1.0
"""Seconds after which they go back, even if more follow: as long as we wait to be sure of a
refusal, and so as long as calls may still be placed after FreeSWITCH's first one."""

RETRY_INTERVAL = 0.1
"""Seconds between two tries of a write that did not get through although Redis is there."""

REFUSED_INTERVAL = 1.0
"""Seconds between two tries of a write that Redis refuses: a key of the wrong type, say."""


class Closing:
    """Settles numbers and gives numbers back, whatever it takes.

    ``writable`` is open while Redis is there and this daemon holds its host's lease.  While Redis
    refuses a record, ``readiness`` lacks ``Condition.RECORDS``: no number is taken whose record
    could not be written either.
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
        self._gathered: list[str] = []
        self._gathering: IDelayedCall | None = None
        self._gathered_by = 0.0
        self._is_returning = False
        self._aside: list[str] = []
        self._again: IDelayedCall | None = None
        self._said = Complaints()
        self._writing = 0
        self.all_back = Gate()
        """Open while no number is on its way back to its queue."""
        self.all_back.open()
        self.problem = ""
        """Why Redis refuses the records, for people; empty = it does not."""
        self.lost_in_flight = 0
        """Numbers whose entries were gone when they ended: their records are not in Redis."""
        self.finished: Callable[[], None] = lambda: None
        """Called when something has been written."""
        self.waits: Callable[[Again, Claimed, str | None], None] = lambda again, claim, number: None
        """Called when a number waits for another call, with what was claimed and the number."""
        self.outcomes: Counter[Outcome] = Counter()
        """The numbers of each outcome whose records were written since this daemon began."""

    @property
    def unwritten(self) -> int:
        """How many writes are still to be done; numbers that go back together count as one."""
        return self._writing + (1 if self._gathered or self._returning or self._aside else 0)

    def now(self) -> float:
        """Return the time by which the ends of numbers are dated (unix seconds)."""
        return self._clock.seconds()

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
        agents: AgentDialing | None = None,
        again: Again | None = None,
        dnc_add: tuple[str, str] | None = None,
    ) -> None:
        """Write the record of a number and take it out of the in-flight entries.

        ``finished`` has the outcome as the record is to say it.  ``again``: another try follows,
        for which the number waits; None = this was its last one.  ``dnc_add``: a list, and the
        number that is put on it.
        If somebody has taken it out of the in-flight entries before, the log has the record.
        """
        said = finished.attempts[-1].said if finished.attempts else {}
        carried = claim.carried
        record = Record(
            id=claim.id,
            kind=kind,
            task=name,
            number=number,
            entry=claim.entry,
            outcome=finished.outcome,
            taken_at=claim.taken_at if carried is None else carried.taken_at,
            ended_at=self._clock.seconds(),
            host=self._host,
            attempts=finished.attempts,
            requested_uuid=requested_uuid,
            reason=finished.reason,
            agent=rules.agent(after_call, said),
            variables=rules.carried(after_call, said),
            entry_length=claim.length,
            abandoned=abandonment.is_abandoned(agents, finished.attempts, finished.outcome),
            entry_sha256=None if claim.length is None else await self._digest(claim),
            entry_id="" if carried is None else carried.entry_id,
            try_number=1 if carried is None else carried.tried + 1,
            is_final=again is None,
            next_at=None if again is None else again.due,
        )
        await self._write(claim, record, again, dnc_add)

    async def wait(self, claim: Claimed, again: Again, number: str | None) -> None:
        """Let a number wait that was not called at this try."""
        waits = await self._surely(partial(self._put_to_wait, claim, again, None))
        if waits:
            self.waits(again, claim, number)

    async def _write(
        self,
        claim: Claimed,
        record: Record,
        again: Again | None,
        dnc_add: tuple[str, str] | None,
    ) -> None:
        encoded = encode_record(record)
        is_apart = claim.length is not None
        if again is None:
            write = partial(
                self._store.settle, claim.id, encoded, is_apart=is_apart, dnc_add=dnc_add
            )
        else:
            write = partial(self._put_to_wait, claim, again, encoded)
        written = await self._surely(write, is_record=True)
        if written is None:
            return  # another daemon has the number
        self._records_are_taken()
        if not written:
            self._lost(record, encoded)
        elif again is None:
            self.outcomes[record.outcome] += 1
            self._journal.number_ended(record)
        else:
            self.waits(again, claim, record.number)

    def _put_to_wait(self, claim: Claimed, again: Again, record: bytes | None) -> Deferred[bool]:
        return self._store.wait(claim.id, again.where, again.carried, again.due, record)

    def give_back(self, claim: Claimed) -> None:
        """Put a number back at the head of its queue.

        All numbers of one reactor turn are written with one command, with those that still wait
        for Redis, so that they keep their order: when FreeSWITCH is lost, many go back at once.
        """
        self._returning.append(claim.id)
        self._begin_returning()

    def give_back_soon(self, claim: Claimed) -> None:
        """Put a number back that was not dialed, with those that go back about the same time."""
        self._gathered.append(claim.id)
        if self._gathering is None:
            self._gathering = self._clock.callLater(GATHER_INTERVAL, self._return_gathered)
            self._gathered_by = self._gathering.getTime() + MAX_GATHER - GATHER_INTERVAL
        else:
            left = self._gathered_by - self._clock.seconds()
            self._gathering.reset(min(GATHER_INTERVAL, max(0.0, left)))

    def _return_gathered(self) -> None:
        self._gathering = None
        self._returning += self._gathered
        self._gathered = []
        self._begin_returning()

    def write_back(self, claim: Claimed, due: float) -> None:
        """Put a scheduled number back, to be called at ``due`` (unix seconds)."""
        self._run(partial(self._surely, lambda: self._store.write_back(claim.id, due)))

    async def _digest(self, claim: Claimed) -> str | None:
        """Return the SHA-256 of an entry that is too long to be called; None = it is gone."""
        digest = await self._surely(lambda: self._store.digest(claim))
        return digest if isinstance(digest, str) else None

    def _lost(self, record: Record, encoded: bytes) -> None:
        self.lost_in_flight += 1
        self.log.error(
            "Number {number} of {task} ({entry_id}) ended as {outcome}, and its record is not in "
            "Redis: somebody has taken its entry out of those in flight",
            number=record.number,
            task=record.task,
            entry_id=record.id,
            outcome=record.outcome.value,
        )
        self.log.debug(
            "The record of {entry_id}: {record}", entry_id=record.id, record=encoded.decode()
        )

    async def _return_all(self) -> None:
        try:
            while self._returning:
                await self._surely(partial(self._return, []))
        finally:
            self._is_returning = False
            self.all_back.open()
            self.finished()

    def _return(self, sent: list[str]) -> Deferred[int]:
        sent += self._returning
        self._returning = []
        return self._store.give_back(sent).addErrback(self._put_aside)

    def _put_aside(self, failure: Failure) -> int:
        """Try the entries again later whose own queue cannot take them; the others are back."""
        failure.trap(NotReturned)
        error = failure.value
        assert isinstance(error, NotReturned)
        self._refused(str(error))
        self._aside += error.entry_ids
        if self._again is None:
            self._again = self._clock.callLater(REFUSED_INTERVAL, self._return_again)
        return 0

    def _return_again(self) -> None:
        self._again = None
        self._returning += self._aside
        self._aside = []
        self._begin_returning()

    def _begin_returning(self) -> None:
        if not self._is_returning:
            self._is_returning = True
            self.all_back.shut()
            self._clock.callLater(0, self._run, self._return_all)

    def _run(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        background(work(), self.log, "Putting back")

    async def _surely(self, write: Callable[[], Deferred[Any]], *, is_record: bool = False) -> Any:
        """Try to write until it succeeds; return the answer.

        If the answer to a try was lost, that try may have written, and the next one finds nothing
        left to write: its answer then counts as True.  None = another daemon has this host's lease:
        the entries in flight are its own now.
        """
        self._writing += 1
        may_be_done = False
        try:
            while True:
                pause = RETRY_INTERVAL
                try:
                    return await write() or may_be_done
                except LeaseLost as error:
                    if error.holder:
                        return None
                except StoreUnavailable as error:
                    may_be_done = may_be_done or error.may_have_been_executed
                    is_there = isinstance(error, WritesRefused | NotReplicated)
                    pause = REFUSED_INTERVAL if is_there else RETRY_INTERVAL
                except StoreError as error:
                    self._refused(str(error), is_record)
                    pause = REFUSED_INTERVAL
                await deferLater(self._clock, pause)
                await self._writable.passed()
        finally:
            self._writing -= 1
            self.finished()

    def _refused(self, problem: str, is_record: bool = False) -> None:
        if is_record:
            self.problem = problem
            self._readiness.lost(Condition.RECORDS)
        if self._said.is_news(problem, is_record):
            self.log.error("Redis refuses to write, it is tried again: {problem}", problem=problem)

    def _records_are_taken(self) -> None:
        if self.problem:
            self.problem = ""
            self._said.over(True)
        self._readiness.met(Condition.RECORDS)
