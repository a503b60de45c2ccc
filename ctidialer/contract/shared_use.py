"""How many calls are counted over hosts on a line, a gateway or a task: part of a node's status."""

from __future__ import annotations

from attrs import frozen


@frozen
class Holder:
    """The calls of one host.  ``gone_since``: when its lease has ended (unix seconds), None = it
    holds, or nobody knows."""

    host: str
    calls: int
    gone_since: float | None = None


@frozen
class SharedUse:
    """One thing that hosts share.

    ``what``: ``line``, ``gateway`` or ``task``.  ``used``: calls of all hosts, None = it cannot be
    read.  ``count``: how many there may be, ``cps``: how many may start a second; None = no limit
    of this kind is shared.  ``holders``: whose they are, the host with most first; empty where
    nobody has any, or where there are too many to look at.
    """

    what: str
    name: str
    used: int | None
    count: int | None = None
    cps: float | None = None
    holders: tuple[Holder, ...] = ()

    @property
    def gone(self) -> tuple[Holder, ...]:
        """The hosts that have calls there, and no daemon."""
        return tuple(one for one in self.holders if one.gone_since is not None)

    @property
    def fullness(self) -> float:
        """The share of ``count`` that is used, 0 where there is none."""
        return (self.used or 0) / self.count if self.count else 0.0
