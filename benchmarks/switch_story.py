"""What a real FreeSWITCH itself says became of each call, and where records say otherwise.

Values in, values out; `benchmarks.switch_witness` has written the events down.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypedDict

from attrs import define, field, frozen

from ctidialer.contract.record import AttemptRecord, Record
from ctidialer.rules.abandonment import HUNG_UP_BY_US

ABANDON_TIME = 2.0
"""Seconds that a callee may wait: the default of ``abandon_time``."""

MAX_OFF = 0.5
"""Seconds by which a record may differ from FreeSWITCH's stamps: the daemon notes live events when
it hears them, on a machine that others use too."""

BORDER = 0.2
"""A wait that differs less from ``ABANDON_TIME`` may be judged either way, for the same reason."""

SERVED, LEFT = "Terminated", "Cancel"
"""What ``member-queue-end`` says where an agent had the callee, and where none had.  Who is
transferred in the moment in which he is connected is told of twice: he left, and was served."""


class Line(TypedDict, total=False):
    """An event as the witness has written it."""

    at: float
    name: str
    uuid: str
    host: str
    a_leg: str
    b_leg: str
    cause: str
    disposition: str
    action: str
    agent: str
    member: str
    queue: str
    queue_cause: str


@define
class Story:
    """One call by FreeSWITCH's events; moments are unix seconds of its clock, None = none."""

    created: int = 0
    answered_at: float | None = None
    bridged_at: float | None = None
    ended_at: float | None = None
    cause: str = ""
    disposition: str = ""
    agent: str | None = None
    left_queue: list[str] = field(factory=list)

    @property
    def waited(self) -> float | None:
        """Seconds from the answer to the agent, or to the end without one; None = no answer."""
        until = self.ended_at if self.bridged_at is None else self.bridged_at
        return None if self.answered_at is None or until is None else until - self.answered_at

    def may_be(self, *, abandoned: bool) -> bool:
        """Whether a record may say so."""
        if self.waited is None:
            return not abandoned
        if self.bridged_at is None and self.disposition == HUNG_UP_BY_US:
            return abandoned
        if abs(self.waited - ABANDON_TIME) <= BORDER:
            return True
        return abandoned == (self.waited > ABANDON_TIME)


@frozen
class Service:
    """One callee at one agent: from the bridge until he was let go."""

    agent: str
    begun: float
    ended: float


Stories: TypeAlias = Mapping[str, Story]


def read_lines(path: Path) -> list[Line]:
    """Read what the witness wrote; a line that is not whole yet is left out."""
    text = path.read_text("utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def stories(lines: Iterable[Line], host: str) -> dict[str, Story]:
    """Return the calls of one host, by UUID."""
    found: dict[str, Story] = {}
    for line in lines:
        if line["name"] == "CHANNEL_CREATE" and line.get("host") == host:
            found.setdefault(line["uuid"], Story()).created += 1
            continue
        for uuid in {line.get(leg) for leg in ("uuid", "a_leg", "b_leg", "member")}:
            if uuid is not None and uuid in found:
                _tell(found[uuid], line, is_own=line.get("uuid") == uuid)
    return found


def _tell(story: Story, line: Line, *, is_own: bool) -> None:
    name, action = line["name"], line.get("action")
    if name == "CHANNEL_BRIDGE":
        story.bridged_at = story.bridged_at or line["at"]
    elif name == "CHANNEL_ANSWER" and is_own:
        story.answered_at = line["at"]
    elif name == "CHANNEL_HANGUP_COMPLETE" and is_own:
        story.ended_at, story.cause = line["at"], line.get("cause", "")
        story.disposition = line.get("disposition", "")
    elif action == "bridge-agent-start":
        story.agent = line["agent"]
    elif action == "member-queue-end":
        story.left_queue.append(line.get("queue_cause", ""))


def services(lines: Iterable[Line], queue: str) -> list[Service]:
    """Return how the agents of a queue were busy, by mod_callcenter; wrap-up is not in it."""
    begun: dict[str, float] = {}
    found = []
    for line in lines:
        if line.get("queue") != queue:
            continue
        if line.get("action") == "bridge-agent-start":
            begun[line["agent"]] = line["at"]
        elif line.get("action") == "bridge-agent-end" and line["agent"] in begun:
            found.append(Service(line["agent"], begun.pop(line["agent"]), line["at"]))
    return found


def use(
    services: Sequence[Service], agents: int, wrap_up: float, since: float, until: float
) -> float:
    """Return the share of the agents' time, 0 to 1, that they talked or were in wrap-up."""
    busy = sum(
        max(0.0, min(one.ended + wrap_up, until) - max(one.begun, since)) for one in services
    )
    return busy / (agents * (until - since))


def disagreements(records: Iterable[Record], told: Stories) -> list[str]:
    """Return where records and FreeSWITCH differ, one sentence each."""
    attempts = [(record, attempt) for record in records for attempt in record.attempts]
    counts = Counter(attempt.uuid for _, attempt in attempts)
    found = [
        f"{uuid}: {count} attempts in the records" for uuid, count in counts.items() if count > 1
    ]
    found += [f"{uuid}: no record of it" for uuid in told if uuid not in counts]
    for record, attempt in attempts:
        story = told.get(attempt.uuid)
        if story is None:
            found.append(f"{attempt.uuid}: FreeSWITCH knows of no such call")
        else:
            found += [f"{attempt.uuid}: {what}" for what in _differences(record, attempt, story)]
    return found


def _differences(record: Record, attempt: AttemptRecord, story: Story) -> Iterator[str]:
    if story.created != 1:
        yield f"created {story.created} times"
    for name in ("answered_at", "bridged_at", "ended_at"):
        ours, theirs = getattr(attempt, name), getattr(story, name)
        if (ours is None) != (theirs is None) or abs((ours or 0) - (theirs or 0)) > MAX_OFF:
            yield f"{name} {ours}, by FreeSWITCH {theirs}"
    if attempt.hangup_cause != story.cause:
        yield f"cause {attempt.hangup_cause}, by FreeSWITCH {story.cause}"
    if record.agent != (None if story.bridged_at is None else story.agent):
        yield f"agent {record.agent}, by FreeSWITCH {story.agent}"
    if not story.may_be(abandoned=record.abandoned):
        yield f"abandoned {record.abandoned}, and waited {story.waited} s by FreeSWITCH"
    if story.answered_at is not None:
        wanted = ([LEFT],) if story.bridged_at is None else ([SERVED], [LEFT, SERVED])
        if story.left_queue not in wanted:
            yield f"left the queue {story.left_queue}, and not {wanted[0]}"
