"""When a callee may be called again, by what he was called before: docs/waiting.rst.

The note script decides by the same rule where the calls are counted (``store/lua``); this is the
rule in plain form, against which the script is tested.
"""

from __future__ import annotations

from collections.abc import Sequence

from ctidialer.contract import keys
from ctidialer.contract.callee import CalleeRules, Cap, CapScope
from ctidialer.rules.callee_zone import e164


def cap_key(rules: CalleeRules, number: str, task: str) -> str:
    """Return the key under which the calls to the callee of a number are counted."""
    counted_for = task if rules.cap_scope is CapScope.TASK else None
    return keys.callee_calls(e164(number, rules.region) or number, counted_for)


def allowed_at(
    caps: Sequence[Cap], calls: Sequence[float], talks: Sequence[float], now: float
) -> float:
    """Return the first moment from ``now`` on at which the caps allow a call (unix seconds).

    ``calls`` and ``talks``: when calls were placed to this callee, and when he was talked to.  A
    window of ``seconds`` looks back at what is less than that old.
    """
    return max((_one_allows(cap, talks if cap.talk else calls, now) for cap in caps), default=now)


def _one_allows(cap: Cap, times: Sequence[float], now: float) -> float:
    within = sorted(at for at in times if at > now - cap.seconds)
    if len(within) < cap.count:
        return now
    return max(now, within[-cap.count] + cap.seconds)
