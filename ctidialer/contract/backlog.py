"""What stays undone in Redis although it is time: a part of a node's status, for alerts.

All times are unix seconds.
"""

from __future__ import annotations

from attrs import frozen

RECORD_LIST = "records.list"
"""The name of the consumer that takes records from the list of this setting."""


@frozen
class UnreadRecords:
    """Records that somebody has yet to take.

    ``consumer``: RECORD_LIST, or the name of a consumer group of the host's stream of records.
    ``count``: how many; those that a group was given and has not acknowledged are among them.  None
    = Redis cannot tell.  ``oldest``: when the oldest of them was written.
    """

    consumer: str
    count: int | None
    oldest: float | None = None


@frozen
class GoneHost:
    """A host that has numbers in flight, and no daemon.

    ``until``: when its lease has ended.  ``in_flight``: how many numbers it has left there.
    """

    host: str
    until: float
    in_flight: int


@frozen
class Backlog:
    """What was found at the last look.

    ``scheduled_due``: scheduled numbers of the domain that are due, None = not known.
    ``scheduled_since``: since when there has been one without a break.
    """

    at: float
    scheduled_due: int | None = None
    scheduled_since: float | None = None
    unread: tuple[UnreadRecords, ...] = ()
    gone: tuple[GoneHost, ...] = ()
