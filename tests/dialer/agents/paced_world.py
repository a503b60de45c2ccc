"""All parts of a dialer with pacers, around stand-ins: see `tests.dialer.world`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed

from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.pacing import PacingStatus
from ctidialer.dialer.agents.pacers import Pacers
from ctidialer.dialer.agents.roster import NamesAgents, Roster
from ctidialer.dialer.life.listening import CallWatch
from ctidialer.dialer.life.number_in_hand import NumberInHand
from ctidialer.esl.errors import CommandRefused
from ctidialer.esl.events import make_event
from ctidialer.esl.subscription import More
from ctidialer.rules.agents import AgentsNow
from ctidialer.rules.attempt import Attempt
from ctidialer.store.pacing import PACER, PACER_UNTIL, SEEN, Kept, PacingStore
from tests.dialer.fakes import FakeSwitch
from tests.dialer.world import World


class StandInRoster:
    """Agents who are as the test says."""

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None
        self.agents = AgentsNow()
        self.told_at = 0.0
        self.watched: set[str] = set()

    def watch(self, queues: Iterable[str], groups: Iterable[str]) -> None:
        self.watched = {*queues, *groups}

    def now(self, named: NamesAgents, now: float) -> AgentsNow:
        older = max(0.0, now - self.told_at)
        return evolve(self.agents, busy=tuple(age + older for age in self.agents.busy), as_of=now)


class MemoryPacingStore:
    """The documented behaviour of the store, in memory; ``now`` is its clock.

    It knows what to whom: each host has a `of_host` of its own.
    """

    def __init__(self) -> None:
        self.fields: dict[str, bytes] = {}
        self.is_silent = False
        self.slow_answers: list[Deferred[None]] = []
        """When the next answers come, after what was asked for is done."""
        self.now: Callable[[], float] = lambda: 0.0

    def of_host(self, host: str) -> OneHost:
        return OneHost(self, host)


class OneHost:
    """The store as one host has it."""

    def __init__(self, store: MemoryPacingStore, host: str) -> None:
        self._store = store
        self._host = host

    async def exchange(
        self, scope: str, task: str, fields: Mapping[str, bytes], paces_for: float = 0.0
    ) -> Kept:
        store, now = self._store, self._store.now()
        if store.is_silent:
            await Deferred()
        if paces_for and self._may_pace(now):
            store.fields |= {PACER: self._host.encode(), PACER_UNTIL: f"{now + paces_for}".encode()}
        if fields:
            store.fields |= {**fields, f"{SEEN}{self._host}": f"{now}".encode()}
        kept = Kept(now, dict(store.fields))
        if store.slow_answers:
            await store.slow_answers.pop(0)
        return kept

    def _may_pace(self, now: float) -> bool:
        fields = self._store.fields
        is_free = float(fields.get(PACER_UNTIL, b"0")) <= now
        return is_free or fields.get(PACER) == self._host.encode()


class HearingSwitch(FakeSwitch):
    """A switch that also answers what calls of agents are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[More, None] = {}
        self.commands: list[str] = []
        self.variables: dict[str, str] = {}
        self.forbidden: set[str] = set()

    def api(self, command: str, timeout: float = 10.0) -> Deferred[str]:
        verb, _, rest = command.partition(" ")
        if verb == "uuid_exists":
            return super().api(command, timeout)
        self.commands.append(command)
        if verb in self.forbidden:
            return fail(CommandRefused("api", "permission denied"))
        if verb == "uuid_getvar":
            return succeed(self.variables.get(rest.partition(" ")[2], "_undef_"))
        return succeed("+OK\n")

    def hear(self, *more: More) -> None:
        self.heard |= dict.fromkeys(more)

    def hear_no_more(self, *more: More) -> None:
        for one in more:
            self.heard.pop(one, None)


class PacedWorld(World):
    """A world whose tasks may name agents."""

    def __init__(
        self, pacing_store: MemoryPacingStore | None = None, host: str = "fs1", scope: str = "fs1"
    ) -> None:
        self.pacing_store = pacing_store or MemoryPacingStore()
        self.roster = StandInRoster()
        self.hearing = HearingSwitch()
        self.pacers: Pacers | None = None
        self.scope = scope
        super().__init__(switch=self.hearing, watch_for=self._watch_for)
        self.pacers = Pacers(
            self.clock,
            "UTC",
            self.hearing,
            cast(Roster, self.roster),
            self.runs,
            cast(PacingStore, self.pacing_store.of_host(host)),
            host,
            lambda task: self.scope,
        )
        self.pacing_store.now = self.clock.seconds
        self.slots.agent_room = self.pacers.room
        self.pacers.wake = self.queue_dialer.wake

    def tasks_changed(self, names: Iterable[str]) -> None:
        if self.pacers is not None:
            self.pacers.update(self.tables.tasks, names)
            self.pacers.updated()

    def _watch_for(
        self, number: NumberInHand, dialing: AgentDialing, attempt: Attempt
    ) -> CallWatch | None:
        assert self.pacers is not None
        return self.pacers.watch_for(number, dialing, attempt)

    # --- what happens ---

    def agents(self, agents: AgentsNow) -> None:
        """From now on the agents are so."""
        self.roster.agents, self.roster.told_at = agents, self.clock.seconds()
        self.roster.changed()

    def rings(self, uuid: str) -> None:
        """A telephone rings."""
        self.calls.event(make_event({"Event-Name": "CHANNEL_PROGRESS", "Unique-ID": uuid}))

    def commands(self, verb: str) -> list[str]:
        """Return the commands of this kind that the switch was given."""
        return [one for one in self.hearing.commands if one.startswith(f"{verb} ")]

    def pacing(self, name: str = "t") -> PacingStatus:
        """Return how a task is paced now."""
        run = self.runs.get(name)
        assert run is not None
        assert self.pacers is not None
        found = self.pacers.status(run, self.clock.seconds())
        assert found is not None
        return found
