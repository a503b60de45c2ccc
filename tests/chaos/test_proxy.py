"""What the proxy does to connections: here those of two small programs of our own."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from chaos.proxy import Proxy
from tests.support.proxy import serving


class Peer(Protocol):
    """One who remembers what was said to it; an echo says it again."""

    def __init__(self, *, is_echo: bool = False) -> None:
        self.heard = b""
        self.gone: Deferred[None] = Deferred()
        self._is_echo = is_echo
        self._waiting: list[tuple[bytes, Deferred[None]]] = []

    def say(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def hears(self, data: bytes) -> Deferred[None]:
        """Fire when all that was heard is ``data``."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append((data, waiting))
        self._look()
        return waiting.addTimeout(30, reactor)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        if self._is_echo:
            self.say(data)
        self._look()

    def leave(self) -> Deferred[None]:
        """End the connection; fires when it has ended."""
        assert self.transport is not None
        self.transport.loseConnection()
        return self.gone

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone.callback(None)

    def _look(self) -> None:
        for wanted, waiting in self._waiting:
            if self.heard == wanted and not waiting.called:
                waiting.callback(None)


class ProxyTests(TestCase):
    timeout = 120

    def setUp(self) -> Any:
        return Deferred.fromCoroutine(self.set_up())

    async def set_up(self) -> None:
        self.echoes: list[Peer] = []
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port = await endpoint.listen(Factory.forProtocol(self.echo))
        self.addCleanup(port.stopListening)
        self.port = port.getHost().port
        target = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        self.proxy = await serving(self, Proxy(reactor, lambda: target))

    def echo(self) -> Peer:
        self.echoes.append(Peer(is_echo=True))
        return self.echoes[-1]

    async def connected(self) -> Peer:
        """Return a client whose words have come back once."""
        return await self.says_and_hears(await self.connect())

    async def says_and_hears(self, client: Peer) -> Peer:
        client.say(b"1")
        await client.hears(b"1")
        return client

    async def connect(self) -> Peer:
        return await self.connect_to(self.proxy.port)

    async def connect_to(self, port: int) -> Peer:
        client = Peer()
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), client)
        self.addCleanup(client.leave)
        return client

    async def test_what_is_said_is_passed_on_and_so_is_the_end(self) -> None:
        client = await self.connected()
        self.assertEqual(self.proxy.connections, 1)
        await client.leave()
        await self.echoes[0].gone

    async def test_a_cut(self) -> None:
        client = await self.connected()
        self.proxy.cut()
        await client.gone
        await self.echoes[0].gone

    async def test_an_answer_that_is_lost(self) -> None:
        client = await self.connected()
        self.proxy.lose_answers(1)
        client.say(b"2")
        await client.gone
        self.assertEqual((client.heard, self.echoes[0].heard), (b"1", b"12"))
        await self.connected()

    async def test_it_refuses(self) -> None:
        self.proxy.refuses = True
        await (await self.connect()).gone
        self.assertEqual(self.proxy.connections, 0)

    async def test_it_holds_everything(self) -> None:
        client = await self.connected()
        self.proxy.holds = True
        asked: Deferred[None] = Deferred()
        self.patch(self.proxy, "asked", lambda leg, data: asked.callback(None))
        client.say(b"2")
        await asked
        await self.says_and_hears(await self.connect_to(self.port))  # it would be there by now
        self.assertEqual(self.echoes[0].heard, b"1")
        self.proxy.release()
        await client.hears(b"12")

    async def test_it_holds_the_answers(self) -> None:
        client = await self.connected()
        self.proxy.hold_answer_to(b"2")
        client.say(b"2")
        await self.echoes[0].hears(b"12")
        self.assertEqual(client.heard, b"1")
        self.proxy.release()
        await client.hears(b"12")

    async def test_it_holds_one_connection_even_after_its_client_has_left(self) -> None:
        client, other = await self.connected(), await self.connected()
        self.proxy.hold_from(b"2")
        client.say(b"2")
        await client.leave()
        other.say(b"2")
        await other.hears(b"12")
        self.assertEqual(self.echoes[0].heard, b"1")
        self.proxy.release()
        await self.echoes[0].gone
        self.assertEqual(self.echoes[0].heard, b"12")

    async def test_what_is_late_comes_in_its_order(self) -> None:
        client = await self.connected()
        self.proxy.delay = 0.01
        client.say(b"2")
        await self.echoes[0].hears(b"12")
        self.proxy.delay = 0.0
        client.say(b"3")
        await client.hears(b"123")

    async def test_nobody_is_there_to_connect_to(self) -> None:
        for echo in self.echoes:
            self.proxy.cut()
            await echo.gone
        self.proxy._target = lambda: TCP4ClientEndpoint(reactor, "127.0.0.1", 1)
        await (await self.connect()).gone
        self.assertEqual(self.proxy.connections, 0)
