"""The clients that are compared, one for each process, used as their own texts say.

``python -m benchmarks.esl_clients NAME events|commands|native PORT COUNT`` connects to
`benchmarks.esl_peer`, does the work and prints one JSON line: the seconds it took, by the wall
clock and of this process's CPU, from the order to the last event or reply.

Each handles its events in a callback that reads the same five fields and keeps the last ones.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, cast

from attrs import asdict

from benchmarks.esl_wire import FIELDS
from benchmarks.measuring import Spent, Stopwatch

DEEP = 500
"""How many commands are in flight."""

EVENT = "CHANNEL_HANGUP_COMPLETE"
COMMAND = (
    "originate {origination_uuid=%d,ignore_early_media=true}sofia/gateway/gw1/13800138000 8888"
)


class Tally:
    """Counts to ``count`` and then says what that took."""

    def __init__(self, count: int, done: Callable[[], object]) -> None:
        self._left = count
        self._done = done
        self._watch = Stopwatch()
        self.spent = Spent(0.0, 0.0)
        self.last: tuple[str | None, ...] = ()

    def one(self) -> None:
        """Count one."""
        self._left -= 1
        if self._left == 0:
            self.spent = self._watch.read()
            self._done()


def bare_events(port: int, count: int) -> Tally:
    """Frame and pluck with a blocking socket and nothing else."""
    connection = _bare_connection(port)
    connection.sendall(b"event plain %b\n\n" % EVENT.encode())
    connection.recv(4096)
    needles = [b"\n%b: " % name.encode() for name in FIELDS]
    tally = Tally(count, lambda: None)
    connection.sendall(b"api flood %d\n\n" % count)
    data = b""
    while tally.spent.wall == 0.0:
        data += connection.recv(65536)
        start = 0
        while (blank := data.find(b"\n\n", start)) >= 0:
            head = data[start:blank]
            at = head.find(b"Content-Length: ") + 16
            stop = blank + 2 + int(head[at:].split(b"\n", 1)[0])
            if stop > len(data):
                break
            if b"text/event-plain" in head:
                tally.last = _pluck(data[blank + 1 : stop], needles)
                tally.one()
            start = stop
        data = data[start:]
    return tally


def _pluck(event: bytes, needles: list[bytes]) -> tuple[str, ...]:
    values = []
    for needle in needles:
        start = event.find(needle) + len(needle)
        values.append(event[start : event.find(b"\n", start)].decode())
    return tuple(values)


def _bare_connection(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.recv(4096)
    connection.sendall(b"auth ClueCon\n\n")
    connection.recv(4096)
    return connection


def bare_commands(port: int, count: int, native: bool = False) -> Tally:
    """Write commands and count replies: how fast the other end is."""
    connection = _bare_connection(port)
    tally = Tally(count, lambda: None)
    sent, got = 0, 0
    line = _bare_native if native else _bare_by_api
    while got < count:
        if sent - got <= DEEP // 2:
            more = min(DEEP - (sent - got), count - sent)
            lines = [line(number) for number in range(sent, sent + more)]
            connection.sendall(b"".join(lines))
            sent += more
        data = connection.recv(65536)
        seen = data.count(b"+OK Job-UUID")
        got += seen
        for _ in range(seen):
            tally.one()
    return tally


def _bare_by_api(number: int) -> bytes:
    return b"api bgapi uuid:%d %b\n\n" % (number, (COMMAND % number).encode())


def _bare_native(number: int) -> bytes:
    return b"bgapi %b\nJob-UUID: %d\n\n" % ((COMMAND % number).encode(), number)


def ours_events(port: int, count: int) -> Tally:
    """`Switch`, as the dialer has it."""
    from ctidialer.esl.events import Event

    class Counting(_Listener):
        def switch_event(self, event: Event) -> None:
            tally = self.tally
            tally.last = tuple([event.get(name) for name in FIELDS])
            tally.one()

        def begin(self) -> None:
            self.switch.api(f"flood {self.count}", 600)

    return Counting(port, count).run()


def ours_commands(port: int, count: int, native: bool = False) -> Tally:
    """Background jobs through `Switch`, whose replies are awaited."""

    class Placing(_Listener):
        def begin(self) -> None:
            self.sent = 0
            self.protocol = self.switch._commands.protocol
            for _ in range(min(DEEP, self.count)):
                self.place()

        def place(self) -> None:
            number, self.sent = self.sent, self.sent + 1
            self.protocol.start_job(str(number), COMMAND % number, self, by_api=not native)

        def answered(self, reply: Any) -> None:
            if self.sent < self.count:
                self.place()
            self.tally.one()

        def failed(self, error: Exception) -> None:
            raise error

    return Placing(port, count).run()


class _Listener:
    """Connects a `Switch` and does its work when that is up."""

    def __init__(self, port: int, count: int) -> None:
        from twisted.internet import reactor
        from twisted.internet.endpoints import HostnameEndpoint

        from ctidialer.esl.switch import Credentials, Subscription, Switch

        self.reactor: Any = reactor
        self.count = count
        self.tally: Tally
        self.switch: Any = Switch(
            self.reactor,
            HostnameEndpoint(self.reactor, "127.0.0.1", port),
            Credentials("ClueCon"),
            Subscription((EVENT,)),
            self,
        )

    def run(self) -> Tally:
        self.switch.startService()
        self.reactor.run(installSignalHandlers=False)
        return self.tally

    def switch_up(self) -> None:
        self.tally = Tally(self.count, self.reactor.stop)
        self.begin()

    def begin(self) -> None:
        """Do the work."""

    def switch_down(self, reason: str) -> None:
        """Nothing is to be done at the end."""

    def switch_event(self, event: Any) -> None:
        """Take an event."""


def greenswitch_events(port: int, count: int) -> Tally:
    """A handler that is registered, as for any event."""
    greenswitch: Any = import_module("greenswitch")  # not one of the packages of `make test`
    done = import_module("gevent.event").Event()
    tally = Tally(count, done.set)

    def handle(event: Any) -> None:
        tally.last = tuple([event.headers[name] for name in FIELDS])
        tally.one()

    client = greenswitch.InboundESL(host="127.0.0.1", port=port, password="ClueCon")
    client.connect()
    client.register_handle(EVENT, handle)
    client.send(f"event plain {EVENT}")
    tally._watch = Stopwatch()
    client.send(f"api flood {count}")
    done.wait()
    return tally


def greenswitch_commands(port: int, count: int, native: bool = False) -> Tally:
    """Its ``send`` waits for the reply, so each command in flight has a greenlet."""
    gevent: Any = import_module("gevent")
    greenswitch: Any = import_module("greenswitch")
    done = import_module("gevent.event").Event()
    client = greenswitch.InboundESL(host="127.0.0.1", port=port, password="ClueCon")
    client.connect()
    tally = Tally(count, done.set)
    numbers = iter(range(count))

    def send_some() -> None:
        for number in numbers:
            if native:
                client.send(f"bgapi {COMMAND % number}\nJob-UUID: {number}")
            else:
                client.send(f"api bgapi uuid:{number} {COMMAND % number}")
            tally.one()

    for _ in range(DEEP):
        gevent.spawn(send_some)
    done.wait()
    return tally


def genesis_events(port: int, count: int) -> Tally:
    """Its consumer mode, with a handler."""
    import asyncio

    genesis: Any = import_module("genesis")

    async def run() -> Tally:
        done = asyncio.Event()
        tally = Tally(count, done.set)
        app = genesis.Consumer("127.0.0.1", port, "ClueCon")

        @app.handle(EVENT)  # type: ignore[untyped-decorator]  # genesis may not be installed
        async def handle(event: Any) -> None:
            tally.last = tuple([event[name] for name in FIELDS])
            tally.one()

        running = asyncio.ensure_future(app.start())
        while not app.protocol.is_connected:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)  # it subscribes and sets its filter meanwhile
        tally._watch = Stopwatch()
        await app.protocol.send(f"api flood {count}")
        await done.wait()
        running.cancel()
        return tally

    return asyncio.run(run())


EVENTS: dict[str, Callable[[int, int], Tally]] = {
    "bare": bare_events,
    "ours": ours_events,
    "greenswitch": greenswitch_events,
    "genesis": genesis_events,
}
COMMANDS: dict[str, Callable[[int, int, bool], Tally]] = {
    "bare": bare_commands,
    "ours": ours_commands,
    "greenswitch": greenswitch_commands,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("client", choices=[*EVENTS])
    parser.add_argument("work", choices=["events", "commands", "native"])
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    given = parser.parse_args(arguments)
    if given.work == "events":
        tally = EVENTS[given.client](given.port, given.count)
        if len(tally.last) != len(FIELDS) or None in tally.last:
            sys.exit(f"{given.client} has not read all fields: {tally.last}")
    else:
        tally = COMMANDS[given.client](given.port, given.count, given.work == "native")
    print(json.dumps(asdict(cast(Any, tally.spent))))


if __name__ == "__main__":
    main()
