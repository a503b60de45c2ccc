"""Events as FreeSWITCH serialises them, read lazily.  Pure.

In a ``text/event-plain`` body each header is one line, its value %-encoded, so the lines are split
first and a value is decoded only when somebody asks for it: a ``%0A`` that a caller supplied stays
inside its value.  A header is found by searching the bytes for ``\\nName: ``: if five of an event's
200 headers are read, that takes five searches and no dictionary.  Channel variables stand last, and
are searched for from the end: that is not only nearer, for Python compares the first byte then, the
newline, which is rarer than the blank at the other end.

FreeSWITCH does not encode a ``%XX`` that is already there, so in a plain event the values ``a b``
and ``a%20b`` look the same; JSON events are exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import overload
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ctidialer.esl.errors import ProtocolFault

_ARRAY = "ARRAY::"
_ARRAY_SEPARATOR = "|:"
_LENGTH = b"\nContent-Length: "
_BLANK = b"\n\n"
_EVENT_NAME = b"\nEvent-Name: "
_CHANNEL = b"\nEvent-Name: CHANNEL_"
_NOTICE = b"Content-Type: text/disconnect-notice"
_PLAIN_NAME = re.compile(r"[!-~]+")


class TornEvent(ProtocolFault):
    """An event whose frame was filled up with something else.

    ``by_notice``: with the disconnect notice of a killed listener (recording 88).
    """

    def __init__(self, *, by_notice: bool) -> None:
        super().__init__("An event frame does not hold one whole event")
        self.by_notice = by_notice


class Event:
    """One event; values are text, decoded as UTF-8.

    Bytes that are no UTF-8 are shown as ``\\xNN`` (``backslashreplace``), so that every value can
    be written to JSON, a log or Redis; `raw` has the bytes exactly.  Header names are matched
    exactly, capitals included.  ``name`` is the event's own, ``CHANNEL_ANSWER``; empty if it has
    none.
    """

    __slots__ = ("_end", "_raw", "name")

    def __init__(self, raw: bytes, end: int) -> None:
        """Take a newline, the header lines, an empty line and the body; `plain_event` checks them.

        ``end`` is the position of the newline that is the empty line.
        """
        self._raw = raw
        self._end = end
        if raw.startswith(_EVENT_NAME):  # nearly every event begins so, and its name is needed
            self.name = _NAMES[raw[len(_EVENT_NAME) : raw.find(b"\n", len(_EVENT_NAME))]]
        else:
            self.name = self.get("Event-Name", "")

    @property
    def subclass(self) -> str:
        """The subclass of a CUSTOM event, ``callcenter::info``; empty if it has none."""
        return self.get("Event-Subclass", "")

    @property
    def body(self) -> str:
        """What follows the headers: the result of a background job, for example."""
        return _text(self.raw_body)

    @property
    def raw_body(self) -> bytes:
        """The bytes that follow the headers."""
        return self._raw[self._end + 1 :]

    def raw(self, header: str) -> bytes | None:
        """Return the first value of a header, %-decoded, as bytes; None without one."""
        needle = _NEEDLES[header]
        at = self._raw.find(needle, 0, self._end)
        if at < 0:
            return None
        start = at + len(needle)
        value = self._raw[start : self._raw.find(b"\n", start)]
        return unquote_to_bytes(value) if b"%" in value else value

    @overload
    def get(self, header: str, default: str) -> str: ...

    @overload
    def get(self, header: str, default: None = None) -> str | None: ...

    def get(self, header: str, default: str | None = None) -> str | None:
        """Return the first value of a header, ``default`` without one."""
        needle = _NEEDLES[header]
        at = self._raw.find(needle)
        if at < 0 or at >= self._end:  # what follows is the body
            return default
        return self._value(at + len(needle))

    def variable(self, name: str) -> str | None:
        """Return the value of a channel variable, None if it is not set.

        The same as `get` of ``variable_<name>``, and quicker where the event has many headers.
        """
        needle = _VARIABLES[name]
        found, at = -1, self._raw.rfind(needle, 0, self._end)
        while at >= 0:  # the first one counts
            found, at = at, self._raw.rfind(needle, 0, at)
        return None if found < 0 else self._value(found + len(needle))

    def _value(self, start: int) -> str:
        """Return the value that begins at ``start``."""
        # The code of `_text`, without a call: every event is read so several times.
        value = self._raw[start : self._raw.find(b"\n", start)]
        if b"%" in value:
            value = unquote_to_bytes(value)
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("utf-8", "backslashreplace")

    def __getitem__(self, header: str) -> str:
        value = self.raw(header)
        if value is None:
            raise KeyError(header)
        return _text(value)

    def __contains__(self, header: object) -> bool:
        return isinstance(header, str) and self._raw.find(_NEEDLES[header], 0, self._end) >= 0

    def all(self, header: str) -> list[str]:
        """Return every value of a header that appears more than once, in the order of the wire."""
        return [value for name, value in self.headers() if name == header]

    def values(self, header: str) -> list[str]:
        """Return the elements of a list (``ARRAY::a|:b``); a plain value is a list of one."""
        value = self.get(header)
        if value is None:
            return []
        if not value.startswith(_ARRAY):
            return [value]
        return value.removeprefix(_ARRAY).split(_ARRAY_SEPARATOR)

    def headers(self) -> list[tuple[str, str]]:
        """Return all headers, duplicates too, in the order of the wire, values decoded."""
        lines = self._raw[1 : self._end - 1].split(b"\n")
        pairs = (line.partition(b": ") for line in lines if line)
        return [(_text(name), _text(unquote_to_bytes(value))) for name, _, value in pairs]

    def __eq__(self, other: object) -> bool:
        return self._raw == other._raw if isinstance(other, Event) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        subject = self.get("Unique-ID") or self.get("Job-UUID")
        words = filter(None, (self.name, self.get("Event-Subclass"), subject))
        return f"<Event {' '.join(words)}>"


def plain_event(raw: bytes) -> Event:
    """Read the body of a ``text/event-plain`` frame, **with one newline before it**.

    Raises `TornEvent` when the bytes are not one whole event.
    """
    # FreeSWITCH's own events of a channel have no body, so a whole one ends with its empty line: no
    # search is needed.  (An event made with sendevent does not begin with its name.)
    if raw.startswith(_CHANNEL) and raw.endswith(_BLANK):
        last = raw.rfind(b"\n", 0, -2)
        if not raw.startswith(_LENGTH, last):
            return Event(raw, len(raw) - 1)
    return Event(raw, _end_of_headers(raw))


def make_event(headers: Mapping[str, str] | Iterable[tuple[str, str]], body: str = "") -> Event:
    """Build an event from header values and a body, as FreeSWITCH would serialise it."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = [f"\n{_safe_name(name)}: {_quoted(value)}".encode() for name, value in pairs]
    payload = _bytes(body)
    if payload:
        lines.append(_LENGTH + str(len(payload)).encode())
    head = b"".join(lines) + b"\n\n"
    return Event(head + payload, len(head) - 1)


