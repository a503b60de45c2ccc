"""The life of one call, as a state machine (docs/freeswitch.rst, "How an originate ends").

An attempt is sent, may be answered, and ends.  FreeSWITCH reports this in two ways: by the events
of the channel and by the result of the background job, in either order, and sometimes only one of
them.  The rules:

* CHANNEL_ANSWER makes an attempt answered (or, if that event was lost, the answer time in
  CHANNEL_HANGUP_COMPLETE); the job's ``+OK`` does not: early media gives it too;
* the hang-up event ends the attempt: only it has the SIP status;
* a failed job ends the attempt too, but only after the hang-up event has had time to come, since
  the job may be first.  After some failures there is no channel (no gateway, no endpoint): then it
  ends at once.

::

    SENT --answered--> ANSWERED --hang-up--> ENDED
    SENT --hang-up--> ENDED
    SENT --job failed--> LINGERING --hang-up or time--> ENDED
    LINGERING --answered--> ANSWERED
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from ctidialer.contract.record import AttemptRecord
from ctidialer.rules.routing import CallEnd

LINGER_SECONDS = 1.0
"""Seconds after a failed job in which the hang-up event may still come (20 ms is usual)."""

MAX_LATE = 1.0
"""Seconds by which the event of an answer can be late on a busy machine."""

SEEMS_REFUSED_AFTER = 0.1
"""Seconds after a failed job after which a call without a hang-up event seems to be refused: one a
second late is rare, and many calls may be placed in a second."""

REFUSED = "DESTINATION_OUT_OF_ORDER"

NO_CHANNEL = frozenset(
    {"GATEWAY_DOWN", "INVALID_GATEWAY", "INVALID_PROFILE", "INVALID_URL", "CHAN_NOT_IMPLEMENTED"}
)
"""Job results after which no CHANNEL_HANGUP_COMPLETE ever comes."""


class Phase(enum.Enum):
    """Where an attempt stands."""

    SENT = "sent"
    ANSWERED = "answered"
    LINGERING = "lingering"
    ENDED = "ended"


# Structs: every call makes some and replaces them several times, ten times as quickly as with
# attrs.  gc=False: they refer to plain values only, so the garbage collector need not visit them.
class HangUp(Struct, frozen=True, gc=False):
    """What CHANNEL_HANGUP_COMPLETE says; times are unix seconds, None = it did not happen.

    ``said`` has the wanted channel variables that are set.
    """

    at: float
    cause: str | None
    sip_code: int | None = None
    progress_at: float | None = None
    answered_at: float | None = None
    bridged_at: float | None = None
    said: Mapping[str, str] = {}


class Attempt(Struct, frozen=True, gc=False):
    """One attempt to reach a number, and how far it has got.

    ``had_channel``: an event of its channel was seen, or may have been missed.  ``lost``: the
    attempt counts as ended because nothing more can be learnt about it.
    """

    uuid: str
    line: str | None
    group: str
    dialed_at: float
    phase: Phase = Phase.SENT
    progress_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    cause: str | None = None
    sip_code: int | None = None
    bridged_at: float | None = None
    said: Mapping[str, str] = {}
    had_channel: bool = False
    lost: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to this attempt."""
        return self.phase is Phase.ENDED

    @property
    def was_answered(self) -> bool:
        """Whether the callee answered, whatever came after."""
        return self.answered_at is not None


def answered(attempt: Attempt, at: float) -> Attempt:
    """CHANNEL_ANSWER came."""
    if attempt.ended or attempt.was_answered:
        return attempt
    # The job may have failed before (answered and gone at once); the hang-up says when it ended.
    return replace(
        attempt,
        phase=Phase.ANSWERED,
        answered_at=_dialed(attempt, at),
        ended_at=None,
        had_channel=True,
    )


def bridged(attempt: Attempt, at: float) -> Attempt:
    """CHANNEL_BRIDGE came: the first one counts, whoever the callee is connected with later."""
    if attempt.ended or attempt.bridged_at is not None:
        return attempt
    return replace(attempt, bridged_at=at)


def hung_up(attempt: Attempt, hang_up: HangUp) -> Attempt:
    """CHANNEL_HANGUP_COMPLETE came."""
    if attempt.ended:
        return attempt
    return replace(
        attempt,
        phase=Phase.ENDED,
        had_channel=True,
        progress_at=_dialed(attempt, hang_up.progress_at),
        answered_at=_dialed(attempt, _first(attempt.answered_at, hang_up.answered_at)),
        ended_at=_dialed(attempt, hang_up.at),
        cause=hang_up.cause or attempt.cause,
        sip_code=hang_up.sip_code,
        bridged_at=_dialed(attempt, _first(attempt.bridged_at, hang_up.bridged_at)),
        said=hang_up.said,
    )


