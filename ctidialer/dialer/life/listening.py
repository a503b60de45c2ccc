"""Who listens to a call while it is up: its story, and the watch of a task that counts agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen

from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.dialer.life.number_in_hand import NumberInHand
from ctidialer.esl.events import Event
from ctidialer.rules.attempt import Attempt


class CallListener(Protocol):
    """Is told of one call; nothing that it does may raise."""

    def heard(self, event: Event, attempt: Attempt, at: float) -> None:
        """FreeSWITCH told of the call at ``at``; ``attempt`` has the news in it already."""

    def ended(self, attempt: Attempt) -> None:
        """The call is over."""


class CallWatch(CallListener, Protocol):
    """A listener that was there before the originate was sent."""

    def unsent(self) -> None:
        """The call was certainly not sent after all."""


WatchFor = Callable[[NumberInHand, AgentDialing, Attempt], CallWatch | None]
"""Returns who watches a call that is about to be sent, or that an earlier daemon sent."""


def nobody(number: NumberInHand, dialing: AgentDialing, attempt: Attempt) -> None:
    """Nobody watches."""


@frozen(eq=False)
class _Both:
    one: CallListener
    other: CallListener

    def heard(self, event: Event, attempt: Attempt, at: float) -> None:
        self.one.heard(event, attempt, at)
        self.other.heard(event, attempt, at)

    def ended(self, attempt: Attempt) -> None:
        self.one.ended(attempt)
        self.other.ended(attempt)


def both(one: CallListener | None, other: CallListener | None) -> CallListener | None:
    """Return a listener that tells both; None = nobody."""
    if one is None or other is None:
        return one or other
    return _Both(one, other)
