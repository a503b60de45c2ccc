"""The HEARTBEAT event, and how long the switch has been up."""

from __future__ import annotations

from twisted.internet.task import LoopingCall

from ctidialer.switchsim.identity import VERSION_FULL
from ctidialer.switchsim.switch import Switch

_UNITS = (
    ("year", 31_536_000_000_000),
    ("day", 86_400_000_000),
    ("hour", 3_600_000_000),
    ("minute", 60_000_000),
    ("second", 1_000_000),
    ("millisecond", 1_000),
    ("microsecond", 1),
)


class Heart:
    """Sends HEARTBEAT at an interval that may be changed."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._loop = LoopingCall(self._beat)
        self._loop.clock = switch.clock

    def start(self, interval: float) -> None:
        """Beat every ``interval`` seconds, first one interval from now; 0 stops the heart."""
        if self._loop.running:
            self._loop.stop()
        if interval > 0:
            self._loop.start(interval, now=False).addErrback(lambda failure: None)

    def _beat(self) -> None:
        self._switch.fire("HEARTBEAT", heartbeat_headers(self._switch))


def heartbeat_headers(switch: Switch) -> list[tuple[str, str]]:
    """Give the headers of a HEARTBEAT (96); Session-Per-Sec is what is left of the rate."""
    limits, now = switch.limits, switch.now()
    return [
        ("Event-Info", "System Ready"),
        ("Up-Time", up_time(switch)),
        ("FreeSWITCH-Version", VERSION_FULL),
        ("Uptime-msec", str(int((now - switch.started_at) * 1000))),
        ("Session-Count", str(len(switch.calls))),
        ("Max-Sessions", str(limits.max_sessions)),
        ("Session-Per-Sec", str(limits.left(now))),
        ("Session-Per-Sec-Last", str(limits.last_rate)),
        ("Session-Per-Sec-Max", str(limits.peak_rate)),
        ("Session-Per-Sec-FiveMin", str(limits.peak_rate)),
        ("Session-Since-Startup", str(limits.started)),
        ("Session-Peak-Max", str(limits.peak)),
        ("Session-Peak-FiveMin", str(limits.peak)),
        ("Idle-CPU", "86.166667"),
    ]


def up_time(switch: Switch) -> str:
    """Give the time since the start as FreeSWITCH writes it."""
    micros = int((switch.now() - switch.started_at) * 1_000_000)
    parts = []
    for unit, size in _UNITS:
        count, micros = divmod(micros, size)
        parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return ", ".join(parts)
