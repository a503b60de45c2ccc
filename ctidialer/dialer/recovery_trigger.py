"""Decides when the numbers in flight are taken up and every call is asked for (docs/faults.rst).

That is after the start, after each lost connection and after a lapse of the lease, as soon as all
that a recovery needs is there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.glue import background
from ctidialer.store.errors import StoreError

NEEDED = frozenset({Condition.REDIS, Condition.LEASE, Condition.TABLES, Condition.FREESWITCH})

RETRY_INTERVAL = 1.0
"""Seconds after which a recovery that Redis broke off is tried again."""


class RecoveryTrigger:
    """Runs ``recover`` when it is due; ``Condition.RECOVERY`` is met when it is done.

    If something that a recovery needs is lost meanwhile, it does not count and is done again.
    """

    log = Logger()

    def __init__(
        self, clock: IReactorTime, readiness: Readiness, recover: Callable[[], Awaitable[None]]
    ) -> None:
        self._clock = clock
        self._readiness = readiness
        self._recover = recover
        self._running = False
        self._spoilt = False
        self._retry: IDelayedCall | None = None
        readiness.watch(self._look)

    def again(self) -> None:
        """Recover again: another daemon may have left numbers in flight."""
        self._spoilt = True
        self._readiness.lost(Condition.RECOVERY)

    def stop(self) -> None:
        """Try no more."""
        if self._retry is not None and self._retry.active():
            self._retry.cancel()

    def _look(self) -> None:
        missing = self._readiness.missing
        if not NEEDED.isdisjoint(missing):
            self._spoilt = True
        elif Condition.RECOVERY in missing and not self._running and self._retry is None:
            self._running, self._spoilt = True, False
            background(self._run(), self.log, "Recovering", expected=(StoreError,))

    async def _run(self) -> None:
        try:
            await self._recover()
        except Exception:
            self._retry = self._clock.callLater(RETRY_INTERVAL, self._try_again)
            raise
        else:
            if not self._spoilt:
                self._readiness.met(Condition.RECOVERY)
        finally:
            self._running = False
            self._look()

    def _try_again(self) -> None:
        self._retry = None
        self._look()
