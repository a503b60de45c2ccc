"""JSON documents, read so that everything wrong with one is found and has its JSON path."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from attrs import frozen

from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.problems import Problem, Told, of_decoder

T = TypeVar("T")

MAX_FAULTS = 50  # of one document: enough to mend it, short enough for a log line
_MAX_SHOWN = 40  # characters of a foreign value that a fault quotes
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UNSEEN = (
    "\u180e\u200b\u200c\u200d\u2060\ufeff"  # of zero width; the last one is the byte-order mark
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"  # these, and the next, turn the writing
    "\u2066\u2067\u2068\u2069"
)
_LAST_SPACE = 0x3000
_AROUND = _UNSEEN + "".join(filter(str.isspace, map(chr, range(_LAST_SPACE + 1))))

JSON_BEGINS = ("{", '"')
"""With what a JSON document begins, or a string that holds one."""

_MAX_WRAPS = 3  # serializers make a string of a document, some of them twice


@frozen
class NumberText:
    """A JSON number with a fraction or an exponent, exactly as its author wrote it."""

    text: str


_DECODER = msgspec.json.Decoder(float_hook=NumberText)


class FaultList:
    """The faults found in a document so far, at most ``MAX_FAULTS`` of them word for word."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._left_out = 0

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        """Note a fault; beyond ``MAX_FAULTS`` it is only counted."""
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(fault)
        else:
            self._left_out += 1

    def all(self) -> tuple[Fault, ...]:
        """Return what was found, in the order in which it was found."""
        if not self._left_out:
            return tuple(self._faults)
        rest = Problem.MORE_FAULTS.of(count=self._left_out)
        return (*self._faults, Fault.of("$", rest, self._faults[-1].key))

    def settle(self) -> None:
        """Raise ContractError if anything was found."""
        if self._faults:
            raise ContractError(self.all())


# A Struct, for there is one for each value of a document, and it is made ten times as quickly.
class Place(msgspec.Struct, frozen=True):
    """One JSON value, where it stands, and the list to which its faults go."""

    value: object
    path: str
    faults: FaultList
    key: str = ""

    def fault(self, problem: Told) -> None:
        """Note what is wrong with this value."""
        self.faults.add(Fault.of(self.path, problem, self.key))

    def member(self, name: str, value: object) -> Place:
        """Return a value of this object."""
        return Place(value, member_path(self.path, name), self.faults, self.key)

    def item(self, index: int, value: object) -> Place:
        """Return a value of this list."""
        return Place(value, f"{self.path}[{index}]", self.faults, self.key)


class Params:
    """The keys of one JSON object, or of several merged; those that are not configured are absent.

    ``home`` is where a missing key is reported.  Where ``complete`` is false nothing is: the
    document is broken already, or needs no more than it has.
    """

    def __init__(self, members: Mapping[str, Place], home: Place, complete: bool = True) -> None:
        self._members = members
        self.home = home
        self._complete = complete

    def get(self, name: str) -> Place | None:
        """Return the value of a key, None where it is not configured."""
        return self._members.get(name)

    def optional(self, name: str, read: Callable[[Place], T | None], default: T) -> T:
        """Return what ``read`` makes of a key, ``default`` where it is absent or at fault."""
        node = self._members.get(name)
        value = None if node is None else read(node)
        return default if value is None else value

    def required(self, name: str, read: Callable[[Place], T | None], blank: T) -> T:
        """Return what ``read`` makes of a key; where it is missing that is a fault."""
        if name not in self._members and self._complete:
            self.home.member(name, None).fault(Problem.MISSING.of())
        return self.optional(name, read, blank)


def read_json(raw: bytes, faults: FaultList, key: str = "") -> Place:
    """Return the document in ``raw``; where that is no JSON, a fault and an empty object.

    A byte-order mark is passed over; of a JSON string that holds a document, that is read.
    """
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    try:
        value = _DECODER.decode(raw)
        for _ in range(_MAX_WRAPS):
            inner = cut_free(value) if isinstance(value, str) else ""
            if inner[:1] not in JSON_BEGINS:
                break
            raw = inner.encode()
            value = _DECODER.decode(raw)
        return Place(value, "$", faults, key)
    except UnicodeDecodeError:
        problem = _not_utf8(raw)
    except msgspec.DecodeError as error:
        problem = _malformed(raw, str(error))
    except RecursionError:
        problem = Problem.TOO_DEEP.of()
    root = Place({}, "$", faults, key)
    root.fault(problem)
    return root


def cut_free(text: str) -> str:
    """Return ``text`` without white space and what is not seen around it."""
    return text if text.isdigit() else text.strip(_AROUND)


def not_utf8(error: UnicodeDecodeError) -> Told:
    """Return the problem of a text whose bytes are no UTF-8."""
    return Problem.NOT_UTF8.of(at=error.start, byte=f"0x{error.object[error.start]:02x}")


def _not_utf8(raw: bytes) -> Told:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return not_utf8(error)
    return Problem.NOT_UTF8.of()


def _malformed(raw: bytes, message: str) -> Told:
    if not raw.strip():
        return Problem.NO_TEXT.of()
    # The decoder's own path names no member, and is as long as the document is deep.
    reason = message.removeprefix("JSON is malformed: ").partition(" - at `")[0]
    return _located(raw) or Problem.MALFORMED.of(problem=of_decoder(reason))


def _located(raw: bytes) -> Told | None:
    """Return what is malformed with its line and column; None = it cannot be told."""
    try:
        json.loads(raw.decode())
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        return Problem.MALFORMED.of(
            problem=of_decoder(problem), line=error.lineno, column=error.colno
        )
    except (ValueError, RecursionError):
        return None
    return None


def member_path(path: str, name: str) -> str:
    """Return the JSON path of the member ``name`` of the object at ``path``."""
    if len(name) <= _MAX_SHOWN and name.isascii() and name.isidentifier():
        return f"{path}.{name}"
    return f"{path}[{shown(name)}]"


def shown(value: object) -> str:
    """Return ``value`` in a form fit for a fault: short, on one line, whatever it is."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, NumberText):
        return _clipped(value.text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 128 else "a very large number"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, Mapping) else "null"


def _quoted(text: str) -> str:
    return '"' + repr(_clipped(text))[1:-1].replace('"', '\\"') + '"'


def _clipped(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
