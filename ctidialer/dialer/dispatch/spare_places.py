"""Places whose calls have ended: the next calls of this host have them, if they come soon.

Note [Passing places on]: where calls are counted, and nothing else, one that begins when another
ends needs no new place.  So the place goes from call to call within this host, and Redis is not
asked.  What comes of that for the other hosts is bounded.  A host lets Redis give the place to
whoever has waited longest

* if it has more than its share, while others wait;
* once in `MOST_PASSED` calls, while others wait, so that shares that came about by chance change;
* if it has not heard for `HEARD_WITHIN` seconds whether others wait;
* if none of its calls has wanted the place soon, and for a while after, which is longer each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import define, evolve, frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ctidialer.contract.counted import LEFT_WITHIN
from ctidialer.dialer.dispatch.counted_things import CountedThings, Thing
from ctidialer.dialer.dispatch.held_places import Held, HeldPlaces
from ctidialer.dialer.dispatch.place_questions import within
from ctidialer.rules import counting
from ctidialer.store.place_answers import Seen

WANTED_WITHIN = 0.1
"""Seconds that a place waits for a call of this host where other hosts may lack it: one claim from
a list takes a few milliseconds, and many where Redis or this daemon is busy."""

HEARD_WITHIN = 1.0
"""Seconds for which it is taken as true whether other hosts wait."""

MOST_PASSED = 50
"""Of so many places whose calls end, one goes to Redis while others wait."""

UNWANTED_FOR = 1.0
"""Seconds for which places go to Redis at once after none of this host's calls has wanted one: to
keep it for nothing costs a step of its own.  Twice as long each time, until one is wanted."""

MAX_UNWANTED_FOR = 60.0
"""Most seconds for which they do."""

LONG_AGO = float("-inf")


@define
class _Heard:
    """What Redis has said of the other hosts (moments in seconds): how many of them wait, how many
    places they have, of how many.

    ``passed``: places that were kept for calls of ours since.  ``unwanted_at``: when none of them
    wanted one, and that tells for ``unwanted_for`` seconds.
    """

    at: float = LONG_AGO
    waiting: int = 0
    others: int = 0
    count: int | None = None
    passed: int = 0
    unwanted_at: float = LONG_AGO
    unwanted_for: float = 0.0


@frozen
class _Spare:
    """Places of one name that are free for a call of this host ``until`` then (unix seconds)."""

    held: Held
    until: float
    is_plenty: bool

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(one.key for one in self.held.things)


class SparePlaces:
    """The places that calls have left to the next ones; ``give_back`` lets Redis have them."""

    def __init__(
        self,
        clock: IReactorTime,
        things: CountedThings,
        held: HeldPlaces,
        give_back: Callable[[Held], None],
    ) -> None:
        self._clock = clock
        self._things = things
        self._held = held
        self._give_back = give_back
        self._spares: dict[str, _Spare] = {}
        self._by_keys: dict[frozenset[str], dict[str, None]] = {}
        self._heard: dict[str, _Heard] = {}
        self._timer: IDelayedCall | None = None
        self._is_wanted = True

    def __iter__(self) -> Iterator[Held]:
        return iter([one.held for one in self._spares.values()])

    def heard(self, thing: Thing, seen: Seen) -> None:
        """Redis has said how it stands with a count."""
        key, heard = thing.key, self._heard.setdefault(thing.key, _Heard())
        heard.count = thing.counted.count
        heard.at, heard.passed = self._clock.seconds(), 0
        heard.waiting = seen.hosts - 1
        heard.others = seen.taken - seen.kept - self._held.count(key)

    def is_below_share(self, thing: Thing) -> bool:
        """Say whether all places are taken, and this host has fewer than its share of them."""
        heard, count = self._heard.get(thing.key), thing.counted.count
        if heard is None or count is None:
            return False
        own = self._held.count(thing.key)
        is_full = own + self._things.others(thing) >= count
        return is_full and own < counting.share(count, heard.waiting)

    def forget(self, keys: frozenset[str]) -> None:
        """Keep what was heard of these keys, and no other."""
        for key in self._heard.keys() - keys:
            del self._heard[key]

    def keep(self, held: Held, *, is_plenty: bool) -> bool:
        """Keep the places of a call that has ended for the next one; return whether that is fair.

        ``is_plenty``: no other host lacks them.
        """
        if not self._is_wanted or (held.goes_along and held.name not in self._spares):
            return False  # the next call needs both
        if not all(self._may_pass(thing, held.name) for thing in held.things):
            self._give(held.name)
            return False
        before = self._pop(held.name)
        if before is not None:  # the call's line, and now its number's task
            passed = max(before.held.passed, held.passed)
            held = Held(held.name, (*before.held.things, *held.things), passed=passed)
            is_plenty = is_plenty and before.is_plenty
        until = self._clock.seconds() + (LEFT_WITHIN if is_plenty else WANTED_WITHIN)
        spare = self._spares[held.name] = _Spare(held, until, is_plenty)
        self._by_keys.setdefault(spare.keys, {})[held.name] = None
        if self._timer is not None and self._timer.getTime() > until:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._wait()
        return True

    def take(self, things: Sequence[Thing]) -> Held | None:
        """Return a place of each of these for a call; None = none was left."""
        if not self._spares or not all(can_be_passed_on(one) for one in things):
            return None
        names = self._by_keys.get(frozenset(one.key for one in things))
        if not names:
            return None
        spare = self._pop(next(iter(names)))
        assert spare is not None
        for thing in things:
            if thing.key in self._heard:
                self._heard[thing.key].unwanted_for = 0.0
        return evolve(spare.held, passed=spare.held.passed + 1)

    def end(self) -> None:
        """No call follows: let Redis have these places, and all that calls leave from now on."""
        self._is_wanted = False
        self.give_back_all()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def give_back_all(self) -> None:
        """Let Redis have them all."""
        for name in list(self._spares):
            self._give(name)

    def give_back_of(self, things: Sequence[Thing]) -> None:
        """Let Redis have those of these: a call asks for places that none of them has together."""
        keys = {one.key for one in things}
        for some in [one for one in self._by_keys if not keys.isdisjoint(one)]:
            for name in list(self._by_keys[some]):
                self._give(name)

    def lapsed(self) -> None:
        """Another daemon may have set the places right: they are this one's no more."""
        self._spares.clear()
        self._by_keys.clear()
        self.unheard()

    def unheard(self) -> None:
        """What Redis has said of other hosts is not true any more."""
        self._heard.clear()

    def _may_pass(self, thing: Thing, name: str) -> bool:
        now = self._things.of_key(thing.key)
        heard = self._heard.get(thing.key)
        if now is None or heard is None or not self._held.is_known(thing.key, name):
            return False
        if not can_be_passed_on(thing) or not can_be_passed_on(now):
            return False
        count, moment = now.counted.count, self._clock.seconds()
        assert count is not None
        own = self._held.count(thing.key)
        if own + heard.others > count or own > counting.share(count, heard.waiting):
            return False
        if within(heard.unwanted_at, heard.unwanted_for, moment):
            return False
        if count != heard.count or not within(heard.at, HEARD_WITHIN, moment):
            return False  # the others are heard of when this place is left
        heard.passed += 1
        return not heard.waiting or heard.passed < MOST_PASSED

    def _pop(self, name: str) -> _Spare | None:
        spare = self._spares.pop(name, None)
        if spare is not None:
            names = self._by_keys[spare.keys]
            del names[name]
            if not names:
                del self._by_keys[spare.keys]
        return spare

    def _give(self, name: str) -> None:
        spare = self._pop(name)
        if spare is not None:
            self._give_back(spare.held)

    def _wait(self) -> None:
        until = min(one.until for one in self._spares.values())
        delay = min(max(0.0, until - self._clock.seconds()), LEFT_WITHIN)
        self._timer = self._clock.callLater(delay, self._timed)

    def _timed(self) -> None:
        """Nobody has wanted the first of them in time."""
        self._timer = None
        now = self._clock.seconds()
        for name, spare in list(self._spares.items()):
            if not now < spare.until <= now + LEFT_WITHIN:
                self._unwanted(spare, now)
                self._give(name)
        if self._spares:
            self._wait()

    def _unwanted(self, spare: _Spare, now: float) -> None:
        for thing in () if spare.is_plenty else spare.held.things:
            heard = self._heard.get(thing.key)
            if heard is not None and not within(heard.unwanted_at, heard.unwanted_for, now):
                longer = max(UNWANTED_FOR, 2 * heard.unwanted_for)
                heard.unwanted_at, heard.unwanted_for = now, min(longer, MAX_UNWANTED_FOR)


def can_be_passed_on(thing: Thing) -> bool:
    """`counting.can_be_passed_on`."""
    return counting.can_be_passed_on(thing.counted)
