"""Reads files of numbers in tests, as ``ctidialer load`` does."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Mapping
from functools import partial
from typing import Any

from ctidialer.check.numbers import is_accepted, refusal
from ctidialer.contract.number_document import decode_number
from ctidialer.files.checking import Check, CheckedFile, Spool
from ctidialer.files.columns import WantedColumns
from ctidialer.files.number_file import HowToRead, NumberFile, open_number_file
from ctidialer.files.rejects import Rejects
from ctidialer.files.rows import Row
from ctidialer.files.treatment import Treatment

PATTERN = re.compile(r"\+?[0-9*#]{1,32}")
TREATMENT = Treatment(partial(is_accepted, pattern=PATTERN), partial(refusal, pattern=PATTERN))


def number_of(entry: bytes) -> str:
    return decode_number(entry, PATTERN).number


def opened(content: bytes | str, name: str = "n.csv", **how: Any) -> NumberFile:
    """Open a file of this content; ``wanted`` may be a mapping of Wanted's fields."""
    raw = content.encode() if isinstance(content, str) else content
    wanted = how.pop("wanted", {})
    how["wanted"] = WantedColumns(**wanted) if isinstance(wanted, Mapping) else wanted
    return open_number_file(io.BytesIO(raw), name, HowToRead(**how))


def rows(content: bytes | str, name: str = "n.csv", **how: Any) -> list[Row]:
    return list(opened(content, name, **how).rows)


def numbers(content: bytes | str, name: str = "n.csv", **how: Any) -> list[str]:
    """Return the numbers, as they are spelt; "!" and the problem of a row that cannot be read."""
    return [
        row.number if row.problem is None else f"!{row.line} {row.problem.text}"
        for row in rows(content, name, **how)
    ]


def checked(
    numbers: NumberFile,
    treatment: Treatment = TREATMENT,
    dedupe: bool = False,
    rejects: io.StringIO | None = None,
) -> tuple[CheckedFile, list[bytes]]:
    """Check a file; return what was found, and the entries."""
    written = None if rejects is None else Rejects(rejects, numbers.header)
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        check = Check(treatment, number_of if dedupe else None, written)
        found = check.run(numbers.rows, spool, lambda: None)
        return found, [entry for batch, _ in spool.batches() for entry in batch]
