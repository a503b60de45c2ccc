"""The state of every task of a node, so that the worst can be shown first and each be counted.

To explain one task costs some 40 µs, and a node may have ten thousand: what was found is kept for
a while, longer where there are many.  The open ones are told each second anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.status import Explained
from ctidialer.glue import in_slices
from ctidialer.nodes.daemon import DaemonView
from ctidialer.rules.reasons import Reason
from ctidialer.rules.words import Tone

TASKS_PER_STEP = 50
MIN_KEPT = 1.0
KEPT_PER_TASK = 0.002
"""Seconds for which the states are kept: at least, and for each task, which holds the cost at some
2 % of a core."""

_WORDS = {reason.value: reason.words for reason in Reason}

RANKS = {Tone.BAD: 0, Tone.WARN: 1, Tone.GOOD: 2, Tone.WAIT: 2, Tone.OFF: 3}
"""The worst first.  A task that dials waits and goes on many times a minute: it keeps its place."""


@frozen
class TaskState:
    """Why a task is, or is not, dialing, and how serious that is."""

    reason: str
    tone: Tone

    @property
    def rank(self) -> int:
        """Its place among others: the worst is 0."""
        return RANKS[self.tone]


@frozen
class _Found:
    """The states of the tasks as they were ``at`` a moment."""

    at: float
    states: Mapping[str, TaskState] = field(factory=dict)


class TaskStates:
    """Looks at all tasks of a daemon, a little at a time."""

    def __init__(self, daemon: DaemonView, clock: IReactorTime) -> None:
        self._daemon = daemon
        self._clock = clock
        self._found: _Found | None = None

    async def of(self, names: Sequence[str]) -> dict[str, TaskState]:
        """Return the states of these tasks."""
        kept = await self._kept(names)
        told = {task.name: state_of(task.explained) for task in self._daemon.status().tasks}
        fresh = {**kept, **told}
        unknown = [name for name in names if name not in fresh]
        fresh.update(self._look(unknown))
        return {name: fresh[name] for name in names}

    async def _kept(self, names: Sequence[str]) -> Mapping[str, TaskState]:
        now, found = self._clock.seconds(), self._found
        if found is None or now - found.at > max(MIN_KEPT, KEPT_PER_TASK * len(found.states)):
            states: dict[str, TaskState] = {}
            await in_slices(self._clock, self._steps(self._daemon.task_names(), states))
            found = self._found = _Found(now, states)
        return found.states

    def _steps(self, names: Sequence[str], states: dict[str, TaskState]) -> Iterator[None]:
        for start in range(0, len(names), TASKS_PER_STEP):
            states.update(self._look(names[start : start + TASKS_PER_STEP]))
            yield

    def _look(self, names: Iterable[str]) -> dict[str, TaskState]:
        found = self._daemon.tasks(names, most_lines=0)
        return {task.name: state_of(task.explained) for task in found}


def state_of(explained: Explained) -> TaskState:
    """Return the state that an explanation tells of."""
    words = _WORDS[explained.reason]
    return TaskState(explained.reason, words.tone_of(explained.form))


def worst_first(states: Mapping[str, TaskState]) -> list[str]:
    """Return the names, the worst first, and by name where they are alike."""
    return sorted(states, key=lambda name: (states[name].rank, name))


def counted(states: Mapping[str, TaskState]) -> dict[str, int]:
    """Return how many tasks have each reason, the worst first."""
    ranks = {state.reason: state.rank for state in states.values()}
    counts = Counter(state.reason for state in states.values())
    return dict(sorted(counts.items(), key=lambda pair: (ranks[pair[0]], -pair[1], pair[0])))
