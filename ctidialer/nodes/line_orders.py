"""Gives orders for one line to one host, or to all hosts that have the line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.nodes.orders import NodeOrders
from ctidialer.nodes.reader import NodeReader
from ctidialer.settings import Node
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

Give = Callable[[NodeOrders], Awaitable[bool]]


@frozen
class Ordered:
    """What came of an order on one host: whether it ``changed`` anything, or the ``error``."""

    host: str
    changed: bool = False
    error: str = ""


async def hosts_with_line(link: Link, own: Node, line: str) -> list[str]:
    """Return the hosts that may place calls on a line: all of its domain, and those whose daemon
    does not say what their domain is."""
    nodes, found = NodeReader(link, own), []
    for host in await nodes.known_hosts():
        status = await nodes.status(host)
        domain = own.domain if host == own.host or status is None else status.domain
        if domain == own.domain or await _has_line(link, host, domain, line):
            found.append(host)
    return sorted({own.host, *found})


async def give_to_each(link: Link, hosts: Sequence[str], give: Give) -> list[Ordered]:
    """Give an order to one host after the other, also if it cannot be given to one of them."""
    done = []
    for host in hosts:
        try:
            done.append(Ordered(host, await give(NodeOrders(link, host))))
        except StoreError as error:
            done.append(Ordered(host, error=str(error)))
    return done


async def _has_line(link: Link, host: str, domain: str, line: str) -> bool:
    reading = NodeReading(link, host)
    return await reading.read_field(keys.at(keys.LINE, domain), line) is not None
