"""What one piece of the product's work may cost, and the exception for all that must not be."""

from __future__ import annotations

import resource
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from time import process_time
from typing import TypeVar

from attrs import define

T = TypeVar("T")

SECONDS = 0.050
"""Processor time for an input of up to `SIZE` bytes; larger ones get in proportion."""
SIZE = 64 * 1024
SECONDS_A_PIECE = 50e-6
"""For each piece in which a stream is fed: what was kept may be joined to it (64 KiB at most)."""
MEMORY = 8 * 1024 * 1024
MEMORY_A_BYTE = 400
"""Bytes that may be allocated at once for each byte of input (a JSON value takes one byte, and the
object that says where it stands about a hundred)."""

_AGAIN = 3
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Broken(Exception):
    """A property does not hold; ``name`` is the property's, the text what was found instead."""

    def __init__(self, name: str, found: str) -> None:
        super().__init__(f"{name}: {found}")
        self.name = name


@define
class Meter:
    """Measures each piece of work, and keeps the worst.

    ``allowance`` is by how much longer it may take than `seconds_allowed` says.
    """

    allowance: float = 1.0
    counted_every: int = 200
    """Of so many pieces of work the memory of one is counted exactly, which makes it slow; of the
    others it is only seen when the whole process has grown beyond all that it ever had."""
    works: int = 0
    slowest: float = 0.0
    slowest_work: str = ""

    def run(self, name: str, size: int, work: Callable[[], T], pieces: int = 0) -> T:
        """Return what ``work`` does; `Broken` where it costs too much for ``size`` bytes.

        ``work`` must be repeatable: it is measured again before anything is said of it, for this
        processor has other things to do as well.
        """
        allowed = seconds_allowed(size, pieces) * self.allowance
        memory, start = _peak_memory(), process_time()
        try:
            return work()
        finally:
            spent = process_time() - start
            grown = _peak_memory() - memory
            if spent > allowed:
                spent = min(spent, *(_seconds(work) for _ in range(_AGAIN)))
            self._note(name, size, spent)
            if spent > allowed:
                raise Broken(
                    f"bounded time of {name}",
                    f"it took {spent:.3f} s for {size} bytes ({allowed:.3f} s)",
                )
            self.works += 1
            if grown > bytes_allowed(size) or not self.works % self.counted_every:
                _check_memory(name, size, work)

    def _note(self, name: str, size: int, spent: float) -> None:
        if spent > self.slowest:
            self.slowest, self.slowest_work = spent, f"{name}, {size} bytes"


def seconds_allowed(size: int, pieces: int = 0) -> float:
    """Return the processor time that work on ``size`` bytes may take."""
    return SECONDS * max(1.0, size / SIZE) + pieces * SECONDS_A_PIECE


def bytes_allowed(size: int) -> int:
    """Return how many bytes work on ``size`` bytes may have in use at once."""
    return MEMORY + size * MEMORY_A_BYTE


def _seconds(work: Callable[[], object]) -> float:
    start = process_time()
    _settled(work)
    return process_time() - start


def _check_memory(name: str, size: int, work: Callable[[], object]) -> None:
    """Count what ``work`` allocates: that the process grew may be the fuzzer's own doing."""
    tracemalloc.start()
    try:
        _settled(work)
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if used > bytes_allowed(size):
        raise Broken(f"bounded memory of {name}", f"it used {used} bytes for {size} bytes of input")


def _settled(work: Callable[[], object]) -> None:
    with suppress(Exception):  # it has been raised before, by the first run
        work()


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
