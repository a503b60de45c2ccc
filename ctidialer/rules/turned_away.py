"""When a number that FreeSWITCH turns away again and again is given up.

That FreeSWITCH refuses a call, or makes no channel for it, is no verdict on the number, however
often it happens.  Only where the calls of other numbers went out the same way meanwhile, it must be
the number itself; it is given up then, so that nothing loops for ever.
"""

from __future__ import annotations

from attrs import frozen

MAX_TIMES = 5
"""A number that was turned away so often, while others were not, is given up."""


@frozen
class TurnedAway:
    """How often a number was turned away, and how many calls had gone out the same way by then.

    Times between which no call went out count as one.
    """

    times: int
    went_out: int

    @property
    def is_given_up(self) -> bool:
        """Whether the number is not tried any more."""
        return self.times >= MAX_TIMES


def again(before: TurnedAway | None, went_out: int) -> TurnedAway:
    """Return the state after one more time; ``went_out`` counts the calls of other numbers that
    have ever gone out the same way."""
    if before is None:
        return TurnedAway(1, went_out)
    return TurnedAway(before.times + 1, went_out) if went_out > before.went_out else before