def _dialed(attempt: Attempt, moment: float | None) -> float | None:
    """Return a moment, and none that is a little before the call was placed: FreeSWITCH stamps what
    happens with the last tick of its clock.  A long time before it, a clock was set.
    """
    if moment is None or not 0.0 < attempt.dialed_at - moment <= MAX_LATE:
        return moment
    return attempt.dialed_at


def _first(heard: float | None, stamped: float | None) -> float | None:
    """Return when a call was answered or bridged: FreeSWITCH's stamp, since the event may have been
    late.

    If the two differ by more than MAX_LATE, a clock was set, or it was bridged again: then the time
    of the event counts.
    """
    if heard is None or stamped is None:
        return stamped if heard is None else heard
    return stamped if abs(heard - stamped) <= MAX_LATE else heard


def job_succeeded(attempt: Attempt, uuid: str) -> Attempt:
    """The job said ``+OK``: the call exists under ``uuid``.

    That may not be the UUID asked for: null and loopback give another one if it is in use.  A text
    that is not one word is not a UUID and changes nothing.
    """
    is_one = uuid.split() == [uuid]
    return replace(attempt, uuid=uuid) if is_one and not attempt.ended else attempt


def job_failed(attempt: Attempt, text: str, at: float) -> Attempt:
    """The job said ``-ERR``; ``text`` is what followed, usually a cause."""
    if attempt.phase is not Phase.SENT:
        return attempt
    cause = _cause(text)
    if cause is None or cause in NO_CHANNEL:
        return replace(attempt, phase=Phase.ENDED, cause=cause, ended_at=at)
    return replace(attempt, phase=Phase.LINGERING, cause=cause, ended_at=at)


def lingered(attempt: Attempt) -> Attempt:
    """The time in which the hang-up event of a failed job could come is over."""
    return replace(attempt, phase=Phase.ENDED) if attempt.phase is Phase.LINGERING else attempt


def unheard(attempt: Attempt) -> Attempt:
    """The connection for events broke: the hang-up event of this call may have been missed.

    So there may have been a channel.  Without this note the call could count as refused by
    FreeSWITCH, and the number would be dialed again.
    """
    lingers = attempt.phase is Phase.LINGERING
    return replace(attempt, had_channel=True) if lingers else attempt


def gone(attempt: Attempt, at: float) -> Attempt:
    """FreeSWITCH no longer knows the call, and its hang-up was not reported."""
    if attempt.ended:
        return attempt
    return replace(attempt, phase=Phase.ENDED, ended_at=at, lost=True)


def never_left(attempt: Attempt) -> str | None:
    """Return FreeSWITCH's word if it made no channel for the call; None = it made one.

    Without a channel nobody was called, so it is no verdict on the number.
    """
    is_so = attempt.ended and not attempt.had_channel and not attempt.lost
    return attempt.cause if is_so and attempt.cause in NO_CHANNEL else None


def is_refusal(attempt: Attempt) -> bool:
    """Whether FreeSWITCH itself turned the call away: too many sessions, rate, paused.

    Such a call has only the job's DESTINATION_OUT_OF_ORDER, and no event of a channel.
    """
    return (
        attempt.ended and not attempt.had_channel and not attempt.lost and attempt.cause == REFUSED
    )


def seems_refused(attempt: Attempt) -> bool:
    """Whether it will be a refusal unless an event of its channel comes late."""
    lingers = attempt.phase is Phase.LINGERING
    return lingers and not attempt.had_channel and attempt.cause == REFUSED


def call_end(attempt: Attempt) -> CallEnd:
    """Return how an ended attempt ended, for the rules of its line and group."""
    ended_at = attempt.dialed_at if attempt.ended_at is None else attempt.ended_at
    bill = None if attempt.answered_at is None else max(0.0, ended_at - attempt.answered_at)
    return CallEnd(
        answered=attempt.was_answered,
        cause=attempt.cause,
        sip_code=attempt.sip_code,
        duration=max(0.0, ended_at - attempt.dialed_at),
        bill=bill,
    )


def attempt_record(attempt: Attempt) -> AttemptRecord:
    """Return what the number's record says of this attempt."""
    return AttemptRecord(
        uuid=attempt.uuid,
        line=attempt.line,
        line_group=attempt.group,
        dialed_at=attempt.dialed_at,
        progress_at=attempt.progress_at,
        answered_at=attempt.answered_at,
        ended_at=attempt.ended_at,
        hangup_cause=attempt.cause,
        sip_code=attempt.sip_code,
        bridged_at=attempt.bridged_at,
        said=attempt.said,
    )


def _cause(text: str) -> str | None:
    """Return the cause that a job's ``-ERR`` text names; None = it is a message (-USAGE)."""
    first = text.split(None, 1)[0] if text.strip() else ""
    return first if re.fullmatch(r"[A-Z][A-Z0-9_]+", first) else None
