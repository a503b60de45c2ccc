"""Builds the commands of the Event Socket as bytes.  Pure.

A command ends with an empty line, so a line break in an argument would let its author run a second
command.  Whatever becomes part of a command is checked here: CR, LF or NUL raises `UnsafeCommand`
and nothing reaches the wire.  Lines after the first (``Job-UUID``) have arguments of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NoReturn

from ctidialer.esl.errors import UnsafeCommand

MAX_COMMAND_BYTES = 10_000_000
"""Bytes; FreeSWITCH cuts a longer command and would read its rest as another one."""


MAX_JOB_ID_LENGTH = 255
"""Bytes; ``api bgapi`` copies a longer one past the end of its buffer, and FreeSWITCH dies."""


def api(command: str) -> bytes:
    """Run an API command and wait for it: ``api status``."""
    return _command("api", _worded(command))


def bgapi(command: str, job_id: str | None = None) -> bytes:
    """Run an API command in the background.

    ``job_id`` is the Job-UUID by which the BACKGROUND_JOB event will name it; None = FreeSWITCH
    chooses one and says so in its reply.
    """
    if job_id is None:
        return _command("bgapi", _worded(command))
    job, line = _line(_worded(job_id)), _line(_worded(command))
    return _bounded(b"bgapi %b\nJob-UUID: %b\n\n" % (line, job))


def api_bgapi(command: str, job_id: str) -> bytes:
    """Run a background job through the API of that name, which costs FreeSWITCH a tenth as much.

    The answer is an ``api/response``, ``+OK Job-UUID: <job_id>`` (recording 98).  A ``job_id``
    longer than `MAX_JOB_ID_LENGTH` is refused here.
    """
    if len(job_id.encode("utf-8", "replace")) > MAX_JOB_ID_LENGTH:
        raise UnsafeCommand(
            f"A Job-UUID of more than {MAX_JOB_ID_LENGTH} bytes would end FreeSWITCH"
        )
    return _command("api", "bgapi", f"uuid:{_one_word(job_id)}", _worded(command))


def event(events: str | Iterable[str], form: str = "plain") -> bytes:
    """Subscribe to events: names of events, then ``CUSTOM`` and names of subclasses.

    The last ``form`` asked for (``plain``, ``json``) holds for all events of the connection.
    """
    return _command("event", _one_word(form), _listed(events))


def nixevent(events: str | Iterable[str]) -> bytes:
    """Take back subscriptions."""
    return _command("nixevent", _listed(events))


def noevents() -> bytes:
    """Take back every subscription."""
    return _command("noevents")


def filter(header: str, value: str | None = None) -> bytes:
    """Receive only events in which a header has this value; several filters are ORed.

    ``filter("Event-Name", "BACKGROUND_JOB")``, or both in one text.  A value that starts with
    ``- `` is a veto: events in which it matches do not come.
    """
    return _command("filter", *_header_and_value(header, value))


def filter_delete(header: str, value: str | None = None) -> bytes:
    """Take back a filter, all filters of a header, or with the header ``all`` every one."""
    if value is None:
        return _command("filter delete", _worded(header))
    return _command("filter delete", _one_word(header), _worded(value))


def auth(password: str) -> bytes:
    """Authenticate with the password of event_socket.conf.xml."""
    return _command("auth", password, secret=True)


def userauth(user: str, password: str) -> bytes:
    """Authenticate as a user of the directory, ``name@domain``."""
    if ":" in user or " " in user:
        raise UnsafeCommand("The user name for userauth holds a colon or a space")
    return _command("userauth", f"{user}:{password}", secret=True)


def myevents(uuid: str, form: str = "plain") -> bytes:
    """Receive the events of one call."""
    return _command("myevents", _one_word(uuid), _one_word(form))


def divert_events(on: bool = True) -> bytes:
    """Receive the events that a call's own script would."""
    return _command("divert_events", "on" if on else "off")


def linger(seconds: int | None = None) -> bytes:
    """Keep the connection for a while after its call has ended."""
    return _command("linger", *_number(seconds))


def nolinger() -> bytes:
    """Take `linger` back."""
    return _command("nolinger")


