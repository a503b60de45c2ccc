"""Which places the calls and the numbers of this host have, as Redis counts them.

Note [The name of a place]: Redis knows a place by the entry in flight whose call has taken it.  A
place that goes on to the next call of this host keeps that name, so Redis does not have to be
asked; the entry of that call then says in Redis by which name its places are known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from attrs import define, field, frozen

from ctidialer.dialer.dispatch.counted_things import Thing
from ctidialer.rules import counting
from ctidialer.store.in_flight import InFlight, Place
from ctidialer.store.places import Owned


@frozen
class Held:
    """The places of one name that a call has or asks for, or a number of its task's limit.

    ``goes_along``: that of a number whose call has a place of its line, too.  ``passed``: how often
    they went on from one call to the next.
    """

    name: str
    things: tuple[Thing, ...] = ()
    goes_along: bool = False
    passed: int = 0


@frozen
class Doubtful:
    """A number of an earlier daemon, by the name of its places; ``is_up``: it may have a call.

    Its places may have been taken by other tables than there are now.
    """

    name: str
    is_up: bool


@define
class HeldPlaces:
    """What is held, by the id of the entry in flight.

    ``own``: the names that Redis has for this host, by key; none of them is empty.
    """

    calls: dict[str, Held] = field(factory=dict)
    numbers: dict[str, Held] = field(factory=dict)
    doubtful: dict[str, Doubtful] = field(factory=dict)
    own: dict[str, set[str]] = field(factory=dict)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self.calls

    def hold(
        self,
        entry_id: str,
        name: str,
        way: Sequence[Thing],
        of_task: Thing | None,
        passed: int = 0,
    ) -> None:
        """A call has, or asks for, these places by this name: of its line, of its task."""
        self.calls[entry_id] = Held(name, tuple(way), passed=passed)
        if of_task is not None and of_task.counted.count is not None:
            self.numbers[entry_id] = Held(name, (of_task,), bool(way), passed)

    def unhold(self, entry_id: str, of_task: Thing | None) -> None:
        """The places that a call has asked for are not its own."""
        self.calls.pop(entry_id, None)
        if of_task is not None and of_task.counted.count is not None:
            self.numbers.pop(entry_id, None)

    def place_of(self, entry_id: str) -> Place | None:
        """Return what is noted of the places of an entry's call; None = they have its own id."""
        held = self.calls.get(entry_id)
        if held is None or held.name == entry_id:
            return None
        return Place(held.name, held.passed)

    def new_name(self, entry_id: str, things: Iterable[Thing]) -> str:
        """Return a name for the places of an entry: its id, if no other call has places by it."""
        taken = [self.own[one.key] for one in things if one.key in self.own]
        return unlike(entry_id, lambda name: any(name in names for names in taken))

    def taken(self, thing: Thing, name: str) -> None:
        """Redis has given a place by this name."""
        if thing.counted.count is not None:
            self.own.setdefault(thing.key, set()).add(name)

    def forget(self, key: str, name: str = "") -> None:
        """Redis has no place by this name any more."""
        own = self.own.get(key)
        if own is not None:
            own.discard(name)
            if not own:
                del self.own[key]

    def set_own(self, key: str, names: set[str]) -> None:
        """Redis has these places of this host, and no other."""
        self.own[key] = names
        self.forget(key)

    def count(self, key: str) -> int:
        """Return how many places this host has, as far as Redis has said."""
        return len(self.own.get(key, ()))

    def is_known(self, key: str, name: str) -> bool:
        """Say whether Redis has a place by this name."""
        return name in self.own.get(key, ())

    def has_to_be_left(self, name: str, thing: Thing) -> bool:
        """Say whether the end of a call matters there: also where Redis knows of a place that it
        has by other tables than it was placed with."""
        return counting.has_to_be_left(thing.counted) or self.is_known(thing.key, name)

    # --- after a restart ---------------------------------------------------------------------

    def names(self) -> set[str]:
        """Return every name by which places are held."""
        held = (*self.calls.values(), *self.numbers.values())
        return {one.name for one in held} | {one.name for one in self.doubtful.values()}

    def adopt(
        self,
        entry_id: str,
        name: str,
        way: Sequence[Thing],
        of_task: Thing | None,
        *,
        is_up: bool,
    ) -> None:
        """Take over the number of an earlier daemon, which may have places by this name."""
        self.doubtful[entry_id] = Doubtful(name, is_up)
        if is_up:
            self.calls[entry_id] = Held(name, tuple(way))
        if of_task is not None and of_task.counted.count is not None:
            self.numbers.setdefault(entry_id, Held(name, (of_task,), goes_along=bool(way)))

    def is_down(self, entry_id: str) -> None:
        """No call of this number is up any more, if it is one of an earlier daemon."""
        doubtful = self.doubtful.get(entry_id)
        if doubtful is not None:
            self.doubtful[entry_id] = Doubtful(doubtful.name, is_up=False)

    def on(self, names: Iterable[str], spare: Iterable[Held]) -> dict[str, list[str]]:
        """Return for each of these keys the names of the places that are held there."""
        held: dict[str, list[str]] = {name: [] for name in names}
        for one in (*self.calls.values(), *self.numbers.values(), *spare):
            for thing in one.things:
                if thing.key in held and counting.has_to_be_left(thing.counted):
                    held[thing.key].append(one.name)
        return held

    def owned(self, thing: Thing | None, names: Collection[str]) -> Owned:
        """Return what is to be set right: these places, and those that the tables do not tell of
        and some number may have all the same."""
        is_task = thing is not None and thing.is_task
        known = set(names)
        doubtful = [one.name for one in self.doubtful.values() if one.is_up or is_task]
        return Owned(list(known), [name for name in doubtful if name not in known])

    def kept(self, thing: Thing, names: Iterable[str]) -> Iterator[Held]:
        """These doubtful numbers have a place there all the same, which they leave as any other.

        Yields those that were over before Redis had answered.
        """
        all_held = self.numbers if thing.is_task else self.calls
        holding = {one.name for one in all_held.values() if _has(one, thing.key)}
        entries = {one.name: entry_id for entry_id, one in self.doubtful.items()}
        for name in set(names) - holding:
            entry_id = entries.get(name, "")
            doubtful = self.doubtful.get(entry_id)
            if doubtful is None or not (thing.is_task or doubtful.is_up):
                yield Held(name, (thing,))
            else:
                before = all_held.get(entry_id, Held(name))
                all_held[entry_id] = Held(before.name, (*before.things, thing))


def unlike(name: str, is_used: Callable[[str], bool]) -> str:
    """Return this name, or one that begins with it, that is not used."""
    count = 1
    found = name
    while is_used(found):
        count += 1
        found = f"{name}+{count}"
    return found


def _has(held: Held, key: str) -> bool:
    return any(one.key == key for one in held.things)


def times_passed(entry: InFlight) -> int:
    """Return how often the places of an entry's call went on: the last to tell of them has most."""
    place = None if entry.dialing is None else entry.dialing.place
    return 0 if place is None else place.passed
