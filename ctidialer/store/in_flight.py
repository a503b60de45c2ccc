"""The entries in flight: what stands in ``cti_dialer_inflight@<host>`` while a number is in hand.

The field is the entry's id, ``<daemon>-<claim>-<index>``.  The value is two lines and the entry::

    {"v":1,"kind":"queue","key":"numbers","side":"left","task":"t","taken_at":1700000000.25}
    {"uuid":"…","line":"gw1","group":"g","attempt":1,"progress":"<base64>"}
    <the entry, byte for byte, to the end of the value>

The second line is empty until a call is about to be placed; when that call is answered,
``"answered_at"`` is added to it.  ``"place"`` is in it if the call has the places over all hosts of
an earlier one, by whose name Redis knows them, and ``"passed"``: how often they went on.  An entry
of ``kind`` ``schedule`` has ``"side":"due"`` and a ``score`` (a text, because it may be ``inf``).

An entry that is too long to be called has ``"v":2`` and its ``length``.  Its value ends with the
beginning of the entry; the whole entry is the string ``cti_dialer_inflight@<host>:<id>``.

An entry that waited has ``"v":3``, ``"side":"waiting"``, the ``scope`` and the ``name`` of its
place, and, as the last of its first line, ``carried``: what `contract.waiting` says.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from typing import Any

import msgspec
from attrs import evolve, field, frozen

from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import Carried, decode_carried
from ctidialer.store.waiting import Waiting

VERSION = 1
VERSION_APART = 2
"""The version of an entry with a key of its own: so an older daemon leaves it where it is."""
VERSION_WAITED = 3
"""The version of an entry that waited before."""

DUE = "due"
WAITING = "waiting"
CARRIED = b',"carried":'
"""What stands before the last member of the first line: in no text of JSON, where a quotation mark
has a backslash before it."""

NO_CALL = ""
"""The UUID that is noted while no call of the number is up."""


@frozen
class Origin:
    """Where entries come from: a list and its end, or (``side`` None) a zset.

    ``where``: the zset is that of a place where numbers wait; None = of scheduled numbers.
    """

    key: str
    side: Side | None
    where: Waiting | None = None

    @classmethod
    def of(cls, where: Waiting) -> Origin:
        """Return the origin of numbers that waited."""
        return cls(where.key, None, where)

    @property
    def end(self) -> str:
        """The side as it stands in Redis."""
        if self.where is not None:
            return WAITING
        return DUE if self.side is None else self.side.value

    @property
    def kind(self) -> Kind:
        """What its entries are."""
        if self.where is not None:
            return self.where.kind
        return Kind.SCHEDULE if self.side is None else Kind.QUEUE

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that a script which takes from it or puts back changes."""
        return (self.key,) if self.where is None else self.where.names

    @property
    def field(self) -> str:
        """`Waiting.field`; empty where no numbers wait."""
        return "" if self.where is None else self.where.field


class Claimed(msgspec.Struct, frozen=True):
    """One entry taken: ``entry`` byte for byte, ``taken_at`` unix seconds by Redis' clock.

    ``id`` is unique for ever, and also the id of its record.  ``score`` is a scheduled member's
    time, None for a queue's entry.  ``length`` is that of an entry too long to be called, in bytes:
    ``entry`` is then only its beginning; None = ``entry`` is all of it.  ``carried``: what it kept
    while it waited, None = it is taken for the first time.
    """

    id: str
    entry: bytes
    taken_at: float
    score: float | None = None
    length: int | None = None
    carried: Carried | None = None

    @property
    def is_tried(self) -> bool:
        """Whether a try of this number has ended before."""
        return self.carried is not None and self.carried.tried > 0


@frozen
class Place:
    """The name of the places that a call has from an earlier one, and how often they went on."""

    name: str
    passed: int


@frozen
class Dialing:
    """The call that the daemon was about to place: it may exist in FreeSWITCH.

    ``line`` None = no line of the tables.  ``attempt`` counts from 1.  ``progress`` is written and
    read by the dialer: the attempts before this one, and what else it needs to go on.
    ``answered_at`` (unix seconds) None = no answer of this call was noted.  ``place``: that of its
    places over all hosts, None = they have the entry's id.
    """

    uuid: str
    line: str | None
    group: str
    attempt: int
    progress: bytes = field(default=b"", repr=False)
    answered_at: float | None = None
    place: Place | None = None


@frozen
class InFlight:
    """An entry that a daemon of this host has taken and not settled.

    ``key`` is the list or zset it came from, ``side`` the list's end (None = a zset).  ``dialing``
    None = taken, and certainly not dialed.  ``where``: it waited there, and ``carried`` is what it
    kept meanwhile.
    """

    id: str
    entry: bytes
    taken_at: float
    kind: Kind
    key: str
    side: Side | None = None
    task: str | None = None
    score: float | None = None
    dialing: Dialing | None = None
    length: int | None = None
    where: Waiting | None = None
    carried: Carried | None = None

    @property
    def origin(self) -> Origin:
        """Where it was taken from."""
        return Origin(self.key, self.side, self.where)

    @property
    def claimed(self) -> Claimed:
        """The entry as it was when it was taken."""
        return Claimed(self.id, self.entry, self.taken_at, self.score, self.length, self.carried)

    @property
    def daemon(self) -> str:
        """The token of the daemon that took the entry."""
        return self.id.rsplit("-", 2)[0]

    @property
    def order(self) -> tuple[float, int, int]:
        """What sorts entries into the order in which they were taken."""
        _, claim, index = self.id.rsplit("-", 2)
        return self.taken_at, int(claim), int(index)


