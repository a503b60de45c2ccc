"""Records as CSV: RFC 4180, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from ctidialer.cli.printable import printable
from ctidialer.contract.record import Record

_FORMULA = re.compile(r"[\t\r\n']|\s*[=+\-@＝＋－＠]")
"""With what a spreadsheet takes a cell for a formula; and the mark itself, so that taking one off
gives back every cell."""

MARK = "'"

TIMES = ("taken_at", "dialed_at", "answered_at", "bridged_at", "ended_at")
FIELDS = (
    *("id", "uuid", "requested_uuid", "kind", "task", "config", "number", "outcome", "answered"),
    *("hangup_cause", "q850", "sip_code", "line", "line_group", "attempts", *TIMES),
    *("ring_seconds", "connect_seconds", "talk_seconds", "bill_seconds", "agent"),
    "abandoned",
    *("host", "reason", "entry", "entry_base64"),
    *("entry_id", "try", "final", "next_at"),
)
"""The columns: fields of a record, those of its last attempt, and ``attempts`` as their number."""

_LOCAL = (*TIMES, "next_at")

ALL = "all"
VARIABLES = "variables."
"""Begins a column with a variable of the record (``record_variables``)."""


class NoColumn(ValueError):
    """There is no such column; the message says which there are."""


def columns_of(text: str) -> tuple[str, ...]:
    """Return the columns that ``text`` names, as ``all,variables.crm_id``; raises NoColumn."""
    names: list[str] = []
    for name in map(str.strip, text.split(",")):
        if name == ALL:
            names += FIELDS
        elif name in FIELDS or (name.startswith(VARIABLES) and name != VARIABLES):
            names.append(name)
        else:
            known = ", ".join((ALL, f"{VARIABLES}NAME", *FIELDS))
            raise NoColumn(f"there is no column {name!r}; there are: {known}")
    return tuple(dict.fromkeys(names))


class CsvPrinter:
    """Makes the rows, each without its end; times are those of the IANA ``zone``.

    On a ``terminal`` what would steer it is escaped.  ``columns`` are such as `columns_of` gives.
    """

    def __init__(self, zone: str, terminal: bool, columns: Sequence[str] = FIELDS) -> None:
        self._columns = columns
        self._zone = zone
        self._local = ZoneInfo(zone)
        self._terminal = terminal

    def header(self) -> str:
        """Return the names of the columns; those of times have the zone behind them."""
        return csv_row([f"{one} ({self._zone})" if one in _LOCAL else one for one in self._columns])

    def row(self, raw: bytes, record: Record) -> str:
        """Return the row of a record, of which ``raw`` is the JSON."""
        found: dict[str, object] = msgspec.json.decode(raw)
        last = record.attempts[-1] if record.attempts else None
        found["attempts"] = len(record.attempts)
        found["taken_at"], found["ended_at"] = self._at(record.taken_at), self._at(record.ended_at)
        found["next_at"] = self._at(record.next_at)
        if last is not None:
            found["dialed_at"] = self._at(last.dialed_at)
            found["answered_at"] = self._at(last.answered_at)
            found["bridged_at"] = self._at(last.bridged_at)
            found["ring_seconds"] = _milliseconds(last.ring_seconds)
        for name, value in record.variables.items():
            found[VARIABLES + name] = value
        cells = [safe_cell(_text(found.get(name))) for name in self._columns]
        return csv_row([printable(cell) for cell in cells] if self._terminal else cells)

    def _at(self, moment: float | None) -> str:
        if moment is None:
            return ""
        try:
            return f"{datetime.fromtimestamp(moment, self._local):%Y-%m-%d %H:%M:%S}"
        except (OverflowError, ValueError, OSError):
            return str(moment)


def csv_row(cells: Sequence[str]) -> str:
    """Return one row of CSV without its end; a cell with a line break of any kind is quoted."""
    row = io.StringIO()
    csv.writer(row, lineterminator="\r\n").writerow(cells)
    return row.getvalue().removesuffix("\r\n")


def safe_cell(text: str) -> str:
    """Return ``text`` so that no spreadsheet reckons with it: with a ``'`` where it needs one."""
    return MARK + text if _FORMULA.match(text) else text


def _milliseconds(seconds: float | None) -> float | None:
    """Return seconds to the millisecond."""
    return None if seconds is None else round(seconds, 3)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
