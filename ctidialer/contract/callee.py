"""Who may be called, and when again: what a task or a schedule configuration says of its callees
(docs/redis-contract.rst)."""

from __future__ import annotations

import enum

from attrs import frozen

from ctidialer.contract.hours import CallingHours
from ctidialer.contract.record import Outcome

ABANDONED = "abandoned"
"""In a retry plan: answered by a person whom no agent took in time, whatever the outcome."""

RETRIED = frozenset(
    {
        *(
            one.value
            for one in (
                Outcome.ANSWERED,
                Outcome.BUSY,
                Outcome.NO_ANSWER,
                Outcome.REJECTED,
                Outcome.UNALLOCATED,
                Outcome.FAILED,
                Outcome.MACHINE,
                Outcome.NO_LINE,
            )
        ),
        ABANDONED,
    }
)
"""What a retry plan may name.  Not ``unknown``: such a call may have been placed and answered."""


@frozen
class LocalTime:
    """A time of day in the time zone of the task: seconds since midnight."""

    second: int


@frozen
class RetryRule:
    """How often, and when, a number is tried again after one of these outcomes.

    ``after``: for the first, second… retry of this rule; the last one repeats.  Seconds from the
    end of the try, or the next such time of day.
    """

    outcomes: frozenset[str]
    after: tuple[float | LocalTime, ...]
    count: int

    @property
    def name(self) -> str:
        """What this rule is known by, while numbers wait and the plan is edited."""
        return "+".join(sorted(self.outcomes))


@frozen
class RetryPlan:
    """The first rule that names the outcome counts; ``max_retries`` None = as the rules say."""

    rules: tuple[RetryRule, ...] = ()
    max_retries: int | None = None


NO_RETRIES = RetryPlan()


@frozen
class Cap:
    """At most ``count`` calls to one callee within ``seconds``; ``talk``: conversations only."""

    count: int
    seconds: float
    talk: bool = False


class CapScope(enum.Enum):
    """Which calls to a callee a cap counts."""

    ALL = "all"
    """Those of all tasks and hosts."""
    TASK = "task"
    """Those of this task, on all hosts."""


@frozen
class CalleeRules:
    """Everything that a task says of its callees.

    ``hours``: when they may be called, in their own time: while all of these are open; none =
    whenever the task calls.  ``abandoned_rest``: seconds for which whoever was abandoned is not
    tried again.
    ``region``: how national numbers are read (ISO 3166: ``CN``).  ``timezone``: of callees whose
    number tells none (IANA).  ``dnc``: keys of Redis with numbers that are not called; ``dnc_add``:
    the key of the set that gets the numbers of those who opt out.  ``compliance``: names of rule
    files that are to be obeyed as well.
    """

    retry: RetryPlan = NO_RETRIES
    hours: tuple[CallingHours, ...] = ()
    region: str | None = None
    timezone: str | None = None
    dnc: tuple[str, ...] = ()
    dnc_add: str | None = None
    caps: tuple[Cap, ...] = ()
    cap_scope: CapScope = CapScope.ALL
    compliance: tuple[str, ...] = ()
    abandoned_rest: float = 0.0


NO_CALLEE_RULES = CalleeRules()
