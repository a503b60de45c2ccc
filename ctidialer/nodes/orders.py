"""Gives the operator's orders to a node: drain it, pause a task or a schedule configuration, take a
line out of use.

The orders stand in Redis (`ctidialer.contract.control`), so they outlive the daemon; it reads them
as it reads its tables.
"""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.control import (
    DRAIN,
    LINE_OFF,
    LINE_ON,
    LINE_TRY,
    UNDRAIN,
    LineOff,
    Order,
    decode_line_off,
    pause_field,
    resume_field,
)
from ctidialer.contract.notice import ConfigChange, encode_notice
from ctidialer.store.link import Link


class NodeOrders:
    """Gives the orders for the node ``host``; its daemon obeys them at once.

    Every method returns whether that changed anything (an order that is given again keeps its first
    date and author), and fails with StoreError.
    """

    def __init__(self, link: Link, host: str) -> None:
        self._link = link
        self._key = keys.control(host)
        self._channel = keys.at(keys.CHANGE_CHANNEL, host)

    async def drain(self, order: Order) -> bool:
        """Take the node out of service: no new call; the calls that are up go on."""
        return await self._give(DRAIN, order)

    async def undo_drain(self, order: Order) -> bool:
        """Put the node back into service."""
        return await self._take_back(DRAIN, UNDRAIN, order)

    async def pause(self, name: str, order: Order, *, is_schedule: bool = False) -> bool:
        """Start no new call of a task, or of a schedule configuration, on this node."""
        return await self._give(pause_field(name, is_schedule=is_schedule), order)

    async def resume(self, name: str, order: Order, *, is_schedule: bool = False) -> bool:
        """Take back the pause of a task, or of a schedule configuration."""
        paused = pause_field(name, is_schedule=is_schedule)
        return await self._take_back(paused, resume_field(name, is_schedule=is_schedule), order)

    async def take_out(self, line: str, off: LineOff) -> bool:
        """Take a line out of use: no new call on it.

        Unlike the others it replaces an order that is there: the last one counts, with its time.
        """
        was_out = await self._is_out(line, off.order)
        await self._change("HSET", f"{LINE_OFF}{line}", off.encode())
        await self._publish()
        return not was_out

    async def put_back(self, line: str, order: Order) -> bool:
        """Put a line back into use."""
        was_out = await self._is_out(line, order)
        await self._take_back(f"{LINE_OFF}{line}", f"{LINE_ON}{line}", order)
        return was_out

    async def try_line(self, line: str, order: Order) -> None:
        """Let the trial call of a line that faults have put out of use through at once."""
        await self._change("HSET", f"{LINE_TRY}{line}", order.encode())
        await self._publish()

    async def _is_out(self, line: str, now: Order) -> bool:
        raw = await self._link.call("HGET", self._key, f"{LINE_OFF}{line}")
        return isinstance(raw, bytes) and decode_line_off(raw).holds(now.since or 0.0)

    async def _give(self, name: str, order: Order) -> bool:
        is_new = await self._change("HSETNX", name, order.encode())
        await self._publish()
        return is_new

    async def _take_back(self, name: str, by: str, order: Order) -> bool:
        # HSET first: whoever finds the order gone can then read who took it back.
        await self._change("HSET", by, order.encode())
        was_there = await self._change("HDEL", name)
        await self._publish()
        return was_there

    async def _change(self, command: str, name: str, *value: bytes) -> bool:
        return await self._link.call(command, self._key, name, *value) == 1

    async def _publish(self) -> None:
        """Publish even if nothing changed: an earlier try may have failed after its write."""
        notice = encode_notice(ConfigChange(keys.CONTROL))
        await self._link.call("PUBLISH", self._channel, notice)
