"""How a back end rewrites its tables: in any order, at once or bit by bit, told or not.

Pure.  Every rewriting gives lines and groups new names, so that whoever reads the tables between
two steps finds names that are not there yet, or no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from random import Random

from attrs import frozen

from ctidialer.contract import keys

Command = tuple[str, ...]

TablesOf = Callable[[int], Mapping[str, Mapping[str, object]]]
"""Returns the tables of a generation, by key."""


@frozen
class Step:
    """One write of a back end: ``commands`` to Redis, then a notice that ``table`` has changed.

    ``table`` empty = nobody is told.  ``pause``: seconds until the next step.
    """

    commands: tuple[Command, ...]
    table: str
    pause: float


def rewriting(tables: TablesOf, generation: int, random: Random) -> Iterator[Step]:
    """Yield the steps from the tables of the generation before to those of ``generation``.

    After the last step nothing of the generation before is left.
    """
    new, old = tables(generation), tables(generation - 1)
    keys_of = {keys.LINE, keys.LINE_GROUP, keys.TASK, keys.SCHEDULE_CONFIG}
    by_table = {key.partition("@")[0]: key for key in new}
    order = sorted(keys_of)
    random.shuffle(order)
    for table in order:
        key = by_table[table]
        writes = tuple(("HSET", key, name, json.dumps(one)) for name, one in new[key].items())
        # Some empty a table before they fill it: for a moment there is none.
        emptied: tuple[Command, ...] = (("DEL", key),) if random.random() < 0.3 else ()
        yield Step((*emptied, *writes), *_told(table, random))
    leftovers = [
        (table, ("HDEL", key, *sorted(old[key].keys() - new[key].keys())))
        for table, key in by_table.items()
        if old[key].keys() - new[key].keys()
    ]
    random.shuffle(leftovers)
    for table, command in leftovers:
        yield Step((command,), *_told(table, random))


def _told(table: str, random: Random) -> tuple[str, float]:
    """Draw whether a change is published, and how long the next one takes."""
    return (table if random.random() < 0.6 else ""), round(random.uniform(0.0, 0.08), 3)


def where_told(random: Random, host: str) -> str:
    """Draw the channel on which a change is published: for one host, or for all."""
    return random.choice((host, keys.EVERY_HOST))
