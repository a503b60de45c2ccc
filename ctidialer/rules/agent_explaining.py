"""Why the agents of a task allow no more calls (docs/agents.rst)."""

from __future__ import annotations

from ctidialer.contract.agent_dialing import DialMode
from ctidialer.contract.pacing import PacingStatus
from ctidialer.contract.said import Said, as_values
from ctidialer.rules.explanation import Explanation
from ctidialer.rules.reasons import Reason


def explain_agents(pacing: PacingStatus | None) -> Explanation | None:
    """Return what keeps a task with these agents from placing a call now; None = nothing."""
    if pacing is None or pacing.may_place:
        return None
    if pacing.problem:
        problem = Said(pacing.problem, pacing.problem_zh or pacing.problem)
        return Explanation(Reason.NO_AGENTS, values=as_values("problem", problem))
    if not pacing.free + pacing.busy + pacing.agents_ringing:
        values = {"away": str(pacing.away), "stale": str(pacing.stale)}
        return Explanation(Reason.NO_AGENTS, form="nobody", values=values)
    on_their_way = pacing.ringing + pacing.waiting
    values = {"free": str(pacing.free), "busy": str(pacing.busy), "calls": str(on_their_way)}
    if pacing.is_progressive and pacing.mode != DialMode.PROGRESSIVE.value:
        values |= {"abandoned": str(pacing.abandoned), "answered": str(pacing.answered)}
        values |= {"ceiling": f"{100 * pacing.ceiling:g}"}
        return Explanation(Reason.AGENTS_BUSY, form="ceiling", values=values)
    return Explanation(Reason.AGENTS_BUSY, values=values)
