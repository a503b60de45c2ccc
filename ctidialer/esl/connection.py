"""One Event Socket connection (inbound mode) as a pure state machine: bytes in, values out."""

from __future__ import annotations

import enum
import re
from typing import TypeAlias

from attrs import frozen

from ctidialer.esl.errors import ProtocolFault
from ctidialer.esl.events import Event, TornEvent, plain_event
from ctidialer.esl.framing import FRAME_LIMIT, MAX_HEAD_BYTES, Framer
from ctidialer.esl.json_events import json_event


class SocketState(enum.Enum):
    """How far the connection has come."""

    UNGREETED = "nothing has been received"
    CHALLENGED = "FreeSWITCH waits for the authentication"
    OPEN = "authenticated"
    REFUSED = "the password or the address was refused"
    CLOSING = "FreeSWITCH said good-bye"
    CLOSED = "the stream has ended"
    FAULTY = "what was received cannot be read"


@frozen
class AuthRequest:
    """FreeSWITCH's greeting: it wants a password."""


@frozen
class Accepted:
    """The authentication succeeded; what a `userauth` user may do, None = everything."""

    events: frozenset[str] | None = None
    apis: frozenset[str] | None = None

    def allows_event(self, name: str) -> bool:
        """Say whether the user may subscribe to an event."""
        return self.events is None or bool(self.events & {name, "ALL"})


@frozen
class Refused:
    """The authentication failed; FreeSWITCH closes the connection."""

    reply: str


@frozen
class DeniedNotice:
    """This address is not let in (``text/rude-rejection``); FreeSWITCH closes the connection."""

    reply: str


@frozen
class CommandReply:
    """The reply to a command, ``text`` being its ``Reply-Text``: ``+OK …`` or ``-ERR …``."""

    text: str
    job_id: str | None = None

    @property
    def refused(self) -> bool:
        """Whether FreeSWITCH refused the command."""
        return self.text.startswith("-")


@frozen
class ApiResponse:
    """What an API command printed, exactly."""

    text: str


@frozen
class DisconnectNotice:
    """FreeSWITCH says good-bye; ``torn``: in the middle of an event that is lost."""

    text: str
    torn: bool = False


@frozen
class LogData:
    """A line of FreeSWITCH's log; ``level`` 0 (console) to 7 (debug), None if unreadable."""

    text: str
    level: int | None = None


@frozen
class OtherFrame:
    """A frame of a kind that this client does not know."""

    content_type: str


Received: TypeAlias = (
    Event
    | AuthRequest
    | Accepted
    | Refused
    | DeniedNotice
    | CommandReply
    | ApiResponse
    | DisconnectNotice
    | LogData
    | OtherFrame
)

_OPEN = SocketState.OPEN
_EVENT_PLAIN = b"Content-Type: text/event-plain"
_API_RESPONSE = b"Content-Type: api/response\n"
_COMMAND_REPLY = b"Content-Type: command/reply\n"
_NOTICE = b"Content-Type: text/disconnect-notice"
_REPLY_TEXT = b"\nReply-Text: "
_JOB_ID = b"\nJob-UUID: "
_ALLOWED_EVENTS = b"\nAllowed-Events: "
_ALLOWED_APIS = b"\nAllowed-API: "
_LOG_LEVEL = b"\nLog-Level: "
_TYPE = re.compile(rb"^content-type[ \t]*:([^\n]*)$", re.I | re.M)
_BAD_PASSWORD = "-ERR invalid"
_GOODBYE = "+OK bye"
_FIRST = frozenset({b"auth/request", b"text/rude-rejection", b"text/disconnect-notice"})
_ONLY_OPEN = frozenset({b"api/response", b"text/event-plain", b"text/event-json", b"log/data"})


