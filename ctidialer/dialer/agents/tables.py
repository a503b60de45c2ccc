"""The agents that the back end writes into Redis, while any task names a group of them.

A change that is published is read at once.  Both tables are read again all the time, since many
back ends never publish; the heart is looked at more often still, and its end is known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract.notice import ConfigChange
from ctidialer.contract.said import Said
from ctidialer.dialer.agents.book import AgentBook
from ctidialer.glue import Complaints, Repeated, background
from ctidialer.rules.agents import AgentsNow, NoAgents, none_because
from ctidialer.store.agents import AgentReader
from ctidialer.store.errors import StoreError, StoreUnavailable
from ctidialer.store.tables import Unreadable

HEART_INTERVAL = 0.4
"""Seconds between two looks at the heart."""

LOOKS_PER_READING = 3
"""Looks at the heart from one reading of the tables to the next."""

MAX_SILENCE = 3.0
"""Seconds after which a heart that nobody could look at has stopped."""


@define
class _Wanted:
    """What is to be read next."""

    everything: bool = False
    names: dict[str, set[str]] = field(factory=dict)

    def __bool__(self) -> bool:
        return self.everything or bool(self.names)


class TableAgents:
    """The agents in the tables; ``changed`` is called when any of them changes."""

    log = Logger()

    def __init__(
        self, clock: IReactorTime, reader: AgentReader, changed: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._reader = reader
        self._changed = changed
        self._groups: frozenset[str] = frozenset()
        self._book = AgentBook()
        self._wanted = _Wanted()
        self._is_reading = False
        self._has_read = False
        self._looks_left = 0
        self._looked = 0.0
        self._beats_until = 0.0
        self._was_beating = False
        self._problem: Said | None = None
        self._heart_problem: Said | None = None
        self._complaints = Complaints()
        self._looks = Repeated(
            clock, self._look, self.log, "Looking whether agents are there", expected=(StoreError,)
        )

    def watch(self, groups: Iterable[str]) -> None:
        """Know the agents of these groups from now on."""
        self._groups = frozenset(groups)
        if not self._groups:
            self.stop()
        elif not self._looks.running:
            self._looks_left = 0
            self._looks.start(HEART_INTERVAL, now=True)

    def stop(self) -> None:
        """Look no more, and forget what was seen."""
        if not self._looks.running:
            return
        self._looks.stop()
        self._book, self._has_read = AgentBook(), False

    def now(self, group: str, now: float) -> AgentsNow:
        """Return the agents of a group; ``now`` in unix seconds."""
        problem = self._why_none(group, now)
        if problem is not None:
            return none_because(problem, now)
        found = self._book.now(group, now)
        if found is None:
            why = NoAgents.NO_MEMBER.of(name=group, key=self._reader.agents_key)
            return none_because(why, now)
        return found

    def change(self, change: ConfigChange) -> None:
        """The back end says that it has changed something: it is read at once."""
        if not self._looks.running:
            return
        if change.key is None:
            self._wanted.everything = True
        else:
            self._wanted.names.setdefault(change.table, set()).add(change.key)
        self._work()

    # --- the heart -----------------------------------------------------------------------------

    async def _look(self) -> None:
        if self._reader.away(self._clock.seconds()):
            self._beats_until, self._looks_left = 0.0, 0  # who comes back reads before it dials
            return
        self._looks_left -= 1
        if self._looks_left <= 0:
            self._looks_left = LOOKS_PER_READING
            self._wanted.everything = True
            self._work()
        try:
            left = await self._reader.heart()
        except StoreUnavailable:
            return
        except StoreError as error:
            self._heart_problem = NoAgents.UNREADABLE.of(problem=str(error))
            self._complain(self._heart_problem, "heart")
            return
        self._heart_problem = None
        self._looked = self._clock.seconds()
        self._beats_until = self._looked + left
        self._see_heart()

    def _see_heart(self) -> None:
        is_beating = self._is_beating(self._clock.seconds())
        if is_beating is not self._was_beating:
            self._was_beating = is_beating
            self._changed()

    def _is_beating(self, now: float) -> bool:
        return now < self._beats_until and now <= self._looked + MAX_SILENCE

    def _why_none(self, group: str, now: float) -> Said | None:
        away = self._reader.away(now)
        if away:
            return NoAgents.REDIS_AWAY.of(problem=away)
        if not self._has_read or group not in self._groups:
            return NoAgents.NOT_ASKED.of(name=group)
        if self._heart_problem is not None or not self._is_beating(now):
            return self._heart_problem or NoAgents.NO_HEART.of(key=self._reader.heart_key)
        return self._problem

    # --- the tables ----------------------------------------------------------------------------

    def _work(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            background(
                self._read_while_wanted(), self.log, "Reading the agents", expected=(StoreError,)
            )

    async def _read_while_wanted(self) -> None:
        """Read one after another: an older answer must never overwrite a newer one."""
        try:
            while self._wanted and self._looks.running:
                wanted, self._wanted = self._wanted, _Wanted()
                if await (self._read_all() if wanted.everything else self._read(wanted.names)):
                    self._changed()
        finally:
            self._is_reading = False

    async def _read_all(self) -> bool:
        book, began = self._book, self._clock.seconds()
        found, problem, is_news = await self._reader.whole(), None, False
        for table, answer in found.items():
            if isinstance(answer, Unreadable):
                problem = NoAgents.UNREADABLE.of(problem=answer.problem)
            else:
                is_news |= book.whole(table, answer, self._clock.seconds())
        book.looked(began)
        if book is not self._book:  # they were forgotten meanwhile
            return False
        is_news |= not self._has_read or problem != self._problem
        self._has_read, self._problem = True, problem
        self._complain(problem, "tables")
        return is_news

    async def _read(self, names: dict[str, set[str]]) -> bool:
        is_news = False
        for table, some in names.items():
            documents = await self._reader.fields(table, list(some))
            is_news |= self._book.fields(table, documents, self._clock.seconds())
        return is_news

    def _complain(self, problem: Said | None, about: str) -> None:
        if problem is None:
            self._complaints.over(about)
        elif self._complaints.is_news(problem.en, about):
            self.log.warn("{problem}", problem=problem.en)
