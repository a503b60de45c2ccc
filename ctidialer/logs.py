"""How the log is written: one event a line, as text or as JSON, and never with a secret in it."""

from __future__ import annotations

import json
import os
import select
import stat
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from select import PIPE_BUF
from string import Formatter
from urllib.parse import quote, quote_plus

import msgspec
from attrs import field, frozen
from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
)
from twisted.python.failure import Failure
from twisted.python.reflect import safe_str
from zope.interface import implementer

HIDDEN = "***"
MIN_HIDDEN_LENGTH = 4
"""Shorter secrets are not looked for: hiding each "a" would give away the secret, not keep it."""

OWN_KEYS = ("time", "level", "namespace", "message", "traceback")
"""The keys of every line; a field of the same name gets an underscore behind it."""

LEGACY_KEYS = frozenset({"message", "time", "system", "isError", "format", "why", "failure"})
"""What twisted.python.log adds to an event; none of it is a field."""

MAX_INTEGER = 1 << 63
"""Greater ones are written as text: few readers of JSON take them for what they are."""

UNPRINTABLE = {
    code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)
}
"""Written with escapes in text, so that nobody's data can begin a line of its own."""

MAX_PENDING_BYTES = 1 << 20
"""Bytes of the log that are kept while nobody reads it."""

Write = Callable[[str, str], None]
"""Takes the line, without its end, and the name of its level."""


@frozen
class Redactor:
    """Replaces the secrets it knows in any text, in whichever way they are written."""

    _forms: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, secrets: Iterable[str]) -> Redactor:
        """Return a redactor of ``secrets``; those of less than four characters are left out."""
        forms = {
            form
            for secret in secrets
            if len(secret) >= MIN_HIDDEN_LENGTH
            for form in _written_forms(secret)
        }
        # The longest first: a secret may be a part of another one.
        return cls(tuple(sorted(forms, key=lambda form: (-len(form), form))))

    def __call__(self, text: str) -> str:
        """Return ``text`` without any secret."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text


def _written_forms(secret: str) -> tuple[str, ...]:
    """Return a secret as it stands in a text, a URL, a repr and JSON."""
    return (
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret)[1:-1],
        repr(secret.encode())[2:-1],
        json.dumps(secret)[1:-1],
    )


def json_line(event: LogEvent, redact: Redactor) -> str:
    """Return an event as one JSON object: the keys of OWN_KEYS, then the event's own fields."""
    traceback = _traceback(event)
    document: dict[str, object] = {
        "time": _time(event),
        "level": _level(event),
        "namespace": str(event.get("log_namespace", "")),
        "message": redact(_message(event)),
    }
    for name, value in _fields(event).items():
        document[f"{name}_" if name in OWN_KEYS else name] = _plain(value, redact)
    if traceback:
        document["traceback"] = redact(traceback)
    return msgspec.json.encode(document).decode()


def text_line(event: LogEvent, redact: Redactor) -> str:
    """Return an event as text: time, level, message, fields that the message does not name.

    A traceback follows on lines of its own, indented.
    """
    said = _named_in(str(event.get("log_format", "")))
    more = [
        f"{name}={_quoted(_plain(value, redact))}"
        for name, value in _fields(event).items()
        if name not in said
    ]
    message = redact(_message(event)).translate(UNPRINTABLE)
    first = f"{_time(event)} [{_level(event)}] {'  '.join((message, *more[:1]))}"
    traceback = redact(_traceback(event)).splitlines()
    below = ["    " + line.translate(UNPRINTABLE) for line in traceback]
    return "\n".join([" ".join([first, *more[1:]]), *below])


LINES: Mapping[str, Callable[[LogEvent, Redactor], str]] = {"text": text_line, "json": json_line}
"""The formats, by their name in the settings."""


@implementer(ILogObserver)
@frozen
class LineObserver:
    """Writes every event as a line; one that cannot be written is no reason to stop."""

    _line: Callable[[LogEvent, Redactor], str]
    _redact: Redactor
    _write: Write

    def __call__(self, event: LogEvent) -> None:
        """Take one event; part of ILogObserver."""
        self._write(self._line(event, self._redact), _level(event))


def line_observer(form: str, level: str, secrets: Iterable[str], write: Write) -> ILogObserver:
    """Return an observer that writes events of ``level`` or worse in the format named ``form``."""
    least = LogLevelFilterPredicate(LogLevel.lookupByName(level))
    observer = LineObserver(LINES[form], Redactor.of(secrets), write)
    filtered: ILogObserver = FilteringLogObserver(observer, [least])
    return filtered


