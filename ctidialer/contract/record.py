"""The record of one number: how it ended, and every attempt on the way."""

from __future__ import annotations

import enum

from attrs import frozen


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
    UNKNOWN = "unknown"


@frozen
class AttemptRecord:
    """One attempt to reach the number; times are unix seconds, UTC, None = it did not happen.

    ``line`` is None where the group's name was dialed by the default dial string.
    ``hangup_cause`` is FreeSWITCH's name, ``sip_code`` the final SIP status.
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


@frozen
class Record:
    """The one record of one number, as docs/redis-contract.rst lists its fields.

    ``entry`` is the raw entry exactly as taken (bytes; encoding makes it text).  ``task`` is the
    name of the task or, for ``Kind.SCHEDULE``, of the schedule configuration.  ``requested_uuid``
    is the producer's own ``origination_uuid``, if the entry had one.  The fields of the last
    attempt (uuid, cause, line …) are derived from ``attempts`` when the record is encoded.
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
