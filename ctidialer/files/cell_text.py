"""The cells of a workbook as text, whichever reader has read them."""

from __future__ import annotations

import datetime

MAX_EXACT = 10**15
"""A workbook holds no whole number exactly from here on: its last digits are lost."""


def text_of(value: object) -> str:
    """Return a cell as text.

    A number of more than 15 digits has lost the others already; it is written so that this shows.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < MAX_EXACT
        return str(int(value)) if whole else f"{value:.15g}"
    if isinstance(value, int):
        return str(value) if abs(value) < MAX_EXACT else f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
