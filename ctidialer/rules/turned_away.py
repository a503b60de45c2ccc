"""When a number that FreeSWITCH turns away again and again is given up.

If FreeSWITCH refuses a call, or makes no channel for it, that is no verdict on the number, however
often it happens.  But if calls of other numbers went out the same way meanwhile, the number itself
must be the cause; it is given up then, so that nothing loops for ever.  Calls that were up before
say nothing: while FreeSWITCH is paused, say, they end one after the other, and none goes out.
"""

from __future__ import annotations

from attrs import frozen

MAX_TIMES = 5
"""A number is given up after it was turned away so often while others were not."""


@frozen
class TurnedAway:
    """How often a number was turned away, and ``at`` when (unix seconds) the last of these times.

    Several times without a call in between that went out count as one.
    """

    times: int
    at: float

    @property
    def is_given_up(self) -> bool:
        """Whether the number is not tried any more."""
        return self.times >= MAX_TIMES


def again(before: TurnedAway | None, now: float, went_out: float | None) -> TurnedAway:
    """Return the state after one more time, at ``now``.

    ``went_out`` is when the last call of another number was placed that is known to have gone out
    the same way; None = there was none.
    """
    if before is None:
        return TurnedAway(1, now)
    if went_out is None or went_out <= before.at:
        return before
    return TurnedAway(before.times + 1, now)
