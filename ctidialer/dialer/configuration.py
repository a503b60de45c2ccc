"""Keeps the tables as they stand in Redis: read whole, then change by change.

A published change is read at once, with what it refers to; everything is read again after every
subscription and every few seconds, since many back ends never publish and a message can be lost.

Note [One look at the tables]: whatever is read is read in one atomic step of Redis and put in force
in one turn, so that no number is dialed by half of what a back end has written.  For a notice of a
task, its groups and their lines are read again with it, until nothing more is referred to.  Notices
that come during a reading are collected, each name once, and read together after it.

A poll reads nothing if Redis says that nobody has touched the tables since they were read: see
Note [Watched tables] in `ctidialer.store.table_watch`.

If very many tasks come at once, those that are switched off are put in force as switched off; the
rest of their text is decoded afterwards, a few between two readings.  Their faults are logged then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Protocol

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.notice import ConfigChange
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.dialer.table_faults import TableNews
from ctidialer.glue import Complaints, Repeated, Waiters, background, in_slices
from ctidialer.rules.tables import Changed, Draft, Named, Tables
from ctidialer.store.errors import StoreError, StoreUnavailable
from ctidialer.store.tables import FieldDocuments, Unreadable, Whole

MAX_NAMES = 20_000
"""Names that wait to be read; with more of them everything is read."""

MAX_ROUNDS = 5
"""Readings of names that refer to more and more names; after them everything is read."""

MIN_REST = 1.0
"""Notices that came during a reading wait for this times its length, so that reading takes no more
than half of the time."""

MAX_REST = 5.0
"""Seconds of that wait at most."""

NAMES_PER_READ = 500
"""Changes that are put in force in one turn; while more of them are, nothing is dialed."""

MAX_POLLS_UNREAD = 11
"""Polls in a row that read nothing; the next one reads everything, whatever Redis says."""


class Source(Protocol):
    """Where the tables are read from: see `ctidialer.store.tables`."""

    async def unchanged(self, keys: Sequence[str]) -> bool:
        """Say whether these tables are as they were read last; False = perhaps not."""

    async def whole(self, keys: Sequence[str]) -> dict[str, Whole | Unreadable]:
        """Return whole tables, as they stood at one moment."""

    async def fields(
        self, wanted: dict[str, Sequence[str]]
    ) -> dict[str, FieldDocuments | Unreadable]:
        """Return single fields, as they stood at one moment."""


@define(eq=False)
class _Wanted:
    """What is to be read next, and who waits for it."""

    everything: bool = False
    names: dict[str, set[str]] = field(factory=dict)
    count: int = 0
    waiters: Waiters[None] = field(factory=Waiters)

    def __bool__(self) -> bool:
        return self.everything or bool(self.names)

    def add(self, table: str, name: str) -> None:
        names = self.names.setdefault(table, set())
        self.count -= len(names)
        names.add(name)
        self.count += len(names)
        if self.count > MAX_NAMES:
            self.everything, self.count = True, 0
            self.names.clear()


class Configuration:
    """Reads the tables from ``source`` and puts them in force.

    ``changed`` is called with what has changed, and takes it over in steps.  ``Condition.TABLES``
    is met when everything has been read.  ``Condition.UNREADABLE`` is missing while a key cannot be
    read: without it nobody knows what may be dialed.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        tables: Tables,
        source: Source,
        readiness: Readiness,
        changed: Callable[[Sequence[Changed]], Iterator[None]],
    ) -> None:
        self._clock = clock
        self._tables = tables
        self._source = source
        self._readiness = readiness
        self._changed = changed
        self._wanted = _Wanted()
        self._working = False
        self._resting: Deferred[None] | None = None
        self._all_in_force = False
        self._polls_unread = 0
        self._complaints = Complaints()
        self._news = TableNews()
        self._polls = Repeated(
            clock, self._poll, self.log, "Reading the tables", expected=(StoreError,)
        )

    def start(self, interval: float) -> None:
        """Read everything again every ``interval`` seconds, if anything may have changed."""
        self._polls.start(interval)

    def stop(self) -> None:
        """Read no more."""
        self._polls.stop()
        self._tables.postponed.clear()
        self._wanted.waiters.fail(StoreError("the tables are read no more"))
        self._wanted = _Wanted()
        self._rest_no_more()

    def read_all(self) -> Deferred[None]:
        """Read every table; fails with StoreError if Redis does not give them."""
        self._wanted.everything = True
        return self._awaited()

    def change(self, change: ConfigChange) -> None:
        """A back end says that it has changed something: it is read soon."""
        if change.key is None:
            self._wanted.everything = True
        else:
            self._wanted.add(change.table, change.key)
        self._work()

    def look_up(self, unknown: Named) -> Deferred[None]:
        """Ask Redis for names that the tables do not have; fires when the answer is in force.

        Redis does not have a name either that the tables do not have then.  Fails with StoreError.
        """
        for table, name in unknown:
            self._wanted.add(table, name)
        looked_up = self._awaited()
        self._rest_no_more()
        return looked_up

    # --- what is read, and when ----------------------------------------------------------------

    async def _poll(self) -> None:
        may_rest = self._all_in_force and self._polls_unread < MAX_POLLS_UNREAD
        with suppress(StoreUnavailable):  # that Redis is away is said by others
            if may_rest and await self._source.unchanged(self._tables.keys_of()):
                self._polls_unread += 1
            else:
                await self.read_all()

    def _awaited(self) -> Deferred[None]:
        waiting = self._wanted.waiters.wait()
        self._work()
        return waiting

    def _work(self) -> None:
        if not self._working:
            self._working = True
            background(self._read_while_wanted(), self.log, "Reading the tables")

    async def _read_while_wanted(self) -> None:
        """Read one after another: an older answer must never overwrite a newer one."""
        try:
            while self._wanted or self._tables.postponed:
                if not self._wanted:
                    await self._decode_postponed()
                    continue
                wanted, self._wanted = self._wanted, _Wanted()
                began = self._clock.seconds()
                await self._read_for(wanted)
                if self._wanted:
                    await self._rest(MIN_REST * (self._clock.seconds() - began))
        finally:
            self._working = False

    async def _decode_postponed(self) -> None:
        """Decode a few of the tasks that are switched off, so that no notice waits for long."""
        await deferLater(self._clock, 0)
        names = list(islice(self._tables.postponed, NAMES_PER_READ))
        draft = self._tables.draft()
        draft.again(keys.TASK, names)
        try:
            await in_slices(self._clock, draft.decode())
            await self._put_in_force(draft)
        except Exception:  # noqa: BLE001 - whoever waits for a reading must not wait for ever
            self.log.failure("Tasks that are switched off could not be decoded")
            for name in names:
                self._tables.postponed.pop(name, None)

    async def _read_for(self, wanted: _Wanted) -> None:
        try:
            await self._read(wanted)
        except StoreError as error:
            if not len(wanted.waiters):
                self.log.info("A change could not be read: {problem}", problem=str(error))
            wanted.waiters.fail(error)
        except Exception:  # noqa: BLE001 - the next reading must come, whatever went wrong
            self.log.failure("The tables could not be read")
            wanted.waiters.fail(StoreError("the tables could not be read: see the log"))
        else:
            wanted.waiters.fire(None)

    async def _read(self, wanted: _Wanted) -> None:
        named = Named({table: frozenset(names) for table, names in wanted.names.items()})
        draft = None if wanted.everything else await self._draft_of(named)
        if draft is not None:
            await self._put_in_force(draft)
            return
        self._all_in_force = False
        await self._put_in_force(await self._draft_of_all())
        self._all_in_force, self._polls_unread = True, 0
        self._readiness.met(Condition.TABLES)

    async def _rest(self, seconds: float) -> None:
        self._resting = deferLater(self._clock, min(max(0.0, seconds), MAX_REST))
        with suppress(CancelledError):
            await self._resting
        self._resting = None

    def _rest_no_more(self) -> None:
        if self._resting is not None:
            self._resting.cancel()

    # --- from Redis to a draft -----------------------------------------------------------------

    async def _draft_of_all(self) -> Draft:
        draft = self._tables.draft()
        for key, answer in (await self._source.whole(self._tables.keys_of())).items():
            if isinstance(answer, Unreadable):
                draft.unreadable(key, answer.problem)
            else:
                await in_slices(self._clock, draft.whole(key, answer))
        await in_slices(self._clock, draft.decode(postpone=True))
        return draft

    async def _draft_of(self, named: Named) -> Draft | None:
        """Return a draft of these names and all they refer to; None = more than MAX_ROUNDS."""
        known = self._tables.draft()
        # What they referred to until now is read with them: mostly that is all, in one reading.
        while more := known.referred(named) - named:
            named |= more
        for _ in range(MAX_ROUNDS):
            draft = self._tables.draft()
            for key, answer in (await self._source.fields(self._keys(named))).items():
                if isinstance(answer, Unreadable):
                    draft.unreadable(key, answer.problem)
                else:
                    await in_slices(self._clock, draft.fields(key, answer))
            await in_slices(self._clock, draft.decode(postpone=True))
            more = draft.referred(named) - named
            if not more:
                return draft
            named |= more
        return None

    def _keys(self, named: Named) -> dict[str, Sequence[str]]:
        """Return the names by key: a task stands in two, that of templates and that of the host."""
        return {
            key: list(names)
            for table, names in named.names.items()
            for key in self._tables.keys_of(table)
        }

    # --- from a draft into force ---------------------------------------------------------------

    async def _put_in_force(self, draft: Draft) -> None:
        steps = chain(draft.apply(), self._told(draft.changes))
        if sum(len(change.names) for change in draft.changes) <= NAMES_PER_READ:
            for _ in steps:
                pass
            return
        was_complete = Condition.TABLES not in self._readiness.missing
        self._readiness.lost(Condition.TABLES)
        await in_slices(self._clock, steps)
        if was_complete:
            self._readiness.met(Condition.TABLES)

    def _told(self, changes: Sequence[Changed]) -> Iterator[None]:
        self._see_unreadable()
        for change in changes:
            self._news.tell(self._tables, change)
            yield
        yield from self._changed(changes)

    def _see_unreadable(self) -> None:
        """Log once, not with every poll, which key cannot be read, and when it can be again."""
        unreadable = self._tables.unreadable
        for key in self._tables.keys_of():
            problem = unreadable.get(key)
            if problem is None:
                if self._complaints.over(key):
                    self.log.info("The table {key} can be read again", key=key)
            elif self._complaints.is_news(problem, key):
                self.log.warn("A table cannot be read: {problem}", problem=problem, key=key)
        judge = self._readiness.lost if unreadable else self._readiness.met
        judge(Condition.UNREADABLE)
