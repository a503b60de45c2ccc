"""What the Event Socket's share of one call costs the dialer: five messages through `Switch`.

The originate is written; its reply, the BACKGROUND_JOB, the CHANNEL_ANSWER and the
CHANNEL_HANGUP_COMPLETE are taken in, and what the dialer reads of each is read.  The connections
are in memory and bytes come in pieces of 64 KiB, as Twisted's sockets give them, so that this is
our own code and no system call.  Calls come in batches, as they do under load.

Prints one JSON line::

    python -m benchmarks.esl_call
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast
from uuid import uuid4

from attrs import Factory, define
from twisted.internet import defer
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from zope.interface import implementer

from benchmarks.esl_wire import EventTemplate, answer_lines, hang_up_lines, job_frame
from benchmarks.measuring import Figures, print_line, spread
from ctidialer.contract.task import Destination
from ctidialer.dialer.life import channel_events
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.events import Event
from ctidialer.esl.jobs import JobResult
from ctidialer.esl.switch import Credentials, Subscription, Switch
from ctidialer.rules.originate import Call, originate_command

READ = 64 * 1024
STAGES = ("command", "reply", "job", "answer", "hang_up")


class Sink(StringTransport):
    """A transport whose bytes are counted and dropped."""

    written = 0

    def write(self, data: bytes) -> None:
        """Take what a socket would."""
        self.written += len(data)


@implementer(IStreamClientEndpoint)
class Loop:
    """Connects at once, in memory."""

    def __init__(self) -> None:
        self.made: list[EventSocketProtocol] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Make a connection to nobody."""
        address = IPv4Address("TCP", "127.0.0.1", 8021)
        protocol = cast(EventSocketProtocol, protocolFactory.buildProtocol(address))
        cast(Any, protocol).makeConnection(cast(Any, Sink)())
        self.made.append(protocol)
        return defer.succeed(cast(IProtocol, protocol))


@define
class Listener:
    """Reads of each event what the dialer reads."""

    answered: int = 0
    ended: int = 0
    results: int = 0

    def switch_up(self) -> None:
        """Nothing to do."""

    def switch_down(self, reason: str) -> None:
        """Must not happen here."""
        raise RuntimeError(reason)

    def switch_event(self, event: Event) -> None:
        """Read a channel's event."""
        if event.name == channel_events.ANSWER:
            self.answered += event.get("Unique-ID") is not None
        elif event.name == channel_events.HANG_UP:
            self.ended += event.get("Unique-ID") is not None
            channel_events.hang_up(event, 0.0)

    def job_done(self, result: JobResult) -> None:
        """Take the result of an originate."""
        self.results += result.ok


@define
class Batch:
    """The bytes of some calls, by stage."""

    commands: list[tuple[str, str]]
    incoming: dict[str, list[bytes]]


@define
class Times:
    """CPU seconds of each stage, batch after batch."""

    of: dict[str, float] = Factory(lambda: dict.fromkeys(STAGES, 0.0))

    def spend(self, stage: str, work: Callable[[], None]) -> None:
        """Do the work of one stage."""
        before = time.process_time()
        work()
        self.of[stage] += time.process_time() - before


