"""Scheduled dialing (定时呼叫), as values: docs/redis-contract.rst."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from ctidialer.contract.after_call import NOTHING_MORE, AfterCall
from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.callee import NO_CALLEE_RULES, CalleeRules
from ctidialer.contract.task import Destination

MAX_TIME = 32_503_680_000.0
"""The year 3000 in unix seconds: a score beyond it is in milliseconds by mistake."""


@frozen
class ScheduleConfig:
    """What the scheduled numbers that name this configuration have in common.

    ``limit``: calls at once on this host, None = no limit, 0 = paused.  ``cps``: call starts per
    second, None = no rate limit.  ``agents``: when a call is abandoned; None = none is judged.
    """

    name: str
    line_groups: tuple[str, ...]
    destination: Destination
    variables: Mapping[str, str] = field(factory=dict)
    after_call: AfterCall = NOTHING_MORE
    limit: int | None = None
    cps: float | None = None
    agents: AgentDialing | None = None
    callee: CalleeRules = NO_CALLEE_RULES

    @property
    def is_limited(self) -> bool:
        """Whether it says how many calls it may have, or start."""
        return self.limit is not None or self.cps is not None


@frozen
class ScheduledNumber:
    """A number to call at a time: ``expires`` is unix seconds, None = never (0 or absent).

    ``timezone``: where the callee is (IANA), if the member says so.
    """

    number: str
    config: str
    expires: float | None = None
    variables: Mapping[str, str] = field(factory=dict)
    timezone: str | None = None
