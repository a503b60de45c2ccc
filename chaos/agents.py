"""Agents whom all hosts share: they take callees of every switch, and a back end tells of them.

They hear who answers and connect him at his switch, past all proxies, so that only the daemons are
struck.  What each does is written to Redis a moment later.
"""

from __future__ import annotations

import json
from collections import deque
from contextlib import suppress
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.python.failure import Failure

from chaos.load import AGENT_GROUP, AGENT_TASK, DOMAIN
from chaos.sharing import TASK_NAME
from chaos.site import Ground, Site
from ctidialer.contract import keys
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import EslError
from ctidialer.esl.events import Event
from ctidialer.stage.stage import PASSWORD

TALK = (0.5, 2.0)
"""Seconds for which an agent talks with a callee."""

WALK_AWAY = 0.06
"""How often all who are free take a break together, unannounced, when one is to take a callee."""

BREAK = 4.0
"""Seconds."""

AGAIN = 0.1
"""Seconds after which a switch that is away is tried again, and between two writes."""

HEARD = ("CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE")
HEART_LASTS = 10


class SharedAgents:
    """The agents; ``bridged`` says when (unix s) each call was connected to one of them."""

    def __init__(self, ground: Ground, seed: int, count: int) -> None:
        self._ground = ground
        self._clock = ground.reactor
        self._random = Random(f"agents of {seed}")
        self._free = deque(range(count))
        self._waiting: dict[str, EventSocketProtocol] = {}
        self._states: dict[int, str] = dict.fromkeys(range(count), "idle")
        self._untold = set(self._states)
        self._work: list[Deferred[None]] = [self._start(self._tell())]
        self.bridged: dict[str, float] = {}

    def join(self, site: Site) -> None:
        """Take the callees of this host too."""
        self._work.append(self._start(self._stay_with(site)))

    def end(self) -> None:
        """Go home."""
        for work in self._work:
            work.cancel()

    def _start(self, work: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(work).addErrback(_is_canceled)

    async def _stay_with(self, site: Site) -> None:
        """Listen to the switch of a host, whenever it is there."""
        while True:
            with suppress(ConnectError, EslError):
                await self._listen(site)
            await self._ground.pause(AGAIN)

    async def _listen(self, site: Site) -> None:
        socket = EventSocketProtocol(self._clock, lambda event: self._heard(socket, event))
        endpoint = TCP4ClientEndpoint(self._clock, "127.0.0.1", site.switch.port)
        await connectProtocol(endpoint, socket)
        try:
            await socket.auth(PASSWORD)
            await socket.event(HEARD)
            await socket.when_gone()
        finally:
            socket.close()
            for uuid in [one for one, where in self._waiting.items() if where is socket]:
                del self._waiting[uuid]

    def _heard(self, socket: EventSocketProtocol, event: Event) -> None:
        if event.get(f"variable_{TASK_NAME}") != AGENT_TASK:
            return
        uuid = event.get("Unique-ID", "")
        if event.name == "CHANNEL_ANSWER":
            self._waiting[uuid] = socket
            self._connect()
        else:
            self._waiting.pop(uuid, None)

    def _connect(self) -> None:
        while self._free and self._waiting:
            if self._random.random() < WALK_AWAY:
                self._walk_away()
                return
            agent, uuid = self._free.popleft(), next(iter(self._waiting))
            socket = self._waiting.pop(uuid)
            self._is(agent, "talk")
            asked = socket.api(f"sim bridge {uuid}")
            asked.addCallbacks(self._connected, lambda failure: failure.trap(EslError), (uuid,))
            talk = self._random.uniform(*TALK)
            self._clock.callLater(talk, self._over, agent, uuid, socket)

    def _walk_away(self) -> None:
        while self._free:
            agent = self._free.popleft()
            self._is(agent, "rest")
            self._clock.callLater(BREAK, self._is_back, agent)

    def _connected(self, answer: str, uuid: str) -> None:
        if answer.startswith("+OK"):
            self.bridged[uuid] = self._clock.seconds()

    def _over(self, agent: int, uuid: str, socket: EventSocketProtocol) -> None:
        socket.api(f"uuid_kill {uuid}").addErrback(lambda failure: failure.trap(EslError))
        self._is_back(agent)

    def _is_back(self, agent: int) -> None:
        self._free.append(agent)
        self._is(agent, "idle")
        self._connect()

    def _is(self, agent: int, state: str) -> None:
        self._states[agent] = state
        self._untold.add(agent)

    async def _tell(self) -> None:
        """Write what has changed, and that the back end is alive."""
        key, heart = keys.at(keys.AGENT, DOMAIN), keys.at(keys.AGENT_HEART, DOMAIN)
        while True:
            await self._ground.call("SET", heart, "1", "EX", HEART_LASTS)
            told, self._untold = self._untold, set()
            if told:
                now = round(self._clock.seconds(), 3)
                parts = [
                    part for agent in told for part in (str(agent), self._document(agent, now))
                ]
                await self._ground.call("HSET", key, *parts)
                await self._ground.back_end.publish(keys.AGENT)
            await self._ground.pause(AGAIN)

    def _document(self, agent: int, now: float) -> str:
        params = {"group": [AGENT_GROUP], "state": self._states[agent], "time": now}
        return json.dumps({"params": params})


def _is_canceled(failure: Failure) -> None:
    """Take the end of work that was called off, also in the midst of a connection attempt."""
    failure.trap(CancelledError, ConnectingCancelledError)
