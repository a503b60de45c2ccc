"""Lines and line groups (docs/redis-contract.rst), as values."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import field, frozen

from ctidialer.contract.said import Said


class Scope(enum.Enum):
    """Over which hosts the calls of a line or gateway are counted together."""

    HOST = "host"
    DOMAIN = "domain"


@frozen
class FaultPolicy:
    """When a line goes out of use.

    ``threshold`` faults in a row put it out of use, 0 = never.  ``try_interval`` is the time in
    seconds after which one trial call is let through.  ``connect_time`` in seconds: an unanswered
    call counts as a fault only when it ended sooner; None = every unanswered call counts.
    """

    threshold: int = 0
    try_interval: float = 0.0
    connect_time: float | None = None


@frozen
class Line:
    """One line: ``count`` calls at once, ``rest`` in seconds (milliseconds in Redis).

    With ``count`` 1 the line rests after the hang-up; with more, ``rest`` is the least interval
    between two starts.  ``cps``: call starts per second, None = no rate limit.  ``scope``: over
    which hosts these three hold.  ``gateway``: the name of a trunk that it shares with other lines,
    None = it has one of its own.  ``fault``: what is wrong with its text, which cannot be used, for
    people; None = nothing.
    """

    name: str
    dialstring: str
    count: int | None = 1
    rest: float = 0.0
    faults: FaultPolicy = FaultPolicy()
    variables: Mapping[str, str] = field(factory=dict)
    cps: float | None = None
    scope: Scope = Scope.HOST
    gateway: str | None = None
    fault: Said | None = None


@frozen
class CallRule:
    """A rule on how a call ended; it matches when any part does, and an empty rule never.

    ``sip_codes`` and ``causes`` (FreeSWITCH names in capitals) are sets.  ``duration`` (seconds,
    originate to hang-up) is looked at for unanswered calls, ``bill`` (seconds, answer to hang-up)
    for answered ones.
    """

    sip_codes: frozenset[int] = frozenset()
    causes: frozenset[str] = frozenset()
    duration: float | None = None
    bill: float | None = None


@frozen
class LineGroup:
    """One line group: tiers of line names, the first tier preferred to any of the second.

    ``redials`` is how often a failed call is placed again through this group, ``rest`` the time in
    seconds before it is.  ``finished_rule`` is ``no_redialer_rule``; ``redial_rule`` None = any
    failure redials.  ``fault``: as of a line.
    """

    name: str
    tiers: tuple[tuple[str, ...], ...]
    enabled: bool = True
    redials: int = 0
    rest: float = 0.0
    finished_rule: CallRule | None = None
    redial_rule: CallRule | None = None
    fault: Said | None = None
