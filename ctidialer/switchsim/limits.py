"""Why FreeSWITCH refuses a new session: paused, too many a second, too many at once."""

from __future__ import annotations

from attrs import define


@define
class SessionLimits:
    """The limits and their counters.  Times are unix seconds.

    FreeSWITCH counts its sessions per second down to zero and refuses *at* zero, so ``fsctl sps 5``
    lets four through each second (recording 41).
    """

    max_sessions: int = 20_000
    per_second: int = 2_000
    paused_inbound: bool = False
    paused_outbound: bool = False
    started: int = 0
    peak: int = 0
    peak_rate: int = 0
    last_rate: int = 0
    _second: int = 0
    _left: int = 2_000

    @property
    def paused(self) -> bool:
        """Whether both directions are paused, which is what ``pause_check`` tells."""
        return self.paused_inbound and self.paused_outbound

    def left(self, now: float) -> int:
        """Give how many sessions of this second's rate are left."""
        self._roll(now)
        return self._left

    def set_rate(self, per_second: int, now: float) -> None:
        """Set the sessions per second; in force from the next second, as in FreeSWITCH."""
        self._roll(now)
        self.per_second = per_second

    def admit(self, sessions: int, now: float) -> str:
        """Count one more session; the answer is empty, or the log line of the refusal."""
        if self.paused_outbound:
            return "The system cannot create any outbound sessions at this time."
        self._roll(now)
        self._left -= 1
        if self._left <= 0:
            return f"Throttle Error! {sessions}"
        if sessions + 1 > self.max_sessions:
            return f"Over Session Limit! {self.max_sessions}"
        self.started += 1
        self.peak = max(self.peak, sessions + 1)
        return ""

    def _roll(self, now: float) -> None:
        second = int(now)
        if second != self._second:
            self._second = second
            self.last_rate = max(0, self.per_second - self._left)
            self.peak_rate = max(self.peak_rate, self.last_rate)
            self._left = self.per_second
