"""When a number that FreeSWITCH turns away again and again is given up.

If FreeSWITCH refuses a call, or makes no channel for it, that is no verdict on the number, however
often it happens.  But if calls of other numbers went out the same way meanwhile, the number itself
must be the cause; it is given up then, so that nothing loops for ever.
"""

from __future__ import annotations

from attrs import frozen

MAX_TIMES = 5
"""A number is given up after it was turned away so often while others were not."""


@frozen
class TurnedAway:
    """How often a number was turned away, and how many calls had gone out the same way by then.

    Several times without a call in between that went out count as one.
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
