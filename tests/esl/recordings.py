"""Reads the recordings: their format is described in ``recordings/README.md``."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen

DIRECTORY = Path(__file__).parent / "recordings"
NO_NEWLINE = b"<no newline>"
TRUNCATED = b"... truncated ...\n"

_MARK = re.compile(rb"^\[(?:\d+\.\d{4}|<)\](?: ([<>#]).*| .*)?$", re.MULTILINE)
_ELIDED = re.compile(rb"\[(\d+) bytes elided\]")

EXCERPTS = {
    "86_unicode_array_multiline_plain",
    "87_unicode_array_multiline_json",
    "88_slow_reader_killed_listener",
}
ELIDED = {"82_big_command_1MB"}


@frozen
class Chunk:
    """Bytes of one read or write; ``elided`` counts those that the recording does not hold."""

    direction: str
    data: bytes
    elided: int = 0


@frozen
class Recording:
    """One recording: its chunks in order, and whether FreeSWITCH ended the stream."""

    name: str
    chunks: tuple[Chunk, ...]
    ended: bool

    @property
    def received(self) -> bytes:
        """All that FreeSWITCH sent; an error where a part of it was not kept."""
        if any(chunk.elided for chunk in self.chunks if chunk.direction == "<"):
            raise ValueError(f"{self.name} does not hold all bytes that FreeSWITCH sent")
        return b"".join(chunk.data for chunk in self.chunks if chunk.direction == "<")

    @property
    def sent(self) -> bytes:
        """All that the client sent."""
        return b"".join(chunk.data for chunk in self.chunks if chunk.direction == ">")


def names() -> list[str]:
    """Return the names of all recordings, without the ``.txt``."""
    return sorted(path.stem for path in DIRECTORY.glob("*.txt"))


def whole_connections() -> list[str]:
    """Return the names of the recordings that hold a connection from its first byte."""
    return [name for name in names() if name not in EXCERPTS | ELIDED]


def load(name: str) -> Recording:
    """Read one recording."""
    text = (DIRECTORY / f"{name}.txt").read_bytes()
    marks = list(_MARK.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    if name in EXCERPTS:
        text += b"\n"  # there the newlines stand between the chunks, not after each
        ends[-1] += 1
    chunks = tuple(
        _chunk(mark[1].decode(), text[mark.end() + 1 : end])
        for mark, end in zip(marks, ends, strict=True)
        if mark[1] in (b"<", b">")
    )
    return Recording(name, chunks, ended=b"# EOF from server" in text)


def _chunk(direction: str, text: bytes) -> Chunk:
    data = text.removesuffix(TRUNCATED).removesuffix(b"\n").removesuffix(NO_NEWLINE)
    elided = sum(int(found[1]) for found in _ELIDED.finditer(data))
    return Chunk(direction, data, elided)


def killed_listener_tail() -> bytes:
    """Return what stands in recording 88: the end of an event frame with the notice inside."""
    text = (DIRECTORY / "88_slow_reader_killed_listener.txt").read_bytes()
    start = text.index(b"[<] ...") + len(b"[<] ...")
    return text[start : text.index(b"[EOF]")]
