"""The frames that FreeSWITCH sends."""

from __future__ import annotations

from ctidialer.switchsim.encoding import to_bytes
from ctidialer.switchsim.events import Event


def _disconnect_notice(text: bytes) -> bytes:
    return b"Content-Type: text/disconnect-notice\nContent-Length: %d\n\n%b" % (len(text), text)


AUTH_REQUEST = b"Content-Type: auth/request\n\n"
ACCESS_DENIED = (
    b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
)
GOODBYE = _disconnect_notice(
    b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
)
SHUT_DOWN = _disconnect_notice(b"The system is being shut down.\n")


def command_reply(text: str, more: str = "") -> bytes:
    """Give a command's reply; ``more``: further header lines, each with its line end."""
    return to_bytes(f"Content-Type: command/reply\nReply-Text: {text}\n{more}\n")


def api_response(text: str) -> bytes:
    """Give what an API command answered."""
    octets = to_bytes(text) or b"-ERR no reply\n"
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(octets), octets)


def event_frame(event: Event, *, json: bool) -> bytes:
    """Give an event as one listener takes it."""
    payload, kind = (event.json, b"json") if json else (event.plain, b"plain")
    head = b"Content-Length: %d\nContent-Type: text/event-%b\n\n" % (len(payload), kind)
    return head + payload
