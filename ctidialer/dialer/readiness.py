"""What has to be in place before a number may be taken."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable

from ctidialer.dialer.gate import Gate


class Condition(enum.Enum):
    """One thing without which nothing is taken from any queue; the value is for people."""

    REDIS = "Redis is away"
    LEASE = "this daemon does not hold its host's name"
    TABLES = "the tables have not been read yet"
    FREESWITCH = "FreeSWITCH is away"
    RECOVERY = "FreeSWITCH is being asked for the calls of before"
    RECORDS = "Redis refuses to write the records"
    IN_SERVICE = "this node is drained by the operator"
    RUNNING = "this daemon is stopping"


class Readiness:
    """Which conditions are met; ``gate`` is open while all are."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.gate = Gate()
        self._missing = dict.fromkeys(Condition)
        self._changed = changed
        self.losses: Counter[Condition] = Counter()
        """How often each condition was lost after it had been met."""

    @property
    def missing(self) -> tuple[Condition, ...]:
        """The conditions that are not met, in the order in which they are usually met."""
        return tuple(condition for condition in Condition if condition in self._missing)

    def met(self, *conditions: Condition) -> None:
        """These conditions are met from now on."""
        for condition in conditions:
            self._missing.pop(condition, None)
        if not self._missing and not self.gate.is_open:
            self.gate.open()
            self._changed()

    def lost(self, *conditions: Condition) -> None:
        """These conditions are no longer met."""
        self.losses.update(one for one in conditions if one not in self._missing)
        self._missing.update(dict.fromkeys(conditions))
        if self.gate.is_open:
            self.gate.shut()
            self._changed()
