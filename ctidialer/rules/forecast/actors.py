"""Who takes part in a world of virtual time: callees, agents, and the numbers that are called."""

from __future__ import annotations

import enum
import random
from typing import Protocol

from attrs import define, frozen


class RingEnd(enum.Enum):
    """How a call ends to ring."""

    ANSWERED = "answered"
    MACHINE = "machine"
    """Answered by a machine: no agent is needed."""
    UNANSWERED = "unanswered"
    FAILED = "failed"
    """The line lost it: what the callee would have done is not known."""


class CallEnd(enum.Enum):
    """What became of a call."""

    REACHED = "reached"
    ABANDONED = "abandoned"
    MACHINE = "machine"
    UNANSWERED = "unanswered"
    FAILED = "failed"
    RELEASED = "released"
    """The dialer gave it up."""


class Conditions(Protocol):
    """How callees and agents behave at one moment."""

    @property
    def agents(self) -> int:
        """How many agents are there."""

    def ring(self, chance: random.Random) -> tuple[RingEnd, float]:
        """Draw how a call ends to ring, and after how many seconds."""

    def handle_time(self, chance: random.Random) -> float:
        """Draw for how many seconds an agent is busy with a call."""


class Numbers(Protocol):
    """The numbers that are to be called; moments are seconds of the world's clock."""

    def is_open(self, now: float) -> bool:
        """Whether the task may call anybody now."""

    def ready(self, now: float) -> bool:
        """Whether there is a number that may be called now."""

    def take(self, now: float) -> object:
        """Return the next number: it is called.  Only after `ready` has said yes."""

    def over(self, number: object, end: CallEnd, now: float) -> None:
        """Tell how the call of a number has ended."""

    def changes_at(self, now: float) -> float | None:
        """Return when `is_open` or `ready` may change by the clock; None = never."""


class Endless(Numbers):
    """There is always another number."""

    def is_open(self, now: float) -> bool:
        """Return that it is."""
        return True

    def ready(self, now: float) -> bool:
        """Return that there is."""
        return True

    def take(self, now: float) -> object:
        """Return nothing that is told apart."""
        return None

    def over(self, number: object, end: CallEnd, now: float) -> None:
        """Nobody keeps count."""

    def changes_at(self, now: float) -> float | None:
        """Return that nothing changes."""
        return None


@frozen
class Bounds:
    """What bounds the calls beside the agents.

    ``limit``: calls at once.  Of the time for which an agent is busy, a call is up for the share
    ``talk``; the rest is wrap-up.  ``cps``: starts per second, None = as many as may be.
    """

    limit: int = 1000
    cps: float | None = None
    talk: float = 1.0


@define
class Hour:
    """What one hour of a run came to: seconds of agents, and counts of calls.

    Agents count while the task is open and has numbers to call, or calls; ``idle_seconds`` are
    those in which it was open and had neither.
    """

    agent_seconds: float = 0.0
    busy_seconds: float = 0.0
    idle_seconds: float = 0.0
    dialed: int = 0
    answered: int = 0
    abandoned: int = 0
    released: int = 0
