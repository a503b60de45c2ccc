"""What the hosts of a campaign share: trunks, rates and limits that hold over all of them.

Pure: the tables of a back end, and which of it each call counts on by the switches' own logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from chaos.abandoned_audit import ABANDON_TIME
from chaos.callees import Callees
from chaos.load import AGENT_GROUP, AGENT_QUEUE, AGENT_TASK, DOMAIN, QUEUES, TASKS, tables
from ctidialer.contract import keys
from ctidialer.switchsim.calllog import OriginateLine

LINE_NAME = "line_name"
"""The channel variable that tells the simulated switch, and so the audit, a call's line."""

TASK_NAME = "cti_task_name"


@frozen
class Shared:
    """Something that calls of all hosts count on: ``count`` calls at once, ``cps`` starts a second;
    None = as many as you like.  ``key``: its name in Redis.
    """

    name: str
    key: str
    count: int | None = None
    cps: float | None = None


@frozen
class Shares:
    """What is shared, ``scale`` times as much as in a campaign of full size.

    Two lines share a trunk, each with a count of its own; a third line is on another gateway.
    """

    scale: float = 1.0

    @property
    def trunk(self) -> Shared:
        """The gateway of two lines."""
        key = keys.counted_calls(DOMAIN, "gateway", "a")
        return Shared("trunk a", key, self._of(60), self._of(80))

    @property
    def tasks(self) -> dict[str, Shared]:
        """The limits of the tasks, by name."""
        counts: tuple[tuple[int, float | None], ...] = ((40, None), (20, 35.0))
        return {
            name: Shared(
                f"task {name}",
                keys.counted_calls(keys.TEMPLATE, "task", name),
                self._of(count),
                None if cps is None else self._of(cps),
            )
            for name, (count, cps) in zip(TASKS, counts, strict=True)
        }

    def line(self, name: str) -> Shared:
        """Return how a line is counted; its name begins with that of its gateway."""
        key = keys.counted_calls(DOMAIN, "line", name)
        if name.startswith("b"):
            return Shared(f"line {name}", key, self._of(15), self._of(25))
        return Shared(f"line {name}", key, self._of(38))

    def _of(self, full: float) -> int:
        return max(1, round(full * self.scale))

    def counts_on(self, call: OriginateLine) -> Iterator[Shared]:
        """Yield all on which a call counts, by the log of its switch."""
        if re.search(r"\bsofia/gateway/a/", call.dial_string):
            yield self.trunk
        name = call.variables.get(LINE_NAME)
        if name is not None:
            yield self.line(name)
        task = self.tasks.get(call.variables.get(TASK_NAME, ""))
        if task is not None:
            yield task

    def in_force(self, generation: int) -> list[Shared]:
        """Return all that calls count on by the tables of a generation."""
        lines = [self.line(name) for name in _line_names(generation)]
        return [self.trunk, *lines, *self.tasks.values()]


def shared_tables(
    shares: Shares, callees: Callees, generation: int = 0
) -> dict[str, dict[str, object]]:
    """Return `load.tables` with lines, a gateway and limits that hold over all hosts."""
    found: dict[str, dict[str, Any]] = tables(callees, generation)
    (usual, _), (main, backup) = (
        list(found[keys.at(table, DOMAIN)].values()) for table in (keys.LINE, keys.LINE_GROUP)
    )
    first, second, third = _line_names(generation)
    found[keys.at(keys.LINE, DOMAIN)] = {
        name: _line_document(shares.line(name), usual["params"], name)
        for name in (first, second, third)
    }
    main["line"], backup["line"] = [[first, second]], [[third]]
    trunk = shares.trunk
    params = {"count": trunk.count, "cps": trunk.cps, "scope": "domain"}
    found[keys.at(keys.GATEWAY, DOMAIN)] = {"a": {"params": params}}
    for name, queue in zip(TASKS, QUEUES, strict=True):
        params = found[keys.at(keys.TASK, keys.TEMPLATE)][name]["params"]
        shared = shares.tasks[name]
        params |= {"number_queue": queue, "limit": shared.count, "limit_scope": "all"}
        if shared.cps is not None:
            params |= {"cps": shared.cps, "cps_scope": "all"}
    agents = {
        **found[keys.at(keys.TASK, keys.TEMPLATE)][TASKS[0]]["params"],
        "number_queue": AGENT_QUEUE,
        "limit_scope": "host",
        "dial_mode": "predictive",
        "agent_group": AGENT_GROUP,
        "abandon_time": ABANDON_TIME,
    }
    found[keys.at(keys.TASK, keys.TEMPLATE)][AGENT_TASK] = {"params": agents}
    return found


def _line_names(generation: int) -> tuple[str, str, str]:
    return f"a1-{generation}", f"a2-{generation}", f"b-{generation}"


def _line_document(shared: Shared, usual: dict[str, object], name: str) -> dict[str, object]:
    gateway = name[0]
    params = {
        **usual,
        "count": shared.count,
        "scope": "domain",
        "dialstring": f"sofia/gateway/{gateway}/${{destination_number}}",
    }
    if shared.cps is None:
        params["gateway"] = gateway
    else:
        params["cps"] = shared.cps
    return {"params": params, "variables": {LINE_NAME: name}}
