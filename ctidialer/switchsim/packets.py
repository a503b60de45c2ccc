"""Cuts the byte stream of a client into commands, as FreeSWITCH does."""

from __future__ import annotations

import re

from attrs import field, frozen

from ctidialer.switchsim.encoding import to_text

_MAX_COMMAND_BYTES = 10_485_760
_END = re.compile(rb"\n\r*\n")
_LINE_ENDS = re.compile(rb"[\r\n]+")


@frozen
class Packet:
    """One command: its line, the headers that followed it, and a body where one was announced."""

    line: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def header(self, name: str) -> str:
        """Give a header's value, empty where there is none; ``name`` in lower case."""
        return next((text for key, text in self.headers if key.lower() == name), "")


@frozen
class PacketBuffer:
    """Bytes that have arrived and make no whole command yet."""

    _bytes: bytearray = field(factory=bytearray)

    def __bool__(self) -> bool:
        return bool(self._bytes)

    def add(self, data: bytes) -> None:
        """Take bytes in any chunks; line ends in front of a command do not count."""
        self._bytes.extend(data)
        self._skip_line_ends()

    def _skip_line_ends(self) -> None:
        if self._bytes.startswith((b"\n", b"\r")):  # a strip would copy all that waits
            skipped = len(self._bytes) - len(self._bytes.lstrip(b"\r\n"))
            del self._bytes[:skipped]

    def take(self) -> Packet | None:
        """Take the next whole command out, None where there is none."""
        found = _END.search(self._bytes)
        if not found and len(self._bytes) < _MAX_COMMAND_BYTES:
            return None
        end = found.end() if found else _MAX_COMMAND_BYTES
        head = bytes(self._bytes[:end])
        headers = _headers(head)
        length = _body_length(headers)
        if len(self._bytes) < end + length:
            return None
        body = bytes(self._bytes[end : end + length]) if length else None
        del self._bytes[: end + length]
        self._skip_line_ends()
        return Packet(to_text(_first_line(head)), headers, body)


def _first_line(head: bytes) -> bytes:
    """Give the command as FreeSWITCH cuts it: at the first CR if there is any, else at the LF."""
    head = head.partition(b"\0")[0]
    at = head.find(b"\r")
    at = head.find(b"\n") if at < 0 else at
    return head if at < 0 else head[:at]


def _headers(head: bytes) -> tuple[tuple[str, str], ...]:
    head = head.rstrip(b"\r\n")
    if b"\n" not in head and b"\r" not in head:
        return ()
    lines = (_LINE_ENDS.split(head) if b"\r" in head else head.split(b"\n"))[1:]
    pairs = [line.partition(b":") for line in lines]
    return tuple(
        (to_text(name), to_text(text.lstrip(b" "))) for name, colon, text in pairs if colon
    )


def _body_length(headers: tuple[tuple[str, str], ...]) -> int:
    for name, text in headers:
        if name.lower() == "content-length":
            return int(text) if text.isdigit() else 0
    return 0
