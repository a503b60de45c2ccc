"""Finds out whether Redis takes the writes of this daemon: it may answer, and refuse them.

While it refuses (missing rights, no memory, a read-only replica, a full disk), no number is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.contract.task import Side
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.glue import Complaints, Repeated, background
from ctidialer.store.errors import (
    NotAllowed,
    NotReplicated,
    StoreError,
    StoreUnavailable,
    WritesRefused,
)
from ctidialer.store.rights import EVENTS, LESSER, Need, Rights, queue_needs, told

LOOK_INTERVAL = 5.0
"""Seconds between two looks while all is well."""

RETRY_INTERVAL = 1.0
"""Seconds between two looks while Redis refuses."""

MAX_QUEUES = 100
"""Queues whose rights are checked each time; for further ones, their first claim shows it."""

MAX_NAMED = 10
"""Missing rights that the log and the reason list; the ACL rules are always complete."""

LOOKED_AFTER = frozenset({Condition.LEASE, Condition.TABLES})

Origins = Callable[[], Iterable[tuple[str, Side | None]]]
"""The lists and zsets (side None) from which numbers are taken."""


class WriteWatch:
    """Keeps ``Condition.WRITES``: met while Redis takes all writes that a number needs.

    ``user`` is the name under which this daemon logs in to Redis.  If a right is missing for some
    queues only, the others are dialed.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        rights: Rights,
        readiness: Readiness,
        needs: tuple[Need, ...],
        origins: Origins,
        user: str,
    ) -> None:
        self._clock = clock
        self._rights = rights
        self._readiness = readiness
        self._needs = needs
        self._origins = origins
        self._user = user
        self._said = Complaints()
        self._looking = False
        self._again: IDelayedCall | None = None
        self._known: frozenset[Condition] = frozenset()
        self._once_more = False
        self._looks = Repeated(clock, self.look, self.log, "Looking whether Redis takes writes")
        self.problem = ""
        """A sentence on what Redis refuses; empty = nothing."""
        self.lesser = ""
        """A sentence on what it refuses although numbers are dialed; empty = nothing."""
        readiness.watch(self._condition_changed)

    def start(self) -> None:
        """Look from now on, as soon as this daemon has its host's name."""
        self._looks.start(LOOK_INTERVAL)

    def stop(self) -> None:
        """Look no more."""
        self._looks.stop()
        self._look_no_more()

    def refused(self, error: StoreError) -> None:
        """A write was refused: find out what else is, and look again until it is taken."""
        if isinstance(error, WritesRefused | NotReplicated):
            self._lost(error.said)
            self._look_soon()
        elif isinstance(error, NotAllowed):
            self.look()

    def look(self) -> None:
        """Ask Redis now, unless a question is under way."""
        if not self._looking and Condition.LEASE in self._known:
            self._looking = True
            background(self._look(), self.log, "Looking whether Redis takes writes")

    async def _look(self) -> None:
        self._look_no_more()
        queues = [need for origin in self._some_origins() for need in queue_needs(*origin)]
        try:
            missing = await self._rights.missing((*self._needs, *queues))
            rules = await self._rights.rules((*self._needs, *queues), missing)
        except StoreUnavailable as error:
            if isinstance(error, WritesRefused | NotReplicated):
                self._lost(error.said)
        except StoreError as error:
            self._lost(str(error))
        else:
            self._judge(missing, queues, rules)
        finally:
            self._looking = False
        if self._once_more:
            self._once_more = False
            self.look()
        elif Condition.WRITES in self._readiness.missing:
            self._look_soon()

    def _some_origins(self) -> list[tuple[str, Side | None]]:
        some: dict[tuple[str, Side | None], None] = {}
        for origin in self._origins():
            some[origin] = None
            if len(some) == MAX_QUEUES:
                break
        return list(some)

    def _judge(self, missing: list[Need], queues: list[Need], rules: list[str]) -> None:
        """Decide whether the node may dial.

        A missing right to a command, or to a key of the node, stops it; a missing right to the key
        of a queue stops that queue only.
        """
        spared = {need.name for need in queues} - {need.name for need in missing}
        lesser = [
            need
            for need in missing
            if need.purpose in LESSER
            or (need in queues and spared and f"+{need.command.lower()}" not in rules)
        ]
        problem = str(told(self._user, missing, rules, MAX_NAMED)) if missing else ""
        if len(lesser) < len(missing):
            self._lost(problem)
        else:
            self._met(problem, is_telling={need.purpose for need in lesser} == {EVENTS})

    def _met(self, but: str, *, is_telling: bool) -> None:
        """Redis takes all writes, or all but those for some queues, long entries and events.

        ``is_telling``: only those for the stream of events are refused.
        """
        self.problem, self.lesser = "", but
        if self._said.over():
            self.log.info("Redis takes writes again")
        self._readiness.met(Condition.WRITES)
        if not but:
            self._said.over("lesser")
        elif self._said.is_news(but, "lesser"):
            what = "No event can be told" if is_telling else "Some numbers cannot be taken"
            self.log.error("{what}: {problem}", what=what, problem=but)

    def _lost(self, problem: str) -> None:
        self.problem = problem
        if self._said.is_news(problem):
            self.log.error("Nothing is dialed until Redis takes writes: {problem}", problem=problem)
        self._readiness.lost(Condition.WRITES)

    def _condition_changed(self) -> None:
        """Look as soon as this daemon has its name, and again when its queues are known."""
        before = self._known
        self._known = LOOKED_AFTER - set(self._readiness.missing)
        if self._known - before:
            self._once_more = self._looking
            self.look()

    def _look_soon(self) -> None:
        if self._again is None and self._looks.running:
            self._again = self._clock.callLater(RETRY_INTERVAL, self._look_now)

    def _look_now(self) -> None:
        self._again = None
        self.look()

    def _look_no_more(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
