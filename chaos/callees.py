"""Who may be called in a campaign, and when: the rules that its tasks have, and what must hold.

Pure.  Some callees live where the day begins or pauses while the campaign runs, and some opt out
while it runs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import frozen

from ctidialer.contract.callee import Cap

OPTED_OUT = "opted out"
"""The do-not-call list."""

OPTING_OUT = "135"
"""Numbers that begin so get into that list, one after the other."""

CAP = Cap(2, 4.0)
RETRY_COUNT = 3
MAX_TRIES = 1 + RETRY_COUNT
RETRY_PLAN = (
    {"outcome": ["busy"], "after": [1, 3], "count": 2},
    {"outcome": ["no_answer", "failed"], "after": 2, "count": 2},
)

Span = tuple[float, float]
"""From and to, in seconds after the beginning of the campaign."""


@frozen
class Zone:
    """Where callees whose numbers begin with ``prefix`` live, and when they may be called.

    ``offset``: hours east of UTC; none of these zones changes its clock.
    """

    prefix: str
    name: str
    offset: int
    spans: tuple[Span, ...]


USUAL = Zone("139", "Asia/Shanghai", 8, ((-1200.0, 2400.0),))
PAUSING = Zone("137", "Asia/Tokyo", 9, ((-300.0, 50.0), (80.0, 2400.0)))
OPENING = Zone("136", "UTC", 0, ((40.0, 10_000.0),))
ZONES = (USUAL, PAUSING, OPENING)
"""Their local times do not overlap, so one list of hours serves all of them."""


def zone_of(number: str) -> Zone:
    """Return where the callee of a number lives."""
    return next((zone for zone in ZONES if number.startswith(zone.prefix)), USUAL)


@frozen
class Callees:
    """The rules of a campaign that began at ``began`` (unix seconds, a whole one)."""

    began: float

    def params(self) -> dict[str, object]:
        """Return what a task says of its callees."""
        return {
            "retry_plan": list(RETRY_PLAN),
            "retry_count": RETRY_COUNT,
            "callee_hour": [self._window(zone, *span) for zone in ZONES for span in zone.spans],
            "callee_timezone": USUAL.name,
            "dnc": [OPTED_OUT],
            "callee_limit": [{"count": CAP.count, "time": CAP.seconds}],
        }

    def is_open(self, number: str, at: float, slack: float = 0.0) -> bool:
        """Say whether the callee of a number may be called at ``at``, or ``slack`` s before."""
        after = at - self.began
        return any(begin <= after and after - slack < end for begin, end in zone_of(number).spans)

    def _window(self, zone: Zone, begin: float, end: float) -> dict[str, str]:
        return {"begin": self._clock(zone, begin), "end": self._clock(zone, end)}

    def _clock(self, zone: Zone, after: float) -> str:
        moment = datetime.fromtimestamp(self.began + after, UTC) + timedelta(hours=zone.offset)
        return f"{moment:%H:%M:%S}"
