"""How a task is paced by its agents at this moment, as it is shown: part of the node's status."""

from __future__ import annotations

from attrs import frozen


@frozen
class PacingStatus:
    """One task with agents, or whose abandoned calls are counted; times are unix seconds.

    Agents: ``free`` … ``stale`` as in docs/agents.rst; ``problem``: why none are known.
    ``may_place``: one more call may be placed now, as far as the agents go.

    Calls of this host: ``ringing`` (from the claim on), ``waiting`` (answered, no agent yet),
    ``connected``.  ``answered`` (by people) and ``abandoned`` are counted since ``period_start``,
    over all hosts; ``can_bear`` more may be abandoned before ``ceiling`` (a share) is reached.
    ``risk`` is the share of the expected answers that may find no agent; ``is_progressive``: calls
    are placed for free agents only although the mode would allow more.  ``use``: the share of the
    agents' time that they were busy, over the last quarter of an hour or so.  ``answer_rate``,
    ``handle_time``: what was learnt.
    """

    mode: str
    at: float
    queue: str | None = None
    group: str | None = None
    free: int = 0
    busy: int = 0
    agents_ringing: int = 0
    talking: int = 0
    wrap_up: int = 0
    away: int = 0
    stale: int = 0
    problem: str = ""
    problem_zh: str = ""
    may_place: bool = False
    ringing: int = 0
    waiting: int = 0
    connected: int = 0
    released: int = 0
    period_start: float = 0.0
    answered: int = 0
    abandoned: int = 0
    ceiling: float = 0.0
    can_bear: int = 0
    is_progressive: bool = False
    risk: float | None = None
    answer_rate: float | None = None
    handle_time: float | None = None
    use: float | None = None

    @property
    def share(self) -> float:
        """The abandoned as a share of the answered, 0 to 1."""
        return self.abandoned / self.answered if self.answered else 0.0


@frozen
class Learnt:
    """What a task has learnt, in figures; seconds, and shares from 0 to 1.

    ``handle_mean``, ``handle_median``, ``handle_90``: how long agents are busy with a call, on
    average, and within which time half and nine in ten of them are free again.  ``answer_rate`` of
    the calls are answered; ``answered_within``: by second of ringing, the share answered by then.
    ``risk``: the share of the expected answers that may find no agent, before it is lowered near
    the ceiling.
    """

    handle_mean: float
    handle_median: float
    handle_90: float
    answer_rate: float
    answered_within: dict[str, float]
    risk: float


@frozen
class PacingReport:
    """How a task is paced: by each host as it said last, and what all of them have learnt.

    ``pacing``: that of the host that was asked for; ``hosts``: those of all.
    """

    task: str
    host: str
    pacing: PacingStatus | None
    hosts: dict[str, PacingStatus]
    learnt: Learnt | None
