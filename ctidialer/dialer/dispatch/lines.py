"""The accounts of the lines: how many calls are on each, which rest and which are out of use.

The rules are in :mod:`ctidialer.rules.routing`; this module keeps the states, by line name, so
that a line that is edited or removed while calls are up keeps its account.  A fallback (a name
dialed by the default dial string) has an account by that name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.logger import Logger

from ctidialer.contract.line import Line
from ctidialer.dialer.dispatch.free_lines import LineBook
from ctidialer.dialer.dispatch.line_index import LineIndex
from ctidialer.rules import line_state, routing
from ctidialer.rules.line_state import TRY_INTERVAL, UNUSED, TakenOut
from ctidialer.rules.never_left import advice
from ctidialer.rules.routing import (
    FALLBACK,
    GATEWAY_ACCOUNT,
    CallEnd,
    Choice,
    LineState,
    NoLine,
    Routes,
    gateway_account,
)

FORGOTTEN_AFTER = 86_400.0
"""Seconds without a call after which a line that is gone from the tables can be forgotten."""

MANY = 1000
"""States below which none is forgotten."""


class LineAccounts:
    """The present state of each line this node has used.

    A call is counted by its line and its group: ``line`` None means that ``group`` is a fallback.
    """

    log = Logger()

    def __init__(self) -> None:
        self._book = LineBook()
        self._index = LineIndex(self._book)
        self._fallbacks: set[str] = set()
        self._taken_out: Mapping[str, TakenOut] = {}
        self._forget_at = MANY

    @property
    def states(self) -> Mapping[str, LineState]:
        """The states by name of line or fallback; one that is not there was never used."""
        return self._book.states

    def is_fallback(self, name: str) -> bool:
        """Say whether the state of this name is that of a fallback."""
        return name in self._fallbacks

    def room(self, routes: Routes, groups: Sequence[str], now: float, at_most: int) -> int:
        """Return how many calls could be placed through these groups at ``now``."""
        return self._index.room(routes, groups, now, at_most)

    def choose(self, routes: Routes, group: str, now: float) -> Choice | NoLine:
        """Return the way of a call through ``group``; NoLine of a large group has no reasons."""
        return self._index.choose(routes, group, now)

    def overlap(self, routes: Routes, groups: Sequence[str], others: Sequence[str]) -> bool:
        """Say whether some line stands in both of these lists of groups."""
        return self._index.overlap(routes, groups, others)

    def may_come_free(self, routes: Routes, groups: Sequence[str], now: float) -> bool:
        """Say whether a line of these groups is free, or will be by itself or with a hang-up."""
        return self._index.may_come_free(routes, groups, now)

    def started(self, line: Line | None, group: str, now: float) -> None:
        """A call takes its place on ``line``, or on the fallback ``group``."""
        if line is None:
            self._fallbacks.add(group)
        self._forget_gone_ones(now)
        name = _name(line, group)
        state = self._book.states.get(name, UNUSED)
        self._book.put(name, routing.started(state, line or FALLBACK, now))
        self._on_gateway(line, lambda state, gateway: routing.started(state, gateway, now))

    def answered(self, line: Line | None, group: str) -> None:
        """The call was answered: its line works."""
        self._put(line, group, routing.answered(self._state(line, group), line or FALLBACK))

    def withdrawn(self, line: Line | None, group: str) -> None:
        """The call was not placed after all: never sent, or refused by FreeSWITCH itself."""
        self._put(line, group, routing.withdrawn(self._state(line, group)))
        self._on_gateway(line, lambda state, gateway: routing.withdrawn(state))

    def never_left(self, line: Line | None, group: str, word: str, now: float) -> None:
        """FreeSWITCH made no channel for the call and answered ``word``: the line is out of use."""
        state = self._state(line, group)
        if state.never_left != word:
            self._warn(line, group, word)
        self._put(line, group, routing.never_left(state, line or FALLBACK, word, now))
        self._on_gateway(line, lambda state, gateway: routing.withdrawn(state))

    def ended(self, line: Line | None, group: str, now: float, end: CallEnd) -> None:
        """The call has ended; there was a channel."""
        self._put(line, group, routing.ended(self._state(line, group), line or FALLBACK, now, end))
        self._on_gateway(line, lambda state, gateway: routing.ended(state, gateway, now, end))

    def take_out(self, orders: Mapping[str, TakenOut]) -> None:
        """These lines, or names that are dialed by the default dial string, and no others are taken
        out of use by operators."""
        for name in self._taken_out.keys() | orders.keys():
            before = self._book.states.get(name, UNUSED)
            after = line_state.taken_out(before, orders.get(name))
            if after is before:
                continue
            self._book.put(name, after)
            if after == UNUSED:
                self._book.forget(name)
        self._taken_out = orders

    def is_taken_out(self, name: str) -> bool:
        """Say whether operators have taken this line, or fallback, out of use."""
        return name in self._taken_out

    def has_taken_out(self, routes: Routes, groups: Sequence[str]) -> bool:
        """Say whether operators have taken a line of these groups out of use."""
        if not self._taken_out:
            return False
        return not self._taken_out.keys().isdisjoint(routing.lines_of(routes, groups))

    def try_now(self, name: str) -> bool:
        """Let the trial call of a line, or fallback, that is out of use through at once; return
        whether it is."""
        before = self._book.states.get(name, UNUSED)
        after = line_state.tried_now(before)
        if after is not before:
            self._book.put(name, after)
        return after is not before

    def counted(
        self, name: str, others: int, barred_until: float | None, sharers: int | None = 1
    ) -> None:
        """Redis has said how it stands with a line, or (`gateway_account`) with a gateway.

        ``sharers``: how many hosts share its starts, None = it has not said.
        """
        state = self._book.states.get(name, UNUSED)
        shared_by = state.sharers if sharers is None else sharers
        after = line_state.counted(state, others, barred_until, shared_by)
        if after is not state:
            self._book.put(name, after)

    def _forget_gone_ones(self, now: float) -> None:
        """Lines come and go: drop what those leave behind that are gone, when that is much."""
        if len(self._book.states) < self._forget_at:
            return
        for name in [name for name in self._book.states if self._is_gone(name, now)]:
            self._book.forget(name)
        self._forget_at = max(MANY, 2 * len(self._book.states))

    def _is_gone(self, name: str, now: float) -> bool:
        state, routes = self._book.states[name], self._book.routes
        is_known = name in routes.lines or name.removeprefix(GATEWAY_ACCOUNT) in routes.gateways
        if is_known or state.calls or state.others or state.out_of_use or state.taken_out:
            return False
        return state.idle_since is None or state.idle_since < now - FORGOTTEN_AFTER

    def _on_gateway(
        self, line: Line | None, change: Callable[[LineState, Line], LineState]
    ) -> None:
        """Change the account of the gateway that a line shares, also of one that is not known."""
        if line is None or line.gateway is None:
            return
        name = gateway_account(line.gateway)
        gateway = self._book.routes.gateways.get(line.gateway, FALLBACK)
        self._book.states[name] = change(self._book.states.get(name, UNUSED), gateway)

    def _state(self, line: Line | None, group: str) -> LineState:
        return self._book.states.get(_name(line, group), UNUSED)

    def _put(self, line: Line | None, group: str, after: LineState) -> None:
        before, name = self._state(line, group), _name(line, group)
        if after is not before:
            self._book.put(name, after)
        if after.out_of_use is not before.out_of_use or before.never_left != after.never_left:
            self._say(line, group, after)
        if line is None and not (after.calls or after.out_of_use or after.taken_out):
            self._book.forget(name)  # a fallback has no other state
            self._fallbacks.discard(name)

    def _say(self, line: Line | None, group: str, after: LineState) -> None:
        if after.never_left:
            return  # `never_left` has logged it, with what to do
        if after.out_of_use:
            self.log.warn(
                "Line {line} is out of use after {faults} faults in a row",
                line=_name(line, group),
                faults=after.faults,
            )
        elif line is None:
            self.log.info("Fallback {line_group} is back in use", line_group=group)
        else:
            self.log.info("Line {line} is back in use", line=line.name)

    def _warn(self, line: Line | None, group: str, word: str) -> None:
        if line is None:
            self.log.warn(
                "Fallback {line_group} is out of use: FreeSWITCH made no channel for its call and "
                "says {word}; one trial call every {seconds:g} s. What to do: {advice}",
                line_group=group,
                word=word,
                seconds=TRY_INTERVAL,
                advice=advice(word),
            )
        else:
            self.log.warn(
                "Line {line} is out of use: FreeSWITCH made no channel for its call through "
                "{line_group} and says {word}; one trial call every {seconds:g} s. "
                "What to do: {advice}",
                line=line.name,
                line_group=group,
                word=word,
                seconds=line.faults.try_interval or TRY_INTERVAL,
                advice=advice(word),
            )


def _name(line: Line | None, group: str) -> str:
    return group if line is None else line.name
