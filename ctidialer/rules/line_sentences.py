"""How the lines that take no call are put into one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

LINES_NAMED = 5
"""Lines that the sentence names one by one."""


def lines_said(lines: Sequence[tuple[str, str]]) -> str:
    """Say why lines are busy, given by name: of a few each, of many how many for each reason."""
    by_name = dict(lines)
    if len(by_name) <= LINES_NAMED:
        return "; ".join(f"{name}: {why}" for name, why in by_name.items())
    return "; ".join(f"{why}: {count}" for why, count in Counter(by_name.values()).most_common())
