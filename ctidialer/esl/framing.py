"""Cuts the byte stream of the Event Socket into frames.  Pure: bytes in, frames out.

A frame is a block of header lines, an empty line, and as many bytes as its ``Content-Length``
says (none without one).  `ctidialer.esl.connection` reads what they mean.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from attrs import frozen

from ctidialer.esl.errors import ProtocolFault

Frame: TypeAlias = tuple[bytes, bytes]
"""The header block without its last newline, and the body **after one newline**.

Because of that newline (the second of the empty line), a search for ``\\nEvent-Name: `` finds the
first header of an event too, and never the middle of another value.
"""

MEBIBYTE = 1 << 20
FRAME_LIMIT = 64 * MEBIBYTE
MAX_HEAD_BYTES = 64 * 1024

_BLANK = b"\n\n"
_LENGTH = b"Content-Length: "
_LENGTH_NEXT = b"\n" + _LENGTH
_LENGTH_NAME = b"content-length"
# Blanks around the value are stripped afterwards: in the pattern they would be matched again from
# each of their bytes, and a header block of 64 KiB of spaces would take seconds.
_LENGTH_LINE = re.compile(rb"^content-length[ \t]*:([^\n]*)$", re.I | re.M)
_MAX_DIGITS = 18
_NOTICE = re.compile(
    rb"Content-Type: text/disconnect-notice\n(?:[^\n]+\n)*?Content-Length: ([0-9]{1,9})\n\n"
)


@frozen
class Remainder:
    """What stood in the buffer when the stream ended.

    ``unfinished`` counts the bytes of a frame that will never be complete.  ``notice`` is the text
    of a disconnect notice that FreeSWITCH wrote into the middle of that frame, as it does when it
    kills a listener that reads too slowly (recording 88); None = there is none.
    """

    unfinished: int = 0
    notice: bytes | None = None


class Framer:
    """Cuts bytes, in pieces of any size, into frames.

    ``frame_limit`` and ``head_limit`` (bytes) bound what is kept of an unfinished frame and of an
    unfinished header block.  `feed` never raises: if the stream cannot be read any further, it
    returns all frames before the fault, and ``fault`` says why.
    """

    def __init__(self, *, frame_limit: int = FRAME_LIMIT, head_limit: int = MAX_HEAD_BYTES) -> None:
        self.fault: ProtocolFault | None = None
        self._frame_limit = frame_limit
        self._head_limit = head_limit
        self._kept: list[bytes] = []
        self._missing = 0  # at least this many more bytes until a frame can be complete

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are complete now, in order."""
        if self.fault is not None or not data:
            return []
        if len(data) < self._missing:
            self._missing -= len(data)
            self._kept.append(data)
            return []
        if not self._kept:
            return self._cut(data, 0)
        # If it is known how much is missing, only that is joined, not all the new data.
        needed = self._missing or len(data)
        first = self._cut(b"".join((*self._kept, data[:needed])), 0)
        return first + self._cut(data, needed) if needed < len(data) else first

    def finish(self) -> Remainder:
        """Say what was left when the stream ended; the framer is empty afterwards.

        Only here a notice is looked for inside an unfinished frame: in a stream that goes on, the
        same words may be part of an event.
        """
        left = b"".join(self._kept)
        self._keep(b"", 0)
        return Remainder(len(left), _closing_notice(left))

    def _cut(self, data: bytes, start: int) -> list[Frame]:
        frames: list[Frame] = []
        size = len(data)
        while True:
            blank = data.find(_BLANK, start)
            if blank == start:
                start += 1  # an empty line between frames means nothing
                continue
            if blank < 0 or blank - start > self._head_limit:
                self._keep_head(data[start:])
                return frames
            head = data[start:blank]
            stop = blank + 2 + self._length(head)
            if self.fault is not None or stop > size:
                self._keep(data[start:], stop - size)
                return frames
            frames.append((head, data[blank + 1 : stop]))
            start = stop

    def _keep_head(self, data: bytes) -> None:
        if len(data) > self._head_limit + 1:  # one may be the first newline of the empty line
            self.fault = ProtocolFault(
                f"A header block is longer than {self._head_limit} bytes: this is no Event Socket"
            )
        self._keep(data, 0)

    def _keep(self, data: bytes, missing: int) -> None:
        self._kept = [data] if data else []
        self._missing = missing

    def _length(self, head: bytes) -> int:
        """Return the Content-Length of a header block; on nonsense set ``fault`` and return 0."""
        if head.startswith(_LENGTH):  # so every event begins
            return self._checked_length(head[len(_LENGTH) :].partition(b"\n")[0])
        at = head.find(_LENGTH_NEXT)
        if at >= 0:  # as in the response to an API command
            return self._checked_length(head[at + len(_LENGTH_NEXT) :].partition(b"\n")[0])
        if _LENGTH_NAME not in head.lower():  # as in the reply to a command; saves the search
            return 0
        found = _LENGTH_LINE.search(head)
        return 0 if found is None else self._checked_length(found[1].strip(b" \t\r"))

    def _checked_length(self, value: bytes) -> int:
        if not value.isdigit() or len(value) > _MAX_DIGITS:
            self.fault = ProtocolFault(f"A Content-Length is no number: {value[:40]!r}")
            return 0
        length = int(value)
        if length > self._frame_limit:
            self.fault = ProtocolFault(
                f"A frame of {length} bytes is longer than the limit of {self._frame_limit}"
            )
            return 0
        return length


def _closing_notice(left: bytes) -> bytes | None:
    """Return the text of the disconnect notice with which the bytes end, if they do."""
    for found in reversed(list(_NOTICE.finditer(left[-4096:]))):
        text = left[-4096:][found.end() :]
        if len(text) == int(found[1]):
            return text
    return None
