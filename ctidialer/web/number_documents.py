"""The JSON documents of orders for numbers, and for lists of numbers that are not called."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec
from msgspec import Meta

from ctidialer.contract.record import Outcome
from ctidialer.contract.waiting import WaitReason
from ctidialer.web.documents import MAX_WHY_LENGTH, Body, WhyBody

MAX_ORDERED = 10_000
"""Numbers that one request works off; of more it says how many are left."""

MAX_GIVEN = 1_000
"""Numbers that one request writes to a list."""


class Which(enum.Enum):
    """Which numbers of a task are meant."""

    WAITING = "waiting"
    QUEUE = "queue"
    BOTH = "both"


class WaitingEntry(msgspec.Struct):
    """A number that waits until ``due``; ``number`` null = none can be read in ``entry``.

    ``reason`` and ``entry_id`` null = nobody of us has written it.
    """

    number: str | None
    due: float
    reason: WaitReason | None
    # "try" is no name in Python.
    try_number: int = msgspec.field(name="try")
    entry_id: str | None
    entry: str


class WaitingPage(msgspec.Struct):
    """Some numbers that wait, by due time; ``waiting`` is how many do, ``reasons`` why.

    ``next`` is what ``offset`` has to be for more; null = there are no more.
    """

    waiting: int
    reasons: dict[str, int]
    next_due: float | None
    numbers: list[WaitingEntry]
    next: int | None


class CancelBody(WhyBody):
    """Which numbers are ended; ``dry_run``: they are only counted."""

    which: Which = Which.BOTH
    dry_run: bool = False


class Canceled(msgspec.Struct):
    """What was there, what was ended of it, and what is left for another request.

    ``unsure`` numbers may have been ended, too: Redis' answer was lost.
    """

    name: str
    dry_run: bool
    waiting: int
    queued: dict[str, int]
    canceled: int
    unsure: int
    left: int


class RequeueBody(WhyBody):
    """Which numbers are queued anew: those that wait, or those that ended last as ``outcomes``.

    ``since`` (included) and ``until`` (excluded) are moments like ``2h`` or ``today``.  ``queue``
    is one of the task's; empty = its first.  ``dry_run``: they are only counted.
    """

    waiting: bool = False
    outcomes: list[Outcome] = msgspec.field(default_factory=list)
    since: str = ""
    until: str = ""
    queue: str = ""
    dry_run: bool = False


class RequeueCounts(msgspec.Struct):
    """How many numbers were found, left out as they are called anyway, and queued; ``unsure`` may
    have been queued, too; ``left`` are left for another request."""

    found: int
    left_out: int
    queued: int
    unsure: int
    left: int


class Requeued(RequeueCounts):
    """What came of an order to queue numbers anew."""

    task: str
    queue: str
    dry_run: bool


class DncBody(Body):
    """Numbers for a list, or to be taken off; with ``region`` (CN) in whichever way they are
    written.  ``reason`` and ``until`` (unix seconds; null = for ever) go into a hash."""

    numbers: Annotated[list[str], Meta(min_length=1, max_length=MAX_GIVEN)]
    region: str = ""
    reason: Annotated[str, Meta(max_length=MAX_WHY_LENGTH)] = ""
    until: float | None = None
    dry_run: bool = False


class DncChanged(msgspec.Struct):
    """How many numbers were put on a list, or taken off; ``known``: how many of them stood there
    before."""

    key: str = msgspec.field(name="list")
    dry_run: bool
    known: int
    changed: int


class DncEntry(msgspec.Struct):
    """How a number is written on a list, and what the list says of it."""

    written: str
    reason: str
    until: float | None


class DncAnswer(msgspec.Struct):
    """Whether a list keeps a number from being called now."""

    key: str = msgspec.field(name="list")
    number: str
    listed: bool
    found: list[DncEntry]
