"""Which line takes a call: groups, tiers, fallbacks (docs/redis-contract.rst).

Within a tier the line that has been idle longest is taken.  A line without a call up is idle since
its last hang-up; a line that was never used has been idle longest of all.  After these come the
lines with calls up and room for more, by the start of their last call, the earliest first.  Equal
lines keep the order of the table.

A name that is neither group nor line is a fallback: a gateway of its own without a count, dialed by
the default dial string.  Its state stands among those of the lines, by its name.

A line may share a gateway of the tables with others: then it takes a call only if the gateway does,
too.  Calls are counted on a gateway as on a line; its state stands there by `gateway_account`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from attrs import evolve, frozen

from ctidialer.contract.line import Line, LineGroup
from ctidialer.contract.problems import Told
from ctidialer.contract.said import Said, as_values
from ctidialer.rules.line_state import (
    UNUSED,
    CallEnd,
    LineState,
    Why,
    answered,
    calls_to_end,
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
from ctidialer.rules.ways import (
    GATEWAY_ACCOUNT,
    Choice,
    Routes,
    States,
    gateway_account,
    gateway_room,
)
from ctidialer.rules.words import Values

__all__ = [
    "FALLBACK",
    "GATEWAY_ACCOUNT",
    "CallEnd",
    "Choice",
    "LineBusy",
    "LineState",
    "NoLine",
    "Routes",
    "States",
    "Why",
    "answered",
    "can_be_written",
    "choose",
    "ended",
    "free_room",
    "gateway_account",
    "gateway_room",
    "group_called",
    "lines_of",
    "never_left",
    "next_free_at",
    "started",
    "way_free_at",
    "why_not",
    "withdrawn",
]

MAX_NAMES_KNOWN = 65_536

NAMES_THE_GROUP = "null/${line_group}"

FALLBACK = Line(name="", dialstring="", count=None)
"""The line that stands for any fallback in its account: no count, no rest, no faults."""


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
        free = [line for line in tier if why_not(routes, states, line.name, line, now) is None]
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
    free, shared = 0.0, Counter[str]()
    for name, line in lines_of(routes, groups).items():
        places, gateway = room(line, states.get(name, UNUSED), now), routes.gateway_of(line)
        if gateway is None:
            free += places
        else:
            shared[gateway.name] += int(min(places, at_most))
    for name, places in shared.items():
        free += min(places, gateway_room(routes.gateways[name], states, now))
    return max(0, int(min(free, at_most)))


def next_free_at(routes: Routes, states: States, groups: Sequence[str], now: float) -> float | None:
    """Return the earliest moment at which a line of ``groups`` can take a call by itself.

    ``now`` = one can already; None = all wait for a hang-up or a change of the tables.
    """
    lines = lines_of(routes, groups)
    moments = (way_free_at(routes, states, name, line, now) for name, line in lines.items())
    return min((moment for moment in moments if moment is not None), default=None)


def may_come_free(routes: Routes, states: States, lines: Mapping[str, Line], now: float) -> bool:
    """Say whether one of these lines is free, or will be by itself or with a hang-up."""
    return any(
        _may_take(line, states.get(name, UNUSED), now) and _gateway_may(routes, states, line, now)
        for name, line in lines.items()
    )


def _gateway_may(routes: Routes, states: States, line: Line, now: float) -> bool:
    gateway = routes.gateway_of(line)
    if gateway is None:
        return True
    return _may_take(gateway, states.get(gateway_account(gateway.name), UNUSED), now)


def _may_take(line: Line, state: LineState, now: float) -> bool:
    return calls_to_end(state) > 0 or free_at(line, state, now) is not None


def way_free_at(routes: Routes, states: States, name: str, line: Line, now: float) -> float | None:
    """Return when a line and its gateway can take a call by themselves; None = not before something
    else happens."""
    of_line, gateway = free_at(line, states.get(name, UNUSED), now), routes.gateway_of(line)
    if gateway is None or of_line is None:
        return of_line
    of_gateway = free_at(gateway, states.get(gateway_account(gateway.name), UNUSED), now)
    return None if of_gateway is None else max(of_line, of_gateway)


def why_not(routes: Routes, states: States, name: str, line: Line, now: float) -> Why | None:
    """Return why the line (or fallback) of a name takes no call, itself or for its gateway; None =
    it does."""
    why, gateway = why_busy(line, states.get(name, UNUSED), now), routes.gateway_of(line)
    if why is not None or gateway is None or gateway_room(gateway, states, now) > 0:
        return why
    return Why.GATEWAY_BUSY


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
    busy = _busy(name, line, _state(states, line), now, group)
    if busy is None and why_not(routes, states, name, line, now) is not None:
        until = way_free_at(routes, states, name, line, now)
        return LineBusy(
            name, Why.GATEWAY_BUSY, until, group, _of_gateway(routes, states, line, now)
        )
    return busy


def _of_gateway(routes: Routes, states: States, line: Line, now: float) -> Values:
    """Return what the sentence on a busy gateway names."""
    gateway = routes.gateway_of(line)
    assert gateway is not None
    state = states.get(gateway_account(gateway.name), UNUSED)
    why = why_busy(gateway, state, now)
    if why is None:
        return {"gateway": gateway.name}
    values = _named(why, gateway, state)
    said = Said(why.sentence(values), why.sentence(values, "zh"))
    return {"gateway": gateway.name, **as_values("why", said)}


def _busy(name: str, line: Line, state: LineState, now: float, group: str) -> LineBusy | None:
    why = why_busy(line, state, now)
    if why is None:
        return None
    return LineBusy(name, why, free_at(line, state, now), group, _named(why, line, state))


def _named(why: Why, line: Line, state: LineState) -> Values:
    """Return what the sentence of a busy line names."""
    if why is Why.MALFORMED and line.fault:
        return as_values("faults", line.fault)
    if why is Why.FULL_ELSEWHERE:
        return {"calls": str(state.calls), "others": str(state.others)}
    if why is Why.TAKEN_OUT and state.taken_out:
        said = {"by": state.taken_out.by, "why": state.taken_out.why}
        return {name: text for name, text in said.items() if text}
    is_unable = state.never_left and why in (Why.NEVER_LEFT, Why.TRIAL_UNDER_WAY)
    return {"cause": state.never_left} if is_unable else NO_VALUES
