"""What has to be in place before a number may be taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ctidialer.glue import Gate
from ctidialer.rules.reasons import Condition as Condition

DONE_AGAIN = {
    Condition.REDIS: (Condition.TABLES, Condition.RECOVERY),
    Condition.FREESWITCH: (Condition.RECOVERY,),
}
"""What has to be done again after a condition was lost.

While Redis is away, changes of the tables are missed, so they have to be read again.  And another
daemon may work under this host's name meanwhile, and leave numbers in flight.
"""


class Readiness:
    """Which conditions are met; ``gate`` is open while all are."""

    def __init__(self) -> None:
        self.gate = Gate()
        self._missing = dict.fromkeys(Condition)
        self._watchers: list[Callable[[], None]] = []
        self.losses: Counter[Condition] = Counter()
        """How often each condition was lost after it had been met."""

    @property
    def missing(self) -> tuple[Condition, ...]:
        """The conditions that are not met, the one that explains the others first."""
        return tuple(condition for condition in Condition if condition in self._missing)

    def watch(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` whenever a condition is met or lost."""
        self._watchers.append(changed)

    def met(self, *conditions: Condition) -> None:
        """These conditions are met from now on."""
        before = len(self._missing)
        for condition in conditions:
            self._missing.pop(condition, None)
        if len(self._missing) < before:
            self._changed()

    def lost(self, *conditions: Condition) -> None:
        """These conditions are no longer met, nor are those of DONE_AGAIN after them."""
        before = len(self._missing)
        again = [one for condition in conditions for one in DONE_AGAIN.get(condition, ())]
        lost = dict.fromkeys((*conditions, *again))
        self.losses.update(one for one in lost if one not in self._missing)
        self._missing.update(lost)
        if len(self._missing) > before:
            self._changed()

    def _changed(self) -> None:
        if self._missing:
            self.gate.shut()
        elif not self.gate.is_open:
            self.gate.open()
        for changed in self._watchers:
            changed()