class Bench:
    """A `Switch` whose two connections are in memory."""

    def __init__(self, calls_at_once: int, jobs_by_api: bool) -> None:
        self._by_api = jobs_by_api
        self._at_once = calls_at_once
        self._answer = EventTemplate(answer_lines())
        self._hang_up = EventTemplate(hang_up_lines())
        self.heard = Listener()
        loop = Loop()
        self.switch = Switch(
            cast(IReactorTime, Clock()),
            loop,
            Credentials("ClueCon"),
            Subscription(channel_events.SUBSCRIBED, (("variable_cti_host", "bench"),)),
            self.heard,
            jobs_by_api=jobs_by_api,
        )
        cast(Any, self.switch).startService()
        self._commands, self._events = loop.made
        for protocol in loop.made:
            protocol.dataReceived(b"Content-Type: auth/request\n\n")
        for _ in range(5):  # the authentication, three filters and the subscription
            self._events.dataReceived(_reply(b"+OK accepted"))
        self._commands.dataReceived(_reply(b"+OK accepted"))
        if not self.switch.up:
            raise RuntimeError("the benchmark's own greeting is wrong")

    def batch(self) -> Batch:
        """Make the bytes of one batch of calls."""
        ids = [(str(uuid4()), str(uuid4())) for _ in range(self._at_once)]
        commands = [(job, f"originate {_originate(uuid)}") for uuid, job in ids]
        incoming = {
            "reply": [self._accepted(job.encode()) for _, job in ids],
            "job": [
                job_frame(job.encode(), b"as%20asked", b"+OK %b\n" % uuid.encode())
                for uuid, job in ids
            ],
            "answer": [self._answer.frame(uuid.encode()) for uuid, _ in ids],
            "hang_up": [self._hang_up.frame(uuid.encode()) for uuid, _ in ids],
        }
        return Batch(commands, {stage: _pieces(frames) for stage, frames in incoming.items()})

    def _accepted(self, job: bytes) -> bytes:
        if self._by_api:
            text = b"+OK Job-UUID: %b\n" % job
            return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(text), text)
        return _reply(b"+OK Job-UUID: %b\nJob-UUID: %b" % (job, job))

    def run(self, batch: Batch, times: Times) -> None:
        """Put one batch of calls through."""
        times.spend("command", lambda: self._place(batch.commands))
        for stage, pieces in batch.incoming.items():
            protocol = self._commands if stage == "reply" else self._events
            times.spend(stage, partial(_feed, protocol, pieces))

    def _place(self, commands: list[tuple[str, str]]) -> None:
        for job, command in commands:
            self.switch.background(job, command).addCallback(self.heard.job_done)


def _feed(protocol: EventSocketProtocol, pieces: list[bytes]) -> None:
    for piece in pieces:
        protocol.dataReceived(piece)


def _reply(text: bytes) -> bytes:
    return b"Content-Type: command/reply\nReply-Text: %b\n\n" % text


def _pieces(frames: list[bytes]) -> list[bytes]:
    data = b"".join(frames)
    return [data[at : at + READ] for at in range(0, len(data), READ)]


def _originate(uuid: str) -> str:
    return originate_command(
        Call(
            uuid=uuid,
            dialstring="sofia/gateway/gw1/${destination_number}",
            number="13800138000",
            group="main",
            destination=Destination("8888", "XML", "default"),
            host="bench",
            variables={"customer": "4711"},
            line="gw1",
            task="spring",
        )
    )


def measure(calls: int, runs: int, at_once: int, by_api: bool) -> Figures:
    """Return CPU microseconds for a call and for each of its five messages."""
    bench = Bench(at_once, by_api)
    bench.run(bench.batch(), Times())
    all_times = []
    for _ in range(runs):
        times = Times()
        for _ in range(calls // at_once):
            bench.run(bench.batch(), times)
        all_times.append(times)
    done = (runs * (calls // at_once) + 1) * at_once
    if (bench.heard.results, bench.heard.answered, bench.heard.ended) != (done, done, done):
        raise RuntimeError(f"messages are missing: {bench.heard}")
    of_a_call = 1e6 / (calls // at_once * at_once)
    stages = {stage: spread(times.of[stage] * of_a_call for times in all_times) for stage in STAGES}
    whole = spread(sum(times.of.values()) * of_a_call for times in all_times)
    return {"cpu_us_per_call": whole, "of_these": stages}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--at-once", type=int, default=20, help="calls in one turn of the reactor")
    given = parser.parse_args(arguments)
    sizes = (given.calls, given.runs, given.at_once)
    figures = {
        "bgapi": measure(*sizes, by_api=False),
        "api_bgapi": measure(*sizes, by_api=True),
    }
    print_line("esl_call", {"calls": given.calls, "at_once": given.at_once, **figures})


if __name__ == "__main__":
    main()
