"""How many calls each mode wants to place in a world: by the rules that the daemon dials by."""

from __future__ import annotations

from collections.abc import Callable

from ctidialer.contract.agent_dialing import AgentDialing, DialMode
from ctidialer.rules import dial_mode
from ctidialer.rules.forecast.world import World
from ctidialer.rules.prediction.pacer import calls_to_place

MOST_AT_ONCE = 1000
"""Calls that are placed ahead in one decision at most."""

Pace = Callable[[World], int]


def batch(world: World) -> int:
    """Place as many calls as limit and rate allow."""
    return world.room


def progressive(world: World) -> int:
    """Place one call for each free agent."""
    return dial_mode.room(max(0, world.free), world.on_their_way)


def ahead(world: World) -> int:
    """Place as many calls as the prediction allows."""
    situation = world.situation
    curves, at_most = world.curves(situation), min(MOST_AT_ONCE, world.room)
    return calls_to_place(situation, world.learnt, curves, world.rules, at_most)


def by_ratio(dialing: AgentDialing) -> Pace:
    """Return the pace of so many calls for each agent, until the ceiling is reached."""

    def pace(world: World) -> int:
        if world.learnt.ledger.can_bear(world.rules.ceiling) < 1:
            return progressive(world)
        most = dial_mode.most_on_their_way(dialing, world.free, world.busy)
        return dial_mode.room(most, world.on_their_way)

    return pace


def pace_of(dialing: AgentDialing | None) -> Pace:
    """Return the pace of what a task says; without agents it is ``batch``."""
    if dialing is None or not dialing.is_paced:
        return batch
    if dialing.mode is DialMode.RATIO:
        return by_ratio(dialing)
    return ahead if dialing.mode is DialMode.PREDICTIVE else progressive
