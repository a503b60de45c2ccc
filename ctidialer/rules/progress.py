"""How far a number has got, and how it ends by the calls that it had."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ctidialer.contract.record import AttemptRecord, Outcome
from ctidialer.rules import verdict
from ctidialer.rules.itinerary import Itinerary

LOST = "the call may have been placed, and how it ended cannot be learnt"


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


class Finished(Struct, frozen=True):
    """The number is done with: one record says how.

    ``outcome`` is what the network tells; an ``outcome_rule`` has not been asked yet.
    """

    outcome: Outcome
    reason: str
    attempts: tuple[AttemptRecord, ...] = ()


def finished(progress: Progress, reason: str = "", *, lost: bool = False) -> Finished:
    """Close a number by its last attempt; ``lost``: nobody can learn how that one ended."""
    if not progress.attempts:
        return Finished(Outcome.UNKNOWN, reason or LOST)
    how = verdict.by_cause(progress.attempts[-1], lost=lost)
    if how is Outcome.UNKNOWN:
        reason = reason or LOST
    return Finished(how, reason, progress.attempts)
