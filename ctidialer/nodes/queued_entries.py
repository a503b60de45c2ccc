"""All entries of a number queue, or that wait, read while numbers are taken from there."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ctidialer.contract.task import Side
from ctidialer.store.link import Link
from ctidialer.store.waiting import Waiting
from ctidialer.store.waiting_orders import WaitingOrders

PAGE_SIZE = 1000
"""Entries that are read at once."""


async def queued_entries(link: Link, queue: str, side: Side) -> AsyncIterator[list[bytes]]:
    """Yield the entries of a list, page by page; ``side`` is the end from which it is taken.

    It is read from the other end, as what is taken meanwhile would move the others there into pages
    that were read already.  Raises StoreError.
    """
    at = 0
    while True:
        page = (-at - PAGE_SIZE, -at - 1) if side is Side.LEFT else (at, at + PAGE_SIZE - 1)
        entries = await link.call("LRANGE", queue, *page)
        assert isinstance(entries, list)
        if not entries:
            return
        yield [entry for entry in entries if isinstance(entry, bytes)]
        at += PAGE_SIZE


async def waiting_entries(orders: WaitingOrders, where: Waiting) -> AsyncIterator[list[bytes]]:
    """Yield the entries that wait in a place, page by page, those that are due last first.

    What is due is taken from the other end meanwhile.  Raises StoreError.
    """
    at = 0
    while page := await orders.waiting(where, -at - PAGE_SIZE, PAGE_SIZE):
        yield [one.entry for one in page]
        at += PAGE_SIZE
