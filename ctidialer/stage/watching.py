"""Looks again and again until something is so, and gives up when nothing moves any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

Seen = TypeVar("Seen")

LOOK_INTERVAL = 0.05
"""Seconds between two looks."""


class StageFailed(Exception):
    """What was to happen on the stage does not happen any more; the message says why."""


class Stalled(StageFailed):
    """Nothing has moved for too long."""


async def watch(
    clock: IReactorTime,
    look: Callable[[], Awaitable[Seen]],
    is_done: Callable[[Seen], bool],
    patience: float,
    interval: float = LOOK_INTERVAL,
) -> Seen:
    """Look every ``interval`` seconds until ``is_done``; return what was seen then.

    Raises Stalled when the same was seen for ``patience`` seconds.
    """
    last, since = await look(), clock.seconds()
    while not is_done(last):
        if clock.seconds() - since > patience:
            raise Stalled(f"nothing has moved for {patience:.0f} s: {last}")
        await deferLater(clock, interval)
        now = await look()
        if now != last:
            last, since = now, clock.seconds()
    return last
