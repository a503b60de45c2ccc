"""Several hosts that dial one task for the same agents: one of them paces, the others take permits.

Each host writes every second what calls it has on their way, and how many more it could place.  The
one that holds the lease (`ctidialer.store.pacing`) counts the calls of all, finds out how many more
the agents allow, and writes each of the others how many of these are its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from attrs import define, field, frozen

from ctidialer.store.pacing import Kept

CALLS = "calls:"
PERMIT = "permit:"
"""Fields of the hash, followed by the name of the host whose calls, or permit, they are."""

PACES_FOR = 3.0
"""Seconds for which the lease to pace holds; it is renewed every second."""


class HostCalls(msgspec.Struct, frozen=True):
    """The calls of one host: the ages of those that ring (seconds), how many callees wait, and how
    many more calls its limit and its queue allow.

    ``permit``: number of the permit that it had taken when it wrote this, 0 = none, None = it does
    not say; ``left``: calls that this one still allowed.
    """

    ringing: tuple[float, ...] = ()
    waiting: int = 0
    wants: int = 0
    permit: float | None = None
    left: int = 0


class CallPermit(msgspec.Struct, frozen=True):
    """So many calls may be placed from now on, in place of what an earlier permit left."""

    number: float
    count: int


@frozen
class Others:
    """The calls of all other hosts, as they were ``at`` (unix seconds of this host)."""

    at: float = 0.0
    ringing: tuple[float, ...] = ()
    waiting: int = 0

    def ages(self, now: float) -> tuple[float, ...]:
        """Return how long their calls have rung by now."""
        older = max(0.0, now - self.at)
        return tuple(age + older for age in self.ringing)


NO_OTHERS = Others()


@define(eq=False)
class GivenPermits:
    """The permits that this host has given the others, as far as they may use them unheard.

    A host writes its calls and reads its permit in one step, so what it places by a permit is told
    a second later.  Until then these calls count, or others would be given the same agents.
    """

    _unheard: dict[str, tuple[CallPermit, ...]] = field(factory=dict)

    def open(self, calls: Mapping[str, HostCalls]) -> int:
        """Return how many calls other hosts may have placed since they wrote ``calls``."""
        heard = {host: one.permit for host, one in calls.items() if one.permit is not None}
        self._unheard = {
            host: tuple(one for one in permits if one.number > heard[host])
            for host, permits in self._unheard.items()
            if host in heard
        }
        return sum(self._open(host, one) for host, one in calls.items())

    def give(self, counts: Mapping[str, int], number: float) -> None:
        """These hosts are permitted so many calls, in place of what earlier permits left."""
        for host, count in counts.items():
            self._unheard[host] = (*self._unheard.get(host, ()), CallPermit(number, count))

    def _open(self, host: str, calls: HostCalls) -> int:
        """Only one permit holds at a time, and nobody knows which of these it was."""
        unheard = self._unheard.get(host, ())
        return max((calls.left, *(one.count for one in unheard)))


encode = msgspec.json.Encoder().encode
_CALLS = msgspec.json.Decoder(HostCalls)
_PERMIT = msgspec.json.Decoder(CallPermit)


def calls_of_others(kept: Kept, host: str) -> dict[str, HostCalls]:
    """Return the calls of the other hosts that are alive."""
    found: dict[str, HostCalls] = {}
    for name, raw in kept.fields.items():
        other = name.removeprefix(CALLS)
        if name.startswith(CALLS) and other != host and kept.is_alive(other):
            try:
                found[other] = _CALLS.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
    return found


def together(calls: Mapping[str, HostCalls], now: float) -> Others:
    """Return the calls of these hosts together."""
    return Others(
        at=now,
        ringing=tuple(age for one in calls.values() for age in one.ringing),
        waiting=sum(one.waiting for one in calls.values()),
    )


def permit_of(kept: Kept, host: str) -> CallPermit | None:
    """Return what this host was permitted last; None = nothing."""
    try:
        return _PERMIT.decode(kept.fields.get(f"{PERMIT}{host}", b""))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def shares(room: int, wants: Mapping[str, int]) -> dict[str, int]:
    """Divide ``room`` calls evenly among hosts, to none more than it wants."""
    given = dict.fromkeys(wants, 0)
    hungry = sorted(host for host, wanted in wants.items() if wanted > 0)
    while room > 0 and hungry:
        each = max(1, room // len(hungry))
        for host in hungry[:room]:
            some = min(each, wants[host] - given[host], room)
            given[host] += some
            room -= some
        hungry = [host for host in hungry if given[host] < wants[host]]
    return given
