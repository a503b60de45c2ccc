"""A number that was taken from its queue, how far it has got, and how that can end."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from attrs import frozen
from msgspec import Struct

from ctidialer.contract.after_call import NOTHING_MORE, AfterCall
from ctidialer.contract.record import AttemptRecord, Kind, Outcome
from ctidialer.contract.task import Destination
from ctidialer.rules import attempt as rules
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.disposition import outcome
from ctidialer.rules.itinerary import Itinerary
from ctidialer.store.in_flight import Claimed


# Structs: every call makes them, and attrs takes four times as long for that.
class NumberInHand(Struct, frozen=True):
    """A number to reach, with all that its task (or schedule configuration) ``name`` says of it.

    ``variables`` are merged already, without those of the line.  ``after_call``: what to read of
    each call when it has ended.
    """

    claim: Claimed
    kind: Kind
    name: str
    number: str
    destination: Destination
    variables: Mapping[str, str] = {}
    requested_uuid: str | None = None
    after_call: AfterCall = NOTHING_MORE


class Progress(Struct, frozen=True):
    """How far a number has got: where in its line groups, and the attempts that failed.

    It is written into the in-flight entry with every attempt, so that the next daemon goes on where
    this one stopped.
    """

    itinerary: Itinerary
    attempts: tuple[AttemptRecord, ...] = ()
    dialed_at: float | None = None
    """When the call noted with this was placed (unix seconds); None = the number rests."""

    def encode(self) -> bytes:
        """Return this as JSON."""
        return _ENCODER.encode(self)

    @classmethod
    def decode(cls, raw: bytes) -> Progress:
        """Read what ``encode`` wrote; raises ValueError."""
        try:
            return _DECODER.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"not the progress of a number: {error}") from error


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Progress)


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


class Finished(Struct, frozen=True):
    """The number is done with: one record says how."""

    outcome: Outcome
    reason: str
    attempts: tuple[AttemptRecord, ...] = ()


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


Verdict = Finished | NotDialed | Suspended
CallResult = Ended | Held | NeverLeft | Verdict


def finished(progress: Progress, reason: str = "", *, lost: bool = False) -> Finished:
    """Close a number by its last attempt; ``lost``: nobody can learn how that one ended."""
    if not progress.attempts:
        return Finished(Outcome.UNKNOWN, reason or LOST)
    last = progress.attempts[-1]
    answered = last.answered_at is not None
    if lost and not answered:
        return Finished(Outcome.UNKNOWN, reason or LOST, progress.attempts)
    how = outcome(answered=answered, cause=last.hangup_cause, sip_code=last.sip_code)
    return Finished(how, reason, progress.attempts)


LOST = "the call may have been placed, and how it ended cannot be learnt"