def log(level: int | str | None = None) -> bytes:
    """Receive FreeSWITCH's log up to a level: 0 (console) to 7 (debug), or the level's name."""
    return _command("log", *_number(level))


def nolog() -> bytes:
    """Receive no log any more."""
    return _command("nolog")


def exit() -> bytes:
    """Ask FreeSWITCH to close this connection."""
    return _command("exit")


def sendevent(name: str, headers: Mapping[str, str] | None = None, body: str = "") -> bytes:
    """Put an event into FreeSWITCH; only the ``body`` may hold line breaks."""
    return _command("sendevent", _one_word(name), headers=headers or {}, body=body)


def sendmsg(uuid: str, headers: Mapping[str, str], body: str = "") -> bytes:
    """Send a message (``call-command: execute`` …) to a call; ``body`` may hold line breaks."""
    return _command("sendmsg", _one_word(uuid), headers=headers, body=body)


def execute(uuid: str, application: str, argument: str = "", *, lock: bool = False) -> bytes:
    """Run a dialplan application on a call; with ``lock`` after the one that runs now."""
    headers = {"call-command": "execute", "execute-app-name": _worded(application)}
    if argument:
        headers["execute-app-arg"] = argument
    if lock:
        headers["event-lock"] = "true"
    return sendmsg(uuid, headers)


def verb(command: bytes) -> str:
    """Return the command's first word, which is all of it that is fit for a log."""
    return command[:32].split(maxsplit=1)[0].decode().lower()


def _command(
    *words: str, headers: Mapping[str, str] | None = None, body: str = "", secret: bool = False
) -> bytes:
    if not headers and not body:
        return _bounded(_line(" ".join(words), secret) + b"\n\n")
    lines = [" ".join(words)]
    lines += [f"{_header_name(name)}: {value}" for name, value in (headers or {}).items()]
    payload = _encoded(body, secret)
    if "\0" in body:
        raise UnsafeCommand("The body of a command holds a NUL, where FreeSWITCH would cut it")
    if payload:
        lines.append(f"Content-Length: {len(payload)}")
    return _bounded(b"\n".join([_line(line, secret) for line in lines]) + b"\n\n" + payload)


def _line(line: str, secret: bool = False) -> bytes:
    # Three searches for one character take a tenth of the time of one regular expression.
    if "\n" in line or "\r" in line or "\0" in line:
        _refuse_line_break(line, secret)
    return _encoded(line, secret)


def _refuse_line_break(line: str, secret: bool) -> NoReturn:
    at = min(line.find(mark) for mark in "\n\r\0" if mark in line)
    where = "" if secret else f" at character {at}"
    raise UnsafeCommand(f"A command must be one line: it holds {line[at]!r}{where}")


def _encoded(text: str, secret: bool) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        where = "" if secret else f" at {error.start}"
        raise UnsafeCommand(f"A command holds a character without UTF-8 form{where}") from None


def _bounded(command: bytes) -> bytes:
    if len(command) > MAX_COMMAND_BYTES:
        raise UnsafeCommand(
            f"A command of {len(command):,} bytes: FreeSWITCH reads {MAX_COMMAND_BYTES:,} at most"
        )
    return command


def _worded(text: str) -> str:
    """Return a text without blanks around it; raises UnsafeCommand if nothing is left."""
    stripped = text.strip(" ")
    if not stripped:
        raise UnsafeCommand("A part of a command is empty")
    return stripped


def _one_word(text: str) -> str:
    if " " in _worded(text):
        raise UnsafeCommand(f"A space in what must be one word of a command: {text[:40]!r}")
    return text


def _listed(words: str | Iterable[str]) -> str:
    return _worded(words if isinstance(words, str) else " ".join(words))


def _header_and_value(header: str, value: str | None) -> tuple[str, str]:
    if value is None:
        header, _, value = _worded(header).partition(" ")
    return _one_word(header), _worded(value)


def _header_name(name: str) -> str:
    if ":" in name:
        raise UnsafeCommand(f"A colon in the name of a header: {name[:40]!r}")
    return _worded(name)


def _number(value: int | str | None) -> tuple[str, ...]:
    return () if value is None else (_one_word(str(value)),)
