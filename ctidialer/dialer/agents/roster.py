"""Who could take a call now, wherever that is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.notice import ConfigChange
from ctidialer.dialer.agents.callcenter import CallcenterAgents, Switch
from ctidialer.dialer.agents.tables import TableAgents
from ctidialer.esl.events import Event
from ctidialer.rules.agents import AgentsNow
from ctidialer.store.agents import AgentReader


def nobody_told() -> None:
    """Do nothing about a change."""


class NamesAgents(Protocol):
    """What names agents: a queue of mod_callcenter, or a group in the back end's tables."""

    @property
    def queue(self) -> str | None:
        """The queue; None = there is none."""

    @property
    def group(self) -> str | None:
        """The group; None = there is none."""


class Roster:
    """The agents of all queues and groups that tasks name; nothing else is asked for.

    ``changed`` is called whenever the answer of `now` may be another one.
    """

    def __init__(self, clock: IReactorTime, switch: Switch, reader: AgentReader) -> None:
        self.changed: Callable[[], None] = nobody_told
        self._callcenter = CallcenterAgents(clock, switch, self._tell)
        self._tables = TableAgents(clock, reader, self._tell)

    def watch(self, queues: Iterable[str], groups: Iterable[str]) -> None:
        """Know the agents of these queues and groups from now on, and of no others."""
        self._callcenter.watch(queues)
        self._tables.watch(groups)

    def stop(self) -> None:
        """Watch nothing any more."""
        self.watch((), ())

    def now(self, named: NamesAgents, now: float) -> AgentsNow:
        """Return the agents who are named; ``now`` in unix seconds.  Nobody named is nobody."""
        if named.queue is not None:
            return self._callcenter.now(named.queue, now)
        if named.group is not None:
            return self._tables.now(named.group, now)
        return AgentsNow(as_of=now)

    # --- what happens --------------------------------------------------------------------------

    def change(self, change: ConfigChange) -> None:
        """The back end has changed a table of agents."""
        self._tables.change(change)

    def event(self, event: Event) -> None:
        """Take an event of FreeSWITCH."""
        self._callcenter.event(event)

    def switch_up(self) -> None:
        """FreeSWITCH is there."""
        self._callcenter.switch_up()

    def switch_down(self) -> None:
        """FreeSWITCH is away."""
        self._callcenter.switch_down()

    def _tell(self) -> None:
        self.changed()
