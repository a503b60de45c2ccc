"""Agents of a real mod_callcenter whose own calls stay up (``uuid-standby``), for a benchmark.

The null endpoint is their telephone.  They let a callee go when he has talked for as long as was
drawn for him.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.interfaces import IDelayedCall

from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import EslError
from ctidialer.esl.events import Event
from ctidialer.settings import FreeSwitch, host_and_port
from ctidialer.stage.watching import StageFailed

SUBCLASS = "callcenter::info"


class StandbyAgents:
    """``count`` agents of a queue that has no others; ``talk_time`` draws the seconds of a call."""

    def __init__(
        self,
        freeswitch: FreeSwitch,
        queue: str,
        count: int,
        wrap_up: int,
        talk_time: Callable[[], float],
    ) -> None:
        self._freeswitch = freeswitch
        self._queue = queue
        self._wrap_up = wrap_up
        self._talk_time = talk_time
        self._socket = EventSocketProtocol(reactor, self._heard)
        self._calls = {f"bench{at:02d}@{uuid4().hex[:8]}": str(uuid4()) for at in range(count)}
        self._ends: set[IDelayedCall] = set()

    async def start(self) -> None:
        """Go to work."""
        host, port = host_and_port(self._freeswitch.address, "the address")
        await connectProtocol(HostnameEndpoint(reactor, host, port), self._socket)
        await self._socket.auth(self._freeswitch.password)
        await self._socket.event(["CUSTOM", SUBCLASS])
        there = await self.ask(f"callcenter_config queue list agents {self._queue}")
        if "\n" in there.strip():
            raise StageFailed(f"queue {self._queue} has agents of its own:\n{there}")
        for name, uuid in self._calls.items():
            # Without park_after_bridge the agent's own call would end with his first callee.
            own = f"{{origination_uuid={uuid},park_after_bridge=true,cti_agent={name}}}null/{name}"
            await self.ask(f"originate {own} &park")
            for command in (
                f"agent add {name} uuid-standby",
                f"agent set uuid {name} {uuid}",
                f"agent set wrap_up_time {name} {self._wrap_up}",
                f"agent set status {name} Available",
                f"agent set state {name} Waiting",
                f"tier add {self._queue} {name} 1 1",
            ):
                await self.ask(f"callcenter_config {command}")

    async def end(self) -> None:
        """Go home, and leave nothing behind."""
        for call in self._ends:
            call.cancel()
        for name, uuid in self._calls.items():
            for command in (f"callcenter_config agent del {name}", f"uuid_kill {uuid}"):
                await self._socket.api(command)
        self._socket.close()

    async def ask(self, command: str) -> str:
        """Run an API command; raises StageFailed when FreeSWITCH says no."""
        answer = await self._socket.api(command)
        if answer.startswith("-"):
            raise StageFailed(f"{command}: {answer.strip()}")
        return answer

    def _heard(self, event: Event) -> None:
        if event.get("CC-Action") == "bridge-agent-start" and event.get("CC-Agent") in self._calls:
            self._later(self._talk_time(), event["CC-Member-Session-UUID"])

    def _later(self, seconds: float, uuid: str) -> None:
        call = reactor.callLater(seconds, self._let_go, uuid)
        self._ends.add(call)

    def _let_go(self, uuid: str) -> None:
        self._ends = {call for call in self._ends if call.active()}
        self._socket.api(f"uuid_kill {uuid}").addErrback(lambda failure: failure.trap(EslError))
