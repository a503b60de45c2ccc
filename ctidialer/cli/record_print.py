"""Records as lines of text: for people, and as JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from rich.cells import cell_len

from ctidialer.cli.printable import printable
from ctidialer.contract.record import AttemptRecord, Record

_COLUMNS = (
    *(("TASK", 16), ("NUMBER", 16), ("OUTCOME", 11), ("CAUSE", 26)),
    *(("LINE", 16), ("CALLS", 5), ("BILL", 8), ("TALK", 8), ("AGENT", 8), ("REASON", 0)),
)
"""The columns behind the time (and the host) with their widths; a longer value pushes the others
to the right."""

_TIME, _HOST = 19, 12  # widths

Printer = Callable[[bytes, Record], str]
"""Makes one line, without its end, of a record and its JSON."""


def as_json(terminal: bool) -> Printer:
    """Return what gives a record's JSON as it stands in Redis.

    On a ``terminal`` what would steer it is escaped, which is the same JSON.
    """

    def line(raw: bytes, record: Record) -> str:
        text = msgspec.json.format(raw, indent=-1).decode()
        return _escaped(text) if terminal else text

    return line


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _json_escape(one) for one in text)


def _json_escape(one: str) -> str:
    units = one.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


class RecordTable:
    """Records as a table for people; its times are those of the IANA ``zone``.

    ``hosts``: it has a column of the host.
    """

    def __init__(self, zone: str, hosts: bool) -> None:
        self._local = ZoneInfo(zone)
        self._hosts = hosts
        ended = (f"ENDED ({zone})", max(_TIME, len(zone) + 8))
        self._columns = (ended, *([("HOST", _HOST)] if hosts else []), *_COLUMNS)

    def header(self) -> str:
        """Return the line above the table."""
        return self._line([name for name, _ in self._columns])

    def row(self, raw: bytes, record: Record) -> str:
        """Return the line of a record."""
        last = record.attempts[-1] if record.attempts else None
        return self._line(
            [
                clock_time(record.ended_at, self._local),
                *([record.host] if self._hosts else []),
                record.task or "",
                record.number or record.entry.decode("utf-8", "backslashreplace")[:40],
                record.outcome.value,
                _cause(last),
                (last.line or last.line_group) if last else "",
                str(len(record.attempts)),
                _bill(last),
                _talk(last),
                record.agent or "",
                "abandoned: no agent in time" if record.abandoned else record.reason,
            ]
        )

    def _line(self, cells: Sequence[str]) -> str:
        return padded(cells, [width for _, width in self._columns])


def padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a line of a table; a cell wider than its column pushes the others to the right."""
    shown = (printable(cell) for cell in cells)
    wide = (
        cell + " " * (width - cell_len(cell)) for cell, width in zip(shown, widths, strict=True)
    )
    return " ".join(wide).rstrip()


def clock_time(at: float, zone: ZoneInfo) -> str:
    """Return a unix time as the clock of a zone shows it; one beyond the calendar as it is."""
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


def _talk(last: AttemptRecord | None) -> str:
    talked = None if last is None else last.talk_seconds
    return "" if talked is None else f"{talked:.1f} s"
