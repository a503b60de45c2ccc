"""What the channel events say, as values of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ctidialer.contract.after_call import AfterCall
from ctidialer.contract.call_event import EventKind
from ctidialer.esl.events import Event
from ctidialer.esl.subscription import More
from ctidialer.rules.after_call import QUEUE_AGENT, cut
from ctidialer.rules.attempt import HangUp

ANSWER = "CHANNEL_ANSWER"
BRIDGE = "CHANNEL_BRIDGE"
PROGRESS, PROGRESS_MEDIA = "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA"
HANG_UP = "CHANNEL_HANGUP_COMPLETE"
SUBSCRIBED = (ANSWER, HANG_UP)
"""Two events a call are enough: the hang-up has the times of all that came before.  Every further
event costs FreeSWITCH time: with eight, it can place a fifth fewer calls (docs/freeswitch.rst)."""

AGENT_STARTS = "bridge-agent-start"
TELLING = (
    More(PROGRESS),
    More(PROGRESS_MEDIA),
    More(BRIDGE, filter=("Event-Name", BRIDGE)),
    More("CUSTOM", "callcenter::info", filter=("CC-Action", AGENT_STARTS)),
)
"""The events that are subscribed to besides, while somebody reads the stream of events.

Two channels that are connected have one bridge event between them.  It may be that of the other
channel, which has no mark of ours: so the bridge events of all calls are heard.  mod_callcenter
writes ``cc_agent`` into the callee's channel only at the end; an event just before the bridge says
which agent it is (docs/freeswitch.rst).
"""

HAPPENINGS = {
    PROGRESS: EventKind.RINGING,
    PROGRESS_MEDIA: EventKind.RINGING,
    ANSWER: EventKind.ANSWERED,
    BRIDGE: EventKind.BRIDGED,
}

_STATUS = re.compile("[1-6][0-9]{2}")
_STAMP = re.compile("[0-9]{1,17}")
_SIP_STATUS = ("sip_term_status", "sip_invite_failure_status")


def sent_at(event: Event) -> float | None:
    """Return when FreeSWITCH made an event: unix seconds of its clock, None = it does not say."""
    return _seconds(event, "Event-Date-Timestamp")


def hang_up(event: Event, now: float, wanted: Sequence[str] = ()) -> HangUp:
    """Return what a CHANNEL_HANGUP_COMPLETE says, its times moved onto our clock.

    ``now``: when it happened.  FreeSWITCH's clock may differ from ours: only the time between its
    stamps is used.
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


def said(event: Event, wanted: AfterCall, uuid: str) -> dict[str, str]:
    """Return the wanted variables of the channel ``uuid`` that are set by now; of a bridge also
    the agent who talks to the callee.

    A bridge may be told as an event of the other channel: then its variables are not the callee's.
    """
    if event.name != BRIDGE:
        return _said(event, wanted.names)
    agent = (QUEUE_AGENT, wanted.agent_variable) if wanted.agent_variable else (QUEUE_AGENT,)
    is_own = bool(wanted.names) and event.get("Unique-ID") == uuid
    return _said(event, (*agent, *wanted.names) if is_own else agent)


def legs(event: Event) -> Iterator[str]:
    """Yield the UUIDs of the channels that an event tells of; a bridge has two."""
    if event.name == "CUSTOM":  # its channel, if it has one, is the agent's
        yield event.get("CC-Member-Session-UUID", "")
    yield event.get("Unique-ID", "")
    if event.name == BRIDGE:
        yield event.get("Bridge-A-Unique-ID", "")
        yield event.get("Bridge-B-Unique-ID", "")


def agent_to_come(event: Event) -> str | None:
    """Return the agent whom mod_callcenter is about to connect; None = it says nothing of it."""
    return event.get("CC-Agent") if event.get("CC-Action") == AGENT_STARTS else None


def _said(event: Event, wanted: Sequence[str]) -> dict[str, str]:
    """Return those of these channel variables that are set."""
    if not wanted:
        return {}
    found = [(name, event.variable(name)) for name in wanted]
    return {name: cut(value) for name, value in found if value}


def sip_code(event: Event) -> int | None:
    """Return the final SIP status of a call, None where there was none (no SIP, or cut short)."""
    for name in _SIP_STATUS:
        text = event.variable(name) or ""
        # An entry in a queue can set these variables to anything.
        if _STATUS.fullmatch(text):
            return int(text)
    return None


def _seconds(event: Event, header: str) -> float | None:
    """Return one of FreeSWITCH's microsecond stamps as unix seconds; 0 means it did not happen."""
    text = event.get(header, "")
    stamp = int(text) if _STAMP.fullmatch(text) else 0
    return stamp / 1e6 if stamp else None
