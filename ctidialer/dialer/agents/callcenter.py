"""The agents of the queues of mod_callcenter, through the Event Socket.

The list says who is there; events say at once what changes.  Neither is enough: no event tells of a
new tier, of one that is deleted, or of how long an agent is left in peace after a call that he did
not take; and an event may be lost.  So the list is asked for again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Protocol

import attrs
from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.contract.said import Said
from ctidialer.dialer.agents.switch_clock import SwitchClock
from ctidialer.esl.errors import EslError
from ctidialer.esl.events import Event
from ctidialer.esl.subscription import More
from ctidialer.glue import Complaints, Repeated, background
from ctidialer.rules import callcenter as rules
from ctidialer.rules.agents import AgentsNow, NoAgents, none_because
from ctidialer.rules.callcenter import CallcenterAgent, NoList

SUBCLASS = "callcenter::info"
AGENT_EVENTS = More("CUSTOM", SUBCLASS, filter=("Event-Subclass", SUBCLASS))

LIST_INTERVAL = 2.0
"""Seconds between two lists of a queue."""

MAX_SILENCE = 10.0
"""Seconds after which a list says nothing any more."""

MIN_WAIT = 0.05
"""Seconds from an event that says too little to the next list: the module writes, then tells."""

UNTAKEN = "bridge-agent-fail"
"""After it the agent is left in peace for a while; how long, only the list says."""

_VALUES = {rules.STATUS_CHANGE: "CC-Agent-Status", rules.STATE_CHANGE: "CC-Agent-State"}
_ASKABLE = re.compile(r"[^\s'\"\\]+")


class Switch(Protocol):
    """FreeSWITCH, as far as it is needed here: see `ctidialer.esl.switch`."""

    @property
    def up(self) -> bool:
        """Whether it is there."""

    def told(self, now: float) -> str:
        """Return why it is not, for people."""

    def api(self, command: str) -> Deferred[str]:
        """Run an API command."""

    def hear(self, *more: More) -> None:
        """Subscribe to these events too."""

    def hear_no_more(self, *more: More) -> None:
        """Take that back."""


@frozen
class _Happening:
    """An event that told of one agent."""

    name: str
    action: str
    value: str
    at: float


@define
class _Queue:
    """What is known of one queue.

    ``listed``: when its list came last, by our clock; None = never.  ``problem`` is why there are
    none; ``silence`` why there is no newer list.
    """

    names: tuple[str, ...] = ()
    listed: float | None = None
    problem: Said | None = None
    silence: str = ""


class CallcenterAgents:
    """The agents of the queues that are watched; ``changed`` is called when any of them changes."""

    log = Logger()

    def __init__(self, clock: IReactorTime, switch: Switch, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._switch = switch
        self._changed = changed
        self._time = SwitchClock(clock)
        self._queues: dict[str, _Queue] = {}
        self._agents: dict[str, CallcenterAgent] = {}
        self._meanwhile: list[_Happening] = []
        """What was told since the list was asked for that has not come yet."""
        self._is_asking = False
        self._complaints = Complaints()
        self._soon: IDelayedCall | None = None
        self._wake: IDelayedCall | None = None
        self._lists = Repeated(clock, self._ask, self.log, "Asking for the agents of queues")

    # --- what others say and ask ---------------------------------------------------------------

    def watch(self, queues: Iterable[str]) -> None:
        """Know the agents of these queues from now on, and of no others."""
        wanted = dict.fromkeys(queues)
        is_news = not wanted.keys() <= self._queues.keys()
        self._queues = {name: self._queues.get(name) or _Queue() for name in wanted}
        if not wanted:
            self.stop()
        elif not self._lists.running:
            self._switch.hear(AGENT_EVENTS)
            self._lists.start(LIST_INTERVAL, now=True)
        elif is_news:
            self._ask_soon()

    def stop(self) -> None:
        """Ask no more."""
        if self._lists.running:
            self._lists.stop()
            self._switch.hear_no_more(AGENT_EVENTS)
        for call in (self._soon, self._wake):
            if call is not None and call.active():
                call.cancel()
        self._agents.clear()

    def now(self, queue: str, now: float) -> AgentsNow:
        """Return the agents of a queue; ``now`` in unix seconds."""
        known = self._queues.get(queue, _Queue())
        problem = self._problem(queue, known, now)
        if problem is not None:
            return none_because(problem, now)
        agents = (self._agents[name] for name in known.names if name in self._agents)
        found = rules.of_agents(agents, self._time.at(now))
        return attrs.evolve(found, as_of=known.listed or now)

    def switch_up(self) -> None:
        """FreeSWITCH is there; perhaps another one."""
        self._time.forget()
        if self._queues:
            self._ask_soon()

    def switch_down(self) -> None:
        """FreeSWITCH is away: nobody knows of its agents."""
        self._agents.clear()
        for queue in self._queues:
            self._queues[queue] = _Queue()
        if self._queues:
            self._changed()

    def event(self, event: Event) -> None:
        """Take an event; those of mod_callcenter tell what an agent does."""
        if not self._queues or event.get("Event-Subclass") != SUBCLASS:
            return
        self._time.heard(event)
        action, name = event.get("CC-Action") or "", event.get("CC-Agent") or ""
        if action == UNTAKEN and name in self._agents:
            self._ask_soon()
        if action in _VALUES:
            value = event.get(_VALUES[action]) or ""
            happening = _Happening(name, action, value, self._time.now())
            if self._is_asking:
                self._meanwhile.append(happening)
            if self._happened(happening):
                self._see()

    # --- the list ------------------------------------------------------------------------------

    def _ask_soon(self) -> None:
        if self._soon is None or not self._soon.active():
            self._soon = self._clock.callLater(MIN_WAIT, self._ask_now)

    def _ask_now(self) -> None:
        if self._is_asking:
            self._ask_soon()
        else:
            background(self._ask(), self.log, "Asking for the agents of queues")

    async def _ask(self) -> None:
        if self._is_asking or not self._switch.up:
            return
        self._is_asking = True
        try:
            await self._ask_for_the_time()
            for queue in list(self._queues):
                await self._ask_for(queue)
        finally:
            self._is_asking = False
            self._meanwhile.clear()

    async def _ask_for_the_time(self) -> None:
        if self._time.is_known:
            return
        try:
            self._time.told(await self._switch.api("strepoch"))
        except EslError:
            self._time.told("")

    async def _ask_for(self, queue: str) -> None:
        self._meanwhile.clear()
        try:
            listed, problem = await self._listed(queue)
        except EslError as error:
            self._silent(queue, str(error))
            return
        if queue in self._queues and self._switch.up:
            self._take(queue, listed, problem)

    async def _listed(self, queue: str) -> tuple[dict[str, CallcenterAgent], Said | None]:
        """Return the agents of a queue, and why there are none."""
        if not _ASKABLE.fullmatch(queue):
            return {}, NoAgents.NO_QUEUE.of(name=queue)
        command = f"callcenter_config queue list agents {queue}"
        try:
            listed = rules.read_list(await self._switch.api(command), self._time.now())
        except NoList as error:
            return {}, NoAgents.UNREADABLE.of(problem=f"{command}: {error}")
        if listed:
            return listed, None
        queues = await self._switch.api("callcenter_config queue list")
        why = NoAgents.NO_TIER if rules.has_queue(queues, queue) else NoAgents.NO_QUEUE
        return {}, why.of(name=queue)

    def _take(self, queue: str, listed: dict[str, CallcenterAgent], problem: Said | None) -> None:
        names, before = tuple(listed), self._queues[queue]
        self._complaints.over(queue)
        self._queues[queue] = _Queue(names, self._clock.seconds(), problem)
        was = {name: self._agents.get(name) for name in names}
        for name, agent in listed.items():
            self._agents[name] = rules.listed_after(agent, was[name])
        for happening in self._meanwhile:
            self._happened(happening)
        self._forget_others()
        is_same = (before.names, before.problem) == (names, problem)
        if not is_same or any(self._agents[name] != was[name] for name in names):
            self._see()

    def _silent(self, queue: str, problem: str) -> None:
        if queue not in self._queues or not self._switch.up:  # that it is away is said by others
            return
        self._queues[queue].silence = problem
        if self._complaints.is_news(problem, queue):
            self.log.warn(
                "FreeSWITCH does not tell the agents of queue {queue}: {problem}",
                queue=queue,
                problem=problem,
            )

    def _forget_others(self) -> None:
        known = {name for queue in self._queues.values() for name in queue.names}
        for name in self._agents.keys() - known:
            del self._agents[name]

    # --- what follows from it ------------------------------------------------------------------

    def _happened(self, happening: _Happening) -> bool:
        """Take in what an event told of an agent; say whether that is news."""
        before = self._agents.get(happening.name)
        if before is None:
            return False
        after = rules.after_event(before, happening.action, happening.value, happening.at)
        self._agents[happening.name] = after
        return after != before

    def _see(self) -> None:
        """Tell that something has changed, and again when the next wrap-up is over."""
        self._changed()
        if self._wake is not None and self._wake.active():
            self._wake.cancel()
        now = self._time.now()
        moment = rules.next_free(self._agents.values(), now)
        if moment is not None and self._lists.running:
            self._wake = self._clock.callLater(moment - now, self._see)

    def _problem(self, queue: str, known: _Queue, now: float) -> Said | None:
        if not self._switch.up:
            return NoAgents.FREESWITCH_AWAY.of(problem=self._switch.told(now))
        if known.listed is None:
            unheard = NoAgents.UNREADABLE.of(problem=known.silence)
            return unheard if known.silence else NoAgents.NOT_ASKED.of(name=queue)
        silent = now - known.listed
        if silent <= MAX_SILENCE:
            return known.problem
        why = {"problem": known.silence} if known.silence else {}
        return NoAgents.NO_ANSWER.of(name=queue, seconds=f"{silent:.0f}", **why)
