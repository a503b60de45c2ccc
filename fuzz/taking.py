"""Values out of bytes: whatever the bytes, so that changing them changes the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Taking:
    """Takes values off the front of an input; when it is used up they are all small."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def raw(self, length: int) -> bytes:
        """Take so many bytes, or what is left."""
        taken = self._data[self._at : self._at + length]
        self._at += length
        return taken

    def number(self, length: int = 1) -> int:
        """Take an unsigned number of so many bytes."""
        return int.from_bytes(self.raw(length), "big")

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.raw(len(self._data))

    def choice(self, options: Sequence[T]) -> T:
        """Take one of the options."""
        return options[self.number() % len(options)]

    def blob(self) -> bytes:
        """Take bytes with their length before them: short ones, seldom up to 4 KiB."""
        length = self.number()
        return self.raw(length if length < 250 else 4096)

    def text(self) -> str:
        """Take a text: whatever is no UTF-8 becomes lone surrogates."""
        return self.blob().decode("utf-8", "surrogateescape")

    def moment(self) -> float:
        """Take a time: unix seconds with fractions, between the years 1 and 10000 or so."""
        return (self.number(7) - (1 << 55)) / 1e5
