"""The part of the audit that asks whether each call was allowed, by the switch's own log.

A call is noted in Redis, and sent after that: a fault between the two makes it late, by no more
than the fault lasts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import frozen

from chaos.callees import CAP, MAX_TRIES, Callees
from ctidialer.contract.record import Outcome, Record
from ctidialer.switchsim.calllog import OriginateLine

Slack = Callable[[float], float]
"""How late a call that was sent at this moment may have been, in seconds."""

Placed = Mapping[str, Sequence[OriginateLine]]
"""The calls of each number, in their order."""


@frozen
class Rules:
    """What had to be obeyed: ``opted_out`` has the moment (unix s) at which a number did so."""

    callees: Callees
    opted_out: Mapping[str, float]


def not_allowed(rules: Rules, placed: Placed, slack: Slack) -> Iterator[str]:
    """Yield a sentence for each call that was not allowed."""
    for number, lines in placed.items():
        yield from _after_opting_out(rules, number, lines, slack)
        yield from _outside_hours(rules, number, lines, slack)
        yield from _above_the_cap(rules, number, lines, slack)


def _after_opting_out(
    rules: Rules, number: str, lines: Sequence[OriginateLine], slack: Slack
) -> Iterator[str]:
    at = rules.opted_out.get(number)
    for line in lines if at is not None else ():
        assert at is not None
        if line.time - slack(line.time) > at:
            yield f"{number} was dialed {line.time - at:.3f} s after it had opted out"


def _outside_hours(
    rules: Rules, number: str, lines: Sequence[OriginateLine], slack: Slack
) -> Iterator[str]:
    for line in lines:
        if not rules.callees.is_open(number, line.time, slack(line.time)):
            after = line.time - rules.callees.began
            yield f"{number} was dialed outside its hours, {after:.3f} s after the beginning"


def _above_the_cap(
    rules: Rules, number: str, lines: Sequence[OriginateLine], slack: Slack
) -> Iterator[str]:
    for first, one_too_many in zip(lines, lines[CAP.count :], strict=False):
        apart, late = one_too_many.time - first.time, slack(first.time)
        if apart < CAP.seconds - late:
            after = first.time - rules.callees.began
            yield (
                f"{number} was dialed {CAP.count + 1} times within {apart:.3f} s, {after:.3f} s "
                f"after the beginning; the first may have been {late:.1f} s late"
            )


def tries_differ(records: Sequence[Record]) -> Iterator[str]:
    """Yield a sentence for each number whose tries are not counted one by one to a final one."""
    tries: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        tries[record.first_id].append(record)
    for entry_id, some in tries.items():
        some.sort(key=lambda record: record.try_number)
        numbers = [record.try_number for record in some]
        if numbers != list(range(1, len(some) + 1)):
            yield f"{some[0].number} ({entry_id}) has the tries {numbers}"
        if len(some) > MAX_TRIES:
            yield f"{some[0].number} ({entry_id}) had {len(some)} tries"
        if [record.is_final for record in some] != [False] * (len(some) - 1) + [True]:
            yield f"{some[0].number} ({entry_id}) has not one final record, as its last"
        for record in some:
            if record.is_final is not (record.next_at is None):
                yield f"try {record.try_number} of {record.number} does not say what is next"


def ends_unfairly(rules: Rules, record: Record) -> bool:
    """Say whether a record without a call ends its number although nothing forbade the call."""
    if record.outcome is Outcome.DNC:
        return record.number not in rules.opted_out
    return record.outcome is not Outcome.INVALID
