"""What a host did in the last hour, or today: its minutes from Redis, put together to steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ctidialer.contract import keys
from ctidialer.contract.minute import FIELD, Minute, decode_minute
from ctidialer.store.link import Link

MAX_LATE = 30.0
"""Seconds by which a minute may be written after its end, by clocks that may differ."""


async def read_minutes(link: Link, host: str, since: float, until: float) -> list[Minute]:
    """Return the minutes of a host that ended after ``since`` and not after ``until`` (unix
    seconds), the oldest first.

    What cannot be read is left out.  Raises StoreError.
    """
    begin = max(0, int((since - MAX_LATE) * 1000))
    reply = await link.call("XRANGE", keys.minutes(host), begin, "+")
    assert isinstance(reply, list)
    found = (_minute(entry) for entry in reply)
    return [one for one in found if one is not None and since < one.at <= until]


def together(minutes: Iterable[Minute], step: float) -> Iterator[Minute]:
    """Yield steps of ``step`` seconds (by the unix clock) that have minutes, in their order."""
    steps: dict[float, Minute] = {}
    for one in minutes:
        end = -(-one.at // step) * step
        steps[end] = _sum(steps[end], one) if end in steps else _sum(Minute(at=end), one)
    return iter(steps.values())


def _sum(whole: Minute, part: Minute) -> Minute:
    return Minute(
        at=whole.at,
        started=whole.started + part.started,
        calls=max(whole.calls, part.calls),
        outcomes=dict(Counter(whole.outcomes) + Counter(part.outcomes)),
        talks=whole.talks + part.talks,
        talk_seconds=round(whole.talk_seconds + part.talk_seconds, 3),
    )


def _minute(entry: object) -> Minute | None:
    assert isinstance(entry, list)
    _, named = entry
    raw = dict(zip(named[::2], named[1::2], strict=True)).get(FIELD.encode())
    try:
        return decode_minute(raw) if isinstance(raw, bytes) else None
    except ValueError:
        return None
