"""What a target is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from random import Random

from attrs import frozen

from fuzz.meter import Meter

LARGEST = 64 * 1024
"""Bytes of a made input; seeds may be larger."""


@frozen
class Target:
    """Something of the product that reads bytes, and what must hold of it.

    ``examine`` hands an input to the product, and raises (anything at all) where a property does
    not hold.  It returns the input's shape: a hint of how the product took it.  The seeded
    generator keeps inputs of new shapes to go on from.  ``restructure`` makes a new input out of
    one (or two) along the lines of the format, where byte-wise changes seldom leave a sound one.
    """

    name: str
    seeds: Callable[[], list[bytes]]
    tokens: tuple[bytes, ...]
    examine: Callable[[bytes, Meter], Hashable]
    restructure: Callable[[bytes, bytes, Random], bytes]
