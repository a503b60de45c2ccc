"""Which line takes a call, and how many calls could be placed: the same answers as those of
:mod:`ctidialer.rules.routing`, but as quick for thousands of lines as for ten.

For each line group, and for each list of groups that some task names, it keeps the free lines
(`ctidialer.dialer.dispatch.free_lines`).  Such a list is made when it is first asked for, and again
when the group itself was edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from ctidialer.contract.line import LineGroup
from ctidialer.dialer.dispatch.free_lines import FreeLines, LineBook
from ctidialer.rules import routing
from ctidialer.rules.routing import Choice, NoLine, Routes

FEW_LINES = 8
"""With up to so many lines in a group, looking at each is as quick as keeping a list."""

MAX_KEPT = 500_000
"""Places in all lists together, of about 300 bytes each; beyond that all lists are dropped, and
made again when they are asked for."""

MIN_OWN_PLACES = 20
"""Places that a list counts for by itself, besides those of its lines."""


@frozen(eq=False)
class _Tiers:
    """The lists of a group's tiers; None = each line is looked at."""

    group: LineGroup
    tiers: tuple[FreeLines, ...] | None


@frozen(eq=False)
class _Together:
    """The lines of several groups, each once.

    ``meant`` is what the names of the groups meant when the list was made: a group, a line (True)
    or a fallback (False); None = the meaning of a name may change with any line.
    """

    routes: Routes
    meant: list[LineGroup | bool] | None
    names: frozenset[str]
    free: FreeLines


class LineIndex:
    """Answers from the states in ``book``, which is told of every change of them."""

    def __init__(self, book: LineBook) -> None:
        self._book = book
        self._tiers: dict[str, _Tiers] = {}
        self._together: dict[tuple[str, ...], _Together] = {}
        self._kept = 0

    def choose(self, routes: Routes, group_name: str, now: float) -> Choice | NoLine:
        """Return the way of a call, as `routing.choose` does; a NoLine of a large group has no
        reasons."""
        self._book.take(routes)
        group = routes.groups.get(group_name)
        tiers = None if group is None else self._tiers_of(group)
        if tiers is None:
            return routing.choose(routes, self._book.states, group_name, now)
        for tier in tiers:
            name = tier.best(now)
            if name is not None:
                line = routes.lines[name]
                return Choice(group_name, line, line.dialstring)
        return NoLine(group_name, ())

    def room(self, routes: Routes, groups: Sequence[str], now: float, at_most: int) -> int:
        """Return how many calls could be placed, as `routing.free_room` does."""
        free = self._together_of(routes, groups).free.room(now)
        return max(0, int(min(free, at_most)))

    def may_come_free(self, routes: Routes, groups: Sequence[str], now: float) -> bool:
        """Say whether a line of these groups is free, or will be by itself or with a hang-up."""
        return self._together_of(routes, groups).free.may_come_free(now)

    def overlap(self, routes: Routes, groups: Sequence[str], others: Sequence[str]) -> bool:
        """Say whether some line stands in both of these lists of groups."""
        names = self._together_of(routes, groups).names
        return not names.isdisjoint(self._together_of(routes, others).names)

    def _tiers_of(self, group: LineGroup) -> tuple[FreeLines, ...] | None:
        known = self._tiers.get(group.name)
        if known is None or known.group is not group:
            known = self._tiers[group.name] = _Tiers(group, self._made_tiers(group))
        return known.tiers

    def _made_tiers(self, group: LineGroup) -> tuple[FreeLines, ...] | None:
        tiers = group.tiers if group.enabled else ()
        if sum(map(len, tiers)) <= FEW_LINES or not routing.can_be_written(group.name):
            return None
        return tuple(self._made(tier) for tier in tiers)

    def _together_of(self, routes: Routes, groups: Sequence[str]) -> _Together:
        self._book.take(routes)
        key = tuple(groups)
        known = self._together.get(key)
        if known is None or known.routes is not routes:
            meant = _meaning(routes, key)
            if known is not None and meant is not None and meant == known.meant:
                known = _Together(routes, meant, known.names, known.free)
            else:
                known = self._made_together(routes, key, meant)
            self._together[key] = known
        return known

    def _made_together(
        self, routes: Routes, groups: tuple[str, ...], meant: list[LineGroup | bool] | None
    ) -> _Together:
        if meant is None:
            names = dict.fromkeys(routing.lines_of(routes, groups))
        else:
            names = dict.fromkeys(name for group in groups for name in _names(routes, group))
        fallbacks = frozenset(group for group in groups if _is_fallback(routes, group))
        return _Together(routes, meant, frozenset(names), self._made(names, fallbacks))

    def _made(self, names: Iterable[str], fallbacks: frozenset[str] = frozenset()) -> FreeLines:
        if self._kept > MAX_KEPT:
            self._tiers, self._together, self._kept = {}, {}, 0
        made = FreeLines(self._book, names, fallbacks)
        self._kept += len(made) + MIN_OWN_PLACES
        return made


def _meaning(routes: Routes, groups: tuple[str, ...]) -> list[LineGroup | bool] | None:
    if not all(map(routing.can_be_written, groups)):
        return None
    return [routes.groups.get(name) or name in routes.lines for name in groups]


def _names(routes: Routes, group_name: str) -> Iterable[str]:
    """Return the names that a group lists, even if there is no such line yet."""
    group = routes.groups.get(group_name)
    if group is None:
        return (group_name,)
    return (name for tier in group.tiers for name in tier) if group.enabled else ()


def _is_fallback(routes: Routes, group_name: str) -> bool:
    return routing.group_called(routes, group_name) is None
