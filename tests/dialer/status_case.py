"""A whole node of which the published status is read, as a back end would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from ctidialer.contract import keys
from ctidialer.contract.status import NodeStatus, TaskStatus, decode_status
from ctidialer.settings import Config, Settings
from tests.dialer.queue_case import QueueCase
from tests.support.node import HOST


class StatusCase(QueueCase):
    """Tables are read again every 50 ms, so that nothing needs to be published."""

    def settings(self, host: str = HOST, **node: Any) -> Settings:
        return replace(super().settings(host, **node), config=Config(poll_interval=0.05))

    async def status(self, host: str = HOST) -> NodeStatus | None:
        """Return what the daemon said last, None = nothing."""
        raw = await self.call("GET", keys.status(host))
        return decode_status(raw) if isinstance(raw, bytes) and raw else None

    async def status_when(self, what: str, is_so: Callable[[NodeStatus], bool]) -> NodeStatus:
        """Wait for a status that is so, and return it."""
        found: list[NodeStatus] = []

        async def is_told() -> bool:
            status = await self.status()
            found[:] = [status] if status is not None else []
            return status is not None and is_so(status)

        await self.until(what, is_told)
        return found[0]

    async def reason(self, reason: str, name: str = "t") -> TaskStatus:
        """Wait until the daemon gives this reason for a task; return what it says of it."""

        def is_given(status: NodeStatus) -> bool:
            return reason in {one.explained.reason for one in status.tasks if one.name == name}

        status = await self.status_when(f"{name}: {reason}", is_given)
        return next(one for one in status.tasks if one.name == name)
