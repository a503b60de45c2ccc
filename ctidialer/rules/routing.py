"""Which line takes a call: groups, tiers, fallbacks (docs/redis-contract.rst).

Within a tier the line that has been idle longest is taken.  A line without a call up is idle since
its last hang-up; a line that was never used has been idle longest of all.  After these come the
lines with calls up and room for more, by the start of their last call, the earliest first.  Equal
lines keep the order of the table.

A name that is neither group nor line is a fallback: a gateway of its own without a count, dialed by
the default dial string.  Its state stands among those of the lines, by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from attrs import evolve, frozen

from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.problems import Told
from ctidialer.contract.said import as_values
from ctidialer.rules.line_state import (
    UNUSED,
    CallEnd,
    LineState,
    Why,
    answered,
    ended,
    free_at,
    idleness,
    never_left,
    room,
    started,
    why_busy,
    withdrawn,
)
from ctidialer.rules.reasons import NO_VALUES
from ctidialer.rules.soundness import way_problem
from ctidialer.rules.words import Values

__all__ = [
    "FALLBACK",
    "CallEnd",
    "Choice",
    "LineBusy",
    "LineState",
    "NoLine",
    "Routes",
    "Why",
    "answered",
    "can_be_written",
    "choose",
    "ended",
    "free_room",
    "group_called",
    "lines_of",
    "never_left",
    "next_free_at",
    "started",
    "withdrawn",
]

NAMES_THE_GROUP = "null/${line_group}"

FALLBACK = Line(name="", dialstring="", count=None)
"""The line that stands for any fallback in its account: no count, no rest, no faults."""

States = Mapping[str, LineState]
"""The states of the lines and fallbacks by name; one that is not there was never used."""


MAX_NAMES_KNOWN = 65_536


@frozen
class Routes:
    """The lines and line groups of this node, and the dial string for names that are neither."""

    lines: Mapping[str, Line]
    groups: Mapping[str, LineGroup]
    default_dialstring: str


@frozen
class Choice:
    """The way of the next call; ``line`` None = the group's name is a fallback."""

    group: str
    line: Line | None
    dialstring: str


@frozen
class LineBusy:
    """Why one line of a group cannot take a call.

    ``until``: the moment (seconds) at which it could by itself, None = not before something else
    happens.  If the group itself is the reason, ``name`` is the group's.  ``values`` are those that
    the sentence of ``why`` needs.
    """

    name: str
    why: Why
    until: float | None = None
    group: str = ""
    values: Values = NO_VALUES

    @property
    def text(self) -> str:
        """The reason in words, for people."""
        return self.why.sentence(self.values)


@frozen
class NoLine:
    """No line is free in a group (or in several: their names joined).

    `choose` gives a reason for each line; other callers may leave the reasons out.
    """

    group: str
    reasons: tuple[LineBusy, ...]


def choose(routes: Routes, states: States, group_name: str, now: float) -> Choice | NoLine:
    """Return the way of a call through ``group_name`` at ``now`` (seconds)."""
    group = group_called(routes, group_name)
    if group is None:
        return _fallback(routes, states, group_name, now)
    for tier in _tiers(routes, group):
        free = [line for line in tier if why_busy(line, _state(states, line), now) is None]
        if free:
            line = min(free, key=lambda line: idleness(_state(states, line)))
            return Choice(group_name, line, line.dialstring)
    return NoLine(group_name, tuple(_reasons(routes, states, group, now)))


def _fallback(routes: Routes, states: States, name: str, now: float) -> Choice | NoLine:
    busy = _busy(name, FALLBACK, states.get(name, UNUSED), now, name)
    return NoLine(name, (busy,)) if busy else Choice(name, None, routes.default_dialstring)


def group_called(routes: Routes, name: str) -> LineGroup | None:
    """Return the group that a name in ``line_group`` means; None = the default dial string dials.

    A name that is no group but a line acts as a group of that line.  A dial string in which the
    name cannot stand is no way: the group is without the lines that have one.
    """
    if name in routes.groups:
        return _with_ways(routes, routes.groups[name])
    if name in routes.lines:
        return _with_ways(routes, LineGroup(name, ((name,),)))
    return LineGroup(name, ()) if _way_problem(routes.default_dialstring, name) else None


