"""One run over one target: each input is examined, and what breaks something is kept."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Hashable
from pathlib import Path
from time import monotonic
from types import TracebackType

from fuzz.cases import Case, write_case
from fuzz.meter import Broken, Meter
from fuzz.target import Target

ENOUGH = 25
"""Different failures after which a run ends: more are mostly the same ones again."""
_TRACE = 3000  # characters of a traceback
_EVERY = 20.0  # seconds between two lines about how far the run has come


class Session:
    """Counts inputs and collects failures; ``say`` is given each line for people."""

    def __init__(self, target: Target, folder: Path, say: Callable[[str], None] = print) -> None:
        self.target = target
        self.meter = Meter()
        self.inputs = 0
        self.bytes = 0
        self.failures: dict[str, Path] = {}
        self._folder = folder
        self._say = say
        self._began = self._said = monotonic()

    @property
    def is_enough(self) -> bool:
        """Whether so much is broken that going on tells nothing new."""
        return len(self.failures) >= ENOUGH

    def examine(self, data: bytes) -> Hashable:
        """Hand an input to the target; return its shape, None where it broke something."""
        self.inputs += 1
        self.bytes += len(data)
        if not self.inputs % 1000 and monotonic() - self._said > _EVERY:
            self._say(self.summary())
            self._said = monotonic()
        try:
            return self.target.examine(data, self.meter)
        except Exception as error:  # noqa: BLE001  whatever it is, it is what was looked for
            self._keep(data, error)
            return None

    def summary(self) -> str:
        """Return how far the run has come, in one line."""
        seconds = monotonic() - self._began
        return (
            f"{self.target.name}: {self.inputs} inputs, {self.bytes / 1e6:.0f} MB,"
            f" {seconds:.0f} s, {self.inputs / max(seconds, 1e-3):.0f}/s,"
            f" slowest {self.meter.slowest * 1000:.1f} ms ({self.meter.slowest_work}),"
            f" {len(self.failures)} failures"
        )

    def _keep(self, data: bytes, error: Exception) -> None:
        where = problem(error)
        if where in self.failures or self.is_enough:
            return
        path = write_case(Case(self.target.name, where, data), self._folder)
        self.failures[where] = path
        self._say(f"{self.target.name}: input {self.inputs} broke something: {where}\n  {path}")
        self._say("".join(traceback.format_exception(error))[-_TRACE:])


def problem(error: Exception) -> str:
    """Say what an exception means, so that the same failure is known again by it."""
    if isinstance(error, Broken):
        return error.name
    return f"{type(error).__name__} in {_innermost(error.__traceback__)}"


def _innermost(trace: TracebackType | None) -> str:
    """Return the function of the product, or else of the fuzzer, in which an exception arose."""
    found = "nowhere"
    for frame in traceback.extract_tb(trace):
        parts = Path(frame.filename).with_suffix("").parts
        if "ctidialer" in parts[-3:] or "fuzz" in parts[-3:] or "tests" in parts[-3:]:
            found = f"{'.'.join(parts[-2:])}.{frame.name}"
    return found
