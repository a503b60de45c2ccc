"""A FreeSWITCH that does what a test says: its Event Socket as a small Twisted protocol."""

from __future__ import annotations

from collections.abc import Callable

from attrs import Factory, define
from twisted.internet import protocol
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

NOTICE = (
    b"Content-Type: text/disconnect-notice\nContent-Length: 67\n\n"
    b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
)
DENIED = (
    b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n" + NOTICE
)


def reply(text: str, *headers: str) -> bytes:
    lines = ["Content-Type: command/reply", f"Reply-Text: {text}", *headers]
    return "\n".join(lines).encode() + b"\n\n"


def response(text: str) -> bytes:
    body = text.encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n" % len(body) + body


def event_frame(body: bytes) -> bytes:
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(body) + body


def plain(name: str, *headers: str, body: str = "") -> bytes:
    lines = [f"Event-Name: {name}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return event_frame("\n".join(lines).encode() + b"\n\n" + body.encode())


def job_frame(job_id: str, body: str) -> bytes:
    return plain("BACKGROUND_JOB", f"Job-UUID: {job_id}", body=body)


@define(eq=False)
class Script:
    """How the scripted FreeSWITCH behaves, and what it has seen."""

    password: str = "ClueCon"
    denied: bool = False
    greets: bool = True
    allowed_events: str | None = None
    refuse: Callable[[str], bool] = lambda command: False
    api_answers: dict[str, str] = Factory(dict)
    connections: list[ScriptedSwitch] = Factory(list)
    logins: int = 0

    @property
    def live(self) -> list[ScriptedSwitch]:
        return [each for each in self.connections if not each.gone]

    def subscribed(self) -> ScriptedSwitch:
        """The one live connection that has asked for events."""
        (found,) = (each for each in self.live if each.saw("event "))
        return found

    def commanded(self) -> ScriptedSwitch:
        """The one live connection that has not asked for events."""
        (found,) = (each for each in self.live if not each.saw("event "))
        return found


class ScriptedSwitch(protocol.Protocol):
    """One connection: answers each command in order, unless it is told to hold its answers."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.commands: list[str] = []
        self.holding = False
        self.gone = False
        self._held: list[bytes] = []
        self._buffer = b""

    def saw(self, start: str) -> bool:
        return any(command.startswith(start) for command in self.commands)

    def hold(self) -> None:
        self.holding = True

    def release(self) -> None:
        self.holding = False
        held, self._held = self._held, []
        self.send(b"".join(held))

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def hang_up(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    def connectionMade(self) -> None:
        self.script.connections.append(self)
        if self.script.denied:
            self.send(DENIED)
            self.hang_up()
        elif self.script.greets:
            self.send(b"Content-Type: auth/request\n\n")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = True

    def dataReceived(self, data: bytes) -> None:
        *commands, self._buffer = (self._buffer + data).split(b"\n\n")
        for command in commands:
            self.commands.append(command.decode())
            answer = self._answer(command.decode())
            if self.holding:
                self._held.append(answer)
            else:
                self.send(answer)
                self._close_after(answer)

    def _close_after(self, answer: bytes) -> None:
        if answer.endswith(NOTICE):
            self.hang_up()

    def _answer(self, command: str) -> bytes:
        verb, _, rest = command.partition(" ")
        if self.script.refuse(command):
            return reply("-ERR permission denied")
        if verb in ("auth", "userauth"):
            return self._login(rest)
        if verb == "api":
            return self._api(rest)
        if verb == "bgapi":
            job = rest.partition("\nJob-UUID: ")[2]
            return reply(f"+OK Job-UUID: {job}", f"Job-UUID: {job}")
        if verb == "exit":
            return reply("+OK bye") + NOTICE
        return reply(f"+OK {verb} done")

    def _api(self, command: str) -> bytes:
        for start, text in self.script.api_answers.items():
            if command.startswith(start):
                return response(text)
        if command.startswith("bgapi uuid:"):
            return response(f"+OK Job-UUID: {command.split()[1].removeprefix('uuid:')}\n")
        return response(f"you said {command}\n")

    def _login(self, secret: str) -> bytes:
        self.script.logins += 1
        if secret.rpartition(":")[2] != self.script.password:
            return reply("-ERR invalid") + NOTICE
        allowed = self.script.allowed_events
        return reply("+OK accepted", *([f"Allowed-Events: {allowed}"] if allowed else []))


class ScriptedFactory(protocol.ServerFactory):
    """Makes the connections of one scripted FreeSWITCH."""

    noisy = False

    def __init__(self, script: Script) -> None:
        self.script = script

    def buildProtocol(self, addr: IAddress | None) -> ScriptedSwitch:
        return ScriptedSwitch(self.script)
