"""Keeps the lease of this host's name: takes it, renews it, gives it up (docs/faults.rst).

``TRANSITIONS`` has every transition: in which state what happens, and what is done then.  Anything
else changes nothing.  docs/architecture.rst shows the same table; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.glue import Gate, Repeated, background
from ctidialer.store.errors import LeaseHeld, LeaseLost, StoreError

MAX_CLOCK_ERROR = 0.02
"""Seconds by which Redis' clock and ours may drift apart between two looks at a lease."""

LOOKS_PER_RENEWAL = 3
"""Looks at another daemon's lease within one renewal period."""


class LeaseStore(Protocol):
    """The lease as it stands in Redis; `store.lease` says how each request can fail."""

    @property
    def renewal_period(self) -> float:
        """Seconds between two renewals."""

    def acquire_lease(self) -> Deferred[None]:
        """Take the name."""

    def renew_lease(self) -> Deferred[bool]:
        """Keep the name; True = the lease had lapsed, and began anew."""

    def release_lease(self) -> Deferred[None]:
        """Give the name free."""


class LeaseListener(Protocol):
    """Is told what becomes of the name."""

    def name_taken(self) -> None:
        """This daemon has the name from now on."""

    def name_lapsed(self) -> None:
        """This daemon has the name still, but another one could have had it for a while."""

    def name_refused(self, reason: str) -> None:
        """Another daemon has the name and is alive: this one must end."""


class Happening(Protocol):
    """The inputs of the state machine."""

    def redis_came(self) -> None:
        """Redis is there."""

    def redis_went(self) -> None:
        """Redis is away."""

    def time_to_look(self) -> None:
        """A renewal is due, or another look at the lease of another daemon."""

    def granted(self) -> None:
        """Redis says that the name is ours, as it was."""

    def granted_anew(self) -> None:
        """Redis says that the name is ours, but the lease had lapsed."""

    def held_by_other(self) -> None:
        """Another daemon has the name; whether it is alive is not known yet."""

    def other_is_alive(self) -> None:
        """Another daemon has the name and has renewed it."""

    def failed(self) -> None:
        """Redis answered with an error, or not at all."""

    def stopped(self) -> None:
        """This daemon gives the name up."""


