"""Calls that are counted over several hosts: their places are taken before a call, and left after.

Redis counts them (`ctidialer.store.places`).  What it last said stands in the accounts of the
lines, gateways and tasks, so that no number is taken for which there is no place.  A place that is
refused all the same shows there, and the number tries the next line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.contract.line import Line
from ctidialer.contract.record import Kind
from ctidialer.dialer.dispatch.counted_things import CountedThings, Thing
from ctidialer.dialer.dispatch.given_starts import GivenStarts
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.place_questions import PlaceQuestions
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.dispatch.waking import Waking
from ctidialer.glue import Complaints, background
from ctidialer.rules import counting
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import NotAllowed, StoreError, StoreUnavailable, WrongType
from ctidialer.store.in_flight import NO_CALL, InFlight
from ctidialer.store.place_answers import Seen, Taken
from ctidialer.store.places import NO_NOTE, Note, Owned, Places

KEYS_AT_ONCE = 500
"""Keys whose places are set right in one step."""

NO_START: tuple[Sequence[Thing], int] = ((), 0)


class NoPlace(Exception):
    """There is no place for a call just now, or no start; ``of_task``: its task has none."""

    def __init__(self, of_task: bool) -> None:
        super().__init__("the calls of all hosts together are as many as are allowed")
        self.of_task = of_task


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
        self._calls: dict[str, tuple[Thing, ...]] = {}
        self._numbers: dict[str, Thing] = {}
        self._starts = GivenStarts(clock)
        self._sends = GivenStarts(clock)
        self._started_by: dict[str, tuple[Sequence[Thing], int]] = {}
        self._doubtful: dict[str, bool] = {}
        """Numbers of an earlier daemon, and whether a call of theirs is up.  Their places may have
        been taken by other tables than there are now."""
        self._knows_calls = False
        self._own: dict[str, set[str]] = {}  # by key, as Redis has them; none is empty
        self._said = Complaints()
        self._waking = Waking(clock, lambda: self.wake())
        self.questions = PlaceQuestions(clock, places, tables, self.things, self._saw, self._owned)
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
        self, entry_id: str, kind: Kind, name: str, line: Line | None, note: Note = NO_NOTE
    ) -> Taken:
        """Take the places of a call, and wait until it may start.

        Raises NoPlace or StoreError; after the latter `left` gives back what may have been taken.
        """
        way, of_task = self._occupied(entry_id, kind, name, line)
        things = way if of_task is None else (*way, of_task)
        with self._asking(kind, name, things):
            taken = await self._places.take(entry_id, [one.counted for one in things], note)
        is_done = taken.refused_by is None and taken.noted is not False
        for thing, seen in zip(things, taken.seen, strict=True):
            if is_done and thing.counted.count is not None:
                self._own.setdefault(thing.key, set()).add(entry_id)
            self._saw(thing, seen)
        if not is_done:
            self._calls.pop(entry_id, None)
            if of_task is not None and of_task.counted.count is not None:
                self._numbers.pop(entry_id, None)
        if taken.refused_by is not None:
            self.questions.refused(things[taken.refused_by])
            raise NoPlace(things[taken.refused_by].is_task)
        return await self._started(entry_id, things, taken) if is_done else taken

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
        things = self._calls.pop(entry_id, ())
        paced, start = self._started_by.pop(entry_id, NO_START)
        if paced and not was_placed:
            self._give_back(paced, start)
        if entry_id in self._doubtful:
            self._doubtful[entry_id] = False
        if not was_placed:
            things = tuple(evolve(one, counted=evolve(one.counted, rest=0.0)) for one in things)
        self._leave(entry_id, things)

    def over(self, entry_id: str) -> None:
        """A number is over: its place of its task's limit is free."""
        thing = self._numbers.pop(entry_id, None)
        self._doubtful.pop(entry_id, None)
        if thing is not None:
            self._leave(entry_id, (thing,))

    def _occupied(
        self, entry_id: str, kind: Kind, name: str, line: Line | None
    ) -> tuple[tuple[Thing, ...], Thing | None]:
        """Note which places a call has or asks for, and return them: of its line, of its task."""
        way = self._calls[entry_id] = tuple(self.things.on_way(line))
        of_task = self.things.of_task(kind, name, entry_id in self._numbers)
        if of_task is not None and of_task.counted.count is not None:
            self._numbers[entry_id] = of_task
        return way, of_task

    def _leave(self, entry_id: str, things: Sequence[Thing]) -> None:
        things = [one for one in things if self._has_to_be_left(entry_id, one)]
        if not things:
            return
        can_wait = all(map(self._can_be_left_later, things))
        for thing in things:
            if thing.counted.count is not None:  # until Redis has said who may have it
                self.things.note_places(thing, self.things.others(thing) + 1)
        left = self._places.leave(entry_id, [one.counted for one in things], can_wait=can_wait)
        left.addCallbacks(self._has_left, self._not_left, (entry_id, things))

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

    def _has_left(self, seen: Sequence[Seen], entry_id: str, things: Sequence[Thing]) -> None:
        for thing, one in zip(things, seen, strict=True):
            self._forget(thing.key, entry_id)
            self._saw(thing, one)
        if self.questions.is_any:
            self._waking.soon()

    def _owned(self, thing: Thing) -> int:
        """Return how many places this host has, as far as Redis has said."""
        return len(self._own.get(thing.key, ()))

    def _has_to_be_left(self, entry_id: str, thing: Thing) -> bool:
        """Say whether the end of a call matters there: also where Redis knows of a place that it
        has by other tables than it was placed with."""
        return counting.has_to_be_left(thing.counted) or entry_id in self._own.get(thing.key, ())

    def _can_be_left_later(self, thing: Thing) -> bool:
        """Say whether nobody lacks a place there, as far as the tables and Redis say."""
        now = self.things.of_key(thing.key) or thing
        taken = self.things.others(thing) + self._owned(thing)
        return all(counting.can_be_left_later(one.counted, taken) for one in (thing, now))

    def _forget(self, key: str, entry_id: str = "") -> None:
        own = self._own.get(key)
        if own is not None:
            own.discard(entry_id)
            if not own:
                del self._own[key]

    def _not_left(self, failure: Failure) -> None:
        """Wait for the recovery that sets the places right, as it follows an outage of Redis."""
        failure.trap(StoreError)
        if not failure.check(StoreUnavailable):
            self._complain(str(failure.value))

    def _complain(self, problem: str) -> None:
        if self._said.is_news(problem):
            self.log.error("Calls cannot be counted over hosts: {problem}", problem=problem)

    def _saw(self, thing: Thing, seen: Seen) -> None:
        others = seen.taken - self._owned(thing) if thing.counted.count is not None else None
        until = self._clock.seconds() + seen.start_in if seen.start_in > 0 else None
        self.things.note(thing, others, until, seen.hosts)
        if until is not None:
            self._waking.at(until)

    # --- the tables, and a start -------------------------------------------------------------

    def edited(self, table: str, names: Iterable[str]) -> None:
        """Lines, gateways or tasks have changed: some may be counted from now on, or no more."""
        new = self.things.edited(table, names)
        if new and self._knows_calls:
            work = self._set_right(new)
            background(work, self.log, "Setting places right", expected=(StoreError,))

    def lapsed(self) -> None:
        """Another daemon may have placed calls: nothing is set right before the next recovery."""
        self._knows_calls = False

    async def recover(self, entries: Iterable[InFlight]) -> None:
        """Tell Redis which places this host has: those of its calls, and of these entries.

        What these entries have there already they keep, whatever the tables say by now.
        """
        for entry in entries:
            if entry.dialing is not None and entry.id not in self._calls:
                self._adopt(entry, entry.dialing.line, is_up=entry.dialing.uuid != NO_CALL)
        self._knows_calls = True
        try:
            await self._set_right(self.things.keys)
        except (WrongType, NotAllowed) as error:  # such calls are refused, all others are placed
            self._complain(str(error))

    def _adopt(self, entry: InFlight, line: str | None, is_up: bool) -> None:
        self._doubtful[entry.id] = is_up
        if is_up:
            way = self.things.on_way(self._tables.routes.lines.get(line or ""))
            self._calls[entry.id] = tuple(way)
        of_task = self.things.of_task(entry.kind, entry.task or "")
        if of_task is not None and of_task.counted.count is not None:
            self._numbers.setdefault(entry.id, of_task)

    async def _set_right(self, names: Iterable[str]) -> None:
        left = list(names)
        for first in range(0, len(left), KEYS_AT_ONCE):
            # What is held is looked up anew each time: meanwhile calls begin and end.
            some = self._held_on(left[first : first + KEYS_AT_ONCE])
            righted = await self._places.set_right(
                {key: Owned(ids, self._doubtful_on(key, ids)) for key, ids in some.items()}
            )
            for key, one in righted.items():
                self._own[key] = {*some[key], *one.kept}
                self._forget(key)
                self._keep(key, one.kept)

    def _held_on(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return for each of these keys the entries that have a place there."""
        held: dict[str, list[str]] = {name: [] for name in names}
        calls = ((entry_id, one) for entry_id, way in self._calls.items() for one in way)
        for entry_id, thing in (*calls, *self._numbers.items()):
            if thing.key in held and counting.has_to_be_left(thing.counted):
                held[thing.key].append(entry_id)
        return held

    def _doubtful_on(self, key: str, own: Collection[str]) -> list[str]:
        """Return the numbers that may have a place which the tables do not tell of."""
        thing = self.things.of_key(key)
        is_task = thing is not None and thing.is_task
        known = set(own)
        return [
            one for one, is_up in self._doubtful.items() if (is_up or is_task) and one not in known
        ]

    def _keep(self, key: str, names: Iterable[str]) -> None:
        """These numbers have a place all the same, which they leave as any other."""
        thing = self.things.of_key(key)
        if thing is None:
            return
        for name in names:
            way = self._calls.get(name, ())
            if name in self._numbers if thing.is_task else any(one.key == key for one in way):
                continue
            if not (name in self._doubtful if thing.is_task else self._doubtful.get(name)):
                self._leave(name, (thing,))  # it was over before Redis had answered
            elif thing.is_task:
                self._numbers[name] = thing
            else:
                self._calls[name] = (*way, thing)
