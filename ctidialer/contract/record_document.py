"""The JSON of a record: what CRMs read to learn how their numbers ended."""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from ctidialer.contract import causes
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.problems import Problem
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record

VERSION = 1
"""It changes when a field changes its meaning; new fields may come at any time."""

_TIME_DIGITS = 6  # of a second: microseconds, which is what FreeSWITCH's own times have
_MAX_QUICK = 4e9  # seconds (the year 2096): microseconds of them are counted exactly in a float


class _Attempt(msgspec.Struct, frozen=True):
    """An attempt as it stands in the JSON."""

    uuid: str
    line_group: str
    dialed_at: float
    line: str | None = None
    progress_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    hangup_cause: str | None = None
    sip_code: int | None = None
    bridged_at: float | None = None


class _Record(msgspec.Struct, frozen=True):
    """A record as it stands in the JSON, without what is derived from its attempts."""

    id: str
    kind: Kind
    entry: str
    outcome: Outcome
    taken_at: float
    ended_at: float
    host: str
    task: str | None = None
    config: str | None = None
    number: str | None = None
    entry_base64: str | None = None
    entry_length: int | None = None
    entry_sha256: str | None = None
    attempts: tuple[_Attempt, ...] = ()
    requested_uuid: str | None = None
    reason: str = ""
    agent: str | None = None
    variables: dict[str, str | float] = msgspec.field(default_factory=dict)
    entry_id: str = ""
    try_number: int = msgspec.field(default=1, name="try")
    is_final: bool = msgspec.field(default=True, name="final")
    next_at: float | None = None
    abandoned: bool = False


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Record)
_MAX_SHOWN = 120  # characters of a problem
_PLACE = re.compile(r"(?P<problem>.*) - at `(?P<path>.*)`", re.DOTALL)


def encode_record(record: Record) -> bytes:
    """Return the JSON of a record, with the fields of docs/redis-contract.rst in their order.

    Never fails: text that is no Unicode is escaped.  ``entry`` shows bytes that are no UTF-8
    escaped; ``entry_base64`` has them exactly, and stands only then.  ``entry_length`` and
    ``entry_sha256`` stand only where ``entry`` is not all of it.
    """
    try:
        return _ENCODER.encode(_as_json(record))
    except UnicodeEncodeError:
        return _ENCODER.encode(escaped(_as_json(record)))


def decode_record(raw: bytes) -> Record:
    """Return the record in ``raw``, as `encode_record` writes it; raises ContractError."""
    try:
        return _as_record(_DECODER.decode(raw))
    except UnicodeDecodeError:
        problem = Fault.of("$", Problem.NOT_UTF8.of())
    except RecursionError:
        problem = Fault.of("$", Problem.TOO_DEEP.of())
    except binascii.Error:
        problem = Fault("$.entry_base64", "is not base64")
    except msgspec.DecodeError as error:
        problem = _fault(str(error))
    raise ContractError([problem])


def _as_json(record: Record) -> dict[str, object]:
    last = record.attempts[-1] if record.attempts else None
    cause = last.hangup_cause if last else None
    return {
        "id": record.id,
        "entry_id": record.first_id,
        "try": record.try_number,
        "final": record.is_final,
        "next_at": _rounded(record.next_at),
        "uuid": last.uuid if last else None,
        "requested_uuid": record.requested_uuid,
        "kind": record.kind,
        "task" if record.kind is Kind.QUEUE else "config": record.task,
        "number": record.number,
        **_entry_json(record),
        "outcome": record.outcome,
        "answered": _is_answered(record, last),
        "hangup_cause": cause,
        "q850": causes.q850(cause),
        "sip_code": last.sip_code if last else None,
        "line": last.line if last else None,
        "line_group": last.line_group if last else None,
        "attempts": [_attempt_json(attempt) for attempt in record.attempts],
        "taken_at": in_microseconds(record.taken_at),
        "ended_at": in_microseconds(record.ended_at),
        "bill_seconds": _bill_seconds(last),
        "connect_seconds": _rounded(last.connect_seconds) if last else None,
        "talk_seconds": _rounded(last.talk_seconds) if last else None,
        "agent": record.agent,
        "variables": dict(record.variables),
        "abandoned": record.abandoned,
        "host": record.host,
        "reason": record.reason,
        "version": VERSION,
    }