@lru_cache(MAX_NAMES_KNOWN)
def _way_problem(dialstring: str, group_name: str) -> Told | None:
    return way_problem(dialstring, group_name)


def free_room(
    routes: Routes, states: States, groups: Sequence[str], now: float, at_most: int
) -> int:
    """Return how many calls could be started at ``now`` over all ``groups``, up to ``at_most``.

    A line that stands in several groups or tiers counts once.
    """
    lines = lines_of(routes, groups)
    free = sum(room(line, states.get(name, UNUSED), now) for name, line in lines.items())
    return max(0, int(min(free, at_most)))


def next_free_at(routes: Routes, states: States, groups: Sequence[str], now: float) -> float | None:
    """Return the earliest moment at which a line of ``groups`` can take a call by itself.

    ``now`` = one can already; None = all wait for a hang-up or a change of the tables.
    """
    lines = lines_of(routes, groups)
    moments = (free_at(line, states.get(name, UNUSED), now) for name, line in lines.items())
    return min((moment for moment in moments if moment is not None), default=None)


def _with_ways(routes: Routes, group: LineGroup) -> LineGroup:
    """Return the group without the lines in whose dial string its name cannot stand."""
    if can_be_written(group.name):
        return group
    lines = routes.lines
    tiers = (
        tuple(
            name
            for name in tier
            if name not in lines or not way_problem(lines[name].dialstring, group.name)
        )
        for tier in group.tiers
    )
    return evolve(group, tiers=tuple(tiers))


@lru_cache(MAX_NAMES_KNOWN)
def can_be_written(group_name: str) -> bool:
    """Say whether the name of a group can stand in any dial string."""
    return way_problem(NAMES_THE_GROUP, group_name) is None


def _state(states: States, line: Line) -> LineState:
    return states.get(line.name, UNUSED)


def _tiers(routes: Routes, group: LineGroup) -> Iterator[list[Line]]:
    """Yield the lines of each tier; names that are no line are passed over."""
    if group.enabled:
        for tier in group.tiers:
            yield [routes.lines[name] for name in tier if name in routes.lines]


def lines_of(routes: Routes, groups: Sequence[str]) -> dict[str, Line]:
    """Return the distinct lines of the groups by name; a fallback is ``FALLBACK`` by its own."""
    lines: dict[str, Line] = {}
    for name in groups:
        group = group_called(routes, name)
        if group is None:
            lines[name] = FALLBACK
            continue
        lines |= {line.name: line for tier in _tiers(routes, group) for line in tier}
    return lines


def _reasons(routes: Routes, states: States, group: LineGroup, now: float) -> Iterator[LineBusy]:
    names = dict.fromkeys(name for tier in group.tiers for name in tier)
    if group.fault:
        yield LineBusy(
            group.name, Why.MALFORMED, None, group.name, as_values("faults", group.fault)
        )
    elif not group.enabled:
        yield LineBusy(group.name, Why.GROUP_DISABLED, None, group.name)
    elif not names:
        why = Why.NO_LINES if can_be_written(group.name) else Why.UNFIT_NAME
        yield LineBusy(group.name, why, None, group.name)
    else:
        reasons = (_reason(routes, states, group.name, name, now) for name in names)
        yield from (reason for reason in reasons if reason is not None)


def _reason(routes: Routes, states: States, group: str, name: str, now: float) -> LineBusy | None:
    line = routes.lines.get(name)
    if line is None:
        return LineBusy(name, Why.UNKNOWN_LINE, None, group)
    return _busy(name, line, _state(states, line), now, group)


def _busy(name: str, line: Line, state: LineState, now: float, group: str) -> LineBusy | None:
    why = why_busy(line, state, now)
    if why is None:
        return None
    return LineBusy(name, why, free_at(line, state, now), group, _named(why, line, state))


def _named(why: Why, line: Line, state: LineState) -> Values:
    """Return what the sentence of a busy line names."""
    if why is Why.MALFORMED and line.fault:
        return as_values("faults", line.fault)
    is_unable = state.never_left and why in (Why.NEVER_LEFT, Why.TRIAL_UNDER_WAY)
    return {"cause": state.never_left} if is_unable else NO_VALUES
