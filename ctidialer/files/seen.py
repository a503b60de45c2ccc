"""Which numbers were seen already, in eight bytes each."""

from __future__ import annotations

from array import array

_FIRST_SIZE = 1024  # slots; a power of two
_MASK = (1 << 64) - 1
_SPREAD = 0x9E3779B97F4A7C15  # odd, and without pattern in its bits: neighbours come far apart
_INTERNATIONAL = 1 << 62
_HASHED = 1 << 63
_MAX_DIGITS = 18  # digits that fit, with a 1 before them, below the two bits above


def key_of(number: str) -> int:
    """Return 64 bits that stand for ``number``; never 0.

    They are the number itself where it is a ``+`` or none and up to 18 digits, so that two numbers
    are never taken for one; a hash of anything else.
    """
    digits = number[1:] if number[:1] == "+" else number
    if len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isdigit():
        key = int("1" + digits)
        return key if digits is number else key | _INTERNATIONAL
    return (hash(number) & _MASK) | _HASHED


class Seen:
    """A set of keys that grows; a million take 16 MB."""

    def __init__(self) -> None:
        self._slots = array("Q", [0]) * _FIRST_SIZE
        self._shift = 64 - _FIRST_SIZE.bit_length() + 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: int) -> bool:
        return self._slots[self._slot(key)] == key

    def add(self, key: int) -> bool:
        """Put ``key`` in; return whether it was not there."""
        slot = self._slot(key)
        if self._slots[slot] == key:
            return False
        self._slots[slot] = key
        self._count += 1
        if self._count * 3 > len(self._slots) * 2:
            self._grow()
        return True

    def _slot(self, key: int) -> int:
        """Return where ``key`` stands, or the free slot where it belongs."""
        slots = self._slots
        slot = ((key * _SPREAD) & _MASK) >> self._shift
        while slots[slot] and slots[slot] != key:
            slot = (slot + 1) & (len(slots) - 1)
        return slot

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", [0]) * (2 * len(old))
        self._shift -= 1
        for key in old:
            if key:
                self._slots[self._slot(key)] = key
