"""A whole node with scheduled numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import time
from typing import Any

from ctidialer.contract import keys
from ctidialer.dialer.service import DialerService
from tests.dialer.line_case import ANSWERS, UNAVAILABLE, LineTestCase
from tests.support.node import HOST

CONFIGS = keys.at(keys.SCHEDULE_CONFIG, HOST)
NUMBERS = keys.at(keys.SCHEDULE_NUMBER, HOST)
ANSWERED: Mapping[str, Any] = {"default": ANSWERS, "gateways": {"down": UNAVAILABLE}}


def member(number: str, config: str = "c", variables: Any = None, **params: Any) -> bytes:
    """Return a member of the schedule, in a spelling that no encoder of ours would choose."""
    params = {"number": number, "config": config, **params}
    document = {"params": params, **({"variables": variables} if variables else {})}
    return json.dumps(document, indent=3, ensure_ascii=False).encode()


async def so(it_is: bool) -> bool:
    """Return what is so at this moment."""
    return it_is


class ScheduleTestCase(LineTestCase):
    """One configuration ``c`` that dials through the group ``g`` of the line ``l``."""

    script = ANSWERED

    async def put_config(self, name: str = "c", variables: Any = None, **params: Any) -> None:
        """Write a configuration of scheduled dialing."""
        usual = {"line_group": ["g"], "destination_extension": "6/v3"}
        document = {"params": {**usual, **params}, "variables": variables or {}}
        await self.put(CONFIGS, {name: document})

    async def usual_schedule(self, **line: Any) -> None:
        """Write one configuration, one group and one line."""
        await self.put_line(**line)
        await self.put_group()
        await self.put_config()

    async def plan(self, *members: bytes, at: float | str | None = None) -> None:
        """Write members that are due at ``at`` (unix seconds, None = since a second)."""
        score = time() - 1 if at is None else at
        for index in range(0, len(members), 1000):
            pairs = [
                part for one in members[index : index + 1000] for part in (repr_of(score), one)
            ]
            await self.call("ZADD", NUMBERS, *pairs)

    async def planned(self) -> dict[bytes, float]:
        """Return the members that are waiting, with their scores."""
        flat: Any = await self.call("ZRANGE", NUMBERS, 0, -1, "WITHSCORES")
        return {one: float(score) for one, score in zip(flat[::2], flat[1::2], strict=True)}

    def start(self) -> DialerService:
        """Start a dialer that looks at the schedule ten times a second."""
        return self.start_dialer(self.quick())


def repr_of(score: float | str) -> str:
    """Return a score as Redis reads it."""
    return score if isinstance(score, str) else repr(score)
