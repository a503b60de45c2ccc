"""The lines as one call sees them: it chooses or awaits one, occupies it, and leaves it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.slots import LacksLine
from ctidialer.dialer.life.line_queue import LineQueue
from ctidialer.rules import attempt as rules
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.itinerary import (
    Itinerary,
    NextGroup,
    Redial,
    after_call,
    first_choice,
    groups_left,
)
from ctidialer.rules.routing import Choice, NoLine
from ctidialer.rules.table_names import Named
from ctidialer.rules.tables import Tables

LookUp = Callable[[Named], Deferred[None]]
"""Asks Redis for names and puts what it finds into the tables; fails with StoreError."""


class Ways:
    """Which line takes a call, by the present tables, and what its end means for the line."""

    def __init__(
        self,
        clock: IReactorTime,
        tables: Tables,
        lines: LineAccounts,
        look_up: LookUp,
        lacks_line: LacksLine = lambda groups: None,
    ) -> None:
        """``lacks_line`` is told of groups in which a further call finds no line."""
        self._lacks_line = lacks_line
        self._tables = tables
        self._look_up = look_up
        self._lines = lines
        self._queue = LineQueue(clock, self._has_line)

    async def look_up(self, itinerary: Itinerary) -> bool:
        """Ask Redis for the groups that the tables do not have; return whether that was needed.

        Groups that are not in Redis either are dialed as fallbacks.  Raises StoreError.
        """
        unknown = self._tables.unknown(groups_left(itinerary))
        if not unknown:
            return False
        await self._look_up(unknown)
        return True

    def take(self, itinerary: Itinerary, now: float) -> tuple[Choice, Itinerary] | NoLine:
        """Choose the way of the next call and take the place on its line."""
        choose = partial(self._lines.choose, self._tables.routes, now=now)
        found = first_choice(choose, itinerary)
        if not isinstance(found, NoLine):
            self._lines.started(found[0].line, found[0].group, now)
        return found

    def is_free(self, itinerary: Itinerary, now: float) -> bool:
        """Say whether a line for the next call is free."""
        return self._has_line(groups_left(itinerary), now)

    def wait(self, itinerary: Itinerary, until: float) -> Deferred[bool]:
        """Wait for a line for the next call; the Deferred fires with False at ``until``."""
        return self._queue.wait(groups_left(itinerary), until)

    def adopt(self, under_way: Attempt, now: float) -> Choice:
        """Take the place of a call that was placed before a restart."""
        line = self._tables.routes.lines.get(under_way.line or "")
        self._lines.started(line, under_way.group, now)
        return Choice(under_way.group, line, "")

    def answered(self, choice: Choice) -> None:
        """The call was answered: its line works."""
        self._lines.answered(choice.line, choice.group)

    def look(self) -> None:
        """A line may have come free: let the calls go on that have waited longest."""
        self._queue.look()

    def withdraw(self, choice: Choice) -> None:
        """The call was not placed after all: it is no verdict on its line."""
        self._lines.withdrawn(choice.line, choice.group)
        self._queue.look()

    def never_left(self, choice: Choice, word: str, now: float) -> None:
        """FreeSWITCH made no channel for the call and answered ``word``: its line is out of use."""
        self._lines.never_left(choice.line, choice.group, word, now)

    def leave(self, choice: Choice, attempt: Attempt, now: float) -> None:
        """The call is over."""
        if attempt.lost and not attempt.was_answered:
            self._lines.withdrawn(choice.line, choice.group)  # how it ended is not known
        else:
            self._lines.ended(choice.line, choice.group, now, rules.call_end(attempt))
        self._queue.look()

    def after(self, itinerary: Itinerary, attempt: Attempt) -> Redial | NextGroup | None:
        """Return what follows a call that has ended; None = the number is finished."""
        group = self._tables.routes.groups.get(attempt.group)
        step = after_call(itinerary, group, rules.call_end(attempt))
        return step if isinstance(step, Redial | NextGroup) else None

    def _has_line(self, groups: tuple[str, ...], now: float) -> bool:
        has_room = self._lines.room(self._tables.routes, groups, now, 1) > 0
        if not has_room:
            self._lacks_line(groups)
        return has_room
