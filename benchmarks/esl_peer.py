"""The other end of the Event Socket benchmarks: as little as will do, and fast.

A process that answers commands and, told to by ``api flood N``, sends N events down the connection
that has subscribed to any.  Everything it sends for events is made beforehand, so it only copies.
It prints the number of its port, and ends when its standard input does.
"""

from __future__ import annotations

import itertools
import socket
import sys
import threading
from uuid import UUID

from benchmarks.esl_wire import EventTemplate, hang_up_lines

DISTINCT = 200
_END = b"\n\n"


class Peer:
    """Serves any number of connections, each in a thread."""

    def __init__(self) -> None:
        template = EventTemplate(hang_up_lines())
        self._frames = [template.frame(str(UUID(int=n)).encode()) for n in range(DISTINCT)]
        self._all = b"".join(self._frames)
        self._subscriber: socket.socket | None = None
        self._jobs = itertools.count()

    def serve(self, listening: socket.socket) -> None:
        """Accept connections for ever."""
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            connection.sendall(b"Content-Type: auth/request\n\n")
            self._answer_all(connection)
        except OSError:
            pass  # the client has gone
        finally:
            connection.close()

    def _answer_all(self, connection: socket.socket) -> None:
        left = b""
        while data := connection.recv(1 << 18):
            *commands, left = (left + data).split(_END)
            connection.sendall(
                b"".join([self._answer(command, connection) for command in commands])
            )
            for command in commands:
                if command.startswith(b"api flood "):
                    self._flood(int(command.split()[2]))

    def _answer(self, command: bytes, connection: socket.socket) -> bytes:
        if command.startswith(b"bgapi "):
            job = command.partition(b"\nJob-UUID: ")[2] or b"job-%d" % next(self._jobs)
            return _reply(b"+OK Job-UUID: %b\nJob-UUID: %b" % (job, job))
        if command.startswith(b"api bgapi uuid:"):
            return _response(b"+OK Job-UUID: %b\n" % command[15:].partition(b" ")[0])
        if command.startswith(b"api "):
            return _response(b"+OK\n")
        if command.startswith(b"event"):
            self._subscriber = connection
        return _reply(b"+OK accepted")

    def _flood(self, count: int) -> None:
        assert self._subscriber is not None
        for _ in range(count // DISTINCT):
            self._subscriber.sendall(self._all)
        self._subscriber.sendall(b"".join(self._frames[: count % DISTINCT]))


def _reply(text: bytes) -> bytes:
    return b"Content-Type: command/reply\nReply-Text: %b\n\n" % text


def _response(text: bytes) -> bytes:
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(text), text)


def main() -> None:
    """Run from the command line."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    threading.Thread(target=Peer().serve, args=(listening,), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
