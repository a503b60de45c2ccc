"""Further events of FreeSWITCH, heard only while the calls of some task need them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ctidialer.dialer.life import channel_events
from ctidialer.dialer.life.switch_port import SwitchPort
from ctidialer.esl.subscription import More

BRIDGES = More(channel_events.BRIDGE, filter=("Event-Name", channel_events.BRIDGE))
"""Heard while calls are judged."""

RINGS = (More(channel_events.PROGRESS), More(channel_events.PROGRESS_MEDIA))
"""Heard while calls are given up that have rung for long enough."""


class EventPort(SwitchPort, Protocol):
    """A FreeSWITCH that also gives more events."""

    def hear(self, *more: More) -> None:
        """Hear these too."""

    def hear_no_more(self, *more: More) -> None:
        """Hear these no more."""


class Hearing:
    """Subscribes to what is wanted; ``always_heard``: events that somebody else hears anyway."""

    def __init__(self, switch: EventPort, always_heard: Iterable[More] = ()) -> None:
        self._switch = switch
        self._always_heard = frozenset(always_heard)
        self._heard: set[More] = set()

    def want(self, judging: bool, releasing: bool) -> None:
        """Hear from now on what is needed to judge calls, and to give them up; no more."""
        wanted = {BRIDGES} if judging else set()
        wanted.update(RINGS if releasing else ())
        wanted -= self._always_heard
        if wanted - self._heard:
            self._switch.hear(*(wanted - self._heard))
        if self._heard - wanted:
            self._switch.hear_no_more(*(self._heard - wanted))
        self._heard = wanted
