"""How long an originate waits, and what ends it."""

from __future__ import annotations

from ctidialer.switchsim.dialstring import DialRequest

_SOON = 0.001


def longest_wait(request: DialRequest) -> int:
    """Give the seconds after which the whole originate ends."""
    return request.number_of("originate_timeout") or request.timeout


def timeouts(request: DialRequest, now: float) -> list[tuple[float, str]]:
    """Give in how many seconds which cause ends it; FreeSWITCH counts whole ones, N means N-1…N."""
    limits = (
        (longest_wait(request), "NO_ANSWER"),
        (request.number_of("leg_timeout"), "ALLOTTED_TIMEOUT"),
        (request.number_of("progress_timeout"), "PROGRESS_TIMEOUT"),
    )
    return [(max(_SOON, seconds - now % 1), cause) for seconds, cause in limits if seconds > 0]
