"""The accounts of the lines: how many calls are on each, which rest and which are out of use.

The rules are in :mod:`ctidialer.rules.routing`; this holds the states that they lead to, by line
name, so that a line that is edited or removed while calls are up keeps its account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.logger import Logger

from ctidialer.contract.line import Line
from ctidialer.rules import routing
from ctidialer.rules.routing import CallEnd, LineState, Routes


class LineAccounts:
    """The present state of each line this node has used."""

    log = Logger()

    def __init__(self) -> None:
        self._states: dict[str, LineState] = {}
        self._kept = 0
        self._kept_groups: Sequence[str] = ()

    @property
    def states(self) -> Mapping[str, LineState]:
        """The states by line name; a line that is not there was never used."""
        return self._states

    def room(self, routes: Routes, groups: Sequence[str], now: float, at_most: int) -> int:
        """Return how many calls of a task with these line groups could be placed at ``now``."""
        kept = self._kept_of(routes, groups)
        return max(0, routing.free_room(routes, self._states, groups, now, at_most + kept) - kept)

    def scheduled_room(
        self, routes: Routes, groups: Sequence[str], now: float, at_most: int
    ) -> int:
        """Return how many scheduled calls could be placed through these groups at ``now``."""
        return routing.free_room(routes, self._states, groups, now, at_most)

    def may_come_free(self, routes: Routes, groups: Sequence[str], now: float) -> bool:
        """Say whether a line of these groups is free, or will be by itself or with a hang-up."""
        if routing.next_free_at(routes, self._states, groups, now) is not None:
            return True
        lines = routing.lines_of(routes, groups) or {}
        return any(self._states[name].calls for name in lines if name in self._states)

    def keep(self, groups: Sequence[str], count: int) -> None:
        """Keep the next ``count`` places on the lines of these groups from the queue tasks."""
        self._kept_groups, self._kept = groups, count

    def _kept_of(self, routes: Routes, groups: Sequence[str]) -> int:
        if not self._kept:
            return 0
        lines = routing.lines_of(routes, groups) or {}
        kept = routing.lines_of(routes, self._kept_groups) or {}
        return self._kept if lines.keys() & kept.keys() else 0

    def started(self, line: Line | None, now: float) -> None:
        """A call takes its place on ``line`` (None: the default dial string has no account)."""
        if line is not None:
            state = self._states.get(line.name, LineState())
            self._states[line.name] = routing.started(state, line, now)

    def answered(self, line: Line | None) -> None:
        """The call on ``line`` was answered: the line works."""
        if line is not None:
            self._put(line, routing.answered(self._states[line.name], line))

    def withdrawn(self, line: Line | None) -> None:
        """The call on ``line`` proved to be none: never sent, or refused by FreeSWITCH itself."""
        if line is not None:
            self._states[line.name] = routing.withdrawn(self._states[line.name])

    def ended(self, line: Line | None, now: float, end: CallEnd) -> None:
        """The call that took its place on ``line`` has ended."""
        if line is None:
            return
        before = self._states.get(line.name, LineState())
        self._put(line, routing.ended(before, line, now, end))

    def _put(self, line: Line, after: LineState) -> None:
        before = self._states.get(line.name, LineState())
        self._states[line.name] = after
        if after.out_of_use and not before.out_of_use:
            self.log.warn(
                "Line {line} is out of use after {faults} faults in a row",
                line=line.name,
                faults=after.faults,
            )
        elif before.out_of_use and not after.out_of_use:
            self.log.info("Line {line} is back in use", line=line.name)
