"""Reads how many calls are counted over hosts, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.shared_use import Holder
from ctidialer.store.connection import Reply
from ctidialer.store.link import Link
from ctidialer.store.scripts import SHARED_USE

MAX_CALLS = 5000
"""Calls that one look goes through one by one: they take Redis some milliseconds."""


@frozen
class Use:
    """The calls that are counted under one key; ``holders``: the host with most first."""

    used: int
    holders: tuple[Holder, ...]


async def read_use(link: Link, names: Sequence[str]) -> Mapping[str, Use]:
    """Return the use of these keys (`contract.keys.counted_calls`), without those that cannot be
    read; fails with StoreError."""
    reply = await link.run(SHARED_USE, (), (keys.HOSTS, MAX_CALLS, *names))
    assert isinstance(reply, list)
    now, *told = reply
    assert isinstance(now, bytes)
    pairs = zip(names, told, strict=True)
    return {key: _use(one, float(now)) for key, one in pairs if isinstance(one, list) and one}


def _use(told: Sequence[Reply], now: float) -> Use:
    used, *rest = told
    assert isinstance(used, int)
    holders = sorted(_holders(rest, now), key=lambda one: (-one.calls, one.host))
    return Use(used, tuple(holders))


def _holders(told: Sequence[Reply], now: float) -> Iterator[Holder]:
    for name, calls, until in zip(told[::3], told[1::3], told[2::3], strict=True):
        assert isinstance(name, bytes)
        assert isinstance(calls, int)
        assert isinstance(until, bytes)
        ended = float(until) if until else now
        gone_since = ended if ended < now else None
        yield Holder(name.decode("utf-8", "backslashreplace"), calls, gone_since)
