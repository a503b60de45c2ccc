"""The brake of a task: a producer's bug, or a dead trunk, must not cost the whole list.

If a certain count of numbers in a row end as ``invalid``, or as ``failed`` without ringing, the
task is braked: only one number a minute is tried.  So it is if as many in a row of those who
answered were abandoned, whatever became of the others: then no agent can be reached, as where the
extension leads to no queue::

    LOOSE --as many numbers in a row end in the same bad way--> BRAKED
    BRAKED --a number goes well, an edit, an order to resume--> LOOSE

Only who reached an agent shows that agents can be reached; who hung up at once does not.

Moments are unix seconds.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from itertools import takewhile

from attrs import evolve, frozen

from ctidialer.contract.record import AttemptRecord, Outcome
from ctidialer.contract.task import Task
from ctidialer.rules.abandonment import Judgement, judged
from ctidialer.rules.verdict import by_rule

TRY_INTERVAL = 60.0
"""Seconds between two numbers that are tried while the brake is on."""

UNLIMITED = sys.maxsize
"""The room of a task that is not braked."""

LONG = 60.0
"""Seconds: who stays for so long after the answer talks to somebody."""

MAX_SHOWN = 100
"""Characters of an entry that are shown."""

ABANDONED = "abandoned"
"""What the ends of those have in common for whom no agent was there."""

_WELL = frozenset(
    {
        Outcome.ANSWERED,
        Outcome.MACHINE,
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.REJECTED,
        Outcome.UNALLOCATED,
    }
)
_MIN_PREFIX_LENGTH = 8


@frozen
class NumberEnd:
    """How one number ended.

    ``rang`` is whether any of its calls rang.  ``said`` are the line, the cause and the SIP status
    of its last call, or the reason why there was none.  ``judgement``: whether an agent was there
    for who answered.
    """

    outcome: Outcome
    rang: bool
    said: tuple[str, ...]
    entry: bytes
    judgement: Judgement = Judgement.NEITHER

    @property
    def is_bad(self) -> bool:
        """Whether it counts for the brake."""
        is_failed = self.outcome is Outcome.FAILED and not self.rang
        return is_failed or self.outcome is Outcome.INVALID

    @property
    def went_well(self) -> bool:
        """Whether the call got as far as the callee or the callee's network."""
        return self.outcome in _WELL or (self.outcome is Outcome.FAILED and self.rang)


@frozen
class Brake:
    """The last numbers that ended in the same bad way: ``count`` of them, all as ``outcome``.

    ``common`` is what their ends have in common, ``entry`` is the last of them.  ``since``: when
    the brake came on, None = it is off.  ``tried_at``: when a number was tried last.
    ``abandoned``: so many of those who answered were abandoned, in a row.
    """

    outcome: Outcome | None = None
    count: int = 0
    common: tuple[str, ...] = ()
    entry: bytes = b""
    since: float | None = None
    tried_at: float = -math.inf
    abandoned: int = 0

    @property
    def is_on(self) -> bool:
        """Whether the task is braked."""
        return self.since is not None

    @property
    def lacks_agents(self) -> bool:
        """Whether the task is braked since all who answered were abandoned."""
        return self.is_on and self.outcome is Outcome.ANSWERED


LOOSE = Brake()


def judgement(task: Task, attempts: Sequence[AttemptRecord], outcome: Outcome) -> Judgement:
    """Return whether an agent was there, be it late, in a task that is paced by its agents.

    Who stays for long without a bridge talks to somebody whom FreeSWITCH does not bridge: a
    conference, a bot.  ``outcome``: what the network tells.
    """
    if task.agents is None or not task.agents.is_paced or not attempts:
        return Judgement.NEITHER
    last = attempts[-1]
    found = judged(task.agents, last, by_rule(task.after_call, attempts, outcome))
    if found is not Judgement.ABANDONED:
        return found
    if last.bridged_at is not None:
        return Judgement.REACHED
    stayed = (last.ended_at or 0.0) - (last.answered_at or 0.0)
    return Judgement.NEITHER if stayed >= LONG else found


def ended(brake: Brake, end: NumberEnd, after: int, now: float) -> Brake:
    """A number has ended; the brake comes on with ``after`` bad ends in a row (0 = never)."""
    if not after:
        return LOOSE
    if end.judgement is Judgement.ABANDONED:
        return _abandoned(brake, end, after, now)
    if end.judgement is Judgement.REACHED:
        return LOOSE
    if brake.lacks_agents:
        return brake  # such an end shows nothing about the agents
    if end.went_well:
        return evolve(LOOSE, abandoned=brake.abandoned) if brake.abandoned else LOOSE
    if not end.is_bad:
        return brake  # such an end (expired, say) shows nothing about the list or the lines
    in_a_row = end.outcome is brake.outcome
    count = brake.count + 1 if in_a_row else 1
    common = _common(brake.common, end.said) if in_a_row else end.said
    row = evolve(brake, outcome=end.outcome, count=count, common=common, entry=end.entry)
    return row if brake.is_on else _braked_from(row, count, after, now)


def _abandoned(brake: Brake, end: NumberEnd, after: int, now: float) -> Brake:
    """One more who answered was abandoned: it shows that the lines work."""
    count = brake.abandoned + 1
    if count < after:
        return evolve(LOOSE, abandoned=count)
    if brake.lacks_agents:
        return evolve(brake, count=count, entry=end.entry, abandoned=count)
    row = Brake(end.outcome, count, (ABANDONED,), end.entry, abandoned=count)
    return _braked_from(row, count, after, now)


def _braked_from(row: Brake, count: int, after: int, now: float) -> Brake:
    return row if count < after else evolve(row, since=now, tried_at=now)


def room(brake: Brake, now: float) -> int:
    """Return how many numbers the brake lets through at ``now``."""
    if not brake.is_on:
        return UNLIMITED
    # If the clock was set back, the task must not wait for longer than a minute.
    return 0 if brake.tried_at <= now < next_try(brake) else 1


def next_try(brake: Brake) -> float:
    """Return when the next number may be tried."""
    return brake.tried_at + TRY_INTERVAL


def tried(brake: Brake, now: float) -> Brake:
    """A number is tried at ``now``."""
    return evolve(brake, tried_at=now) if brake.is_on else brake


def shown_entry(entry: bytes) -> str:
    """Return an entry in readable form, cut if it is long."""
    text = repr(entry.decode("utf-8", "backslashreplace"))[1:-1]
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _common(before: tuple[str, ...], said: tuple[str, ...]) -> tuple[str, ...]:
    """Return what both have in common; of two reasons, their common beginning."""
    if len(before) == len(said) == 1 and before != said:
        pairs = zip(before[0].rstrip("…"), said[0], strict=False)
        prefix = "".join(one for one, other in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return (f"{prefix}…",) if len(prefix) >= _MIN_PREFIX_LENGTH else ()
    return tuple(one for one in before if one in said)
