"""What a task has learnt, as JSON: it is kept in Redis, so that a restart loses nothing."""

from __future__ import annotations

import math

import msgspec

from ctidialer.rules.prediction.feedback import MAX_LOG, MIN_LOG, Risk
from ctidialer.rules.prediction.handle_time import BINS, HandleTimes
from ctidialer.rules.prediction.pacer import Learnt
from ctidialer.rules.prediction.ringing import MAX_RING, RingTimes

VERSION = 1
_DIGITS = 6


class _Kept(msgspec.Struct, frozen=True):
    version: int
    exposure: tuple[float, ...]
    ends: tuple[float, ...]
    at_risk: tuple[float, ...]
    answered: tuple[float, ...]
    ended: tuple[float, ...]
    risk: float


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Kept)


def encode(learnt: Learnt) -> bytes:
    """Return the curves and the risk; the ledger is kept apart."""
    handle, ring = learnt.handle, learnt.ring
    kept = _Kept(
        version=VERSION,
        exposure=_rounded(handle.exposure),
        ends=_rounded(handle.ends),
        at_risk=_rounded(ring.at_risk),
        answered=_rounded(ring.answered),
        ended=_rounded(ring.ended),
        risk=round(learnt.risk.log, _DIGITS),
    )
    return _ENCODER.encode(kept)


def decode(raw: bytes) -> Learnt:
    """Read what `encode` wrote; raises ValueError for anything else, or for what cannot be."""
    try:
        kept = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not what a task has learnt: {error}") from error
    handle, ring = (kept.exposure, kept.ends), (kept.at_risk, kept.answered, kept.ended)
    if kept.version != VERSION or not _is_sound(handle, BINS) or not _is_sound(ring, MAX_RING):
        raise ValueError("not what a task has learnt: of another version, or no counts")
    return Learnt(
        handle=HandleTimes(*handle),
        ring=RingTimes(*ring),
        risk=Risk(min(MAX_LOG, max(MIN_LOG, kept.risk))),
    )


def _rounded(counts: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{count:.{_DIGITS}g}") for count in counts)


def _is_sound(curves: tuple[tuple[float, ...], ...], length: int) -> bool:
    counts = [count for curve in curves for count in curve]
    return all(len(curve) == length for curve in curves) and all(
        math.isfinite(count) and count >= 0.0 for count in counts
    )
