"""What is foreseen of the rest of a task's list, as it is shown: docs/prediction.rst."""

from __future__ import annotations

from attrs import field, frozen

from ctidialer.contract.said import Said


@frozen
class Range:
    """What several runs came to: nine in ten are above ``low`` and below ``high``."""

    low: float
    middle: float
    high: float


@frozen
class HeldBack:
    """What the rules keep from being called at once, or at all; counts of numbers, on average.

    ``callee_hours``, ``caps``: had to wait for their hours, or until ``callee_limit`` let them be
    called.  ``retries``: further tries.  ``invalid``, ``dnc``, ``closed``, ``capped``: ended
    without a call.  ``closed_seconds``: until the end the task is closed for so long;
    ``idle_seconds``: it is open and nobody may be called.
    """

    callee_hours: int = 0
    caps: int = 0
    retries: int = 0
    invalid: int = 0
    dnc: int = 0
    closed: int = 0
    capped: int = 0
    closed_seconds: float = 0.0
    idle_seconds: float = 0.0


@frozen
class Forecast:
    """How the rest of a task's list will go; times are unix seconds, shares from 0 to 1.

    ``queued`` numbers in its queues and ``waiting`` ones were looked at, ``at`` this moment;
    ``zone`` (IANA) is that of the task.  ``agents`` None = the task counts none.  ``method``:
    ``calls`` (each call was simulated) or ``flow`` (agents for some time, then the whole list at
    their speed); ``runs`` with other chance gave the ranges.

    ``ends_at`` None = not before ``until`` in at least half of the runs; ``ends`` is the share of
    the runs that end before.  ``left``: numbers that have not ended by then.  ``answered`` by
    people; ``abandoned_share`` of them, None = nobody answers; ``ceiling``: what the task allows.
    ``agent_use``: the share of the agents' time that they are busy while there are numbers to call.
    ``outcomes``: how numbers end, on average.
    """

    task: str
    host: str
    zone: str
    at: float
    mode: str
    queued: int
    waiting: int
    agents: int | None
    method: str
    runs: int
    until: float
    ends: float
    ends_at: Range | None
    left: Range
    calls: Range
    answered: Range
    abandoned: Range
    abandoned_share: Range | None
    ceiling: float | None
    agent_use: Range | None
    outcomes: dict[str, int]
    held: HeldBack
    assumptions: tuple[Said, ...] = field(factory=tuple)
