"""What comes from the Event Socket: any bytes, in any pieces.

The first byte of an input says how it is read, the next two how it is cut:

* a whole connection from its greeting on, or one that is authenticated already, with the usual
  limits or with tight ones;
* the body of an event, in JSON or plain;
* header lines out of which an event is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from random import Random
from typing import Any

from attrs import frozen

from ctidialer.dialer.life.channel_events import hang_up
from ctidialer.esl.connection import Connection, Received, SocketState
from ctidialer.esl.errors import ProtocolFault
from ctidialer.esl.events import Event, make_event, plain_event
from ctidialer.esl.framing import FRAME_LIMIT, MAX_HEAD_BYTES, Frame, Framer
from ctidialer.esl.jobs import job_result
from ctidialer.esl.json_events import json_event
from fuzz.esl_stream import NOTICE, frames, restructured_stream
from fuzz.json_shapes import restructured
from fuzz.meter import Broken, Meter
from fuzz.target import LARGEST, Target
from tests.esl import recordings

MODES = 6
CONNECT, CONNECTED, TIGHT, JSON, PLAIN, MADE = range(MODES)
_MOST_PIECES = 100
_LOOKS = 4  # the header lines are gone through about so often to see all of an event
_MOST_EVENTS = 2  # of one input that are looked into
_HEADERS = ("Event-Name", "Unique-ID", "Hangup-Cause", "variable_sip_term_status", "a")
_KEYS = (*_HEADERS, "_body", "Content-Length", "Event-Subclass", "Job-UUID", "a: b", "a\nb", "é")


_BODIES_OF_JSON = (
    b'{"Event-Name":"CUSTOM","a":"1 %20","_body":"text\\n"}',
    b'{"Event-Name":"HEARTBEAT","a":["x","y"],"b":1,"c":null,"d":{"e":[1.5]}}',
    b'{"Hangup-Cause":"A","Hangup-Cause":"B","\xe4\xb8\xad":"\xff"}',
)


@frozen
class Reading:
    """All that one stream meant."""

    received: tuple[Received, ...]
    bodies: tuple[bytes, ...]
    state: SocketState
    fault: str | None


@frozen
class Input:
    """One input, taken apart."""

    mode: int
    cuts: Random
    stream: bytes


def taken_apart(data: bytes) -> Input:
    """Read the first three bytes."""
    mode = data[0] % MODES if data else 0
    return Input(mode, Random(int.from_bytes(data[1:3], "big")), data[3:])


def put_together(mode: int, cuts: int, stream: bytes) -> bytes:
    """Return the input that is taken apart into this."""
    return bytes([mode]) + cuts.to_bytes(2, "big") + stream


def seeds() -> list[bytes]:
    """Return the recordings: whole, some frames of each, and some bodies."""
    found: list[bytes] = []
    for index, name in enumerate(recordings.names()):
        if name in recordings.ELIDED:
            continue
        stream = recordings.load(name).received
        mode = CONNECTED if name in recordings.EXCERPTS else CONNECT
        found += [put_together(mode, index, stream[:LARGEST])]
        parts = frames(stream)[3:]
        found += [
            put_together(CONNECTED, index, b"".join(h + b for h, b in parts[at : at + 2]))
            for at in range(0, len(parts), 5)
        ]
        found += [
            put_together(JSON if b"event-json" in head else PLAIN, 0, body)
            for head, body in parts[1::9]
            if b"/event-" in head
        ]
    found += [put_together(JSON, 0, body) for body in _BODIES_OF_JSON]
    made = b"Event-Name: CUSTOM\na: 1%20\n\nbody"
    return [*found, put_together(MADE, 0, made), put_together(CONNECTED, 1, NOTICE)]


def examine(data: bytes, meter: Meter) -> Hashable:
    """Read an input in its way."""
    found = taken_apart(data)
    if found.mode in (CONNECT, CONNECTED, TIGHT):
        return _examine_stream(found, meter)
    return found.mode, _BODIES[found.mode](found.stream, meter)


def _examine_stream(found: Input, meter: Meter) -> Hashable:
    """See that a stream is read without an exception, and alike however it is cut."""
    size = len(found.stream)
    pieces = list(cut(found.stream, found.cuts))
    whole = meter.run("Connection, in one piece", size, lambda: _read(found, [found.stream]))
    again = meter.run("Connection, cut", size, lambda: _read(found, pieces), len(pieces))
    if whole != again:
        raise Broken("any pieces give the same", f"{whole!r}, {again!r}"[:4000])
    _check_frames(found, pieces)
    events = [one for one in whole.received if isinstance(one, Event)]
    for event in events[:_MOST_EVENTS]:
        meter.run("Event", _LOOKS * size, partial(_look_into, event))
    kinds = tuple(type(one).__name__ for one in whole.received[:6])
    return found.mode, kinds, whole.state, (whole.fault or "")[:24]


def cut(stream: bytes, random: Random) -> Iterator[bytes]:
    """Yield the stream in pieces: a few large ones, or some of a length, or a part byte by byte."""
    way = random.randrange(3)
    if way == 0:
        bounds = sorted(random.randrange(len(stream) + 1) for _ in range(random.randrange(1, 9)))
    elif way == 1:
        step = random.randrange(1, 400)
        bounds = list(range(0, len(stream), max(step, len(stream) // _MOST_PIECES + 1)))
    else:
        start = random.randrange(len(stream) + 1)
        bounds = list(range(start, min(len(stream), start + _MOST_PIECES)))
    for start, stop in zip([0, *bounds], [*bounds, len(stream)], strict=True):
        yield stream[start:stop]


def _limits(mode: int) -> dict[str, int]:
    if mode == TIGHT:
        return {"frame_limit": 3000, "head_limit": 100}
    return {"frame_limit": FRAME_LIMIT, "head_limit": MAX_HEAD_BYTES}


def _read(found: Input, pieces: list[bytes]) -> Reading:
    state = SocketState.UNGREETED if found.mode == CONNECT else SocketState.OPEN
    connection = Connection(state, **_limits(found.mode))
    received = [one for piece in pieces for one in connection.receive(piece)]
    received += connection.finish()
    bodies = tuple(one.raw_body for one in received if isinstance(one, Event))
    fault = None if connection.fault is None else str(connection.fault)
    _check_faulty(connection, fault)
    return Reading(tuple(received), bodies, connection.state, fault)


def _check_faulty(connection: Connection, fault: str | None) -> None:
    if (fault is not None) is not (connection.state is SocketState.FAULTY):
        raise Broken("a fault ends the connection", f"{connection.state} {fault}")
    if fault is not None and (not fault.isprintable() or len(fault) > 600):
        raise Broken("a fault is printable", repr(fault))
    if connection.receive(b"Content-Type: x\n\n") or connection.finish():
        raise Broken("what has ended says nothing more", repr(connection.state))


def _check_frames(found: Input, pieces: list[bytes]) -> None:
    """See that the framer gives the same frames however they are cut, and keeps no more than it
    may of one that is not complete."""
    limits = _limits(found.mode)
    whole, _ = _framed([found.stream], limits)
    again, framer = _framed(pieces, limits)
    if whole != again:
        raise Broken("any pieces give the same frames", f"{len(whole)}, {len(again)}")
    kept = framer.finish().unfinished
    if framer.fault is None and kept > limits["frame_limit"] + limits["head_limit"] + 2:
        raise Broken("what is kept is bounded", f"{kept} bytes of {limits}")


def _framed(pieces: list[bytes], limits: dict[str, int]) -> tuple[list[Frame], Framer]:
    framer = Framer(**limits)
    return [frame for piece in pieces for frame in framer.feed(piece)], framer


def _look_into(event: Event) -> None:
    """Ask for everything that an event can be asked for; all text can be sent on as UTF-8."""
    texts = [event.name, event.subclass, event.body, repr(event), job_result(event).text]
    for header in _HEADERS:
        texts += [event.get(header, ""), *event.values(header)]
        if (header in event) is (event.raw(header) is None):
            raise Broken("a header is there or not", header)
    texts += [text for header in event.headers() for text in header]
    if "Hangup-Cause" in event:  # it stands twice
        texts += event.all("Hangup-Cause")
    "".join(texts).encode()
    hang_up(event, 1_700_000_000.0)
    _check_same(event, event)


def _check_same(event: Event, other: Event) -> None:
    if event != other or hash(event) != hash(other) or event.raw_body != other.raw_body:
        raise Broken("an event is equal to itself", repr(event))


def _examine_json(body: bytes, meter: Meter) -> Hashable:
    """See that the members of a JSON event arrive exactly."""
    try:
        event = meter.run("json_event", len(body), lambda: json_event(body))
    except ProtocolFault as fault:
        return str(fault)
    meter.run("Event", _LOOKS * len(body), lambda: _look_into(event))
    for name, value in _members(body).items():
        if name not in ("_body", "Content-Length") and event.get(name) != value:
            raise Broken("a JSON member arrives", f"{name!r}: {value!r}, {event.get(name)!r}")
    return event.name, bool(event.raw_body), len(event.headers()) > 5


def _members(body: bytes) -> dict[str, str]:
    """Return the plain members of a JSON event, read by other means."""
    try:
        members: dict[str, Any] = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    plain = ((n, v) for n, v in members.items() if isinstance(v, str) and _is_plain(n))
    return {name: value for name, value in plain if not _has_surrogates(value)}


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isprintable() and bool(name) and not set(name) & set(" :")


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= mark <= "\udfff" for mark in text)


def _examine_plain(body: bytes, meter: Meter) -> Hashable:
    try:
        event = meter.run("plain_event", len(body), lambda: plain_event(b"\n" + body))
    except ProtocolFault as fault:
        return str(fault)
    meter.run("Event", _LOOKS * len(body), lambda: _look_into(event))
    return event.name, bool(event.raw_body), len(event.headers()) > 5


def _examine_made(lines: bytes, meter: Meter) -> Hashable:
    """See that an event that we write is read as it was written."""
    head, _, rest = lines.partition(b"\n\n")
    pairs = [tuple(_text(line).partition(": ")[::2]) for line in head.split(b"\n")]
    headers = [(name, value) for name, value in pairs if _is_plain(name)]
    body = _text(rest)
    event = meter.run("make_event", len(lines), lambda: make_event(headers, body))
    meter.run("Event", _LOOKS * len(lines), lambda: _look_into(event))
    first: dict[str, str] = dict(reversed(headers))
    got = {name: event.raw(name) for name in first}
    meant = {name: value.encode("utf-8", "surrogateescape") for name, value in first.items()}
    if got != meant or event.raw_body != rest:
        raise Broken("a made event holds what was put in", f"{got!r}, {meant!r}"[:2000])
    return len(headers) > 3, bool(rest)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


_BODIES: dict[int, Callable[[bytes, Meter], Hashable]] = {
    JSON: _examine_json,
    PLAIN: _examine_plain,
    MADE: _examine_made,
}


def restructure(data: bytes, other: bytes, random: Random) -> bytes:
    """Change a stream by its frames, a body by its JSON, and always how it is cut."""
    found, donor = taken_apart(data), taken_apart(other)
    mode, stream = found.mode, found.stream
    if mode == JSON:
        stream = restructured(stream, donor.stream, random, _KEYS)
    elif random.random() < 0.8:
        stream = restructured_stream(stream, donor.stream, random)
    if random.random() < 0.1:
        mode = random.randrange(MODES)
    return put_together(mode, random.randrange(65536), stream)


TARGET = Target(
    name="esl",
    seeds=seeds,
    tokens=(
        *(b"\n\n", b"\n", b"\r\n\r\n", b": ", b"Content-Length: ", b"Content-Length: 10\n\n"),
        *(b"content-length:", b"Content-Type: text/event-plain", b"Content-Type: api/response"),
        *(b"Content-Type: text/event-json", b"Content-Type: command/reply", b"Reply-Text: +OK"),
        *(b"Content-Type: auth/request", b"Content-Type: log/data\nLog-Level: 7", NOTICE),
        *(b"Content-Type: text/rude-rejection", b"Reply-Text: -ERR invalid", b"+OK bye"),
        *(b"\nEvent-Name: CHANNEL_ANSWER", b"\nEvent-Name: CUSTOM", b"Job-UUID: x", b"ARRAY::a|:b"),
        *(b'{"', b'":"', b'"}', b"\\ud800", b"\\udc00", b"\\u0000", b'"_body":"', b"[", b"{"),
    ),
    examine=examine,
    restructure=restructure,
)
