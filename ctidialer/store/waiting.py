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


def earliest(scope: str, pairs: Sequence[tuple[str, bytes]]) -> dict[Waiting, float]:
    """Return when the next number of each place is due (unix seconds), as Redis says it.

    A place that only a later version knows is left out.
    """
    found = [(_place(scope, field), due) for field, due in pairs]
    return {where: float(due) for where, due in found if where is not None}


def counts(scope: str, pairs: Sequence[tuple[str, bytes]]) -> dict[Waiting, dict[WaitReason, int]]:
    """Return how many numbers wait in each place for each reason.

    What somebody has spoilt, or only a later version knows, is left out.
    """
    found: dict[Waiting, dict[WaitReason, int]] = {}
    for field, count in pairs:
        there, _, word = field.rpartition(":")
        where, reason = _place(scope, there), _REASONS.get(word)
        if where is not None and reason is not None and count.isdigit() and int(count) > 0:
            found.setdefault(where, {})[reason] = int(count)
    return found


_KINDS = {kind.value: kind for kind in Kind}
_REASONS = {reason.value: reason for reason in WaitReason}


def _place(scope: str, field: str) -> Waiting | None:
    """Return the place of a `Waiting.field`; None = it is none."""
    word, separator, name = field.partition(":")
    kind = _KINDS.get(word)
    return None if kind is None or not separator else Waiting(scope, kind, name)
