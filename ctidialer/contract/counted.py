"""What is counted over several hosts: a line, a gateway, a task (docs/redis-contract.rst)."""

from __future__ import annotations

from attrs import frozen

SPACING = 1.02
"""By so much two starts over several hosts are further apart than the rate says: between a start
and its originate on the wire are some milliseconds, which differ from call to call."""


TOGETHER = 0.3
"""Seconds of starts for which numbers are claimed together.  Redis gives starts up to 0.5 s ahead
of their time, and tells hosts to come 0.05 s before the next one that is free (`counting.lua`): so
one claim and one step serve several calls, also where many hosts share the starts, and no start is
missed."""

LEFT_WITHIN = 0.4
"""Seconds within which a place is left that nobody lacks: by then this host takes other places,
where calls have a rate, and the same step leaves it."""


@frozen
class Counted:
    """What is counted over hosts: ``key`` names it (`contract.keys.counted_calls`).

    ``count``: calls at once, None = no limit.  ``interval``: least seconds between two starts.
    ``rest``: seconds for which no call starts after one has ended.
    """

    key: str
    count: int | None = None
    interval: float = 0.0
    rest: float = 0.0

    @classmethod
    def of(cls, key: str, count: int | None, cps: float | None, rest: float = 0.0) -> Counted:
        """Return what has this ``count``, ``cps`` and ``rest`` (seconds), as those of a line."""
        between = 0.0 if count == 1 else rest
        interval = max(between, SPACING / cps if cps else 0.0)
        return cls(key, count, interval, rest if count == 1 else 0.0)
