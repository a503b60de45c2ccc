"""How many calls a task may have at once, and a second, over all hosts that dial it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from ctidialer.contract.line import Line, Scope
from ctidialer.contract.task import LimitScope, Task
from ctidialer.rules.forecast.actors import Bounds
from ctidialer.rules.routing import Routes, lines_of


def bounds_of(task: Task, routes: Routes, hosts: int, max_calls: int, max_cps: float) -> Bounds:
    """Return the bounds of ``hosts`` hosts with the same lines; ``max_calls`` and ``max_cps`` are
    those of each node, 0 = it has none.

    What is counted over all hosts is there once, everything else on each of them.
    """
    limit = task.limit * _times(task.limit_scope, hosts)
    places = _places(routes, lines_of(routes, task.line_groups).values(), hosts)
    node = max_calls * hosts or math.inf
    rates = [] if task.cps is None else [task.cps * _times(task.cps_scope, hosts)]
    rates += [max_cps * hosts] if max_cps else []
    return Bounds(limit=int(min(limit, places, node)), cps=min(rates, default=None))


def _places(routes: Routes, lines: Iterable[Line], hosts: int) -> float:
    """Return the calls that lines take together, with the gateways that they share."""
    on_gateways: defaultdict[str | None, float] = defaultdict(float)
    for line in lines:
        gateway = routes.gateway_of(line)
        on_gateways[None if gateway is None else gateway.name] += _count(line, hosts)
    return sum(
        places if name is None else min(places, _count(routes.gateways[name], hosts))
        for name, places in on_gateways.items()
    )


def _count(line: Line, hosts: int) -> float:
    return math.inf if line.count is None else line.count * _times(line.scope, hosts)


def _times(scope: Scope | LimitScope, hosts: int) -> int:
    """Return how many times there is what has this scope."""
    return 1 if scope in (Scope.DOMAIN, LimitScope.ALL) else hosts