class LogFile:
    """A file or a pipe at whose end lines are written.

    It is opened for appending: a file that was moved away is followed until :meth:`reopen`, one
    that was emptied (``copytruncate``) goes on from its beginning.

    Writing never waits: while the reader of a pipe stands still, up to ``MAX_PENDING_BYTES`` are
    kept, and lines beyond are lost and counted.  What is kept is written by the next :meth:`write`
    or :meth:`flush` that finds room.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        """Open ``path``; None is the standard output, whatever has become of ``sys.stdout``."""
        # twistd changes its working directory later.
        self._path = None if path is None else os.path.abspath(path)
        self._descriptor = 1 if self._path is None else _opened(self._path)
        self._pending = bytearray()
        self._lost = 0
        self._is_pipe = _is_pipe(self._descriptor)

    @property
    def is_behind(self) -> bool:
        """Whether lines are kept that could not be written yet."""
        return bool(self._pending)

    def write(self, line: str, level: str) -> None:
        """Write one line, now or when there is room; it is lost where there is none for long."""
        del level
        written = f"{line}\n".encode("utf-8", "backslashreplace")
        if len(self._pending) + len(written) > MAX_PENDING_BYTES and self._pending:
            self._lost += 1
        else:
            self._pending += written
        self.flush()

    def flush(self, within: float = 0.0) -> None:
        """Write what is kept, as far as there is room, or comes to be ``within`` so many seconds.

        Where nothing can be written at all (the disk is full, the reader has gone), it is lost.
        """
        try:
            while self._pending and self._has_room(within):
                # A pipe that has room has it for so many bytes at least.
                piece = self._pending[:PIPE_BUF] if self._is_pipe else self._pending
                del self._pending[: os.write(self._descriptor, piece)]
        except OSError:
            self._lost += self._pending.count(b"\n")
            self._pending.clear()

    def take_lost(self) -> int:
        """Return how many lines were lost since this was asked last; 0 as long as it is behind."""
        if self._pending:
            return 0
        lost, self._lost = self._lost, 0
        return lost

    def _has_room(self, within: float) -> bool:
        if not self._is_pipe:
            return True
        room = select.poll()
        room.register(self._descriptor, select.POLLOUT)
        return bool(room.poll(within * 1000))

    def reopen(self, *_: object) -> None:
        """Go on in the file that now has the name; may be a signal handler.

        Where it cannot be opened, the old one is written to as before, and says so.
        """
        if self._path is None:
            return
        try:
            opened = _opened(self._path)
        except OSError as error:
            self.write(f"{self._path} cannot be opened anew: {error.strerror}", "error")
            return
        os.dup2(opened, self._descriptor, inheritable=False)
        os.close(opened)
        self._is_pipe = _is_pipe(self._descriptor)


def to_syslog(line: str, level: str) -> None:
    """Write one line to the system's log."""
    import syslog  # it is missing on some systems, and seldom wanted

    priorities = {
        "debug": syslog.LOG_DEBUG,
        "info": syslog.LOG_INFO,
        "warn": syslog.LOG_WARNING,
        "error": syslog.LOG_ERR,
        "critical": syslog.LOG_CRIT,
    }
    for part in line.splitlines():
        syslog.syslog(priorities.get(level, syslog.LOG_INFO), part)


def _is_pipe(descriptor: int) -> bool:
    """Say whether a write may have to wait for a reader: a pipe, a socket, a terminal."""
    try:
        return not stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _opened(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _time(event: LogEvent) -> str:
    moment = datetime.fromtimestamp(float(event.get("log_time") or 0.0), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _level(event: LogEvent) -> str:
    level = event.get("log_level")
    return "info" if level is None else str(level.name)


def _message(event: LogEvent) -> str:
    message = _encodable(formatEvent(event))
    # An event of the old kind repeats its traceback in the text.
    return message.partition("\nTraceback ")[0] if _failure(event) else message


def _traceback(event: LogEvent) -> str:
    failure = _failure(event)
    return _encodable(failure.getTraceback()) if failure else ""


def _failure(event: LogEvent) -> Failure | None:
    failure = event.get("log_failure") or (event.get("isError") and event.get("failure"))
    return failure if isinstance(failure, Failure) else None


def _fields(event: LogEvent) -> dict[str, object]:
    """Return what the caller gave beside the format."""
    return {
        name: value
        for name, value in event.items()
        if not name.startswith(("log_", "_")) and not (name in LEGACY_KEYS and "system" in event)
    }


def _plain(value: object, redact: Redactor) -> bool | int | float | str | None:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < MAX_INTEGER:
        return value
    return redact(_encodable(value if isinstance(value, str) else safe_str(value)))


def _quoted(value: bool | int | float | str | None) -> str:
    """Return a value that ends where the next space is, in quotes if it must be."""
    text = str(value)
    is_plain = text.isprintable() and text and not any(c in text for c in ' "=')
    return text if is_plain else json.dumps(text, ensure_ascii=False).translate(UNPRINTABLE)


def _encodable(text: str) -> str:
    """Return text that UTF-8 can hold: half a surrogate pair is written with an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


@lru_cache(maxsize=1024)
def _named_in(log_format: str) -> frozenset[str]:
    """Return the fields that a format shows by themselves."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(log_format) if name]
    except ValueError:
        return frozenset()
    return frozenset(names)
