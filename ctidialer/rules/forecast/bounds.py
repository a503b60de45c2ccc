"""How many calls a task may have at once, and a second, over all hosts that dial it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable

from ctidialer.contract.line import Line, Scope
from ctidialer.contract.task import LimitScope, Task
from ctidialer.rules.forecast.actors import Bounds
from ctidialer.rules.routing import Routes, lines_of


def bounds_of(task: Task, routes: Routes, hosts: int, max_calls: int, max_cps: float) -> Bounds:
    """Return the bounds of ``hosts`` hosts with the same lines; ``max_calls`` and ``max_cps`` are
    those of each node, 0 = it has none.

    What is counted over all hosts is there once, everything else on each of them.
    """
    lines = lines_of(routes, task.line_groups).values()
    limit = task.limit * _times(task.limit_scope, hosts)
    places = _together(routes, lines, hosts, _count)
    node = max_calls * hosts or math.inf
    rate = math.inf if task.cps is None else task.cps * _times(task.cps_scope, hosts)
    rate = min(rate, max_cps * hosts or math.inf)
    if lines:  # without any nothing is called, at whatever rate
        rate = min(rate, _together(routes, lines, hosts, _rate))
    return Bounds(limit=int(min(limit, places, node)), cps=None if math.isinf(rate) else rate)


def _together(
    routes: Routes, lines: Iterable[Line], hosts: int, allows: Callable[[Line], float]
) -> float:
    """Return how much lines allow together, with the gateways that they share; ``allows``: how much
    one line, or a gateway, does on each host."""
    on_gateways: defaultdict[str | None, float] = defaultdict(float)
    for line in lines:
        gateway = routes.gateway_of(line)
        name = None if gateway is None else gateway.name
        on_gateways[name] += allows(line) * _times(line.scope, hosts)
    return sum(
        much if name is None else min(much, _of_gateway(routes.gateways[name], hosts, allows))
        for name, much in on_gateways.items()
    )


def _of_gateway(gateway: Line, hosts: int, allows: Callable[[Line], float]) -> float:
    return allows(gateway) * _times(gateway.scope, hosts)


def _count(line: Line) -> float:
    return math.inf if line.count is None else line.count


def _rate(line: Line) -> float:
    """Return how many calls may start on a line in a second."""
    rate = math.inf if line.cps is None else line.cps
    # With one call at a time it rests after each, which is no rate.
    return min(rate, 1.0 / line.rest) if line.rest and line.count != 1 else rate


def _times(scope: Scope | LimitScope, hosts: int) -> int:
    """Return how many times there is what has this scope."""
    return 1 if scope in (Scope.DOMAIN, LimitScope.ALL) else hosts
