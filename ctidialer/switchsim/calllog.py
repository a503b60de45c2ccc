"""The simulator's own log: one JSON line for each originate, each end, each odd command.

Lines are written with one ``write`` each to a file opened for appending, so that a killed process
leaves whole lines; a last line cut short is skipped when reading.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
from attrs import field, frozen


@frozen
class OriginateLine:
    """One originate as it was asked for.

    ``time``: unix seconds.  ``call`` numbers the originates of one process from 1 and joins this
    line with its `EndLine`.  ``uuid`` is the channel's, empty where no channel came to be;
    ``uuid_asked`` the ``origination_uuid`` given.  ``legs``: how many endpoints the dial string
    asked for.
    """

    time: float
    call: int
    argument: str
    uuid_asked: str
    uuid: str
    variables: dict[str, str] = field(factory=dict)
    dial_string: str = ""
    number: str = ""
    extension: str = ""
    dialplan: str = ""
    context: str = ""
    legs: int = 0


@frozen
class EndLine:
    """How a call ended.  ``cause``: a hang-up cause, or the reply's text where no call was made."""

    time: float
    call: int
    uuid: str
    number: str
    answered: bool
    cause: str


@frozen
class AnswerLine:
    """When a call was answered; written only where the process was told so (``--log-answers``)."""

    time: float
    call: int
    uuid: str


@frozen
class QueuedLine:
    """A call came into a queue of mod_callcenter."""

    time: float
    call: int
    uuid: str
    queue: str


@frozen
class BridgedLine:
    """A call in a queue was connected to an agent."""

    time: float
    call: int
    uuid: str
    queue: str
    agent: str


@frozen
class LeftLine:
    """A call left a queue: ``Terminated`` after a talk, ``BREAK_OUT`` without one (abandoned)."""

    time: float
    call: int
    uuid: str
    queue: str
    cause: str


@frozen
class CommandLine:
    """A command that is not one of the usual ones, as it arrived."""

    time: float
    connection: int
    line: str


@frozen
class CallLog:
    """A log read back, each kind in the order of the file."""

    originates: tuple[OriginateLine, ...] = ()
    ends: tuple[EndLine, ...] = ()
    commands: tuple[CommandLine, ...] = ()
    answers: tuple[AnswerLine, ...] = ()
    queued: tuple[QueuedLine, ...] = ()
    bridged: tuple[BridgedLine, ...] = ()
    left: tuple[LeftLine, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers dialed, in order, each as often as it was dialed."""
        return tuple(line.number for line in self.originates)


class CallLogWriter:
    """Writes the log; without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        self._file = -1 if path is None else os.open(path, flags, 0o644)

    def write(self, kind: str, values: dict[str, Any]) -> None:
        """Append one line at once."""
        if self._file >= 0:
            os.write(self._file, _json_line({"type": kind, **values}) + b"\n")

    def close(self) -> None:
        """Close the file; later lines are dropped."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _json_line(values: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(values)
    except UnicodeEncodeError:  # bytes that are no UTF-8, which are kept as lone surrogates
        return json.dumps(values, separators=(",", ":")).encode("ascii")


def read_call_log(path: Path) -> CallLog:
    """Read a log; a missing file is an empty one, a last line cut short is skipped."""
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return CallLog()
    whole = octets[: octets.rfind(b"\n") + 1].splitlines()
    lines = [json.loads(line) for line in whole]
    return CallLog(
        originates=tuple(OriginateLine(**line) for line in _of(lines, "originate")),
        ends=tuple(EndLine(**line) for line in _of(lines, "end")),
        commands=tuple(CommandLine(**line) for line in _of(lines, "command")),
        answers=tuple(AnswerLine(**line) for line in _of(lines, "answer")),
        queued=tuple(QueuedLine(**line) for line in _of(lines, "queued")),
        bridged=tuple(BridgedLine(**line) for line in _of(lines, "bridged")),
        left=tuple(LeftLine(**line) for line in _of(lines, "left")),
    )


def _of(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [
        {k: v for k, v in line.items() if k != "type"} for line in lines if line["type"] == kind
    ]
