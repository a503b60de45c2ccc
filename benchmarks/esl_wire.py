"""What FreeSWITCH puts on the wire for one call, made from recordings of a real one."""

from __future__ import annotations

import re

from tests.esl.recordings import load

ROUTED_SOFIA_CALL = "12_sofia_ok_answer50ms_bye200ms"

HEADERS = 207
FIELDS = (
    "Unique-ID",
    "Event-Date-Timestamp",
    "Hangup-Cause",
    "variable_sip_term_status",
    "variable_cti_dial_number",
)
"""What a dialer wants to know of a call that has ended; all of them are in every event here."""

_OURS = [
    b"variable_cti_task: spring\n",
    b"variable_cti_dial_number: 13800138000\n",
    b"variable_cti_line: gw1\n",
    b"variable_cti_host: bench\n",
]


def recorded_event(name: str) -> list[bytes]:
    """Return the header lines of the first event of that name in the recorded SIP call."""
    received = load(ROUTED_SOFIA_CALL).received
    start = received.index(b"Event-Name: " + name.encode() + b"\n")
    block = received[start:].partition(b"\n\n")[0]
    return [line + b"\n" for line in block.split(b"\n")]


def hang_up_lines() -> list[bytes]:
    """Return a CHANNEL_HANGUP_COMPLETE of exactly `HEADERS` headers, ours among them."""
    return _with_ours(recorded_event("CHANNEL_HANGUP_COMPLETE"))[:HEADERS]


def answer_lines() -> list[bytes]:
    """Return a CHANNEL_ANSWER as the same call has it."""
    return _with_ours(recorded_event("CHANNEL_ANSWER"))


def _with_ours(lines: list[bytes]) -> list[bytes]:
    """Put our variables where those of an originate stand."""
    at = next(at for at, line in enumerate(lines) if line.startswith(b"variable_origination_uuid"))
    return [*lines[:at], *_OURS, *lines[at:]]


class EventTemplate:
    """An event's lines, into which the UUID of each call is written."""

    def __init__(self, lines: list[bytes]) -> None:
        text = b"".join(lines)
        uuid = re.search(rb"^Unique-ID: (.*)$", text, re.MULTILINE)
        assert uuid is not None
        self._pieces = text.split(uuid[1])

    def frame(self, uuid: bytes) -> bytes:
        """Return one whole frame."""
        return event_frame(uuid.join(self._pieces) + b"\n")


def event_frame(payload: bytes) -> bytes:
    """Return an event as FreeSWITCH frames it."""
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(payload), payload)


def job_frame(job: bytes, command: bytes, result: bytes) -> bytes:
    """Return the BACKGROUND_JOB of an originate (recording 98)."""
    common = recorded_event("CHANNEL_ANSWER")[1:13]
    lines = [
        b"Event-Name: BACKGROUND_JOB\n",
        *common,
        b"Job-UUID: %b\nJob-Command: originate\nJob-Command-Arg: %b\n" % (job, command),
        b"Content-Length: %d\n" % len(result),
    ]
    return event_frame(b"".join(lines) + b"\n" + result)
