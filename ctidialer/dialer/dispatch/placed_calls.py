"""The calls of the last seconds, and whether FreeSWITCH has taken them."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from ctidialer.rules.backpressure import RATE_WINDOW
from ctidialer.rules.pacing import MIN_CLOCK_JUMP

MAX_REMEMBERED = 2000
"""Calls that are remembered: the highest rate that FreeSWITCH is known to have taken."""

JUDGED_AFTER = 0.5
"""Seconds after which a call counts as taken, unless FreeSWITCH has refused it: a refusal comes
within some milliseconds, and is acted on 0.1 s later (`Calls.seems_refused`).  That a call is up is
heard much later: when it is answered, or over."""

ONE_BURST = 0.1
"""Seconds before a refused call in which others may have been refused, too, unheard so far."""


class PlacedCalls:
    """Those that were sent to FreeSWITCH, by their UUID, in the order in which they were."""

    def __init__(self) -> None:
        self._unjudged: OrderedDict[str, float] = OrderedDict()
        self._taken: deque[float] = deque(maxlen=MAX_REMEMBERED)

    def placed(self, uuid: str, now: float) -> None:
        """A call is sent at ``now``."""
        self._unjudged[uuid] = now
        if len(self._unjudged) > MAX_REMEMBERED:
            self._taken.append(self._unjudged.popitem(last=False)[1])

    def refused(self, uuid: str) -> float | None:
        """FreeSWITCH has refused a call; return when it was placed, None = it counts as taken."""
        return self._unjudged.pop(uuid, None)

    def judged(self, now: float) -> Iterator[float]:
        """Yield when the calls were placed that count as taken from now on; each once."""
        while self._unjudged:
            uuid, moment = next(iter(self._unjudged.items()))
            if now - JUDGED_AFTER < moment < now + MIN_CLOCK_JUMP:
                return
            del self._unjudged[uuid]
            self._taken.append(moment)
            yield moment

    def rate(self, until: float) -> float:
        """Return how many calls FreeSWITCH took per second, up to `ONE_BURST` before ``until``."""
        end = until - ONE_BURST
        moments = (*self._taken, *self._unjudged.values())
        return sum(end - RATE_WINDOW < moment <= end for moment in moments) / RATE_WINDOW
