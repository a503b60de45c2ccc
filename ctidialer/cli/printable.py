"""Text from Redis or from a file, fit to be printed on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return ``text`` on one line with everything that steers a terminal escaped."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
