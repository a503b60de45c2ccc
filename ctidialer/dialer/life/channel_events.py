"""What the channel events say, as values of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctidialer.esl.events import Event
from ctidialer.rules.after_call import QUEUE_AGENT, cut
from ctidialer.rules.attempt import HangUp

ANSWER = "CHANNEL_ANSWER"
HANG_UP = "CHANNEL_HANGUP_COMPLETE"
SUBSCRIBED = (ANSWER, HANG_UP)
"""Two events a call are enough: the hang-up has the times of all that came before, and every event
more costs FreeSWITCH's own time: with eight, a fifth of the calls that it can place
(docs/freeswitch.rst)."""

_STATUS = re.compile("[1-6][0-9]{2}")
_STAMP = re.compile("[0-9]{1,17}")
_SIP_STATUS = ("variable_sip_term_status", "variable_sip_invite_failure_status")


def hang_up(event: Event, now: float, wanted: Sequence[str] = ()) -> HangUp:
    """Return what a CHANNEL_HANGUP_COMPLETE says, its times moved onto our clock.

    FreeSWITCH's clock need not be ours: only the distances between its stamps are used.
    ``wanted`` are the channel variables to read.
    """
    ended = _seconds(event, "Caller-Channel-Hangup-Time")

    def ours(header: str) -> float | None:
        stamp = _seconds(event, header)
        return None if stamp is None or ended is None else now - (ended - stamp)

    return HangUp(
        at=now,
        cause=event.get("Hangup-Cause") or None,
        sip_code=sip_code(event),
        progress_at=ours("Caller-Channel-Progress-Time")
        or ours("Caller-Channel-Progress-Media-Time"),
        answered_at=ours("Caller-Channel-Answered-Time"),
        bridged_at=(bridged_at := ours("Caller-Channel-Bridged-Time")),
        said=_said(event, wanted if bridged_at is None else (QUEUE_AGENT, *wanted)),
    )


def _said(event: Event, wanted: Sequence[str]) -> dict[str, str]:
    """Return those of these channel variables that are set."""
    found = ((name, event.get(f"variable_{name}")) for name in wanted)
    return {name: cut(value) for name, value in found if value}


def sip_code(event: Event) -> int | None:
    """Return the final SIP status of a call, None where there was none (no SIP, or cut short)."""
    for header in _SIP_STATUS:
        text = event.get(header) or ""
        # A variable that any number's entry can set: it need not be a status at all.
        if _STATUS.fullmatch(text):
            return int(text)
    return None


def _seconds(event: Event, header: str) -> float | None:
    """Return one of FreeSWITCH's microsecond stamps as unix seconds; 0 means it did not happen."""
    text = event.get(header) or ""
    return int(text) / 1e6 if _STAMP.fullmatch(text) and int(text) else None