def _end_of_headers(raw: bytes) -> int:
    """Return where the empty line is, after a check that only the announced body follows it.

    FreeSWITCH writes the body's Content-Length as the last header.
    """
    blank = raw.find(_BLANK)
    if blank < 0:
        raise TornEvent(by_notice=_NOTICE in raw)
    last = raw.rfind(b"\n", 0, blank)
    if raw.endswith(_NOTICE, 0, last):
        raise TornEvent(by_notice=True)
    follows = len(raw) - blank - 2
    if follows and raw[last:blank] != _LENGTH + str(follows).encode():
        raise TornEvent(by_notice=False)
    return blank + 1


class _Needles(dict[str, bytes]):
    """The bytes to search for, by header; remembered, since the same headers are read again."""

    def __init__(self, prefix: str = "") -> None:
        """``prefix`` begins the names of all headers."""
        self._prefix = prefix

    def __missing__(self, header: str) -> bytes:
        if len(self) >= 4096:
            self.clear()
        needle = self[header] = f"\n{self._prefix}{header}: ".encode()
        return needle


class _Names(dict[bytes, str]):
    """The names of events as text; remembered, since there are few."""

    def __missing__(self, value: bytes) -> str:
        if len(self) >= 4096:
            self.clear()
        name = self[value] = _text(unquote_to_bytes(value))
        return name


_NEEDLES = _Needles()
_VARIABLES = _Needles("variable_")
_NAMES = _Names()


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("utf-8", "backslashreplace")


def _bytes(value: str) -> bytes:
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte: JSON can name it
        return value.encode("utf-8", "backslashreplace")


def _quoted(value: str) -> str:
    return quote_from_bytes(_bytes(value), safe="/,'()*!$~")


def _safe_name(name: str) -> str:
    """Return a name that cannot be taken for a line end or for a name and a value."""
    return name if _PLAIN_NAME.fullmatch(name) else quote_from_bytes(_bytes(name), safe="")