class LeaseKeeper:
    """Keeps the name from ``start`` to ``release``.

    ``writable`` is open, and ``Condition.LEASE`` met, while this daemon has the name and Redis is
    there.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: LeaseStore,
        writable: Gate,
        readiness: Readiness,
        listener: LeaseListener,
    ) -> None:
        self._clock = clock
        self._store = store
        self._writable = writable
        self._readiness = readiness
        self._listener = listener
        self._problem = ""
        self._lapses_at: float | None = None
        self._next_look: IDelayedCall | None = None
        self.happens: Happening = _machine(self)
        self._renewals = Repeated(clock, self.happens.time_to_look, self.log, "Keeping the lease")

    def start(self) -> None:
        """Renew from now on; the name is taken as soon as ``happens.redis_came`` is called."""
        self._renewals.start(self._store.renewal_period)

    async def release(self) -> None:
        """Give the name up, for the daemon that comes next."""
        self._renewals.stop()
        self._look_no_more()
        self.happens.stopped()
        try:
            await self._store.release_lease()
        except StoreError as error:
            self.log.info("The lease is left to lapse: {problem}", problem=str(error))

    # --- what is done in the transitions -------------------------------------------------------

    def ask(self) -> None:
        """Ask for the name."""
        background(self._ask(self._store.acquire_lease), self.log, "Asking for the lease")

    def renew(self) -> None:
        """Ask to keep the name."""
        background(self._ask(self._store.renew_lease), self.log, "Renewing the lease")

    def begin(self) -> None:
        """The name is ours: writing may begin."""
        self._lapses_at = None
        self._writable.open()
        self._readiness.met(Condition.LEASE)
        self._listener.name_taken()

    def recover(self) -> None:
        """Another daemon may have had the name, and left numbers in flight."""
        self._listener.name_lapsed()

    def pause(self) -> None:
        """Write nothing until Redis has said again who has the name."""
        self._writable.shut()
        self._readiness.lost(Condition.LEASE)

    def give_way(self) -> None:
        """Another daemon works under this name: this one may write nothing more, and ends."""
        self._look_no_more()
        self.pause()
        self._listener.name_refused(self._problem)

    def look_soon(self) -> None:
        """Look again soon whether the other daemon renews its lease: a killed one does not."""
        self._look_no_more()
        wait = self._store.renewal_period / LOOKS_PER_RENEWAL
        self._next_look = self._clock.callLater(wait, self.happens.time_to_look)

    def say_failed(self) -> None:
        """Say what Redis answered; the next renewal tries again."""
        self.log.warn("The lease could not be had: {problem}", problem=self._problem)

    def nothing(self) -> None:
        """Change the state only."""

    # -----------------------------------------------------------------------------------------

    async def _ask(self, request: Callable[[], Deferred[bool] | Deferred[None]]) -> None:
        asked_at = self._clock.seconds()
        try:
            has_lapsed = await request()
        except LeaseHeld as error:
            self._problem = str(error)
            self._see_other(error.expires_in, asked_at)
        except LeaseLost as error:
            self._problem = str(error)
            self.happens.other_is_alive()
        except StoreError as error:
            self._problem = str(error)
            self.happens.failed()
        except Exception as error:
            # A bug of ours, or cancelled: without an input the machine would wait for ever.
            self._problem = str(error) or type(error).__name__
            self.happens.failed()
            raise
        else:
            (self.happens.granted_anew if has_lapsed else self.happens.granted)()

    def _see_other(self, expires_in: float, asked_at: float) -> None:
        """If the expiry has moved since the last look, the holder is alive."""
        before, self._lapses_at = self._lapses_at, self._clock.seconds() + expires_in
        if before is not None and asked_at + expires_in > before + MAX_CLOCK_ERROR:
            self.happens.other_is_alive()
            return
        if before is None:
            self.log.warn(
                "{problem}; unless it is renewed, its lease lapses in {seconds} s",
                problem=self._problem,
                seconds=round(expires_in, 1),
            )
        self.happens.held_by_other()

    def _look_no_more(self) -> None:
        if self._next_look is not None and self._next_look.active():
            self._next_look.cancel()
        self._next_look = None


_builder = TypeMachineBuilder(Happening, LeaseKeeper)
AWAY = _builder.state("away")
ASKING = _builder.state("asking")
WAITING = _builder.state("waiting")
HELD = _builder.state("held")
RENEWING = _builder.state("renewing")
REFUSED = _builder.state("refused")
STOPPED = _builder.state("stopped")

STATES = {
    AWAY: "Redis is away; the name may be ours still, but nothing can be written",
    ASKING: "Redis was asked for the name",
    WAITING: "another daemon has the name, or Redis refused to say; the next look will tell",
    HELD: "the name is ours",
    RENEWING: "the name is ours, and Redis was asked to keep it so",
    REFUSED: "another daemon works under the name; this one ends",
    STOPPED: "this daemon has given the name up",
}

TRANSITIONS = (
    (AWAY, Happening.redis_came, ASKING, LeaseKeeper.ask),
    (ASKING, Happening.granted, HELD, LeaseKeeper.begin),
    (ASKING, Happening.held_by_other, WAITING, LeaseKeeper.look_soon),
    (ASKING, Happening.other_is_alive, REFUSED, LeaseKeeper.give_way),
    (ASKING, Happening.failed, WAITING, LeaseKeeper.say_failed),
    (ASKING, Happening.redis_went, AWAY, LeaseKeeper.nothing),
    (WAITING, Happening.time_to_look, ASKING, LeaseKeeper.ask),
    (WAITING, Happening.redis_went, AWAY, LeaseKeeper.nothing),
    (HELD, Happening.time_to_look, RENEWING, LeaseKeeper.renew),
    (HELD, Happening.redis_went, AWAY, LeaseKeeper.pause),
    (RENEWING, Happening.granted, HELD, LeaseKeeper.nothing),
    (RENEWING, Happening.granted_anew, HELD, LeaseKeeper.recover),
    (RENEWING, Happening.other_is_alive, REFUSED, LeaseKeeper.give_way),
    (RENEWING, Happening.failed, HELD, LeaseKeeper.say_failed),
    (RENEWING, Happening.redis_went, AWAY, LeaseKeeper.pause),
    *((state, Happening.stopped, STOPPED, LeaseKeeper.nothing) for state in STATES),
)
"""State, what happens, state after that, and what is done."""


def _output(action: Callable[[LeaseKeeper], None]) -> Callable[[Happening, LeaseKeeper], None]:
    def output(happens: Happening, keeper: LeaseKeeper) -> None:
        action(keeper)

    return output


def _complete() -> None:
    """Give automat the table, and make every other input change nothing."""
    for before, event, after, action in TRANSITIONS:
        before.upon(event).to(after)(_output(action))
    told = {(before, event) for before, event, *_ in TRANSITIONS}
    for state, event in product(STATES, {event for _, event, *_ in TRANSITIONS}):
        if (state, event) not in told:
            state.upon(event).loop().returns(None)


_complete()
_machine = _builder.build()
