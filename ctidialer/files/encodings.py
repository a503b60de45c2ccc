"""Which encoding a file has: found out from all of it, or what is wrong with the one given."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import IO

from attrs import frozen

from ctidialer.files.rows import FileUnusable

CHUNK_BYTES = 1024 * 1024
SAMPLE_BYTES = 64 * 1024
MAX_NON_ASCII_LINES = 10_000
"""Lines after which it is known what Chinese text looks like."""

LINES_PER_FAULT = 100
"""A file in which at most one line of so many is faulty has that encoding all the same."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WHOLE = ("utf-16", "utf-32")
"""Begin the names of encodings in which no line can be told from the next once one is faulty."""


@frozen
class _Count:
    """Lines of a file, those that are not of the encoding, and those good ones that show it."""

    lines: int
    faulty: int
    telling: int
    first_faulty: int

    def is_mostly_good(self) -> bool:
        return self.faulty * LINES_PER_FAULT <= self.lines


def shown_name(encoding: str) -> str:
    """Return the name of an encoding as people know it."""
    return encoding.upper().replace("_", "-").removesuffix("-SIG")


def usable(encoding: str) -> str:
    """Return why ``encoding`` is none in which text can be read; empty = it is one."""
    try:
        encoded = "1\n".encode(encoding)
        fits = io.TextIOWrapper(io.BytesIO(encoded), encoding, newline="").read() == "1\n"
    except (LookupError, ValueError, TypeError) as error:
        return str(error)
    return "" if fits else f"{encoding} is not one in which lines can be found"


def encoding_of(file: IO[bytes], given: str | None) -> str:
    """Return the codec with which to read ``file``; raises FileUnusable with one sentence.

    A few faulty lines in a file whose encoding is plain do not count: they are bad rows.
    ``file`` can be sought in, and is left at its beginning.
    """
    found = _given(file, given) if given else _found(file)
    file.seek(0)
    return found


def _given(file: IO[bytes], given: str) -> str:
    encoding = "utf-8-sig" if codecs.lookup(given).name == "utf-8" else given
    if _is_all(file, encoding):
        return encoding
    place = ""
    if not _is_whole(encoding):
        count = _count(file, encoding)
        if count.is_mostly_good():
            return encoding
        place = f" on line {count.first_faulty}"
    found = shown_name(_found(file))
    raise FileUnusable(
        f"is not {shown_name(given)}{place}: it looks like {found};"
        f" leave --encoding out, or give --encoding {found.lower()}"
    )


def _found(file: IO[bytes]) -> str:
    file.seek(0)
    sample = file.read(SAMPLE_BYTES)
    marked = next((name for mark, name in _MARKS if sample.startswith(mark)), None)
    wide = marked if marked and _is_whole(marked) else _without_mark(sample)
    if wide:
        return _all_of(file, wide)
    if _is_all(file, "utf-8"):
        return "utf-8-sig"
    count = _count(file, "utf-8")
    if count.telling < count.faulty and _is_chinese(file):
        return "gb18030"
    if marked or count.telling >= count.faulty or count.is_mostly_good():
        return "utf-8-sig"
    raise FileUnusable(
        f"is neither UTF-8 nor GB18030 on line {count.first_faulty}:"
        " give its encoding with --encoding"
    )


def _without_mark(sample: bytes) -> str | None:
    """Return which UTF-16 this is, by where the zero bytes of digits and commas stand."""
    half = len(sample) // 2
    if sample[1::2].count(0) * 3 > half > sample[0::2].count(0) * 9:
        return "utf-16-le"
    if sample[0::2].count(0) * 3 > half > sample[1::2].count(0) * 9:
        return "utf-16-be"
    return None


def _all_of(file: IO[bytes], encoding: str) -> str:
    if _is_all(file, encoding):
        return encoding
    raise FileUnusable(
        f"begins as {shown_name(encoding)} does, but is damaged: save it again,"
        " or give its encoding with --encoding"
    )


def _is_all(file: IO[bytes], encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _count(file: IO[bytes], encoding: str) -> _Count:
    lines = faulty = telling = first = 0
    for line in _lines(file):
        lines += 1
        if line.isascii():
            continue
        if _decoded(line, encoding) is None:
            faulty += 1
            first = first or lines
        else:
            telling += 1
    return _Count(lines, faulty, telling, first)


def _is_chinese(file: IO[bytes]) -> bool:
    """Say whether nearly all characters are the usual ones of GB2312, as in Chinese text.

    GB18030 can be made of nearly any bytes; those of another encoding give rare characters.
    """
    usual = characters = seen = faulty = 0
    for line in _lines(file):
        if line.isascii():
            continue
        seen += 1
        text = _decoded(line, "gb18030")
        faulty += text is None
        rare = [one for one in text or "" if not one.isascii()]
        characters += len(rare)
        usual += sum(_decoded_as_gb2312(one) for one in rare)
        if seen == MAX_NON_ASCII_LINES:
            break
    return faulty * LINES_PER_FAULT <= seen and usual * 4 >= characters * 3 and characters > 0


def _decoded_as_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeError:
        return None


def _is_whole(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith(_WHOLE)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines, whatever ends them; what is longer than a chunk in pieces."""
    file.seek(0)
    rest = b""
    while chunk := file.read(CHUNK_BYTES):
        *lines, rest = (rest + chunk).splitlines() or [b""]
        yield from lines
        if len(rest) > CHUNK_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest
