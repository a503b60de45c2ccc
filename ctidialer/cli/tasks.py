"""The names of the tasks of a node, for commands that are given one."""

from __future__ import annotations

from ctidialer.cli import texts
from ctidialer.cli.language import say
from ctidialer.contract import keys
from ctidialer.contract.document import shown
from ctidialer.store.reading import NodeReading

MAX_NAMED = 20
"""Names of tasks that are listed where there is none of the name given."""


async def task_names(reading: NodeReading, host: str) -> list[str]:
    """Return the names of all tasks of ``host``, valid or not; fails with StoreError."""
    of_all = await reading.read_table(keys.at(keys.TASK, keys.TEMPLATE))
    return sorted({*of_all, *await reading.read_table(keys.at(keys.TASK, host))})


def no_such_task(name: str, host: str, names: list[str]) -> str:
    """Say that there is no task of this name, and which there are."""
    there = ", ".join(names[:MAX_NAMED]) or say(texts.NONE_AT_ALL)
    more = len(names) - MAX_NAMED if len(names) > MAX_NAMED else None
    own, template = keys.at(keys.TASK, host), keys.at(keys.TASK, keys.TEMPLATE)
    where = say(texts.WHERE, template=template, own=own)
    return say(texts.NO_TASK, name=shown(name), where=where, there=there, more=more)


def no_such_config(name: str, key: str, names: list[str]) -> str:
    """Say that there is no schedule configuration of this name, and which there are."""
    there = ", ".join(names[:MAX_NAMED]) or say(texts.NONE_AT_ALL)
    more = len(names) - MAX_NAMED if len(names) > MAX_NAMED else None
    return say(texts.NO_CONFIG, name=shown(name), key=key, there=there, more=more)
