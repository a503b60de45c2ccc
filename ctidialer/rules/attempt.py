"""The life of one call, as a state machine (docs/freeswitch.rst, "How an originate ends").

An attempt is sent, may be answered, and ends.  FreeSWITCH reports it twice over: by the events of
the channel and by the result of the background job, in either order and sometimes only one of the
two.  What decides:

* answered is what CHANNEL_ANSWER says (or the answer time in CHANNEL_HANGUP_COMPLETE, should the
  event itself be lost), never the job's ``+OK``, which early media gives too;
* the hang-up event ends the attempt, for it alone has the SIP status;
* a job that failed ends it as well, but only when the hang-up event had time to come: the job may
  precede it.  A few failures never make a channel (no gateway, no endpoint): they end at once.

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
"""Seconds by which the event of an answer can be late, on a busy machine."""

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


# Structs, for every call makes them and replaces some of them several times, which is ten times as
# quick as with attrs; what refers to nothing but plain values need not be looked at by the garbage
# collector.
class HangUp(Struct, frozen=True, gc=False):
    """What CHANNEL_HANGUP_COMPLETE says; times are unix seconds, None = it did not happen.

    ``said`` are the channel variables that somebody asked for, as far as they are set.
    """

    at: float
    cause: str | None
    sip_code: int | None = None
    progress_at: float | None = None
    answered_at: float | None = None
    bridged_at: float | None = None
    said: Mapping[str, str] = {}


class Attempt(Struct, frozen=True, gc=False):
    """One attempt to reach a number, as far as it has got.

    ``had_channel`` is whether any event of the channel was seen, or may have been missed; ``lost``
    is whether the attempt ended because nothing more can be learnt about it.
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
    # The job may have failed before (answered and gone at once): when it ended, the hang-up says.
    return replace(attempt, phase=Phase.ANSWERED, answered_at=at, ended_at=None, had_channel=True)


def hung_up(attempt: Attempt, hang_up: HangUp) -> Attempt:
    """CHANNEL_HANGUP_COMPLETE came."""
    if attempt.ended:
        return attempt
    return replace(
        attempt,
        phase=Phase.ENDED,
        had_channel=True,
        progress_at=hang_up.progress_at,
        answered_at=_answered_at(attempt, hang_up),
        ended_at=hang_up.at,
        cause=hang_up.cause or attempt.cause,
        sip_code=hang_up.sip_code,
        bridged_at=hang_up.bridged_at,
        said=hang_up.said,
    )


def _answered_at(attempt: Attempt, hang_up: HangUp) -> float | None:
    """Return when the call was answered, as FreeSWITCH stamped it: the event may have been late.

    A stamp that is further off is of a clock that was set: then when it was heard counts.
    """
    heard, stamped = attempt.answered_at, hang_up.answered_at
    if heard is None or stamped is None:
        return stamped if heard is None else heard
    return stamped if abs(heard - stamped) <= MAX_LATE else heard


def job_succeeded(attempt: Attempt, uuid: str) -> Attempt:
    """The job said ``+OK``: the call exists, under ``uuid``, which is not always the one asked for.

    (An origination_uuid that is in use gives another one on null and loopback.)  A text that is
    not one word is no UUID, and changes nothing.
    """
    is_one = uuid.split() == [uuid]
    return replace(attempt, uuid=uuid) if is_one and not attempt.ended else attempt


def job_failed(attempt: Attempt, text: str, at: float) -> Attempt:
    """The job said ``-ERR``; ``text`` is what followed, a cause as a rule."""
    if attempt.phase is not Phase.SENT:
        return attempt
    cause = _cause(text)
    if cause is None or cause in NO_CHANNEL:
        return replace(attempt, phase=Phase.ENDED, cause=cause, ended_at=at)
    return replace(attempt, phase=Phase.LINGERING, cause=cause, ended_at=at)


def lingered(attempt: Attempt) -> Attempt:
    """The hang-up event of a failed job had its time."""
    return replace(attempt, phase=Phase.ENDED) if attempt.phase is Phase.LINGERING else attempt


def unheard(attempt: Attempt) -> Attempt:
    """The connection for events broke: a hang-up of this call may not have been heard.

    So it can no longer be said that there was no channel, which would let the number be dialed
    again as if FreeSWITCH had refused the call.
    """
    lingers = attempt.phase is Phase.LINGERING
    return replace(attempt, had_channel=True) if lingers else attempt


def gone(attempt: Attempt, at: float) -> Attempt:
    """FreeSWITCH no longer knows the call, and its hang-up was not reported."""
    if attempt.ended:
        return attempt
    return replace(attempt, phase=Phase.ENDED, ended_at=at, lost=True)


def never_left(attempt: Attempt) -> str | None:
    """Return FreeSWITCH's word where it made no channel for the call; None = it made one.

    Then nobody was called: it is no verdict on the number.
    """
    is_so = attempt.ended and not attempt.had_channel and not attempt.lost
    return attempt.cause if is_so and attempt.cause in NO_CHANNEL else None


def is_refusal(attempt: Attempt) -> bool:
    """Whether FreeSWITCH itself turned the call away: too many sessions, rate, paused.

    Then there is only the job's DESTINATION_OUT_OF_ORDER and never an event of a channel.
    """
    return (
        attempt.ended
        and not attempt.had_channel
        and not attempt.lost
        and attempt.cause == "DESTINATION_OUT_OF_ORDER"
    )


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
    """Return the cause that a job's ``-ERR`` text names, None where it is a message (-USAGE)."""
    first = text.split(None, 1)[0] if text.strip() else ""
    return first if re.fullmatch(r"[A-Z][A-Z0-9_]+", first) else None
