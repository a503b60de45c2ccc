"""The rival of the dialer on a real FreeSWITCH: a script that pipelines originates and no more.

Two blocking sockets, one for commands and one for events, like the dialer's; no Redis, no records,
no lines, no second thought for a number whose call is lost.  It keeps ``limit`` calls up until all
are done and prints one JSON line.  Run by ``benchmarks.freeswitch``.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import socket
import sys
import time
from collections import Counter
from uuid import uuid4

HOST = "bare"
EVENTS = "BACKGROUND_JOB CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE"
LENGTH = re.compile(rb"Content-Length: (\d+)")
GIVEN_UP = 30.0


class Connection:
    """One authenticated Event Socket."""

    def __init__(self, host: str, port: int, password: str) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        self.next_frame()
        if b"+OK" not in self.ask(f"auth {password}"):
            sys.exit("FreeSWITCH refuses the password")

    def ask(self, command: str) -> bytes:
        """Send a command and return its reply."""
        self.socket.sendall(command.encode() + b"\n\n")
        return self.next_frame()

    def next_frame(self) -> bytes:
        """Wait for one frame."""
        while True:
            for frame in self.frames():
                return frame
            self.read()

    def read(self) -> None:
        """Take in what has come."""
        data = self.socket.recv(1 << 20)
        if not data:
            sys.exit("FreeSWITCH closed the connection")
        self._unread += data

    def frames(self) -> list[bytes]:
        """Return the whole frames that have come."""
        found, start, unread = [], 0, self._unread
        while (end := unread.find(b"\n\n", start)) >= 0:
            length = LENGTH.search(unread, start, end)
            after = end + 2 + (int(length[1]) if length else 0)
            if len(unread) < after:
                break
            found.append(unread[start:after])
            start = after
        self._unread = unread[start:]
        return found


class Burst:
    """``count`` calls, ``limit`` of them at once."""

    def __init__(self, given: argparse.Namespace) -> None:
        host, _, port = given.address.rpartition(":")
        self.given = given
        self.commands = Connection(host, int(port), given.password)
        self.events = Connection(host, int(port), given.password)
        self.events.ask(f"event plain {EVENTS}")
        for header, value in (("Event-Name", "BACKGROUND_JOB"), ("variable_cti_host", HOST)):
            self.events.ask(f"filter {header} {value}")
        self.waiting = [self.command(index) for index in range(given.numbers)]
        self.up = 0
        self.seen: Counter[str] = Counter()

    def command(self, index: int) -> bytes:
        """Return one originate as the dialer would write it."""
        number, uuid = f"138{index:08d}", str(uuid4())
        variables = (
            "ignore_early_media=true,originate_timeout=60,cti_task_name=bench,"
            f"cti_dial_number={number},cti_line_name=bench-line,cti_line_group_name=bench,"
            f"cti_host={HOST},origination_uuid={uuid}"
        )
        where = self.given.dialstring.replace("${destination_number}", number)
        originate = f"originate {{{variables}}}{where} {self.given.extension} XML default"
        if self.given.native:
            return f"bgapi {originate}\nJob-UUID: {uuid}\n\n".encode()
        return f"api bgapi uuid:{uuid} {originate}\n\n".encode()

    def run(self) -> float:
        """Place all calls; return the seconds from the first originate to the last hang-up."""
        started = time.monotonic()
        while self.waiting or self.up:
            self._fill()
            ready, _, _ = select.select(
                [self.commands.socket, self.events.socket], [], [], GIVEN_UP
            )
            if not ready:
                sys.exit(f"nothing was heard for {GIVEN_UP} s; {self.up} calls are up")
            for connection in (self.commands, self.events):
                if connection.socket in ready:
                    connection.read()
            self.commands.frames()
            for frame in self.events.frames():
                self._count(frame)
        return time.monotonic() - started

    def _fill(self) -> None:
        room = self.given.limit - self.up
        if room > 0 and self.waiting:
            batch, self.waiting = self.waiting[:room], self.waiting[room:]
            self.up += len(batch)
            self.commands.socket.sendall(b"".join(batch))

    def _count(self, frame: bytes) -> None:
        if b"\nEvent-Name: CHANNEL_HANGUP_COMPLETE\n" in frame:
            self.up -= 1
            self.seen["ended"] += 1
        elif b"\nEvent-Name: CHANNEL_ANSWER\n" in frame:
            self.seen["answered"] += 1


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--address", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--numbers", type=int, required=True)
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--dialstring", required=True)
    parser.add_argument("--extension", required=True)
    parser.add_argument("--native", action="store_true", help="bgapi in place of api bgapi")
    given = parser.parse_args()
    burst = Burst(given)
    seconds = burst.run()
    print(json.dumps({"seconds": seconds, "answered": burst.seen["answered"]}))


if __name__ == "__main__":
    main()
