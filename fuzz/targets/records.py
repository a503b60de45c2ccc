"""What we write into Redis ourselves and read again: records, in-flight entries, progress.

The first byte of an input says whether the rest is read as one of these, or made into one that is
written and read again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable
from random import Random

from msgspec.structs import replace

from ctidialer.contract.faults import ContractError
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.contract.record_document import decode_record, encode_record
from ctidialer.contract.task import Side
from ctidialer.dialer.life.number_in_hand import Progress
from ctidialer.rules.itinerary import Itinerary
from ctidialer.store.in_flight import (
    Dialing,
    InFlight,
    Origin,
    decode_in_flight,
    dialing_line,
    header,
)
from fuzz.faults import check_faults
from fuzz.json_shapes import restructured
from fuzz.meter import Broken, Meter
from fuzz.taking import Taking
from fuzz.target import Target
from tests.hostile import FRAGMENTS, HOSTILE_ENTRIES

ENTRY_ID = "daemon-7-3"
_KEYS = (
    *("id", "kind", "entry", "outcome", "taken_at", "ended_at", "host", "task", "config", "number"),
    *("entry_base64", "attempts", "requested_uuid", "reason", "uuid", "line", "line_group"),
    *("dialed_at", "progress_at", "answered_at", "hangup_cause", "sip_code", "v", "key", "side"),
    *("score", "group", "attempt", "progress", "itinerary", "groups", "position", "redials"),
)
_CAUSES = (None, "USER_BUSY", "NORMAL_CLEARING", "no cause", "")
Check = Callable[[bytes, Meter], Hashable]


def seeds() -> list[bytes]:
    """Return one of each kind to be read, and bytes to make others of."""
    attempt = AttemptRecord("u", None, "g", 1.5, 2.0, 3.25, None, "USER_BUSY", 486)
    record = Record("r", Kind.QUEUE, "t", "1", b"\xff1", Outcome.BUSY, 1.0, 2.0, "h", (attempt,))
    progress = Progress(Itinerary(("a", "b"), 1, 2), (attempt,), 7.5)
    dialing = Dialing("u", "l", "g", 1, progress.encode())
    origin, due = Origin("q", Side.LEFT), Origin("z", None)
    entries = [value for value in HOSTILE_ENTRIES if len(value) < 300][::5]
    return [
        *(b"\0" + encode_record(replace(record, entry=entry)) for entry in entries),
        b"\1" + in_flight_value(origin, "t", 1700000000.25, None, None, b"13800138000"),
        b"\1" + in_flight_value(due, None, 1.0, "inf", dialing, b'{"params":{"number":1}}'),
        b"\2" + progress.encode(),
        *(
            bytes([kind]) + Random(index).randbytes(400)
            for kind in (3, 4, 5)
            for index in range(20)
        ),
        *(bytes([kind]) + entry * 3 for kind in (3, 4, 5) for entry in entries[::3]),
    ]


def in_flight_value(
    origin: Origin,
    task: str | None,
    taken_at: float,
    score: str | None,
    dialing: Dialing | None,
    entry: bytes,
) -> bytes:
    """Write an in-flight entry as ``claim.lua`` and ``note.lua`` do."""
    first = '{"v":1,' + header(origin, task) + f',"taken_at":{taken_at:.6f}'
    first += "}" if score is None else f',"score":"{score}"}}'
    second = b"" if dialing is None else dialing_line(dialing)
    return b"\n".join([first.encode(), second, entry])


def examine(data: bytes, meter: Meter) -> Hashable:
    """Read or make what the first byte says."""
    kind = data[0] % len(_CHECKS) if data else 0
    return kind, _CHECKS[kind](data[1:], meter)


def _examine_record(raw: bytes, meter: Meter) -> Hashable:
    try:
        record = meter.run("decode_record", len(raw), lambda: decode_record(raw))
    except ContractError as error:
        check_faults("decode_record", error.faults)
        return error.faults[0].problem[:20]
    _check_record(record, len(raw), meter)
    return record.kind, record.outcome, len(record.attempts)


def _check_record(record: Record, size: int, meter: Meter) -> None:
    """See that a record that is written is JSON, and is read as it was."""
    written = meter.run("encode_record", size, lambda: encode_record(record))
    json.loads(written, parse_constant=_no_number)
    again = meter.run("decode_record", len(written), lambda: decode_record(written))
    if not _is_same(again, record):
        raise Broken("a record is read as it was written", f"{record!r}, {again!r}"[:4000])
    if encode_record(again) != written:
        raise Broken("a record is written as it was read", f"{written!r}"[:4000])


def _no_number(constant: str) -> None:
    raise Broken("a record is JSON", constant)


def _is_same(found: object, meant: object) -> bool:
    """Compare two records; times are rounded to microseconds, give or take one, and what is no text
    is escaped."""
    if isinstance(meant, float) and isinstance(found, float):
        return math.isclose(found, meant, rel_tol=1e-15, abs_tol=0.76e-6)
    if isinstance(meant, str) and isinstance(found, str):
        return found == meant.encode("utf-8", "backslashreplace").decode()
    if isinstance(meant, tuple) and isinstance(found, tuple):
        return len(found) == len(meant) and all(map(_is_same, found, meant))
    if isinstance(meant, Record | AttemptRecord):
        return type(found) is type(meant) and all(
            _is_same(getattr(found, name), getattr(meant, name)) for name in meant.__struct_fields__
        )
    return found == meant


def _examine_in_flight(value: bytes, meter: Meter) -> Hashable:
    try:
        found = meter.run("decode_in_flight", len(value), lambda: decode_in_flight(ENTRY_ID, value))
    except ValueError as error:
        return type(error).__name__, str(error)[:20]
    _check_types(found)
    return found.kind, found.side, found.dialing is None


def _check_types(found: InFlight) -> None:
    """See that what is taken for an in-flight entry can be worked with as one."""
    dialing = found.dialing
    good = isinstance(found.key, str) and isinstance(found.task, str | None)
    if dialing is not None:
        good = good and isinstance(dialing.uuid, str) and isinstance(dialing.line, str | None)
        good = good and isinstance(dialing.group, str) and isinstance(dialing.attempt, int)
    if not good:
        raise Broken("an in-flight entry is one", repr(found)[:2000])


def _examine_progress(raw: bytes, meter: Meter) -> Hashable:
    try:
        found = meter.run("Progress.decode", len(raw), lambda: Progress.decode(raw))
    except ValueError as error:
        return str(error)[:30]
    itinerary = found.itinerary
    numbers = isinstance(itinerary.position, int) and isinstance(itinerary.redials, int)
    if not numbers or not all(isinstance(group, str) for group in itinerary.groups):
        raise Broken("progress is one", repr(found)[:2000])
    _check_progress(found)
    return len(found.attempts), len(itinerary.groups)


def _check_progress(progress: Progress) -> None:
    again = Progress.decode(progress.encode())
    if again != progress:
        raise Broken("progress is read as it was written", f"{progress!r}, {again!r}"[:4000])


def _attempt(take: Taking) -> AttemptRecord:
    def maybe() -> float | None:
        return take.moment() if take.number() % 2 else None

    return AttemptRecord(
        uuid=take.text(),
        line=take.choice((None, take.text())),
        line_group=take.text(),
        dialed_at=take.moment(),
        progress_at=maybe(),
        answered_at=maybe(),
        ended_at=maybe(),
        hangup_cause=take.choice(_CAUSES),
        sip_code=take.choice((None, take.number(2))),
    )


def _make_record(data: bytes, meter: Meter) -> Hashable:
    take = Taking(data)
    record = Record(
        id=take.text(),
        kind=take.choice(tuple(Kind)),
        task=take.choice((None, take.text())),
        number=take.choice((None, take.text())),
        entry=take.blob(),
        outcome=take.choice(tuple(Outcome)),
        taken_at=take.moment(),
        ended_at=take.moment(),
        host=take.text(),
        attempts=tuple(_attempt(take) for _ in range(take.number() % 4)),
        requested_uuid=take.choice((None, take.text())),
        reason=take.text(),
    )
    _check_record(record, len(data), meter)
    return record.kind, len(record.attempts)


def _make_in_flight(data: bytes, meter: Meter) -> Hashable:
    take = Taking(data)
    origin = Origin(take.text(), take.choice((Side.LEFT, Side.RIGHT, None)))
    task = take.choice((None, take.text()))
    score = take.choice(("inf", "-inf", "1700000000.5", "0")) if origin.side is None else None
    taken_at = round(take.moment(), 6)
    dialing = None
    if take.number() % 2:
        line = take.choice((None, take.text()))
        dialing = Dialing(take.text(), line, take.text(), take.number(), take.blob())
    entry = take.rest()
    kind = Kind.SCHEDULE if origin.side is None else Kind.QUEUE
    number = None if score is None else float(score)
    meant = InFlight(
        ENTRY_ID, entry, taken_at, kind, origin.key, origin.side, task, number, dialing
    )
    value = in_flight_value(origin, task, taken_at, score, dialing, entry)
    found = meter.run("decode_in_flight", len(value), lambda: decode_in_flight(ENTRY_ID, value))
    if found != meant:
        raise Broken("an entry is read as it was noted", f"{found!r}, {meant!r}"[:4000])
    return kind, dialing is None, score


def _make_progress(data: bytes, meter: Meter) -> Hashable:
    take = Taking(data.decode("utf-8", "replace").encode())  # it comes from Redis as text
    groups = tuple(_clean(take.text()) for _ in range(take.number() % 5))
    itinerary = Itinerary(groups, take.number(), take.number())
    attempts = tuple(
        replace(one, uuid=_clean(one.uuid), line=one.line and _clean(one.line), line_group="g")
        for one in (_attempt(take) for _ in range(take.number() % 4))
    )
    _check_progress(Progress(itinerary, attempts, take.choice((None, take.moment()))))
    return len(groups), len(attempts)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


_CHECKS: tuple[Check, ...] = (
    *(_examine_record, _examine_in_flight, _examine_progress),
    *(_make_record, _make_in_flight, _make_progress),
)


def restructure(data: bytes, other: bytes, random: Random) -> bytes:
    """Change the JSON within, be it a whole document or one of the first two lines."""
    lines = data[1:].split(b"\n", 2) if data[:1] == b"\1" else [data[1:]]
    donor = other[1:].split(b"\n", 1)[0]
    at = random.randrange(len(lines))
    lines[at] = restructured(lines[at], donor, random, _KEYS)
    return data[:1] + b"\n".join(lines)


TARGET = Target(
    name="records",
    seeds=seeds,
    tokens=(
        *(f'"{key}":'.encode() for key in _KEYS),
        *(fragment.encode() for fragment in FRAGMENTS[:30]),
        *(b"queue", b"schedule", b"left", b"due", b"answered", b"invalid", b'"v":1', b"Infinity"),
        *(b"null", b"[]", b"{}", b"[", b"{", b'"', b",", b"=", b"/w==", b"NaN", b"1e400"),
    ),
    examine=examine,
    restructure=restructure,
)
