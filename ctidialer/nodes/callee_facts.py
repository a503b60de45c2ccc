"""What Redis says of many callees: do-not-call lists, and the calls that caps count.

It is read as the daemon reads it in the step that notes a call; nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen
from twisted.internet.defer import FirstError, gatherResults

from ctidialer.contract.callee import CalleeRules
from ctidialer.rules.callee_zone import spellings
from ctidialer.rules.caps import cap_key
from ctidialer.store.connection import Reply
from ctidialer.store.dnc import DoNotCall
from ctidialer.store.link import Link

ASKED_AT_ONCE = 200
"""Numbers that one command asks a list for."""

TALK = b"talk "
KEEP = b" keep"
"""Members beside the calls among the calls of a callee: `store/lua/permit.lua`."""


@frozen
class CountedCalls:
    """When a callee was called, and when he was talked to: unix seconds, in order."""

    calls: tuple[float, ...] = ()
    talks: tuple[float, ...] = ()


async def listed_numbers(
    link: Link, rules: CalleeRules, numbers: Sequence[str], now: float
) -> set[str]:
    """Return the numbers that stand on a do-not-call list at ``now``; raises StoreError."""
    found: set[str] = set()
    for some in _in_parts(numbers):
        written: dict[str, list[str]] = {}
        for one in some:
            for text in spellings(one, rules.region):
                written.setdefault(text, []).append(one)
        for key in rules.dnc:
            for listed in await DoNotCall(link, key).find(tuple(written)):
                if listed.until is None or listed.until > now:
                    found.update(written[listed.spelling])
    return found


async def counted_calls(
    link: Link, rules: CalleeRules, task: str, numbers: Sequence[str]
) -> Mapping[str, CountedCalls]:
    """Return the calls that caps count of each number; raises StoreError."""
    found: dict[str, CountedCalls] = {}
    for some in _in_parts(numbers if rules.caps else ()):
        asked = (link.call("ZRANGE", cap_key(rules, o, task), 0, -1, "WITHSCORES") for o in some)
        try:
            replies = await gatherResults(asked, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        found.update(zip(some, map(_counted, replies), strict=True))
    return found


def _counted(reply: Reply) -> CountedCalls:
    assert isinstance(reply, list)
    calls: list[float] = []
    talks: list[float] = []
    for member, at in zip(reply[::2], reply[1::2], strict=True):
        if not isinstance(member, bytes) or not isinstance(at, bytes) or member == KEEP:
            continue
        (talks if member.startswith(TALK) else calls).append(float(at))
    return CountedCalls(tuple(calls), tuple(talks))


def _in_parts(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(numbers), ASKED_AT_ONCE):
        yield numbers[start : start + ASKED_AT_ONCE]
