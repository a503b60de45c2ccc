"""A queue-dialing task (队列呼叫任务): docs/redis-contract.rst, as a value."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import field, frozen

from ctidialer.contract.after_call import NOTHING_MORE, AfterCall
from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.callee import NO_CALLEE_RULES, CalleeRules
from ctidialer.contract.hours import ALL_HOURS, CallingHours


class Side(enum.Enum):
    """The end of the number list from which numbers are taken."""

    LEFT = "left"
    RIGHT = "right"


@frozen
class Destination:
    """Where an answered call goes."""

    extension: str
    dialplan: str = "XML"
    context: str = "default"


class LimitScope(enum.Enum):
    """Over which hosts a task's ``limit`` or ``cps`` holds."""

    HOST = "host"
    ALL = "all"


@frozen
class Task:
    """One valid task of this host: the host's document merged over the template's.

    ``limit``: calls at once, 0 = paused.  ``cps``: call starts per second, None = no rate limit.
    ``limit_scope`` and ``cps_scope``: over which hosts these hold.  ``brake_after``: so many bad
    ends in a row hold it, 0 = never, None = as the settings say.  ``agents``: who they are, and
    what follows for the calls; None = no call is judged.  ``further_queues``: lists that are looked
    at when ``number_queue`` is empty, in their
    order.  ``host_variables`` < ``template_variables`` (docs/redis-contract.rst).
    """

    name: str
    enabled: bool
    line_groups: tuple[str, ...]
    limit: int
    number_queue: str
    destination: Destination
    cps: float | None = None
    hours: CallingHours = ALL_HOURS
    queue_side: Side = Side.LEFT
    host_variables: Mapping[str, str] = field(factory=dict)
    template_variables: Mapping[str, str] = field(factory=dict)
    after_call: AfterCall = NOTHING_MORE
    brake_after: int | None = None
    agents: AgentDialing | None = None
    further_queues: tuple[str, ...] = ()
    callee: CalleeRules = NO_CALLEE_RULES
    limit_scope: LimitScope = LimitScope.HOST
    cps_scope: LimitScope = LimitScope.HOST

    @property
    def queues(self) -> tuple[str, ...]:
        """The lists of its numbers: numbers are taken from the first that holds any."""
        return (self.number_queue, *self.further_queues)
