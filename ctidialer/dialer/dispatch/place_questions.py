"""Asks Redis for places that other hosts have: see Note [Waiting for a place].

Note [Waiting for a place]: who finds no place waits in Redis, in the order of the last asking.  A
place that comes free is kept for the host that has waited longest, and that host is told.  A host
that has some places fills them again by itself and asks for more seldom; one that has none asks
more often, and one that was given a place asks for the next at once, up to its share.  So hosts
share what there is, and each call costs few questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from attrs import define
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from ctidialer.contract.record import Kind
from ctidialer.dialer.dispatch.counted_things import CountedThings, Thing
from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.glue import thin_out
from ctidialer.rules import routing
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import StoreError
from ctidialer.store.place_answers import Seen
from ctidialer.store.places import Asking, Places

ASK_INTERVAL = 1.0
"""Seconds between two questions of a host that has no place."""

ASK_FOR_MORE_INTERVAL = 5.0
"""Seconds between two questions of a host that has some."""

WANTED_FOR = 1.5
"""Seconds for which a place is wanted after some number lacked one."""

LOOK_INTERVAL = 0.2
"""Seconds between two looks at the lines of the same groups."""

MAX_ASKED = 50
"""Lines that are asked for at one look."""

FORGOTTEN_AFTER = 600.0
"""Seconds after which a question may be forgotten that nobody has asked again: Redis keeps no place
for so long."""

LONG_AGO = float("-inf")


@define(eq=False)
class _Question:
    """What is known of something that some number lacked a place of (moments in seconds)."""

    thing: Thing
    wanted_at: float
    asked_at: float = LONG_AGO
    swept_at: float = LONG_AGO


class PlaceQuestions:
    """``saw`` is told what Redis answers, ``owns`` says how many places this host has, and
    ``is_below_share`` whether those are fewer than its share of what is full."""

    def __init__(
        self,
        clock: IReactorTime,
        places: Places,
        tables: Tables,
        things: CountedThings,
        saw: Callable[[Thing, Seen], None],
        owns: Callable[[Thing], int],
        is_below_share: Callable[[Thing], bool],
    ) -> None:
        self._clock = clock
        self._places = places
        self._tables = tables
        self._things = things
        self._saw = saw
        self._owns = owns
        self._is_below_share = is_below_share
        self._questions: dict[str, _Question] = {}
        self._looked: dict[tuple[str, ...], float] = {}
        self._thin_out_at = self._thin_out_looks_at = 0
        self.came: Callable[[], None] = lambda: None
        """Called when a place may have come free that some number lacked."""

    @property
    def is_any(self) -> bool:
        """Whether some number has lacked a place."""
        return bool(self._questions)

    def lacks_line(self, groups: Sequence[str]) -> None:
        """Some number has no line in these groups: ask for those that other hosts fill."""
        now, name = self._clock.seconds(), tuple(groups)
        if not self._things or within(self._looked.get(name, LONG_AGO), LOOK_INTERVAL, now):
            return
        if len(self._looked) >= self._thin_out_looks_at:
            self._thin_out_looks_at = thin_out(
                self._looked, lambda looked: within(looked, LOOK_INTERVAL, now)
            )
        self._looked[name] = now
        lines = routing.lines_of(self._tables.routes, groups).values()
        things = {thing.key: thing for line in lines for thing in self._things.on_way(line)}
        full = [thing for thing in things.values() if self._things.is_full_elsewhere(thing)]
        for thing in full[:MAX_ASKED]:
            self._ask(thing, now)

    def lacks_limit(self, run: TaskRun) -> None:
        """Some number of a task finds its limit reached by other hosts, too."""
        thing = self._things.of_task(Kind.QUEUE, run.task.name)
        if thing is not None:
            self._ask(thing, self._clock.seconds())

    def refused(self, thing: Thing) -> None:
        """A place was refused: this host waits for one in Redis now."""
        now = self._clock.seconds()
        question = self._question(thing, now)
        question.wanted_at = question.asked_at = now

    def given(self, thing: Thing) -> None:
        """A place was taken: if others were lacking, too, wait for the next one."""
        question, now = self._questions.get(thing.key), self._clock.seconds()
        if question is None or not within(question.wanted_at, WANTED_FOR, now):
            return
        if self._is_below_share(thing):
            question.asked_at = now
            self._say(thing, Asking.WAIT)

    def place_is_free(self, key: str) -> None:
        """Redis keeps a place for this host: take it, or let the next one have it."""
        question = self._questions.get(key)
        if question is None:
            return
        if within(question.wanted_at, WANTED_FOR, self._clock.seconds()):
            thing = question.thing
            self._things.note_places(thing, self._things.others(thing) - 1)
            self.came()
            self._clock.callLater(WANTED_FOR, self._pass_on, question)
        else:
            self._say(question.thing, Asking.PASS)

    def _pass_on(self, question: _Question) -> None:
        """Keep no place that is wanted no more: its numbers may have gone another way."""
        if not within(question.wanted_at, WANTED_FOR, self._clock.seconds()):
            self._say(question.thing, Asking.PASS)

    def _question(self, thing: Thing, now: float) -> _Question:
        if thing.key not in self._questions:
            if len(self._questions) >= self._thin_out_at:
                self._thin_out_at = thin_out(
                    self._questions, lambda one: within(one.wanted_at, FORGOTTEN_AFTER, now)
                )
            self._questions[thing.key] = _Question(thing, now)
        return self._questions[thing.key]

    def _ask(self, thing: Thing, now: float) -> None:
        question = self._question(thing, now)
        question.thing, question.wanted_at = thing, now
        interval = ASK_FOR_MORE_INTERVAL if self._owns(thing) else ASK_INTERVAL
        if within(question.asked_at, interval, now):
            return
        question.asked_at = now
        is_sweep = not within(question.swept_at, self._places.sweep_interval, now)
        if is_sweep:
            question.swept_at = now
        self._say(thing, Asking.SWEEP if is_sweep else Asking.WAIT)

    def _say(self, thing: Thing, asking: Asking) -> None:
        asked = self._places.ask(asking, thing.counted)
        asked.addCallbacks(partial(self._answered, thing), _redis_is_away)

    def _answered(self, thing: Thing, seen: Seen) -> None:
        before = self._things.others(thing)
        self._saw(thing, seen)
        if self._things.others(thing) < before:
            self.came()


def within(since: float, span: float, now: float) -> bool:
    """Say whether ``now`` is less than ``span`` seconds after ``since``, and not before it: a clock
    may have been put back."""
    return since <= now < since + span


def _redis_is_away(failure: Failure) -> None:
    """Say nothing: others log it, and the question is asked again."""
    failure.trap(StoreError)
