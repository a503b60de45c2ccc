"""How long agents were busy with calls, read off the agents as they are seen one second after the
other: sources tell ages, or counts alone, and no source tells an end."""

from __future__ import annotations

from collections.abc import Hashable

from attrs import define, field

from ctidialer.rules.agents import AgentsNow

SAME_WITHIN = 1.5
"""Seconds by which two looks may differ on when an agent was connected."""

USE_OVER = 900.0
"""Seconds over which the use of the agents fades."""

MAX_STEP = 5.0
"""Seconds between two looks beyond which nothing is counted: nobody looked meanwhile."""


@define(eq=False)
class Handling:
    """Since when agents are busy: as the source says, or else by the calls of this task.

    ``use`` is the share of their time, 0 to 1, that agents at work were busy; None = no time yet.
    """

    _seen: list[float] = field(factory=list)
    _calls: dict[Hashable, float] = field(factory=dict)
    _wrap_up: list[tuple[float, float]] = field(factory=list)
    _tells_ages: bool = False
    _looked: float | None = None
    _busy_seconds: float = 0.0
    _agent_seconds: float = 0.0

    @property
    def use(self) -> float | None:
        """How busy the agents are."""
        return self._busy_seconds / self._agent_seconds if self._agent_seconds else None

    def begins(self, call: Hashable, at: float) -> None:
        """A call of this task was connected."""
        self._calls[call] = at

    def call_ended(self, call: Hashable, at: float) -> None:
        """It is over: its agent is in wrap-up now, if anybody looks at the agents."""
        begun = self._calls.pop(call, None)
        if begun is not None and self._looked is not None:
            self._wrap_up.append((at, begun))

    def ages(self, count: int, now: float) -> list[float]:
        """Return the seconds since ``count`` busy agents were connected whose source does not say
        it: those of our calls, the latest first; 0 for calls that are not ours."""
        known = sorted(
            (now - at for at in (*self._calls.values(), *(begun for _, begun in self._wrap_up))),
        )[:count]
        return [max(0.0, age) for age in known] + [0.0] * (count - len(known))

    def look(self, agents: AgentsNow, now: float) -> list[float]:
        """Take the agents as they are now; return how long those were busy who no longer are."""
        step = None if self._looked is None else now - self._looked
        self._looked = now
        if agents.problem is not None or step is None or not 0.0 < step <= MAX_STEP:
            self._seen = [now - age for age in agents.busy]
            self._wrap_up.clear()
            return []
        self._count(agents, step)
        if agents.busy or agents.busy_unknown:
            self._tells_ages = bool(agents.busy)
        return [*self._no_longer_seen(agents, now), *self._no_longer_counted(agents, now)]

    def _no_longer_seen(self, agents: AgentsNow, now: float) -> list[float]:
        before, self._seen = sorted(self._seen), sorted(now - age for age in agents.busy)
        gone, left = [], list(self._seen)
        for since in before:
            while left and left[0] < since - SAME_WITHIN:
                left.pop(0)
            if left and left[0] <= since + SAME_WITHIN:
                left.pop(0)
            else:
                gone.append(now - since)
        return gone

    def _no_longer_counted(self, agents: AgentsNow, now: float) -> list[float]:
        """Return how long agents were busy whose wrap-up is over, by the counts.  Nobody says whose
        it is: that of the agent who began it first."""
        room = max(0, agents.busy_unknown - len(self._calls))
        over = max(0, len(self._wrap_up) - room)
        done, self._wrap_up = self._wrap_up[:over], self._wrap_up[over:]
        if self._tells_ages:
            return []  # these were seen
        return [now - begun for _, begun in done]

    def _count(self, agents: AgentsNow, step: float) -> None:
        kept = max(0.0, 1.0 - step / USE_OVER)
        busy = len(agents.busy) + agents.busy_unknown
        self._busy_seconds = self._busy_seconds * kept + busy * step
        self._agent_seconds = self._agent_seconds * kept + agents.at_work * step
