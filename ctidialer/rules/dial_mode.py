"""How many calls may be on their way, where the agents of this moment decide: docs/agents.rst.

On their way are calls that ring, and those that were answered and have no agent yet.  What is
foreseen for the next half minute is in `ctidialer.rules.prediction`.
"""

from __future__ import annotations

import math

from ctidialer.contract.agent_dialing import AgentDialing, DialMode

_ROUNDING = 1e-9


def most_on_their_way(dialing: AgentDialing, free: int, busy: int) -> int:
    """Return how many calls may be on their way in mode ratio; else one for each free agent.

    ``free`` agents could take a call now, ``busy`` ones talk or are in wrap-up.
    """
    if dialing.mode is not DialMode.RATIO:
        return max(0, free)
    return math.floor(dialing.ratio * free + dialing.busy_ratio * busy + _ROUNDING)


def room(most: int, on_their_way: int) -> int:
    """Return how many more calls may be placed."""
    return max(0, most - on_their_way)
