"""Takes over hosts that are gone, by itself: ``[node] adopt`` (docs/care.rst)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.glue import Repeated
from ctidialer.nodes.adoption import Adopted, Adoption
from ctidialer.nodes.reader import NodeReader
from ctidialer.settings import Settings
from ctidialer.store.errors import LeaseHeld, LeaseLost, StoreError
from ctidialer.store.link import Link

LOOKS_PER_WAIT = 10
"""Looks at the other hosts within the time after which one counts as gone."""

PATIENCE = 600.0
"""Seconds after which taking over is given up, and begun anew later."""


class Adopter:
    """Looks at the other hosts; one that has numbers in flight and no daemon for ``after`` seconds
    is taken over.

    ``gone`` returns the hosts that have numbers in flight and no lease now; ``adopt`` takes one
    over.  The time counts from the first look that found a host so, by ``steady``: the seconds of a
    clock that nobody sets.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        after: float,
        gone: Callable[[], Awaitable[Sequence[str]]],
        adopt: Callable[[str], Awaitable[Adopted]],
        steady: Callable[[], float],
    ) -> None:
        self._steady = steady
        self._after = after
        self._gone = gone
        self._adopt = adopt
        self._since: dict[str, float] = {}
        self._looks = Repeated(
            clock,
            self._look,
            self.log,
            "Looking for hosts that are gone",
            expected=(StoreError,),
            patience=PATIENCE,
        )

    def start(self) -> None:
        """Look from now on."""
        self._looks.start(self._after / LOOKS_PER_WAIT)

    def stop(self) -> None:
        """Look no more."""
        self._looks.stop()

    async def _look(self) -> None:
        now = self._steady()
        gone = await self._gone()
        self._since = {host: self._since.get(host, now) for host in gone}
        for host in [one for one, since in self._since.items() if now - since >= self._after]:
            del self._since[host]  # what cannot be taken over now is tried again after that time
            await self._take_over(host)

    async def _take_over(self, host: str) -> None:
        try:
            adopted = await self._adopt(host)
        except (LeaseHeld, LeaseLost):
            return  # it is back, or another daemon takes it over
        ended = ", ".join(f"{count} {outcome.value}" for outcome, count in adopted.ended.items())
        self.log.warn(
            "Host {gone} has no daemon, and its numbers in flight were taken over:"
            " {given_back} went back, ended: {ended}",
            gone=host,
            given_back=adopted.given_back,
            ended=ended or "none",
        )


def adopter_of(settings: Settings, clock: IReactorTime, link: Link) -> Adopter | None:
    """Return what takes over other hosts for a node; None = its settings do not want it."""
    node = settings.node
    if not node.adopt:
        return None
    nodes = NodeReader(link, node)

    async def gone() -> list[str]:
        return [host for host in await nodes.abandoned_hosts() if host != node.host]

    def adopt(host: str) -> Awaitable[Adopted]:
        return Adoption(link, settings, host, f"the daemon of {node.host}").run()

    return Adopter(clock, node.adopt_after, gone, adopt, time.monotonic)
