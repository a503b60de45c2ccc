"""The record of one number: how it ended, and every attempt on the way."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from msgspec import Struct


class Kind(enum.Enum):
    """Where the number came from."""

    QUEUE = "queue"
    SCHEDULE = "schedule"


class Outcome(enum.Enum):
    """How a number ended (the table of docs/redis-contract.rst)."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNALLOCATED = "unallocated"
    FAILED = "failed"
    NO_LINE = "no_line"
    EXPIRED = "expired"
    INVALID = "invalid"
    CANCELED = "canceled"
    DNC = "dnc"
    CAPPED = "capped"
    CLOSED = "closed"
    MACHINE = "machine"
    UNKNOWN = "unknown"


class Durations:
    """What the moments of an attempt tell of how long things took, in seconds; None = not told."""

    __slots__ = ()

    dialed_at: float
    progress_at: float | None
    answered_at: float | None
    ended_at: float | None
    bridged_at: float | None

    @property
    def ring_seconds(self) -> float | None:
        """From the first sign of the callee (else the originate) to the answer or the end."""
        end = self.ended_at if self.answered_at is None else self.answered_at
        begin = self.dialed_at if self.progress_at is None else self.progress_at
        return None if end is None else max(0.0, end - begin)

    @property
    def connect_seconds(self) -> float | None:
        """From the answer to the connection with another leg."""
        if self.answered_at is None or self.bridged_at is None:
            return None
        return max(0.0, self.bridged_at - self.answered_at)

    @property
    def talk_seconds(self) -> float | None:
        """From the connection with another leg to the hang-up."""
        if self.bridged_at is None or self.ended_at is None:
            return None
        return max(0.0, self.ended_at - self.bridged_at)

    @property
    def bill_seconds(self) -> float | None:
        """From the answer to the hang-up."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return max(0.0, self.ended_at - self.answered_at)


# Structs: every call makes them, and attrs takes four times as long for that.
class AttemptRecord(Durations, Struct, frozen=True):
    """One attempt to reach the number; times are unix seconds, UTC, None = it did not happen.

    ``line`` is None where the group's name was dialed by the default dial string.
    ``hangup_cause`` is FreeSWITCH's name, ``sip_code`` the final SIP status.  ``bridged_at``: when
    FreeSWITCH connected it to another leg.  ``said`` are the channel variables at the hang-up that
    somebody asked for; the JSON of a record has them only as its own ``variables``.
    """

    uuid: str
    line: str | None
    line_group: str
    dialed_at: float
    progress_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    hangup_cause: str | None = None
    sip_code: int | None = None
    bridged_at: float | None = None
    said: Mapping[str, str] = {}


class Record(Struct, frozen=True):
    """The one record of one number, as docs/redis-contract.rst lists its fields.

    ``entry`` is the raw entry exactly as taken (bytes; encoding makes it text).  ``task`` is the
    name of the task or, for ``Kind.SCHEDULE``, of the schedule configuration.  ``requested_uuid``
    is the producer's own ``origination_uuid``, if the entry had one.  The fields of the last
    attempt (uuid, cause, line …) are derived from ``attempts`` when the record is encoded.
    ``agent``: who talked to the callee.  ``variables``: what the task asked for of the last call.
    ``abandoned``: a person answered, and no agent was there in time (docs/agents.rst).
    ``entry_length`` (bytes) stands where the entry was too long to be called and ``entry`` is only
    its beginning; ``entry_sha256`` (hex) is that of all of it.

    A number that is called again later (docs/waiting.rst) has one record for each try:
    ``try_number`` counts them from 1, ``is_final`` is true on the last one only, ``next_at`` (unix
    seconds) is when another follows at the earliest.  ``entry_id`` is the id of its first claim,
    which all tries share; empty = this is the record of the first claim.
    """

    id: str
    kind: Kind
    task: str | None
    number: str | None
    entry: bytes
    outcome: Outcome
    taken_at: float
    ended_at: float
    host: str
    attempts: tuple[AttemptRecord, ...] = ()
    requested_uuid: str | None = None
    reason: str = ""
    agent: str | None = None
    variables: Mapping[str, str | float] = {}
    abandoned: bool = False
    entry_length: int | None = None
    entry_sha256: str | None = None
    entry_id: str = ""
    try_number: int = 1
    is_final: bool = True
    next_at: float | None = None

    @property
    def first_id(self) -> str:
        """The id of its first claim: what all tries of a number have in common."""
        return self.entry_id or self.id