class Connection:
    """Turns the bytes of one connection, in pieces of any size, into values.

    ``state`` says how far the connection has come.  `receive` and `finish` never raise: if
    FreeSWITCH (or what answers in its place) breaks the protocol, they return everything before
    that, ``fault`` is set, and nothing more is read.
    """

    def __init__(
        self,
        state: SocketState = SocketState.UNGREETED,
        *,
        frame_limit: int = FRAME_LIMIT,
        head_limit: int = MAX_HEAD_BYTES,
    ) -> None:
        self.state = state
        self.fault: ProtocolFault | None = None
        self._over = False
        self._framer = Framer(frame_limit=frame_limit, head_limit=head_limit)

    def receive(self, data: bytes) -> list[Received]:
        """Take bytes; return what is complete now, in order."""
        received: list[Received] = []
        for head, tail in self._framer.feed(data):
            if self._over:
                return received
            try:
                if self.state is _OPEN and head.endswith(_EVENT_PLAIN):  # nearly every one
                    received.append(plain_event(tail))
                else:
                    received.append(self._read(head, tail))
            except TornEvent as torn:
                self._take_torn(torn, received)
            except ProtocolFault as fault:
                self._fail(fault)
        if self._framer.fault is not None and not self._over:
            self._fail(self._framer.fault)
        return received

    def finish(self) -> list[Received]:
        """Take the end of the stream; return the notice inside an unfinished frame, if any."""
        if self._over:
            return []
        self._end(SocketState.CLOSED)
        left = self._framer.finish()
        return (
            [] if left.notice is None else [DisconnectNotice(_text(left.notice).strip(), torn=True)]
        )

    def _fail(self, fault: ProtocolFault) -> None:
        self.fault = fault
        self._end(SocketState.FAULTY)

    def _end(self, state: SocketState) -> None:
        self.state, self._over = state, True

    def _read(self, head: bytes, tail: bytes) -> Received:
        if self.state is _OPEN and _NOTICE not in head:  # replies are known by how they begin
            if head.startswith(_COMMAND_REPLY):
                return self._reply(head)
            if head.startswith(_API_RESPONSE):
                return ApiResponse(_text(tail[1:]))
        kind = _content_type(head)
        self._expect(kind)
        return self._meaning(kind, head, tail)

    def _expect(self, kind: bytes) -> None:
        """Raise `ProtocolFault` for what FreeSWITCH does not send in this state."""
        if self.state is SocketState.UNGREETED and kind not in _FIRST:
            raise ProtocolFault(f"No Event Socket greeting but {_shown(kind)}: is this FreeSWITCH?")
        if self.state is not SocketState.UNGREETED and kind == b"auth/request":
            raise ProtocolFault("A second greeting on one connection")
        if self.state is not SocketState.OPEN and kind in _ONLY_OPEN:
            raise ProtocolFault(f"{_shown(kind)} before the authentication")

    def _meaning(self, kind: bytes, head: bytes, tail: bytes) -> Received:
        match kind:
            case b"command/reply":
                return self._reply(head)
            case b"api/response":
                return ApiResponse(_text(tail[1:]))
            case b"text/event-plain":
                return plain_event(tail)
            case b"text/event-json":
                return json_event(tail[1:])
            case b"log/data":
                return LogData(_text(tail[1:]), _level(_value(_lines(head), _LOG_LEVEL)))
            case b"auth/request":
                self.state = SocketState.CHALLENGED
                return AuthRequest()
            case b"text/rude-rejection":
                self.state = SocketState.REFUSED
                return DeniedNotice(_text(tail[1:]).strip())
            case b"text/disconnect-notice":
                return self._goodbye(_text(tail[1:]), torn=not head.startswith(_NOTICE))
        return OtherFrame(_shown(kind))

    def _take_torn(self, torn: TornEvent, received: list[Received]) -> None:
        if torn.by_notice:
            received.append(self._goodbye("killed listener", torn=True))
        else:
            self._fail(torn)

    def _goodbye(self, text: str, *, torn: bool = False) -> DisconnectNotice:
        self._end(SocketState.CLOSING)
        return DisconnectNotice(text.strip(), torn)

    def _reply(self, head: bytes) -> Received:
        lines = _lines(head)
        text = _text(_value(lines, _REPLY_TEXT) or b"")
        if self.state is SocketState.CHALLENGED:
            return self._login_reply(text, lines)
        job = _value(lines, _JOB_ID)
        return CommandReply(text, None if job is None else _text(job))

    def _login_reply(self, text: str, lines: bytes) -> Received:
        if text.startswith("+OK") and text != _GOODBYE:
            self.state = SocketState.OPEN
            return Accepted(_words(lines, _ALLOWED_EVENTS), _words(lines, _ALLOWED_APIS))
        if text == _BAD_PASSWORD:
            self.state = SocketState.REFUSED
            return Refused(text)
        return CommandReply(text)  # to a command sent before authentication, which is still to come


def _content_type(head: bytes) -> bytes:
    if _NOTICE in head:  # it may stand in the middle of an unfinished header block
        return b"text/disconnect-notice"
    found = _TYPE.search(head)
    if found is not None:
        return found[1].strip(b" \t\r").lower()
    raise ProtocolFault(f"A frame without Content-Type: {_shown(head)}")


def _lines(head: bytes) -> bytes:
    """Return a header block with a newline before and after each of its lines."""
    return b"\n%b\n" % head


def _value(lines: bytes, needle: bytes) -> bytes | None:
    """Return the value of a header of a reply; these are not %-encoded."""
    at = lines.find(needle)
    if at < 0:
        return None
    start = at + len(needle)
    return lines[start : lines.find(b"\n", start)]


def _words(lines: bytes, needle: bytes) -> frozenset[str] | None:
    value = _value(lines, needle)
    return None if value is None else frozenset(_text(value).split())


def _level(value: bytes | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(rb"[0-9]{1,3}", value) else None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _shown(value: bytes) -> str:
    return repr(_text(value[:60]))
