"""Files of one number or one entry a line."""

from __future__ import annotations

from collections.abc import Iterator

from ctidialer.contract.document import JSON_BEGINS, shown
from ctidialer.files.columns import is_usual_name
from ctidialer.files.lines import Lines
from ctidialer.files.rows import Row, unreadable

COMMENT = "# "
"""Begins a line that is no number; a # with digits behind it is one (``#31#13800138000``)."""


def read_text(lines: Lines) -> Iterator[Row]:
    """Yield a row for each line that is neither blank nor a comment, nor a header at the top."""
    is_first = True
    for line in lines:
        yield from lines.taken()
        text = line.text.strip()
        if not text or text == "#" or text.startswith(COMMENT):
            continue
        if not (is_first and is_usual_name(text)):
            yield Row(line.number, (text,), text, is_entry=text[:1] in JSON_BEGINS)
        is_first = False
    yield from lines.taken()


def read_json_lines(lines: Lines) -> Iterator[Row]:
    """Yield a row for each line that is not blank."""
    for line in lines:
        yield from lines.taken()
        text = line.text.strip()
        if text[:1] in JSON_BEGINS:
            yield Row(line.number, (text,), text, is_entry=True)
        elif text:
            problem = f"must be a JSON object or string, not {shown(text)}"
            yield unreadable(line.number, (text,), problem)
    yield from lines.taken()
