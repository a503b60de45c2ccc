"""Reads from Redis what stays undone although it is time (`ctidialer.contract.backlog`).

All questions of one look go out together.  What this user may not ask for is left out of the
answer, and asked for again only after a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.backlog import RECORD_LIST, GoneHost, UnreadRecords
from ctidialer.contract.faults import ContractError
from ctidialer.contract.record_document import decode_record
from ctidialer.store.connection import Argument, Reply, ResponseError
from ctidialer.store.link import Link

MAX_GROUPS = 20
"""Consumer groups that are told."""

MAX_GONE = 100
"""Hosts that are told, those that went last."""

GONE_AFTER = 60.0
"""Seconds past the end of its lease after which a host counts as gone: a restart takes less."""

REFUSED_FOR = 600.0
"""Seconds for which a question that was refused is not asked again."""

Question = tuple[Argument, ...]
Answer: TypeAlias = "Reply | ResponseError"


@frozen
class Scheduled:
    """The scheduled numbers that are due: how many (None = not known), and when the first was."""

    due: int | None
    first: float | None


class BacklogReader:
    """Reads for the node ``host`` of ``domain``; ``record_list``: the setting, empty = none.

    Everything fails with StoreError while Redis is away.
    """

    def __init__(self, link: Link, host: str, domain: str, record_list: str) -> None:
        self._link = link
        self._host = host
        self._records = keys.records(host)
        self._scheduled = keys.at(keys.SCHEDULE_NUMBER, domain)
        self._list = record_list
        self._refused: dict[Question, float] = {}

    async def scheduled(self, now: float) -> Scheduled:
        """Return which scheduled numbers are due at ``now`` (unix seconds)."""
        until = repr(now)
        count, first = await self._ask(
            ("ZCOUNT", self._scheduled, "-inf", until),
            ("ZRANGEBYSCORE", self._scheduled, "-inf", until, "WITHSCORES", "LIMIT", 0, 1),
        )
        scores = _scores(first)
        return Scheduled(
            count if isinstance(count, int) else None, min(scores.values(), default=None)
        )

    async def unread(self) -> tuple[UnreadRecords, ...]:
        """Return what the consumers of the records have yet to take."""
        asked: list[Question] = [("XINFO", "GROUPS", self._records)]
        if self._list:
            asked += [("LLEN", self._list), ("LRANGE", self._list, 0, 0)]
        groups, *of_list = await self._ask(*asked)
        found = [_of_list(*of_list)] if of_list and isinstance(of_list[0], int) else []
        return (*found, *await self._of_groups(_groups(groups)))

    async def gone(self, now: float) -> tuple[GoneHost, ...]:
        """Return the hosts that have left numbers in flight, and whose lease has ended."""
        (ended,) = await self._ask(
            ("ZRANGEBYSCORE", keys.HOSTS, "(0", repr(now - GONE_AFTER), "WITHSCORES")
        )
        hosts = [one for one in _scores(ended).items() if one[0] != self._host][-MAX_GONE:]
        lengths = await self._ask(*(("HLEN", keys.in_flight(name)) for name, _ in hosts))
        return tuple(
            GoneHost(name, until, length)
            for (name, until), length in zip(hosts, lengths, strict=True)
            if isinstance(length, int) and length > 0
        )

    async def _of_groups(self, groups: Sequence[_Group]) -> list[UnreadRecords]:
        """Return what groups have yet to take, with the time of the oldest."""
        asked: list[Question] = []
        for group in groups:
            asked.append(("XRANGE", self._records, f"({group.last}", "+", "COUNT", 1))
            asked.append(("XPENDING", self._records, group.name))
        answers = await self._ask(*asked)
        return [
            UnreadRecords(group.text, group.unread, _oldest(first, pending))
            for group, first, pending in zip(groups, answers[::2], answers[1::2], strict=True)
        ]

    async def _ask(self, *questions: Question) -> list[Answer]:
        """Return the answers; None for a question that this user may not ask."""
        now = self._link.clock.seconds()
        allowed = [one for one in questions if self._refused.get(one[:2], 0.0) <= now]
        answers = dict(
            zip(allowed, await self._link.series(*allowed) if allowed else [], strict=True)
        )
        for question, answer in answers.items():
            if isinstance(answer, ResponseError) and "NOPERM" in str(answer):
                self._refused[question[:2]] = now + REFUSED_FOR
        return [answers.get(one) for one in questions]


@frozen
class _Group:
    """A consumer group: ``last`` is the id of the record that it was given last."""

    name: bytes
    last: str
    unread: int | None

    @property
    def text(self) -> str:
        """Its name, for people."""
        return self.name.decode("utf-8", "backslashreplace")


def _groups(answer: Answer) -> list[_Group]:
    found = []
    for one in answer if isinstance(answer, list) else ():
        assert isinstance(one, list)
        told = dict(zip(one[::2], one[1::2], strict=True))
        name, last, pending = told[b"name"], told[b"last-delivered-id"], told[b"pending"]
        assert isinstance(name, bytes)
        assert isinstance(last, bytes)
        assert isinstance(pending, int)
        lag = told.get(b"lag")  # not before Redis 7, nor where records were deleted
        unread = lag + pending if isinstance(lag, int) else None
        found.append(_Group(name, last.decode(), unread))
    return found[:MAX_GROUPS]


def _of_list(length: Answer, head: Answer) -> UnreadRecords:
    assert isinstance(length, int)
    raw = head[0] if isinstance(head, list) and head else None
    return UnreadRecords(RECORD_LIST, length, _written(raw) if isinstance(raw, bytes) else None)


def _written(raw: bytes) -> float | None:
    """Return when a record was written; None = this is none that can be read."""
    try:
        return decode_record(raw).ended_at
    except ContractError:
        return None


def _oldest(first: Answer, pending: Answer) -> float | None:
    """Return when the oldest record was written that is not given, or not acknowledged."""
    ids = [one[0] for one in first if isinstance(one, list)] if isinstance(first, list) else []
    ids += pending[1:2] if isinstance(pending, list) else []
    return min((_moment(one) for one in ids if isinstance(one, bytes)), default=None)


def _moment(stream_id: bytes) -> float:
    return int(stream_id.partition(b"-")[0]) / 1000


def _scores(answer: Answer) -> dict[str, float]:
    """Return the members of a zset, in their order, with their scores."""
    pairs = answer if isinstance(answer, list) else []
    return {
        member.decode("utf-8", "backslashreplace"): float(score)
        for member, score in zip(pairs[::2], pairs[1::2], strict=True)
        if isinstance(member, bytes) and isinstance(score, bytes)
    }
