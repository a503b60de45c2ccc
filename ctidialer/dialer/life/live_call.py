"""A call that is followed: what is known of it, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from ctidialer.dialer.life.listening import CallListener
from ctidialer.rules.attempt import Attempt

Answered = Callable[[float], None]
"""Told, while the call is up, when it was answered (unix seconds)."""


@define(eq=False)
class LiveCall:
    """A call that is up; ``wanted`` are the channel variables to read when it ends.

    ``offset`` added to a moment of the steady clock gives the time of this call: unix time as it
    was when the call was dialed, unharmed by a clock that is set later.  ``news_at``, when
    FreeSWITCH last told of the call, is by the steady clock.
    """

    attempt: Attempt
    offset: float
    news_at: float
    answered: Answered
    wanted: Sequence[str]
    listener: CallListener | None
    ended: Deferred[Attempt] = field(factory=Deferred)
    job_id: str | None = None
    missed: int = 0
    """How many questions in a row found FreeSWITCH not knowing the call."""
    timers: list[IDelayedCall] = field(factory=list)
    second_question: IDelayedCall | None = None

    def at(self, moment: float) -> float:
        """Return a moment of the steady clock as unix time."""
        return moment + self.offset
