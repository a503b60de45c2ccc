"""Agents for a stage: they take the callees of the simulated switch, one after the other.

As a back end with its own distribution of calls does it, they hear who answers, connect him at the
switch, and say in Redis what each of them does (docs/agents.rst).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable

from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import EslError
from ctidialer.esl.events import Event
from ctidialer.glue import background
from ctidialer.stage.stage import PASSWORD, Stage
from ctidialer.store.errors import StoreError

HEARD = ("CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE")


class StageAgents:
    """``count`` agents of the group ``group``; ``handle_time`` draws how long one is busy, seconds.

    The one who has been free for longest takes the callee who has waited for longest.
    """

    log = Logger()

    def __init__(
        self, stage: Stage, group: str, count: int, handle_time: Callable[[], float]
    ) -> None:
        self._stage = stage
        self._clock = stage.reactor
        self._group = group
        self._handle_time = handle_time
        self._free = deque(range(count))
        self._busy: dict[int, float] = {}
        self._waiting: dict[str, None] = {}
        self._count = count
        self._busy_seconds = 0.0
        self._since = 0.0
        self._socket: EventSocketProtocol | None = None

    async def start(self) -> None:
        """Go to work; the switch and Redis are there."""
        self._socket = EventSocketProtocol(self._clock, self._heard)
        endpoint = HostnameEndpoint(self._clock, "127.0.0.1", self._stage.switch.port)
        await connectProtocol(endpoint, self._socket)
        await self._socket.auth(PASSWORD)
        await self._socket.event(HEARD)
        for agent in self._free:
            await self._write(agent, "idle")
        await self._stage.call("SET", keys.at(keys.AGENT_HEART, self._stage.host), "1")
        self.count_from_now()

    def end(self) -> None:
        """Go home; nobody is told."""
        self._free.clear()
        if self._socket is not None:
            self._socket.close()

    def count_from_now(self) -> None:
        """Leave out how busy the agents were until now."""
        self._busy_seconds, self._since = 0.0, self._clock.seconds()

    def use(self) -> float:
        """Return the share of their time, 0 to 1, that the agents were busy."""
        now = self._clock.seconds()
        running = sum(now - max(begun, self._since) for begun in self._busy.values())
        return float((self._busy_seconds + running) / (self._count * max(1e-9, now - self._since)))

    def _heard(self, event: Event) -> None:
        uuid = event.get("Unique-ID", "")
        if event.name == "CHANNEL_ANSWER":
            self._waiting[uuid] = None
            self._connect()
        else:
            self._waiting.pop(uuid, None)

    def _connect(self) -> None:
        while self._free and self._waiting:
            uuid = next(iter(self._waiting))
            del self._waiting[uuid]
            agent = self._free.popleft()
            self._busy[agent] = self._clock.seconds()
            self._order(f"sim bridge {uuid}")
            self._tell(agent, "talk")
            self._clock.callLater(self._handle_time(), self._over, agent, uuid)

    def _over(self, agent: int, uuid: str) -> None:
        begun = self._busy.pop(agent)
        self._busy_seconds += self._clock.seconds() - max(begun, self._since)
        self._order(f"uuid_kill {uuid}")
        self._free.append(agent)
        self._tell(agent, "idle")
        self._connect()

    def _order(self, command: str) -> None:
        if self._socket is not None:
            self._socket.api(command).addErrback(lambda failure: failure.trap(EslError))

    def _tell(self, agent: int, state: str) -> None:
        told = self._write(agent, state)
        background(told, self.log, "Writing an agent", expected=(StoreError,))

    async def _write(self, agent: int, state: str) -> None:
        """Write what an agent does, and publish it."""
        moment = round(self._clock.seconds(), 3)
        document = {"params": {"group": [self._group], "state": state, "time": moment}}
        key = keys.at(keys.AGENT, self._stage.host)
        await self._stage.back_end.write_tables({key: {str(agent): document}})
        notice = {"type": "config_change", "table": keys.AGENT, "key": str(agent)}
        channel = keys.at(keys.CHANGE_CHANNEL, self._stage.host)
        await self._stage.call("PUBLISH", channel, json.dumps(notice))
