"""Where numbers wait until they may be called (again), and what is read there without a lease."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.waiting import WaitReason


@frozen
class Waiting:
    """A place where numbers wait.

    ``scope``: ``template`` if the task stands there, else its host; a configuration's domain.
    ``name``: the task's, or (``kind`` schedule) the configuration's.
    """

    scope: str
    kind: Kind
    name: str

    @property
    def key(self) -> str:
        """The zset in which they wait."""
        return keys.waiting(self.scope, self.kind.value, self.name)

    @property
    def field(self) -> str:
        """The name of this place in `keys.waiting_next`, and its beginning in the counts."""
        return f"{self.kind.value}:{self.name}"

    @property
    def names(self) -> tuple[str, str, str]:
        """The three keys that every script which moves waiting numbers changes."""
        return self.key, keys.waiting_next(self.scope), keys.waiting_count(self.scope)


def place(scope: str, field: str) -> Waiting:
    """Return the place of a `Waiting.field`; raises ValueError if it is none."""
    kind, _, name = field.partition(":")
    return Waiting(scope, Kind(kind), name)


def earliest(scope: str, pairs: Sequence[tuple[str, bytes]]) -> dict[Waiting, float]:
    """Return when the next number of each place is due (unix seconds), as Redis says it."""
    return {place(scope, field): float(due) for field, due in pairs}


def counts(scope: str, pairs: Sequence[tuple[str, bytes]]) -> dict[Waiting, dict[WaitReason, int]]:
    """Return how many numbers wait in each place for each reason."""
    found: dict[Waiting, dict[WaitReason, int]] = {}
    for field, count in pairs:
        there, _, reason = field.rpartition(":")
        if int(count) > 0:
            found.setdefault(place(scope, there), {})[WaitReason(reason)] = int(count)
    return found
