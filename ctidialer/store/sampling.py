"""A sample of the entries of a long queue, read without taking any."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import islice

from ctidialer.contract.task import Side
from ctidialer.store.errors import StoreError
from ctidialer.store.lease import refusal_of
from ctidialer.store.link import Link
from ctidialer.store.scripts import SAMPLE

READ_AT_ONCE = 100
"""Entries that one script reads: Redis goes through the list to each of them."""


def spread(length: int, many: int) -> list[int]:
    """Return ``many`` positions over ``length``; all of them where there are fewer.

    One anywhere in each of as many equal parts, so that what repeats itself in a list is not always
    met, or missed; the same for the same length.
    """
    many, chance = min(length, many), random.Random(length)
    return [
        chance.randrange(part * length // many, (part + 1) * length // many) for part in range(many)
    ]


async def sampled_entries(
    link: Link, queue: str, side: Side, places: Sequence[int], max_entry: int
) -> list[bytes | None]:
    """Return the entries at these places, counted from the end from which they are taken.

    None = it is longer than ``max_entry`` bytes.  Places that are gone by now are left out.  Fails
    with StoreError.
    """
    wanted = iter(places if side is Side.LEFT else (-1 - place for place in places))
    found: list[bytes | None] = []
    while some := list(islice(wanted, READ_AT_ONCE)):
        arguments = (max_entry, *some)
        try:
            reply = await link.run(SAMPLE, (queue,), arguments)
        except StoreError as error:
            raise refusal_of(error, (queue,), arguments) from None
        assert isinstance(reply, list)
        found += [entry if isinstance(entry, bytes) else None for entry in reply]
    return found
