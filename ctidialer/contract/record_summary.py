"""Of the JSON of a record only what sums over many records need: read in a few microseconds."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ctidialer.contract.record import Durations, Kind, Outcome

_LAST_MOMENT = 32_503_680_000  # the year 3000: what is beyond has no date

SummaryMoment = Annotated[float, msgspec.Meta(ge=0, lt=_LAST_MOMENT)]
Word = Annotated[str, msgspec.Meta(max_length=40)]


class AttemptSummary(Durations, msgspec.Struct, frozen=True, gc=False):
    """The moments of one attempt, unix seconds."""

    dialed_at: SummaryMoment
    progress_at: SummaryMoment | None = None
    answered_at: SummaryMoment | None = None
    ended_at: SummaryMoment | None = None
    bridged_at: SummaryMoment | None = None


class RecordSummary(msgspec.Struct, frozen=True, gc=False):
    """What a record says of its number.

    ``outcome`` is a text: a later version may write one that is not known here.  ``answered``:
    somebody, or a machine, picked up.  ``is_final``: no further try of the number follows;
    ``abandoned``: no agent was there in time; ``try_number`` counts its tries from 1.
    """

    kind: Kind
    outcome: Word
    ended_at: SummaryMoment
    task: str | None = None
    config: str | None = None
    answered: bool = False
    attempts: tuple[AttemptSummary, ...] = ()
    abandoned: bool = False
    try_number: int = msgspec.field(default=1, name="try")
    is_final: bool = msgspec.field(default=True, name="final")

    @property
    def was_dialed(self) -> bool:
        """Whether the number was called at all: a later try comes after a call."""
        return bool(self.attempts) or self.try_number > 1

    @property
    def is_live(self) -> bool:
        """Whether a person answered who got an agent, or waited for one in vain."""
        connected = bool(self.attempts) and self.attempts[-1].bridged_at is not None
        return self.abandoned or (connected and self.outcome == Outcome.ANSWERED.value)

    @property
    def name(self) -> str:
        """The task, or the schedule configuration; empty = it has none."""
        return (self.task if self.kind is Kind.QUEUE else self.config) or ""


_DECODER = msgspec.json.Decoder(RecordSummary)


def summary_of(raw: bytes) -> RecordSummary | None:
    """Return what stands in the JSON of a record, None = it is none."""
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
