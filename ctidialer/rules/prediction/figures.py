"""What was learnt, in figures that people can read."""

from __future__ import annotations

from ctidialer.contract import pacing
from ctidialer.rules.prediction.handle_time import EDGES, HandleCurve
from ctidialer.rules.prediction.pacer import Learnt

SECONDS = (5, 10, 15, 20, 25, 30, 45, 60)
"""Seconds of ringing for which the share of the answers is said."""


def figures(learnt: Learnt) -> pacing.Learnt:
    """Return the figures of what a task has learnt."""
    handle, ring = learnt.handle.curve(()), learnt.ring.curve(())
    return pacing.Learnt(
        handle_mean=round(handle.mean, 1),
        handle_median=round(_within(handle, 0.5), 1),
        handle_90=round(_within(handle, 0.9), 1),
        answer_rate=round(ring.answer_rate, 4),
        answered_within={str(one): round(ring.answers_within(0.0, one), 4) for one in SECONDS},
        risk=round(learnt.risk.share, 5),
    )


def _within(curve: HandleCurve, share: float) -> float:
    """Return the seconds within which this share of the calls is over."""
    low, high = 0.0, EDGES[-1]
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if curve.ends_within(0.0, middle) >= share else (middle, high)
    return high
