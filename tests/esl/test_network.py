"""The switch over real sockets, against a scripted FreeSWITCH on a free loopback port."""

from __future__ import annotations

import socket
from typing import cast

from twisted.internet import defer
from twisted.internet import reactor as installed_reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IListeningPort, IReactorTCP, IReactorTime
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from ctidialer.esl.client import EventSocketFactory, EventSocketProtocol
from ctidialer.esl.errors import (
    AccessDenied,
    AuthTimeout,
    CommandTimeout,
    ConnectionGone,
    WrongPassword,
)
from ctidialer.esl.events import Event
from ctidialer.esl.jobs import JobResult
from ctidialer.esl.switch import Credentials, Subscription, Switch, Timings
from tests.esl.scripted import Script, ScriptedFactory, job_frame, plain

clock = cast(IReactorTime, installed_reactor)
tcp = cast(IReactorTCP, installed_reactor)

QUICK = Timings(
    login=0.3, command=2.0, first_retry=0.02, longest_retry=0.1, pulse=0.1, login_retry=0.2
)


class NetworkTest(TestCase):
    kind = "integration"
    timeout = 120

    def setUp(self) -> None:
        self.script = Script()
        self.port = self.listen(0)
        self.number = cast(IPv4Address, self.port.getHost()).port
        self.endpoint = TCP4ClientEndpoint(installed_reactor, "127.0.0.1", self.number)

    def listen(self, number: int) -> IListeningPort:
        factory = ScriptedFactory(self.script)
        port = tcp.listenTCP(number, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return port

    async def connect(self) -> EventSocketProtocol:
        made = await self.endpoint.connect(EventSocketFactory(clock))
        client = cast(EventSocketProtocol, made)
        self.addCleanup(self.gone, client)
        return client

    async def until_gone(self, client: EventSocketProtocol) -> None:
        client.abort("the test is over")
        await client.when_gone()

    def gone(self, client: EventSocketProtocol) -> Deferred[None]:
        return Deferred.fromCoroutine(self.until_gone(client))


class OneConnection(NetworkTest):
    async def test_login_and_commands(self) -> None:
        client = await self.connect()
        await client.auth("ClueCon")
        self.assertEqual(await client.api("status"), "you said status\n")
        self.assertEqual(await client.exit(), "bye")
        self.assertIn("See you at ClueCon!", await client.when_gone())

    async def test_socket_options(self) -> None:
        client = await self.connect()
        handle = cast(socket.socket, client.transport.getHandle())  # type: ignore[union-attr]  # TCP
        self.assertTrue(handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        self.assertTrue(handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    async def test_a_wrong_password(self) -> None:
        client = await self.connect()
        with self.assertRaises(WrongPassword):
            await client.auth("wrong")
        self.assertIn("FreeSWITCH said", await client.when_gone())

    async def test_a_refused_address(self) -> None:
        self.script.denied = True
        client = await self.connect()
        with self.assertRaises(AccessDenied):
            await client.auth("ClueCon")

    async def test_no_greeting(self) -> None:
        self.script.greets = False
        client = await self.connect()
        with self.assertRaises(AuthTimeout):
            await client.auth("ClueCon", timeout=0.1)
        self.assertIn("greeting", await client.when_gone())

    async def test_a_time_limit_and_a_lost_connection(self) -> None:
        client = await self.connect()
        await client.auth("ClueCon")
        (server,) = self.script.live
        server.hold()
        with self.assertRaises(CommandTimeout):
            await client.api("slow", timeout=0.05)
        waiting = client.api("never")
        server.hang_up()
        with self.assertRaises(ConnectionGone) as caught:
            await waiting
        self.assertTrue(caught.exception.may_have_been_executed)

    async def test_a_megabyte_both_ways(self) -> None:
        client = await self.connect()
        await client.auth("ClueCon")
        word = "x" * 1_000_000
        self.assertEqual(await client.api(word), f"you said {word}\n")


class Listener:
    """Counts, and lets a test wait for what the switch tells."""

    def __init__(self) -> None:
        self.ups: list[Deferred[None]] = [Deferred() for _ in range(3)]
        self.told: list[str] = []
        self.events: list[Event] = []

    def switch_up(self) -> None:
        self.told.append("up")
        self.ups[self.told.count("up") - 1].callback(None)

    def switch_down(self, reason: str) -> None:
        self.told.append("down")

    def switch_event(self, event: Event) -> None:
        self.events.append(event)


class WholeSwitch(NetworkTest):
    def setUp(self) -> None:
        super().setUp()
        self.heard = Listener()
        self.switch = Switch(
            clock,
            self.endpoint,
            Credentials("ClueCon"),
            Subscription(("CHANNEL_ANSWER",), (("variable_cti_host", "fs1"),)),
            self.heard,
            timings=QUICK,
        )
        self.addCleanup(self.switch.stopService)
        self.switch.startService()

    async def test_commands_jobs_and_events(self) -> None:
        await self.heard.ups[0]
        self.assertEqual(await self.switch.api("status"), "you said status\n")
        jobs = [self.switch.background(f"j{number}", "originate x") for number in range(100)]
        events = self.script.subscribed()
        for number in reversed(range(100)):
            events.send(plain("CHANNEL_ANSWER") + job_frame(f"j{number}", f"+OK u{number}\n"))
        results = [await job for job in jobs]
        self.assertEqual(results, [JobResult(True, f"u{number}") for number in range(100)])
        self.assertEqual(len(self.heard.events), 100)

    async def test_it_comes_back(self) -> None:
        for round_ in range(2):
            await self.heard.ups[round_]
            for connection in self.script.live:
                connection.hang_up()
        await self.heard.ups[2]
        self.assertEqual(self.heard.told, ["up", "down"] * 2 + ["up"])
        self.assertTrue(self.script.subscribed().saw("filter variable_cti_host fs1"))

    async def test_a_frozen_server_is_found(self) -> None:
        await self.heard.ups[0]
        for connection in self.script.live:
            connection.hold()
        await self.heard.ups[1]
        self.assertEqual(self.heard.told, ["up", "down", "up"])

    async def test_the_server_goes_and_comes_back(self) -> None:
        await self.heard.ups[0]
        await defer.maybeDeferred(self.port.stopListening)
        for connection in self.script.live:
            connection.hang_up()
        while self.switch.up or not self.switch.trouble:
            await deferLater(clock, 0.01)
        self.listen(self.number)
        await self.heard.ups[1]

    async def test_stopped_while_nobody_greets(self) -> None:
        await self.switch.stopService()
        self.script.greets = False
        before = len(self.script.connections)
        self.switch.startService()
        while len(self.script.connections) < before + 2:
            await deferLater(clock, 0.01)
        await self.switch.stopService()  # trial would complain of what is left

    async def test_stopped_while_the_password_is_wrong(self) -> None:
        await self.switch.stopService()
        self.script.password = "another"
        self.switch.startService()
        while "refused the password" not in (self.switch.trouble or ""):
            await deferLater(clock, 0.01)
        await self.switch.stopService()
        self.assertEqual(self.flushLoggedErrors(), [])