def header(origin: Origin, task: str | None) -> str:
    """Return the first line of a value without the braces and what the script adds: the version,
    ``taken_at``, ``score``, ``length`` and ``carried``.
    """
    document = {
        "kind": origin.kind.value,
        "key": origin.key,
        "side": origin.end,
        "task": task,
    }
    if origin.where is not None:
        document |= {"scope": origin.where.scope, "name": origin.where.name}
    return json.dumps(document)[1:-1]


def dialing_line(dialing: Dialing) -> bytes:
    """Return the second line of a value: JSON, without a line break."""
    document: dict[str, str | int | None] = {
        "uuid": dialing.uuid,
        "line": dialing.line,
        "group": dialing.group,
        "attempt": dialing.attempt,
        "progress": b64encode(dialing.progress).decode(),
    }
    if dialing.place is not None:
        document["place"], document["passed"] = dialing.place.name, dialing.place.passed
    try:
        return _ENCODER.encode(document)
    except UnicodeEncodeError:  # half a surrogate pair: JSON has an escape for it, UTF-8 has not
        return json.dumps(document, separators=(",", ":")).encode()


def answer_note(uuid: str, answered_at: float) -> bytes:
    """Return the argument with which the note script adds an answer to the second line.

    Raises ValueError if the time is not finite: JSON cannot express it.
    """
    if not math.isfinite(answered_at):
        raise ValueError(f"no time: {answered_at}")
    return f"answered {uuid} {float(answered_at)!r}".encode()


_ENCODER = msgspec.json.Encoder()


_NOTHING = msgspec.Raw(b"")


class _Taken(msgspec.Struct):
    """What differs from entry to entry of one claim."""

    taken_at: float
    score: str | None = None
    length: int | None = None
    carried: msgspec.Raw = _NOTHING


_TAKEN = msgspec.json.Decoder(_Taken)


def decode_claimed(entry_id: str, value: bytes) -> Claimed:
    """Read a value of the answer to our own claim: only what the claim did not know before.

    Raises ValueError if what an entry kept while it waited is malformed.
    """
    first, _, entry = value.split(b"\n", 2)
    taken = _TAKEN.decode(first)
    score = None if taken.score is None else float(taken.score)
    text = bytes(taken.carried)
    carried = decode_carried(text) if text else None
    return Claimed(entry_id, entry, taken.taken_at, score, taken.length, carried)


def decode_in_flight(entry_id: str, value: bytes) -> InFlight:
    """Read one field of the hash; raises ValueError if it is malformed or of another version."""
    try:
        first, second, entry = value.split(b"\n", 2)
        taken: dict[str, Any] = json.loads(first)
        if taken["v"] not in (VERSION, VERSION_APART, VERSION_WAITED):
            raise ValueError(f"version {taken['v']} of the in-flight entries is not known here")
        entry_in_flight = _decode(entry_id, taken, _dialing(second), entry)
        if taken["v"] == VERSION_WAITED:
            entry_in_flight = _waited(entry_in_flight, taken, first)
        _ = entry_in_flight.order
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"no in-flight entry: {error!r}") from None
    return entry_in_flight


def _decode(
    entry_id: str, taken: dict[str, Any], dialing: Dialing | None, entry: bytes
) -> InFlight:
    return InFlight(
        id=entry_id,
        entry=entry,
        taken_at=float(taken["taken_at"]),
        kind=Kind(taken["kind"]),
        key=_text(taken["key"]),
        side=None if taken["side"] in (DUE, WAITING) else Side(taken["side"]),
        task=_text_or_none(taken["task"]),
        score=float(taken["score"]) if "score" in taken else None,
        dialing=dialing,
        length=int(taken["length"]) if taken["v"] == VERSION_APART else None,
    )


def _waited(entry: InFlight, taken: dict[str, Any], first: bytes) -> InFlight:
    """Return the entry with what it kept while it waited."""
    where = Waiting(_text(taken["scope"]), entry.kind, _text(taken["name"]))
    carried = first.partition(CARRIED)[2][:-1]
    return evolve(entry, where=where, carried=decode_carried(carried))


def _dialing(line: bytes) -> Dialing | None:
    if not line:
        return None
    document = json.loads(line)
    return Dialing(
        uuid=_text(document["uuid"]),
        line=_text_or_none(document["line"]),
        group=_text(document["group"]),
        attempt=int(document["attempt"]),
        progress=b64decode(document["progress"]),
        answered_at=_time_or_none(document.get("answered_at")),
        place=_place(document),
    )


def _place(document: dict[str, Any]) -> Place | None:
    name = _text_or_none(document.get("place"))
    return None if name is None else Place(name, int(document["passed"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a text belongs")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _time_or_none(value: Any) -> float | None:
    return None if value is None else float(value)