def _entry_json(record: Record) -> dict[str, object]:
    shown: dict[str, object]
    try:
        shown = {"entry": record.entry.decode()}
    except UnicodeDecodeError:
        shown = {
            "entry": record.entry.decode("utf-8", "backslashreplace"),
            "entry_base64": base64.b64encode(record.entry).decode(),
        }
    if record.entry_length is not None:
        shown["entry_length"] = record.entry_length
        shown["entry_sha256"] = record.entry_sha256
    return shown


def _is_answered(record: Record, last: AttemptRecord | None) -> bool:
    answered_last = last is not None and last.answered_at is not None
    return record.outcome is Outcome.ANSWERED or answered_last


def _bill_seconds(last: AttemptRecord | None) -> float | None:
    """Return the seconds from answer to hang-up; None = answered, but its end is not known."""
    if last is None or last.answered_at is None:
        return 0.0
    return _rounded(last.bill_seconds)


def _attempt_json(attempt: AttemptRecord) -> dict[str, object]:
    return {
        "uuid": attempt.uuid,
        "line": attempt.line,
        "line_group": attempt.line_group,
        "dialed_at": in_microseconds(attempt.dialed_at),
        "progress_at": _rounded(attempt.progress_at),
        "answered_at": _rounded(attempt.answered_at),
        "ended_at": _rounded(attempt.ended_at),
        "hangup_cause": attempt.hangup_cause,
        "sip_code": attempt.sip_code,
        "bridged_at": _rounded(attempt.bridged_at),
        "ring_seconds": _rounded(attempt.ring_seconds),
    }


def _rounded(moment: float | None) -> float | None:
    return None if moment is None else in_microseconds(moment)


def in_microseconds(seconds: float) -> float:
    """Return a moment (unix seconds) as it stands in the JSON, to the microsecond."""
    # round(seconds, 6) goes by way of the decimal digits, and a record has ten times.
    if 0 <= seconds < _MAX_QUICK:
        return round(seconds * 1e6) / 1e6
    return round(seconds, _TIME_DIGITS)


def escaped(value: object) -> object:
    """Return ``value`` with lone surrogates, which no UTF-8 can hold, written out."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    return value


def _as_record(found: _Record) -> Record:
    return Record(
        id=found.id,
        kind=found.kind,
        task=found.task if found.kind is Kind.QUEUE else found.config,
        number=found.number,
        entry=_entry_bytes(found),
        outcome=found.outcome,
        taken_at=found.taken_at,
        ended_at=found.ended_at,
        host=found.host,
        attempts=tuple(_as_attempt(attempt) for attempt in found.attempts),
        requested_uuid=found.requested_uuid,
        reason=found.reason,
        agent=found.agent,
        variables=found.variables,
        abandoned=found.abandoned,
        entry_length=found.entry_length,
        entry_sha256=found.entry_sha256,
        entry_id="" if found.entry_id == found.id else found.entry_id,
        try_number=found.try_number,
        is_final=found.is_final,
        next_at=found.next_at,
    )


def _as_attempt(found: _Attempt) -> AttemptRecord:
    return AttemptRecord(**msgspec.structs.asdict(found))


def _entry_bytes(found: _Record) -> bytes:
    if found.entry_base64 is None:
        return found.entry.encode()
    return base64.b64decode(found.entry_base64.encode(), validate=True)


def _fault(message: str) -> Fault:
    match = _PLACE.fullmatch(message)
    if match is None:
        return Fault("$", _for_people(message))
    return Fault(match["path"], _for_people(match["problem"]))


def _for_people(problem: str) -> str:
    """Return a problem in which the document's own text is quoted, short and on one line."""
    clipped = problem if len(problem) <= _MAX_SHOWN else problem[:_MAX_SHOWN] + "…"
    return "".join(mark if mark.isprintable() else "\ufffd" for mark in clipped)
