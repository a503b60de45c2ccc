"""Tables of many tasks, as a back end with many campaigns has them."""

from __future__ import annotations

from typing import Any

from benchmarks.rig import one_task
from ctidialer.contract import keys

LINE_GROUP = "bench"
HOURS = [{"begin": "8:00", "end": "12:00"}, {"begin": "13:00", "end": "18:30"}]
NEVER = {"start_time": "2020-1-20 12:00", "stop_time": "2020-1-21 12:00"}


def task(name: str, **params: Any) -> dict[str, object]:
    """Return one task that dials a queue of its own through a gateway without limit."""
    (documents, *_) = one_task(name, f"numbers-{name}", **{"limit": 10, **params}).values()
    document = documents[name]
    assert isinstance(document, dict)
    document["params"]["line_group"] = [LINE_GROUP]
    document["variables"] = {"campaign": name}
    return dict(document)


def closed_tasks(count: int) -> dict[str, object]:
    """Return tasks of which half are disabled, half past their last day."""
    return {
        name: task(name, enable=index % 2 > 0, work_hour=HOURS, **NEVER)
        for index, name in ((index, f"closed-{index}") for index in range(count))
    }


def waiting_tasks(count: int) -> dict[str, object]:
    """Return tasks that are open; nothing is in their queues."""
    return {f"waiting-{index}": task(f"waiting-{index}") for index in range(count)}


def tasks_key() -> str:
    """Return where tasks of every host stand."""
    return keys.at(keys.TASK, keys.TEMPLATE)
