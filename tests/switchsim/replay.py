"""Plays the client's side of a recording to the simulator, and takes both sides apart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from attrs import define, frozen
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from ctidialer.switchsim.behaviour import read_script
from ctidialer.switchsim.callcenter.plan import install, read_plan
from ctidialer.switchsim.identity import Identity
from ctidialer.switchsim.listener import EventSocketListener
from ctidialer.switchsim.server import EventSocketFactory
from ctidialer.switchsim.switch import Switch

DIRECTORY = Path(__file__).parent.parent / "esl" / "recordings"
OWN_DIRECTORY = Path(__file__).parent / "recordings"
WALL = 1_795_375_478.0
_MARK = re.compile(rb"^\[(\d+\.\d+)\] ([<>#])(.*)$")


@frozen
class Chunk:
    """What one side wrote at once; ``at`` in seconds, ``side`` is ``<`` (FreeSWITCH) or ``>``."""

    at: float
    side: str
    octets: bytes


@frozen
class Frame:
    """A frame from FreeSWITCH: its head and its body; ``headers`` are an event's own."""

    head: tuple[tuple[str, str], ...]
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    payload: bytes = b""

    @property
    def type(self) -> str:
        return dict(self.head)["Content-Type"]

    @property
    def is_event(self) -> bool:
        return self.type == "text/event-plain"

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, "")


def read_recording(name: str) -> list[Chunk]:
    """Read a recording; ``name`` is the beginning of the file's name."""
    found = [*DIRECTORY.glob(f"{name}*"), *OWN_DIRECTORY.glob(f"{name}*")]
    path = min(found)
    chunks: list[tuple[float, str, list[bytes]]] = []
    for line in path.read_bytes().split(b"\n"):
        mark = _MARK.match(line)
        if mark:
            chunks.append((float(mark[1]), mark[2].decode(), []))
        elif chunks and chunks[-1][1] != "#":
            chunks[-1][2].append(line)
    return [Chunk(at, side, _joined(lines)) for at, side, lines in chunks]


def _joined(lines: list[bytes]) -> bytes:
    return b"\n".join(lines).removesuffix(b"<no newline>")


def split_frames(stream: bytes) -> list[Frame]:
    """Take a stream apart; what is cut off at its end is left out."""
    frames = []
    while stream:
        head, end, rest = stream.partition(b"\n\n")
        if not end:
            break
        headers = _header_pairs(head)
        length = int(dict(headers).get("Content-Length", "0"))
        if len(rest) < length:
            break
        frames.append(_frame(headers, rest[:length]))
        stream = rest[length:]
    return frames


def _frame(head: tuple[tuple[str, str], ...], body: bytes) -> Frame:
    if dict(head)["Content-Type"] != "text/event-plain":
        return Frame(head, body)
    block, _, payload = body.partition(b"\n\n")
    return Frame(head, body, _header_pairs(block), payload)


def _header_pairs(block: bytes) -> tuple[tuple[str, str], ...]:
    pairs = []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b": ")
        pairs.append((name.decode(), value.decode("latin-1")))
    return tuple(pairs)


def decoded(value: str) -> str:
    """Undo a header value's %-encoding."""
    return unquote_to_bytes(value).decode("utf-8", "surrogateescape")


class Bench:
    """A simulated switch on a clock of the test's, and connections to it in memory."""

    def __init__(
        self, script: dict[str, Any] | None = None, callcenter: dict[str, Any] | None = None
    ) -> None:
        self.clock = Clock()
        self.clock.rightNow = 0.8
        self.ended: list[int] = []
        self.switch = Switch(
            self.clock,
            script=read_script(script or {}),
            identity=Identity(core_uuid="9182b091-c695-405b-88b7-f77547bba4d2"),
            end_process=self.ended.append,
            wall=WALL,
        )
        if callcenter is not None:
            install(read_plan(callcenter), self.switch.callcenter)
        self.factory = EventSocketFactory(self.switch)

    def connect(self) -> Client:
        """Connect a client."""
        listener = self.factory.buildProtocol(None)
        transport = StringTransport()
        listener.makeConnection(transport)
        return Client(self, listener, transport)

    def client(self, *commands: str) -> Client:
        """Connect, authenticate and run commands; what they answered is thrown away."""
        client = self.connect()
        for command in ("auth ClueCon", *commands):
            client.send(command)
        client.transport.clear()
        return client

    def advance(self, seconds: float) -> None:
        """Let time pass in small steps, so that what a timer starts runs on time."""
        steps = max(1, round(seconds / 0.01))
        self.clock.pump([seconds / steps] * steps)


@define
class Client:
    """A connection to the simulated switch."""

    bench: Bench
    listener: EventSocketListener
    transport: StringTransport

    def send(self, command: str) -> None:
        """Send a command and the empty line, and let what it starts run."""
        self.write(command.encode("utf-8", "surrogateescape") + b"\n\n")

    def write(self, octets: bytes) -> None:
        """Send bytes."""
        if not self.transport.disconnecting:
            self.listener.dataReceived(octets)
        self.bench.clock.advance(0)

    def frames(self) -> list[Frame]:
        """Take what has arrived."""
        stream = self.transport.value()
        self.transport.clear()
        return split_frames(stream)

    def events(self) -> list[Frame]:
        """Take the events that have arrived; replies are thrown away."""
        return [frame for frame in self.frames() if frame.is_event]

    def ask(self, command: str) -> str:
        """Send an API command and give the text it answered."""
        self.send(f"api {command}")
        answers = [frame for frame in self.frames() if frame.type == "api/response"]
        return answers[-1].body.decode() if answers else ""


def play(
    name: str,
    script: dict[str, Any],
    *,
    until: str = "",
    callcenter: dict[str, Any] | None = None,
) -> list[Frame]:
    """Send a recording's client side at its times, up to the command ``until``, if given."""
    bench = Bench(script, callcenter)
    client = bench.connect()
    now = 0.0
    for chunk in read_recording(name):
        if chunk.side != ">" or chunk.at < now:
            continue
        if until and chunk.octets.startswith(until.encode()):
            break
        bench.advance(chunk.at - now)
        now = chunk.at
        client.write(chunk.octets)
    bench.advance(2.0)
    return client.frames()


def recorded(name: str) -> list[Frame]:
    """Take FreeSWITCH's side of a recording apart."""
    chunks = read_recording(name)
    return split_frames(b"".join(chunk.octets for chunk in chunks if chunk.side == "<"))
