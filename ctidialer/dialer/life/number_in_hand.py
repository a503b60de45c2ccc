"""A number that was taken from its queue, how far it has got, and how that can end."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen
from msgspec import Struct

from ctidialer.contract.after_call import NOTHING_MORE, AfterCall
from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.callee import CalleeRules
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Destination
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules import abandonment
from ctidialer.rules import attempt as rules
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.callee_hours import CalleeHours
from ctidialer.rules.permission import NO_LAST_MOMENT, LastMoments
from ctidialer.rules.progress import LOST as LOST
from ctidialer.rules.progress import Finished as Finished
from ctidialer.rules.progress import Progress as Progress
from ctidialer.rules.progress import finished as finished
from ctidialer.store.in_flight import Claimed

OPTS_OUT = "cti_dnc"
"""The channel variable that is true at the hang-up if the callee wants no further calls."""


class Terms(Struct, frozen=True):
    """The rules for whether, and when again, a number may be called, besides its task's own hours.

    ``callee``: the task's rules for those it calls; ``hours`` remembers when they are open.
    ``zone`` is the IANA name of the task's zone, ``own_zone`` that which came with the number, None
    = none did.  ``last``: from when on a call is too late for the task, or for the number.
    """

    callee: CalleeRules
    hours: CalleeHours
    zone: str
    own_zone: str | None = None
    last: LastMoments = NO_LAST_MOMENT


# Structs: every call makes them, and attrs takes four times as long for that.
class NumberInHand(Struct, frozen=True):
    """A number to reach, with all that its task (or schedule configuration) ``name`` says of it.

    ``variables`` are merged already, without those of the line.  ``after_call``: what to read of
    each call when it has ended.  ``agents``: when a callee counts as abandoned, None = never.
    ``terms``: rules of its callee, None = there are none.
    """

    claim: Claimed
    kind: Kind
    name: str
    number: str
    destination: Destination
    variables: Mapping[str, str] = {}
    requested_uuid: str | None = None
    after_call: AfterCall = NOTHING_MORE
    agents: AgentDialing | None = None
    terms: Terms | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The channel variables to read when a call of it has ended."""
        names = self.after_call.names
        if self.agents is not None:
            names = (*names, *abandonment.names(self.agents))
        if self.terms is not None and self.terms.callee.dnc_add is not None:
            names = (*names, OPTS_OUT)
        return names


class Ended(Struct, frozen=True):
    """A call was placed and has ended; ``progress`` is how far the number was before it."""

    attempt: Attempt
    group: str
    progress: Progress

    def with_attempt(self) -> Progress:
        """Return how far the number is with this call counted."""
        attempts = (*self.progress.attempts, rules.attempt_record(self.attempt))
        return Progress(self.progress.itinerary, attempts)


@frozen
class Held:
    """A call that was not placed, and can be tried again.

    ``no_line``: no line was free, so the number waits for a line.
    """

    reason: str
    no_line: bool = False


@frozen
class NeverLeft:
    """FreeSWITCH made no channel for the call; ``progress`` is how far the number was before it."""

    reason: str
    progress: Progress


@frozen
class NotDialed:
    """The number was certainly not dialed: it goes back where it was.

    ``no_line``: no line was free; ``no_config``: its schedule configuration is not there.
    """

    reason: str
    no_line: bool = False
    no_config: bool = False


@frozen
class Suspended:
    """Nothing is to be written.  Either this daemon stops, and the number, between two calls, stays
    in flight for the next one; or another daemon has the number by now."""


@frozen
class Waits:
    """The number may not be called before ``until`` (unix seconds): it waits in Redis till then.

    It was not called at this try; ``text`` says why, for people.
    """

    until: float
    reason: WaitReason
    text: str


Verdict = Finished | NotDialed | Suspended | Waits
CallResult = Ended | Held | NeverLeft | Verdict
