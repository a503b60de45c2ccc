"""The names of the tasks of a node, for commands that are given one."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.document import shown
from ctidialer.store.reading import Reading

NAMED = 20
"""Names of tasks that are listed where there is none of the name given."""


async def task_names(reading: Reading, host: str) -> list[str]:
    """Return the names of all tasks of ``host``, valid or not; fails with StoreError."""
    of_all = await reading.read_table(keys.at(keys.TASK, keys.TEMPLATE))
    return sorted({*of_all, *await reading.read_table(keys.at(keys.TASK, host))})


def no_such_task(name: str, host: str, names: list[str]) -> str:
    """Say that there is no task of this name, and which there are."""
    there = ", ".join(names[:NAMED]) or "none at all"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    where = f"{keys.at(keys.TASK, keys.TEMPLATE)} or {keys.at(keys.TASK, host)}"
    return f"there is no task {shown(name)} in {where}; there are: {there}{more}"
