"""How the lines that take no call are put into one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ctidialer.rules.words import Language

MAX_LINES_NAMED = 5
"""Lines that the sentence names one by one."""


def lines_said(lines: Sequence[tuple[str, str]], language: Language) -> str:
    """Say why lines are busy: each line if they are few, else how many for each reason.

    ``lines`` are pairs of a line's name and its reason.
    """
    by_name = dict(lines)
    is_few = len(by_name) <= MAX_LINES_NAMED
    pairs = by_name.items() if is_few else Counter(by_name.values()).most_common()
    colon, semicolon = ("：", "；") if language == "zh" else (": ", "; ")
    return semicolon.join(f"{one}{colon}{other}" for one, other in pairs)
