"""Calls that are counted over several hosts: their places are taken before a call, and left after.

Redis counts them (`ctidialer.store.places`).  What it last said stands in the accounts of the
lines, gateways and tasks, so that no number is taken for which there is no place.  A place that is
refused all the same shows there, and the number tries the next line.  Where nothing but a count
matters, the place of a call that ends goes on to the next call (`spare_places`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.contract.line import Line
from ctidialer.contract.record import Kind
from ctidialer.dialer.dispatch.counted_things import CountedThings, Thing
from ctidialer.dialer.dispatch.given_starts import GivenStarts
from ctidialer.dialer.dispatch.held_places import Held, HeldPlaces, times_passed, unlike
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.place_questions import PlaceQuestions
from ctidialer.dialer.dispatch.spare_places import SparePlaces
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.dispatch.waking import Waking
from ctidialer.glue import Complaints, background
from ctidialer.rules import counting
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import NotAllowed, StoreError, StoreUnavailable, WrongType
from ctidialer.store.in_flight import NO_CALL, Dialing, InFlight, Place
from ctidialer.store.place_answers import Seen, Taken
from ctidialer.store.places import NO_NOTE, Note, Places

KEYS_AT_ONCE = 500
"""Keys whose places are set right in one step."""

PASSED_ON = Taken(None, 0.0, None, ())
"""A call has the places of one that has ended: it may start at once."""

NO_START: tuple[Sequence[Thing], int] = ((), 0)


class NoPlace(Exception):
    """There is no place for a call just now, or no start; ``of_task``: its task has none."""

    def __init__(self, of_task: bool) -> None:
        super().__init__("the calls of all hosts together are as many as are allowed")
        self.of_task = of_task


NoteOf = Callable[[Place | None], Note]
"""Returns what is noted of a call by its places (`SharedPlaces.place_of`)."""


def no_note(place: Place | None) -> Note:
    """Note nothing."""
    return NO_NOTE


class SharedPlaces:
    """The places of this host.  A call is known by the id of its entry in flight."""

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        places: Places,
        tables: Tables,
        lines: LineAccounts,
        runs: TaskRuns,
    ) -> None:
        self._clock = clock
        self._places = places
        self._tables = tables
        self._runs = runs
        self.things = CountedThings(tables, lines, runs)
        self._held = HeldPlaces()
        self._spares = SparePlaces(clock, self.things, self._held, self._let_go)
        self._starts = GivenStarts(clock)
        self._sends = GivenStarts(clock)
        self._started_by: dict[str, tuple[Sequence[Thing], int]] = {}
        self._knows_calls = False
        self._said = Complaints()
        self._waking = Waking(clock, lambda: self.wake())
        self.questions = PlaceQuestions(
            clock,
            places,
            tables,
            self.things,
            self._saw,
            self._owned,
            self._spares.is_below_share,
        )
        self.questions.came = self._waking.soon
        self.wake: Callable[[], None] = lambda: None
        """Called when a place may have come free that some number lacked."""

    # --- a call ------------------------------------------------------------------------------

    def counts(self, kind: Kind, name: str, line: Line | None) -> bool:
        """Say whether a call on ``line``, of a task or configuration, is counted over hosts."""
        if not self.things:
            return False
        is_on_way = next(self.things.on_way(line), None) is not None
        return is_on_way or self.things.of_task(kind, name) is not None

    async def take(
        self, entry_id: str, kind: Kind, name: str, line: Line | None, note: NoteOf = no_note
    ) -> Taken:
        """Take the places of a call, and wait until it may start.

        Raises NoPlace or StoreError; after the latter `left` gives back what may have been taken.
        """
        way = tuple(self.things.on_way(line))
        of_task = self.things.of_task(kind, name, entry_id in self._held.numbers)
        things = way if of_task is None else (*way, of_task)
        spare = self._spares.take(things)
        if spare is not None:
            self._held.hold(entry_id, spare.name, way, of_task, spare.passed)
            return PASSED_ON
        self._spares.give_back_of(things)
        place = self._held.new_name(entry_id, things)
        self._held.hold(entry_id, place, way, of_task)
        with self._asking(kind, name, things):
            counted = [one.counted for one in things]
            taken = await self._places.take(place, counted, note(self.place_of(entry_id)))
        is_done = taken.refused_by is None and taken.noted is not False
        for thing, seen in zip(things, taken.seen, strict=True):
            if is_done:
                self._held.taken(thing, place)
            self._saw(thing, seen)
            if is_done:
                self.questions.given(thing)
        if not is_done:
            self._held.unhold(entry_id, of_task)
        if taken.refused_by is not None:
            self.questions.refused(things[taken.refused_by])
            raise NoPlace(things[taken.refused_by].is_task)
        return await self._started(entry_id, things, taken) if is_done else taken

    def place_of(self, entry_id: str) -> Place | None:
        """`HeldPlaces.place_of`: see Note [The name of a place]."""
        return self._held.place_of(entry_id)

    @contextmanager
    def _asking(self, kind: Kind, name: str, things: Sequence[Thing]) -> Iterator[None]:
        """Let a task take no further numbers until it is known which starts its calls have."""
        is_paced = kind is Kind.QUEUE and any(one.counted.interval > 0 for one in things)
        run = self._runs.get(name) if is_paced else None
        if run is None:
            yield
            return
        run.asking += 1
        try:
            yield
        finally:
            run.asking -= 1
            if not run.asking:
                self._waking.soon()

    async def _started(self, entry_id: str, things: Sequence[Thing], taken: Taken) -> Taken:
        """Wait until a call may start, and return when that was."""
        paced = tuple(one for one in things if one.counted.interval > 0)
        if not paced:
            return taken
        asked_at = self._clock.seconds()
        start = await self._starts.wait(paced, taken.start, taken.start_in)
        self._started_by[entry_id] = paced, start
        return evolve(taken, start_in=max(0.0, self._clock.seconds() - asked_at))

    async def in_turn(self, entry_id: str) -> float:
        """Wait for the turn of a call that was noted: notes that were late come back together.

        Returns for how many seconds it has waited.  Raises LeaseLost if another daemon may have the
        entry by then, as after a halt meanwhile.
        """
        paced, start = self._started_by.get(entry_id, NO_START)
        if not paced:
            return 0.0
        noted_at = self._clock.seconds()
        await self._sends.wait(paced, start, 0.0)
        self._places.check_lease()
        return self._clock.seconds() - noted_at

    def left(self, entry_id: str, *, was_placed: bool) -> None:
        """The call of an entry is over: its line is free, after a rest if it was placed."""
        held = self._held.calls.pop(entry_id, Held(entry_id))
        paced, start = self._started_by.pop(entry_id, NO_START)
        if paced and not was_placed:
            self._give_back(paced, start)
        self._held.is_down(entry_id)
        things = held.things
        if not was_placed:
            things = tuple(evolve(one, counted=evolve(one.counted, rest=0.0)) for one in things)
        self._leave(evolve(held, things=things))

    def over(self, entry_id: str) -> None:
        """A number is over: its place of its task's limit is free."""
        held = self._held.numbers.pop(entry_id, None)
        self._held.doubtful.pop(entry_id, None)
        if held is not None:
            self._leave(held)

    def _leave(self, held: Held) -> None:
        things = tuple(one for one in held.things if self._held.has_to_be_left(held.name, one))
        if not things:
            return
        held = evolve(held, things=things)
        can_wait = all(map(self._can_be_left_later, things))
        if not self._spares.keep(held, is_plenty=can_wait):
            self._let_go(held, can_wait=can_wait)
        elif self.questions.is_any:
            self._waking.soon()

    def _let_go(self, held: Held, *, can_wait: bool = False) -> None:
        for thing in held.things:
            if thing.counted.count is not None:  # until Redis has said who may have it
                self.things.note_places(thing, self.things.others(thing) + 1)
        counted = [one.counted for one in held.things]
        left = self._places.leave(held.name, counted, can_wait=can_wait)
        left.addCallbacks(self._has_left, self._not_left, (held,))

    def _give_back(self, paced: Sequence[Thing], start: int) -> None:
        """No call has used a start: the next of this host has it, or else another host's."""
        left_over = self._starts.pass_on(paced, start)
        given = self._places.give_back(left_over, [one.counted for one in paced])
        given.addCallbacks(self._given_back, self._not_left, (paced,))

    def _given_back(self, seen: Sequence[Seen], paced: Sequence[Thing]) -> None:
        for thing, one in zip(paced, seen, strict=True):
            others = None if thing.counted.count is None else self.things.others(thing)
            until = self._clock.seconds() + one.start_in if one.start_in > 0 else None
            self.things.note(thing, others, until, one.hosts)
        self._waking.soon()

    def _has_left(self, seen: Sequence[Seen], held: Held) -> None:
        for thing, one in zip(held.things, seen, strict=True):
            self._held.forget(thing.key, held.name)
            self._saw(thing, one)
        if self.questions.is_any:
            self._waking.soon()

    def _owned(self, thing: Thing) -> int:
        """Return how many places this host has, as far as Redis has said."""
        return self._held.count(thing.key)

    def _can_be_left_later(self, thing: Thing) -> bool:
        """Say whether nobody lacks a place there, as far as the tables and Redis say."""
        now = self.things.of_key(thing.key) or thing
        taken = self.things.others(thing) + self._owned(thing)
        return all(counting.can_be_left_later(one.counted, taken) for one in (thing, now))

    def _not_left(self, failure: Failure) -> None:
        """Wait for the recovery that sets the places right, as it follows an outage of Redis."""
        failure.trap(StoreError)
        if not failure.check(StoreUnavailable):
            self._complain(str(failure.value))

    def _complain(self, problem: str) -> None:
        if self._said.is_news(problem):
            self.log.error("Calls cannot be counted over hosts: {problem}", problem=problem)

    def _saw(self, thing: Thing, seen: Seen) -> None:
        others = self._others(thing, seen)
        until = self._clock.seconds() + seen.start_in if seen.start_in > 0 else None
        is_paced = thing.counted.interval > 0
        self.things.note(thing, others, until, seen.hosts if is_paced else 1)
        if not is_paced:
            self._spares.heard(thing, seen)
        if until is not None:
            self._waking.at(until)

    def _others(self, thing: Thing, seen: Seen) -> int | None:
        """Return how many places other hosts have or are to have, but none of this host's own;
        None = places are not counted."""
        count, own = thing.counted.count, self._owned(thing)
        return None if count is None else min(seen.taken - own, max(0, count - own))

    # --- the tables, and a start -------------------------------------------------------------

    def edited(self, table: str, names: Iterable[str]) -> None:
        """Lines, gateways or tasks have changed: some may be counted from now on, or no more."""
        self._spares.give_back_all()
        new = self.things.edited(table, names)
        self._spares.forget(self.things.keys)
        if new and self._knows_calls:
            work = self._set_right(new)
            background(work, self.log, "Setting places right", expected=(StoreError,))

    def drain(self) -> None:
        """No call follows: places go back at once, while this daemon still has its lease."""
        self._spares.end()

    def lapsed(self) -> None:
        """Another daemon may have placed calls: nothing is set right before the next recovery."""
        self._knows_calls = False
        self._spares.lapsed()

    async def recover(self, entries: Iterable[InFlight]) -> None:
        """Tell Redis which places this host has: those of its calls, and of these entries.

        What these entries have there already they keep, whatever the tables say by now.
        """
        names = self._held.names()
        for entry in sorted(entries, key=times_passed, reverse=True):
            if entry.dialing is not None and entry.id not in self._held:
                self._adopt(entry, entry.dialing, names)
        self._knows_calls = True
        try:
            await self._set_right(self.things.keys)
        except (WrongType, NotAllowed) as error:  # such calls are refused, all others are placed
            self._complain(str(error))
        self._spares.unheard()

    def _adopt(self, entry: InFlight, dialing: Dialing, names: set[str]) -> None:
        """Take over a number by the name of its places that none of ``names`` is.

        Two entries can tell of the same: the call of the one had ended, and its place gone on to
        the other, which comes first here.  Both count until it is known which calls are up.
        """
        known = self._held.doubtful.get(entry.id)
        noted = dialing.place.name if dialing.place else entry.id
        name = known.name if known else unlike(noted, names.__contains__)
        names.add(name)
        way = self.things.on_way(self._tables.routes.lines.get(dialing.line or ""))
        of_task = self.things.of_task(entry.kind, entry.task or "")
        is_up = dialing.uuid != NO_CALL
        self._held.adopt(entry.id, name, tuple(way), of_task, is_up=is_up)

    async def _set_right(self, names: Iterable[str]) -> None:
        left = list(names)
        for first in range(0, len(left), KEYS_AT_ONCE):
            # What is held is looked up anew each time: meanwhile calls begin and end.
            some = self._held.on(left[first : first + KEYS_AT_ONCE], self._spares)
            righted = await self._places.set_right(
                {key: self._held.owned(self.things.of_key(key), ids) for key, ids in some.items()}
            )
            for key, one in righted.items():
                self._held.set_own(key, {*some[key], *one.kept})
                thing = self.things.of_key(key)
                for over in () if thing is None else self._held.kept(thing, one.kept):
                    self._leave(over)
