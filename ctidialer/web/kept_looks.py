"""Answers of looks in processes of their own, kept for a while: who asks again gets the same."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable
from typing import NamedTuple, Protocol

from twisted.internet.interfaces import IReactorTime

from ctidialer.web.answers import Refusal
from ctidialer.web.aside import LookFailed

MIN_KEPT = 15.0
"""Least seconds for which an answer is kept."""

KEPT_PER_SECOND = 20.0
"""Seconds that it is kept for each second it took: so it costs a twentieth of a core."""

MAX_KEPT = 20
"""Answers of one kind that are kept at once."""


class Looks(Protocol):
    """Runs a look in a process of its own."""

    def look(self, name: str, **details: object) -> Awaitable[bytes]:
        """Return the JSON of a look; raises LookFailed."""


class _Kept(NamedTuple):
    body: bytes
    until: float


class KeptLooks:
    """Runs looks of one kind, and keeps their answers."""

    def __init__(self, aside: Looks, clock: IReactorTime) -> None:
        self._aside = aside
        self._clock = clock
        self._kept: dict[Hashable, _Kept] = {}

    async def look(self, wanted: Hashable, name: str, **details: object) -> bytes:
        """Return the JSON of what is ``wanted``; raises Refusal 503 where the look failed.

        ``details`` may differ where they tell the time: they are not what is asked for.
        """
        kept = self._kept.get(wanted)
        if kept is not None and self._clock.seconds() < kept.until:
            return kept.body
        began = self._clock.seconds()
        try:
            body = await self._aside.look(name, **details)
        except LookFailed as error:
            raise Refusal(503, str(error)) from None
        self._keep(wanted, body, self._clock.seconds() - began)
        return body

    def _keep(self, wanted: Hashable, body: bytes, took: float) -> None:
        ended = self._clock.seconds()
        self._kept = {key: kept for key, kept in self._kept.items() if ended < kept.until}
        if len(self._kept) < MAX_KEPT:
            self._kept[wanted] = _Kept(body, ended + max(MIN_KEPT, took * KEPT_PER_SECOND))
