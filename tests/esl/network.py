"""A network in memory, whose time is the test's, that leads to a scripted FreeSWITCH."""

from __future__ import annotations

from typing import cast

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.test import iosim
from zope.interface import implementer

from tests.esl.scripted import Script, ScriptedSwitch


@implementer(IStreamClientEndpoint)
class Network:
    """Connects clients with ``script``; ``reachable`` False refuses them."""

    def __init__(self, script: Script, clock: Clock) -> None:
        self.script = script
        self.clock = clock
        self.reachable = True
        self.attempts = 0
        self._pumps: list[iosim.IOPump] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        self.attempts += 1
        if not self.reachable:
            return defer.fail(ConnectionRefusedError())
        server = ScriptedSwitch(self.script)
        client = cast(IProtocol, protocolFactory.buildProtocol(iosim.FakeAddress()))
        ends = iosim.FakeTransport(server, True), iosim.FakeTransport(client, False)
        pump = iosim.connect(server, ends[0], client, ends[1], greet=False, clock=self.clock)
        self._pumps.append(pump)
        return defer.succeed(client)

    def flush(self) -> None:
        """Carry all bytes and all ends of connections, until nothing moves."""
        moved = True
        while moved:
            moved = sum(bool(pump.flush()) for pump in self._pumps) > 0

    def advance(self, seconds: float) -> None:
        """Let time pass in small steps, carrying what moves."""
        step = 0.05
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.flush()
