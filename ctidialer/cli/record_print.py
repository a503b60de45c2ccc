"""Records as lines of text: for people, as CSV, as JSON lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from rich.cells import cell_len

from ctidialer.cli.printable import printable
from ctidialer.contract.record import AttemptRecord, Record

CSV_FIELDS = (
    *("id", "uuid", "requested_uuid", "kind", "task", "config", "number", "outcome", "answered"),
    *("hangup_cause", "q850", "sip_code", "line", "line_group", "attempts", "taken_at"),
    *("ended_at", "bill_seconds", "host", "reason", "entry", "entry_base64"),
)
"""The fields of a record in the columns' order; ``attempts`` is their number."""

COLUMNS = (
    *(("ENDED", 19), ("TASK", 16), ("NUMBER", 16), ("OUTCOME", 11)),
    *(("CAUSE", 26), ("LINE", 16), ("CALLS", 5), ("BILL", 8), ("REASON", 0)),
)
"""The columns for people and their widths; a longer value pushes the others to the right."""

Printer = Callable[[bytes, Record], str]
"""Makes one line, without its end, of a record and its JSON."""


def as_json(raw: bytes, record: Record) -> str:
    """Return the record's JSON as it stands in Redis."""
    return msgspec.json.format(raw, indent=-1).decode()


def as_csv(raw: bytes, record: Record) -> str:
    """Return the record as one row of CSV; times are unix seconds, as in the JSON."""
    found = msgspec.json.decode(raw)
    found["attempts"] = len(record.attempts)
    return csv_row([_cell(found.get(name)) for name in CSV_FIELDS])


def csv_row(cells: list[str]) -> str:
    """Return one row of CSV."""
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(cells)
    return row.getvalue()


def for_people(zone: str) -> Printer:
    """Return what makes a line of the table; its times are those of the IANA ``zone``."""
    local = ZoneInfo(zone)

    def line(raw: bytes, record: Record) -> str:
        last = record.attempts[-1] if record.attempts else None
        return row(
            _moment(record.ended_at, local),
            record.task or "",
            record.number or record.entry.decode("utf-8", "backslashreplace")[:40],
            record.outcome.value,
            _cause(last),
            (last.line or last.line_group) if last else "",
            str(len(record.attempts)),
            _bill(last),
            record.reason,
        )

    return line


def row(*cells: str) -> str:
    """Return one line of the table."""
    shown = (printable(cell) for cell in cells)
    columns = zip(shown, COLUMNS, strict=True)
    padded = (cell + " " * (width - cell_len(cell)) for cell, (_, width) in columns)
    return " ".join(padded).rstrip()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _moment(at: float, zone: ZoneInfo) -> str:
    try:
        return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return str(at)


def _cause(last: AttemptRecord | None) -> str:
    if last is None:
        return ""
    sip = "" if last.sip_code is None else f" ({last.sip_code})"
    return f"{last.hangup_cause or ''}{sip}".strip()


def _bill(last: AttemptRecord | None) -> str:
    if last is None or last.answered_at is None or last.ended_at is None:
        return ""
    return f"{max(0.0, last.ended_at - last.answered_at):.1f} s"
