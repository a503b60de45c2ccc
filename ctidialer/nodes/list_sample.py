"""The numbers that a task has left: how many, and a sample of them with what rules ask of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from attrs import evolve, field, frozen

from ctidialer.contract.faults import ContractError
from ctidialer.contract.number import NumberEntry
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.record import Outcome
from ctidialer.contract.said import Said
from ctidialer.contract.task import Task
from ctidialer.contract.waiting import Carried
from ctidialer.nodes.callee_facts import CountedCalls, counted_calls, listed_numbers
from ctidialer.rules.forecast.assumptions import Assumption
from ctidialer.rules.forecast.numbers import Part, Sampled
from ctidialer.rules.permission import callee_zones
from ctidialer.rules.soundness import number_faults
from ctidialer.settings import Node
from ctidialer.store.errors import NotAllowed, WrongType
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.store.sampling import sampled_entries, spread
from ctidialer.store.waiting import Waiting
from ctidialer.store.waiting_orders import RecordKeys, WaitingOrders

SAMPLED = 2000
"""Numbers that are looked at, of those in the queues, and of those that wait."""

WAITING_AT_ONCE = 50


@frozen
class ListLeft:
    """The rest of a list, and what is to be said of how it was looked at."""

    fresh: Part = field(factory=Part)
    waiting: Part = field(factory=Part)
    assumptions: tuple[Said, ...] = ()


@frozen
class _Entry:
    """One entry; ``number`` None = it cannot be called."""

    number: NumberEntry | None
    due: float = 0.0
    carried: Carried | None = None


@frozen
class _Facts:
    listed: set[str] = field(factory=set)
    counted: Mapping[str, CountedCalls] = field(factory=dict)


_NOT_COUNTED = CountedCalls()


class ListSample:
    """Looks at the numbers of one task; ``where`` they wait.  Raises StoreError."""

    def __init__(self, link: Link, node: Node, task: Task, where: Waiting, now: float) -> None:
        self._link = link
        self._node = node
        self._task = task
        self._where = where
        self._now = now
        self._pattern = re.compile(node.number_pattern)
        self._waiting = WaitingOrders(link, RecordKeys(node.host, 0))

    async def read(self) -> ListLeft:
        """Return all that is left; what this user may not read is assumed."""
        reading = NodeReading(self._link, self._node.host)
        queues = await reading.list_lengths([one for one in self._task.queues if one])
        waiting = await self._waiting_total()
        total = sum(queues.values()) + waiting
        try:
            fresh = [one for queue in queues for one in await self._queued(queue, queues, total)]
            later = await self._later(waiting)
        except (NotAllowed, WrongType) as error:
            said = Assumption.NO_SAMPLE.of(problem=error)
            return ListLeft(Part(sum(queues.values())), Part(waiting), (said,))
        count, assumptions = len(fresh) + len(later), []
        if count < total:
            assumptions.append(Assumption.SAMPLE.of(count=count, total=total))
        facts = _Facts()
        try:
            facts = await self._facts([*fresh, *later])
        except (NotAllowed, WrongType) as error:
            what = ", ".join(self._task.callee.dnc) or "callee_limit"
            assumptions.append(Assumption.NO_LISTS.of(what=what, problem=error))
        return ListLeft(
            Part(sum(queues.values()), [self._sampled(one, facts) for one in fresh]),
            Part(waiting, [self._sampled(one, facts) for one in later]),
            tuple(assumptions),
        )

    async def _waiting_total(self) -> int:
        total = await self._link.call("ZCARD", self._where.key)
        return total if isinstance(total, int) else 0

    async def _queued(self, queue: str, lengths: Mapping[str, int], total: int) -> list[_Entry]:
        """Look at the share of a queue in the sample."""
        many = -(-SAMPLED * lengths[queue] // max(1, total))
        places = spread(lengths[queue], many)
        side, longest = self._task.queue_side, self._node.max_entry
        found = await sampled_entries(self._link, queue, side, places, longest)
        return [self._entry(one) for one in found]

    async def _later(self, total: int) -> list[_Entry]:
        """Look at numbers that wait, some here and some there by the time they are due."""
        found: list[_Entry] = []
        for first in spread(total, SAMPLED)[::WAITING_AT_ONCE]:
            page = await self._waiting.waiting(self._where, first, WAITING_AT_ONCE)
            found += [self._entry(one.entry, one.due, one.carried) for one in page]
        return found

    def _entry(self, raw: bytes | None, due: float = 0.0, carried: Carried | None = None) -> _Entry:
        number = None
        with suppress(ContractError):
            number = decode_number(raw or b"", self._pattern)
        if number is not None and number_faults(number.number, number.variables):
            number = None
        return _Entry(number, due, carried)

    async def _facts(self, entries: Sequence[_Entry]) -> _Facts:
        rules = self._task.callee
        numbers = list(dict.fromkeys(one.number.number for one in entries if one.number))
        return _Facts(
            await listed_numbers(self._link, rules, numbers, self._now),
            await counted_calls(self._link, rules, self._task.name, numbers),
        )

    def _sampled(self, one: _Entry, facts: _Facts) -> Sampled:
        tried, used = (one.carried.tried, one.carried.used) if one.carried else (0, {})
        found = Sampled(due=one.due, tried=tried, used=used)
        if one.number is None:
            return evolve(found, ends=Outcome.INVALID)
        rules, number = self._task.callee, one.number.number
        counted = facts.counted.get(number, _NOT_COUNTED)
        return evolve(
            found,
            zones=callee_zones(rules, number, one.number.timezone) if rules.hours else (),
            ends=Outcome.DNC if number in facts.listed else None,
            calls=counted.calls,
            talks=counted.talks,
        )
