"""``${uuid}`` and the like in the variables of tasks, configurations and lines.

They stand for values of the very call (docs/redis-contract.rst).  The variables of numbers have
none: a number comes from the least trusted hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NAMES = (
    "uuid",
    "destination_number",
    "cti_task_name",
    "cti_dial_number",
    "cti_line_name",
    "cti_line_group_name",
    "cti_host",
)

ALL_NAMES = ", ".join(f"${{{name}}}" for name in NAMES)
"""The placeholders that there are, for a fault."""

_OURS = re.compile(rf"(?<!\$)\$\{{({'|'.join(NAMES)})\}}")
_OPENING = "${"


class Fillable(str):
    """A value with placeholders; a plain `str` has none, whatever stands in it.

    What is cut or joined is a plain `str` again, and is then refused where it is sent.
    """

    __slots__ = ()

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text of one call; ``values`` has all `NAMES`.  No value is looked into."""
        return _OURS.sub(lambda found: values[found[1]], self)


def unknown(text: str) -> str | None:
    """Return the first ``${…}`` of a text that is no placeholder, None if there is none."""
    if _OPENING not in text:
        return None
    rest = _OURS.sub("", text)
    start = rest.find(_OPENING)
    return None if start < 0 else rest[start:].partition("}")[0] + "}"


def fillable(text: str) -> str:
    """Return ``text``, as `Fillable` where there is something to fill in."""
    return Fillable(text) if _OURS.search(text) else text
