"""Streams of the Event Socket, changed frame by frame: lengths stay right."""

from __future__ import annotations

import re
from random import Random

_LENGTH = re.compile(rb"(?im)^content-length: *([0-9]{1,7})$")
_MOST_FRAMES = 40
NOTICE = (
    b"Content-Type: text/disconnect-notice\nContent-Length: 67\n\n"
    b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
)


def frames(stream: bytes) -> list[tuple[bytes, bytes]]:
    """Cut a stream, plainly: head and body of each frame; what is left over has no body."""
    found: list[tuple[bytes, bytes]] = []
    while stream and len(found) < _MOST_FRAMES:
        head, blank, rest = stream.partition(b"\n\n")
        length = _LENGTH.search(head)
        size = int(length[1]) if length and blank else 0
        found.append((head + blank, rest[:size]))
        stream = rest[size:]
    return [*found, (stream, b"")] if stream else found


def with_length(head: bytes, body: bytes) -> bytes:
    """Return a frame whose Content-Length, if it has one, is that of the body."""
    return _LENGTH.sub(b"Content-Length: %d" % len(body), head, count=1) + body


def restructured_stream(stream: bytes, other: bytes, random: Random) -> bytes:
    """Drop, double, exchange or swap frames, or change what stands within one."""
    parts = frames(stream) or [(b"", b"")]
    for _ in range(1 + int(random.expovariate(0.8))):
        at = random.randrange(len(parts))
        turn = random.random()
        if turn < 0.15:
            parts.insert(at, random.choice(frames(other) or [(NOTICE, b"")]))
        elif turn < 0.25:
            parts.insert(random.randrange(len(parts)), parts[at])
        elif turn < 0.35 and len(parts) > 1:
            del parts[at]
        else:
            parts[at] = _changed(*parts[at], random)
    return b"".join(_written(head, body, random) for head, body in parts)


def _written(head: bytes, body: bytes, random: Random) -> bytes:
    return head + body if random.random() < 0.05 else with_length(head, body)


def _changed(head: bytes, body: bytes, random: Random) -> tuple[bytes, bytes]:
    if not body or random.random() < 0.4:
        return _changed_line(head, random), body
    turn = random.random()
    if turn < 0.1:  # a listener that was killed while it was written to
        return head, body[: random.randrange(len(body))] + NOTICE
    if turn < 0.25:
        return head, body[: random.randrange(len(body))]
    if turn < 0.35:
        return head, restructured_stream(body, body, random)
    return head, _changed_line(body, random)


def _changed_line(text: bytes, random: Random) -> bytes:
    """Change, double, drop or stretch one line."""
    lines = text.split(b"\n")
    at = random.randrange(len(lines))
    turn = random.random()
    if turn < 0.2:
        lines.insert(at, random.choice(lines))
    elif turn < 0.35:
        del lines[at]
    elif turn < 0.5:
        lines[at] = (
            lines[at]
            + random.choice((b" ", b"\t", b"\r", b"%0A", b"x: y")) * int(2 ** random.uniform(0, 14))
            + random.choice((b"", b"x"))
        )
    else:
        cut = random.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:cut] + random.randbytes(random.randrange(4)) + lines[at][cut + 1 :]
    return b"\n".join(lines)
