"""The tables of mod_callcenter: their columns in order, and how they are listed.

All times are whole unix seconds; 0 is never.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from attrs import define, field, fields

if TYPE_CHECKING:
    from ctidialer.switchsim.call import Call
    from ctidialer.switchsim.callcenter.offer import Offer

CALLBACK, STANDBY = "callback", "uuid-standby"
TYPES = (CALLBACK, STANDBY)

LOGGED_OUT, AVAILABLE = "Logged Out", "Available"
ON_DEMAND, ON_BREAK = "Available (On Demand)", "On Break"
STATUSES = (LOGGED_OUT, AVAILABLE, ON_DEMAND, ON_BREAK)

WAITING, RECEIVING, IN_A_CALL = "Waiting", "Receiving", "In a queue call"
IDLE, RESERVED = "Idle", "Reserved"
STATES = (WAITING, RECEIVING, IN_A_CALL, IDLE, RESERVED)

READY, NO_ANSWER, OFFERING = "Ready", "No Answer", "Offering"
ACTIVE, STAND_BY = "Active Inbound", "Standby"
TIER_STATES = (NO_ANSWER, READY, OFFERING, ACTIVE, STAND_BY)

TRYING, ANSWERED, ABANDONED = "Trying", "Answered", "Abandoned"

BOX = "single_box"


@define(eq=False)
class Agent:
    """One agent.  ``offer`` is the call he is offered, or on."""

    name: str
    instance_id: str = BOX
    uuid: str = ""
    type: str = CALLBACK
    contact: str = ""
    status: str = LOGGED_OUT
    state: str = WAITING
    max_no_answer: int = 0
    wrap_up_time: int = 0
    reject_delay_time: int = 0
    busy_delay_time: int = 0
    no_answer_delay_time: int = 0
    last_bridge_start: int = 0
    last_bridge_end: int = 0
    last_offered_call: int = 0
    last_status_change: int = 0
    no_answer_count: int = 0
    calls_answered: int = 0
    talk_time: int = 0
    ready_time: int = 0
    external_calls_count: int = 0
    offer: Offer | None = field(default=None, metadata={"hidden": True})

    def may_be_called(self, now: int) -> bool:
        """Say whether mod_callcenter would offer him a call in this second."""
        return (
            self.state == WAITING
            and self.status in (AVAILABLE, ON_DEMAND)
            and self.last_bridge_end < now - self.wrap_up_time
            and self.ready_time <= now
        )


@define(eq=False)
class Tier:
    """An agent's place in a queue."""

    queue: str
    agent: str
    state: str = READY
    level: int = 1
    position: int = 1


@define(eq=False)
class Queue:
    """A queue; times in seconds."""

    name: str
    strategy: str = "longest-idle-agent"
    moh_sound: str = "silence"
    time_base_score: str = "system"
    tier_rules_apply: str = "false"
    tier_rule_wait_second: int = 0
    tier_rule_wait_multiply_level: str = "false"
    tier_rule_no_agent_no_wait: str = "true"
    discard_abandoned_after: int = 60
    abandoned_resume_allowed: str = "false"
    max_wait_time: int = 0
    max_wait_time_with_no_agent: int = 0
    max_wait_time_with_no_agent_time_reached: int = 5
    record_template: str = ""
    calls_answered: int = 0
    calls_abandoned: int = 0
    ring_progressively_delay: int = 0
    skip_agents_with_external_calls: str = "true"
    agent_no_answer_status: str = ON_BREAK


@define(eq=False)
class Member:
    """A call in a queue; ``state`` is WAITING, TRYING, ANSWERED or ABANDONED."""

    queue: str
    instance_id: str
    uuid: str
    session_uuid: str
    cid_number: str
    cid_name: str
    system_epoch: int
    joined_epoch: int
    rejoined_epoch: int = 0
    bridge_epoch: int = 0
    abandoned_epoch: int = 0
    base_score: int = 0
    skill_score: int = 0
    serving_agent: str = ""
    serving_system: str = ""
    state: str = WAITING
    call: Call | None = field(default=None, metadata={"hidden": True})
    offer: Offer | None = field(default=None, metadata={"hidden": True})

    def score(self, now: int) -> int:
        """Give what orders the members: the higher, the sooner."""
        return now - self.joined_epoch + self.base_score + self.skill_score


Row = Agent | Tier | Queue | Member


def columns(table: type[Row]) -> tuple[str, ...]:
    """Give the names of a table's columns in order."""
    return tuple(one.name for one in fields(table) if "hidden" not in one.metadata)


_COLUMNS = {table: columns(table) for table in (Agent, Tier, Queue, Member)}


def listed(rows: Sequence[Row], *, even_empty: bool = False) -> str:
    """Give rows as ``list`` answers: no header where there are none, then ``+OK``."""
    names = _COLUMNS[Queue if even_empty else type(rows[0])] if rows or even_empty else ()
    return table_text(names, ([getattr(row, name) for name in names] for row in rows))


def listed_members(members: Sequence[Member], now: int) -> str:
    """Give members, the one next in line first, with their scores."""
    names = _COLUMNS[Member]
    rows = sorted(members, key=lambda member: -member.score(now))
    return table_text(
        (*names, "score") if rows else (),
        ([*(getattr(row, name) for name in names), row.score(now)] for row in rows),
    )


def listed_tiers(tiers: Sequence[Tier]) -> str:
    """Give all tiers as ``tier list`` orders them."""
    ordered = list(tiers)
    ordered.sort(key=lambda tier: (tier.level, tier.position))
    return listed(ordered)


def table_text(names: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    """Give lines with bars between the columns, and the ``+OK`` that ends every list."""
    header = "|".join(names)
    lines = [header] if header else []
    lines += ["|".join(str(value) for value in row) for row in rows]
    return "".join(f"{line}\n" for line in lines) + "+OK\n"
