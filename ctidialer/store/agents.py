"""The agents that a back end writes (docs/agents.rst): two tables, and the sign that they are true.

Single commands, no MULTI: that would end the WATCH of `ctidialer.store.table_watch`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from ctidialer.contract import keys
from ctidialer.store.connection import Reply, ResponseError
from ctidialer.store.link import Link
from ctidialer.store.tables import Unreadable, Whole

WholeTables: TypeAlias = "dict[str, Whole | Unreadable]"
"""What a table holds, by its name (``cti_agent``)."""

GONE, FOR_EVER = -2, -1  # what PTTL says


class AgentReader:
    """Reads the agents of ``domain``; fails with StoreError if Redis does not answer."""

    def __init__(self, link: Link, domain: str) -> None:
        self._link = link
        self._domain = domain
        self.heart_key = keys.at(keys.AGENT_HEART, domain)
        self.agents_key = keys.at(keys.AGENT, domain)

    def key(self, table: str) -> str:
        """Return the key of a table."""
        return keys.at(table, self._domain)

    def away(self, now: float) -> str:
        """Return a sentence why Redis is away; empty = it is there."""
        return self._link.told(now)

    async def heart(self) -> float:
        """Return for how many seconds the heart beats on: 0 = it has stopped, inf = for ever."""
        left = await self._link.call("PTTL", self.heart_key)
        assert isinstance(left, int)
        return {GONE: 0.0, FOR_EVER: math.inf}.get(left, left / 1000)

    async def whole(self) -> WholeTables:
        """Return both tables."""
        tables = (keys.AGENT, keys.AGENT_COUNT)
        answers = await self._link.series(*(("HGETALL", self.key(table)) for table in tables))
        return {
            table: self._table(table, answer) for table, answer in zip(tables, answers, strict=True)
        }

    async def fields(self, table: str, names: Sequence[str]) -> list[tuple[str, bytes | None]]:
        """Return these fields of a table; None = there is no such field."""
        values = await self._link.call("HMGET", self.key(table), *names)
        assert isinstance(values, list)
        documents = (value if isinstance(value, bytes) else None for value in values)
        return list(zip(names, documents, strict=True))

    def _table(self, table: str, answer: Reply | ResponseError) -> Whole | Unreadable:
        if isinstance(answer, list):
            return Whole(answer)
        assert isinstance(answer, ResponseError)
        return Unreadable(f"the key {self.key(table)!r} cannot be read: {answer!s}")
