"""A whole node whose simulated switch takes orders while the test runs."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol

from ctidialer.esl.client import EventSocketProtocol
from ctidialer.switchsim.calllog import OriginateLine
from tests.support.node import PASSWORD, NodeTestCase

LONG: dict[str, Any] = {"result": "answer", "talk": 3600}
"""Calls that do not end by themselves while a test runs, however slow the machine is."""

OURS = {"bgapi", "originate", "uuid_exists", "hostname", "sim"}
"""The API commands that the daemon and these tests send; nothing else may reach the switch.
``hostname`` asks a connection that was silent for some seconds whether it is alive."""


class SwitchTestCase(NodeTestCase):
    """``order`` speaks to the switch over a second Event Socket connection of the test's own."""

    _socket: EventSocketProtocol | None = None

    async def set_up(self) -> None:
        await super().set_up()
        self._socket = None

    async def order(self, command: str) -> str:
        """Run an API command at the switch and return its answer."""
        if self._socket is None:
            self._socket = await self._connected()
        answer = await self._socket.api(command)
        self.assertFalse(answer.startswith("-"), answer)
        return answer

    async def sim(self, **orders: Any) -> str:
        """Give the simulated switch orders (its package's docstring lists them)."""
        return await self.order(f"sim {json.dumps(orders)}")

    async def commands_run(self) -> set[str]:
        """Return the names of all API commands that the switch has run."""
        answer = await self.order("sim stats")
        return set(json.loads(answer.removeprefix("+OK "))["commands"])

    async def dialed(self, count: int) -> tuple[OriginateLine, ...]:
        """Wait until the switch was asked for ``count`` calls; return them, oldest first."""

        async def placed() -> int:
            return len(self.switch_log().originates)

        await self.until_count(f"{count} calls at the switch", count, placed)
        return self.switch_log().originates

    async def ended(self, count: int) -> None:
        """Wait until ``count`` calls are over."""

        async def over() -> int:
            return len(self.switch_log().ends)

        await self.until_count(f"{count} calls over", count, over)

    async def hang_up(self) -> None:
        """Hang up every call that is up."""
        log = self.switch_log()
        over = {end.call for end in log.ends}
        for call in log.originates:
            if call.call not in over:
                await self.order(f"uuid_kill {call.uuid_asked}")

    def most_at_once(self) -> int:
        """Return how many calls were up at once at most, by the switch's own clock."""
        log = self.switch_log()
        # Where one ends in the very moment in which another begins, they are not up together.
        moments = sorted(
            [*((line.time, 1) for line in log.originates), *((line.time, -1) for line in log.ends)]
        )
        most = up = 0
        for _, step in moments:
            up += step
            most = max(most, up)
        return most

    async def _connected(self) -> EventSocketProtocol:
        endpoint = HostnameEndpoint(reactor, "127.0.0.1", self.switch.port)
        protocol: EventSocketProtocol = await connectProtocol(
            endpoint, EventSocketProtocol(reactor)
        )
        await protocol.auth(PASSWORD)
        self.addCleanup(self._closed, protocol)
        return protocol

    async def _closed(self, protocol: EventSocketProtocol) -> None:
        gone = protocol.when_gone()
        protocol.close()
        await gone
