"""New inputs out of old ones: by bytes, whatever the format, and by the target's own lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from fuzz.target import LARGEST, Target

_NUMBERS = (
    *(b"0", b"-1", b"1", b"9", b"00", b"1e3", b"1.5", b"255", b"65536", b"2147483648"),
    *(b"9223372036854775808", b"1e400", b"99999999999999999999999999", b"9" * 4400),
)
_SPECIAL = (
    *(b"\0", b"\n", b"\n\n", b"\r\n", b"\x7f", b"\x80", b"\xff", b"\xc0\x80", b"\xed\xa0\x80"),
    *(b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80", b"%0A", b"%", b"\\", b'"', b"'"),
)


def mutated(target: Target, data: bytes, other: bytes, random: Random) -> bytes:
    """Return an input made of ``data``, with a part of ``other`` now and then."""
    if random.random() < 0.5:
        data = target.restructure(data, other, random)
        if random.random() < 0.6:
            return data[:LARGEST]
    for _ in range(1 + int(random.expovariate(0.7))):
        data = random.choice(_CHANGES)(data, other, random, target.tokens)
    return data[:LARGEST]


Change = Callable[[bytes, bytes, Random, Sequence[bytes]], bytes]


def _span(data: bytes, random: Random) -> tuple[int, int]:
    """Return the bounds of a part of ``data``, mostly a short one."""
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + int(random.expovariate(1 / 12)))


def _flip(data: bytes, other: bytes, random: Random, tokens: Sequence[bytes]) -> bytes:
    if not data:
        return b"\0"
    changed = bytearray(data)
    changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _put(data: bytes, other: bytes, random: Random, tokens: Sequence[bytes]) -> bytes:
    start, stop = _span(data, random)
    piece = random.choice(tokens if random.random() < 0.6 else _SPECIAL)
    return data[:start] + piece + data[random.choice((start, stop)) :]


def _noise(data: bytes, other: bytes, random: Random, tokens: Sequence[bytes]) -> bytes:
    start, stop = _span(data, random)
    return data[:start] + random.randbytes(random.randrange(1, 9)) + data[stop:]


def _cut(data: bytes, other: bytes, random: Random, tokens: Sequence[bytes]) -> bytes:
    start, stop = _span(data, random)
    return data[:start] + data[stop:]


def _truncate(data: bytes, other: bytes, random: Random, tokens: Sequence[bytes]) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _splice(data: bytes, other: bytes, random: Random, tokens: Sequence[bytes]) -> bytes:
    start, stop = _span(data, random)
    from_, _ = _span(other, random)
    return data[:start] + other[from_ : from_ + random.randrange(200)] + data[stop:]


def _repeat(data: bytes, other: bytes, random: Random, tokens: Sequence[bytes]) -> bytes:
    """Stretch a part: what is quadratic shows only in long inputs."""
    start, stop = _span(data, random)
    times = min(
        int(2 ** random.uniform(1, 15)), max(1, (LARGEST - len(data)) // max(1, stop - start))
    )
    return data[:start] + data[start:stop] * times + data[stop:]


def _renumber(data: bytes, other: bytes, random: Random, tokens: Sequence[bytes]) -> bytes:
    start = random.randrange(len(data) + 1)
    while start < len(data) and not 48 <= data[start] <= 57:
        start += 1
    stop = start
    while stop < len(data) and 48 <= data[stop] <= 57:
        stop += 1
    return data[:start] + random.choice(_NUMBERS) + data[stop:]


_CHANGES: tuple[Change, ...] = (
    *(_flip, _put, _put, _noise, _cut, _truncate, _splice, _renumber),
    *(_flip, _put, _put, _noise, _cut, _splice, _renumber, _repeat),
)
