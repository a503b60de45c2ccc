"""What of a call is counted over several hosts (docs/hosts.rst).

A line, a gateway and a task are counted, or not, each for itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.counted import LEFT_WITHIN, Counted
from ctidialer.contract.line import Line, Scope
from ctidialer.contract.task import LimitScope, Task
from ctidialer.rules.routing import Routes, gateway_account

PLENTY = 0.25
"""The share of its places that are free where something is far from full: nobody waits for a place
there, and within `LEFT_WITHIN` seconds hardly anybody will."""

MIN_PLENTY = 4
"""Free places, at least, where something is far from full."""


@frozen
class CountedWay:
    """A line or gateway that is counted; ``account`` is the name of its state."""

    account: str
    counted: Counted


def of_way(routes: Routes, domain: str, line: Line | None) -> Iterator[CountedWay]:
    """Yield what is counted of a call on ``line`` (None = a fallback): itself, and its gateway."""
    if line is None:
        return
    if line.scope is Scope.DOMAIN:
        yield of_line(domain, line)
    gateway = routes.gateway_of(line)
    if gateway is not None and gateway.scope is Scope.DOMAIN:
        yield of_gateway(domain, gateway)


def of_line(domain: str, line: Line) -> CountedWay:
    """Return how a line is counted over the hosts of its domain."""
    key = keys.counted_calls(domain, "line", line.name)
    return CountedWay(line.name, Counted.of(key, line.count, line.cps, line.rest))


def of_gateway(domain: str, gateway: Line) -> CountedWay:
    """Return how a gateway is counted over the hosts of its domain."""
    key = keys.counted_calls(domain, "gateway", gateway.name)
    return CountedWay(gateway_account(gateway.name), Counted.of(key, gateway.count, gateway.cps))


def of_task(task: Task, scope: str, has_place: bool = False) -> Counted | None:
    """Return what a call of a task counts for over all hosts; None = nothing.

    ``scope``: `Tables.scope_of` the task.  ``has_place``: its number has a place of the limit.
    """
    is_limited = task.limit_scope is LimitScope.ALL and not has_place
    is_paced = task.cps_scope is LimitScope.ALL and task.cps is not None
    if not is_limited and not is_paced:
        return None
    key = keys.counted_calls(scope, "task", task.name)
    return Counted.of(key, task.limit if is_limited else None, task.cps if is_paced else None)


def has_to_be_left(counted: Counted) -> bool:
    """Say whether the end of a call matters there: something else than starts is counted."""
    return counted.count is not None or counted.rest > 0


def can_be_left_later(counted: Counted, taken: int) -> bool:
    """Say whether nobody lacks the place of a call that ends, where ``taken`` are taken in all.

    A rate lets no more calls start within `LEFT_WITHIN` than there are free places.
    """
    if counted.rest > 0:
        return False
    if counted.count is None:
        return True
    free = counted.count - taken
    are_many = free >= max(MIN_PLENTY, counted.count * PLENTY)
    return are_many and (counted.interval == 0 or free * counted.interval >= LEFT_WITHIN)


def can_be_passed_on(counted: Counted) -> bool:
    """Say whether the place of a call that ends can be the next call's, without a word to Redis:
    no rate and no rest has to be asked for."""
    return counted.count is not None and counted.interval == 0 and counted.rest == 0


def share(count: int, waiting: int) -> int:
    """Return how many of ``count`` places a host keeps while ``waiting`` other hosts wait for one;
    each of them has the same share."""
    return count // (waiting + 1) if waiting else count
