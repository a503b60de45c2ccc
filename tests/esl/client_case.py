"""A client on a transport in memory, its time in the test's hands."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import (
    ConnectionGone,
)
from ctidialer.esl.events import Event
from tests.esl.scripted import reply

GREETING = b"Content-Type: auth/request\n\n"


class ClientTest(SynchronousTestCase):
    """A client on a transport that keeps what is written, its time in the test's hands."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.events: list[Event] = []
        self.client = EventSocketProtocol(self.clock, self.receive, command_timeout=10)
        self.transport = StringTransport()
        self.client.makeConnection(self.transport)

    def receive(self, event: Event) -> None:
        self.events.append(event)

    def feed(self, *frames: bytes) -> None:
        self.client.dataReceived(b"".join(frames))

    def written(self) -> bytes:
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def log_in(self) -> None:
        done = self.client.auth("ClueCon")
        self.feed(GREETING, reply("+OK accepted"))
        self.successResultOf(done)
        self.written()

    def lose(self, error: Exception | None = None) -> None:
        self.client.connectionLost(Failure(error or ConnectionLost()))

    def gone(self, deferred: Deferred[Any]) -> ConnectionGone:
        error = self.failureResultOf(deferred, ConnectionGone).value
        assert isinstance(error, ConnectionGone)
        return error
