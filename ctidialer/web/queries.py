"""What may be asked for in a query, as types: the OpenAPI description is made from them too."""

from __future__ import annotations

import enum
import re
from typing import Annotated

import msgspec
from msgspec import Meta

from ctidialer.contract.record import Outcome
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules.line_reasons import LINE_STATES
from ctidialer.rules.moments import FORM
from ctidialer.rules.periods import By
from ctidialer.rules.reasons import Of, Reason

MAX_LISTED = 1000
MIN_SCANNED = 1000
MAX_SCANNED = 20_000
"""Entries looked at for one page of records."""

MAX_SAMPLED = 10_000
ENTRY_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")
"""The id of an entry of a stream, far below the 64 bits that either part has."""

Before = Annotated[
    str,
    Meta(
        description="only older ones: `next` of the page before",
        extra_json_schema={"pattern": f"^({ENTRY_ID.pattern})?$"},
    ),
]
NamePart = Annotated[str, Meta(description="a part of the name, in any case")]
Offset = Annotated[int, Meta(ge=0, le=10**8, description="how many to pass over (default 0)")]
Limit = Annotated[
    int,
    Meta(ge=0, le=MAX_LISTED, description="how many at most (default 200, at most 1000)"),
]

TASK_REASONS = tuple(one.value for one in Reason if one.of is not Of.SCHEDULE)
MAX_AGENTS = 100_000
MAX_HOURS = 366 * 24


class Page(msgspec.Struct):
    """A part of a list of names."""

    q: NamePart = ""
    offset: Offset = 0
    limit: Limit = 200

    @property
    def part(self) -> slice:
        """The part of the list."""
        return slice(self.offset, self.offset + self.limit)

    def found_in(self, names: list[str]) -> list[str]:
        """Return the names that are asked for."""
        word = self.q.lower()
        return [name for name in names if word in name.lower()]


class ListOrder(enum.Enum):
    """In which order tasks are listed."""

    NAME = "name"
    WORST = "worst"


class TaskQuery(Page):
    """Which tasks."""

    reason: Annotated[
        str,
        Meta(
            description="only tasks with this reason",
            extra_json_schema={"enum": TASK_REASONS},
        ),
    ] = ""
    order: Annotated[
        ListOrder, Meta(description="by name (default), or those first that want a look most")
    ] = ListOrder.NAME


class LineQuery(Page):
    """Which lines."""

    state: Annotated[
        str,
        Meta(
            description="only lines in this state",
            extra_json_schema={"enum": LINE_STATES},
        ),
    ] = ""
    order: Annotated[
        ListOrder, Meta(description="by name (default), or those first that take no call")
    ] = ListOrder.NAME


class CheckQuery(msgspec.Struct):
    """How much is checked."""

    sample: Annotated[
        int,
        Meta(ge=0, le=MAX_SAMPLED, description="numbers looked at in each queue (default 100)"),
    ] = 100


class ReportQuery(msgspec.Struct):
    """Which numbers are summed up, and how."""

    task: Annotated[str, Meta(description="only of this task or schedule configuration")] = ""
    since: Annotated[
        str,
        Meta(
            description="only numbers that ended since then: today, week, 2h, unix seconds …",
            extra_json_schema={"pattern": FORM},
        ),
    ] = ""
    until: Annotated[
        str,
        Meta(
            description="only numbers that ended before this time",
            extra_json_schema={"pattern": FORM},
        ),
    ] = ""
    by: Annotated[By, Meta(description="how long a period is (default day)")] = By.DAY
    tasks: Annotated[
        int,
        Meta(ge=0, le=MAX_LISTED, description="how many at most (default 100, at most 1000)"),
    ] = 100


class ForecastQuery(msgspec.Struct):
    """With how many agents, and how far."""

    agents: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_AGENTS)] | None,
        Meta(description="so many agents, in place of those at work now"),
    ] = None
    hours: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_HOURS)] | None,
        Meta(description="look no further than so many hours ahead (default a year)"),
    ] = None


class WaitingQuery(msgspec.Struct):
    """Which numbers that wait."""

    reason: Annotated[
        WaitReason | None, Meta(description="only those that wait for this reason")
    ] = None
    offset: Offset = 0
    limit: Limit = 200


class DncQuery(msgspec.Struct):
    """How a number is read."""

    region: Annotated[
        str,
        Meta(
            description="how national numbers are read: CN, US; as callee_region",
            extra_json_schema={"pattern": "^([A-Za-z]{2})?$"},
        ),
    ] = ""


class RecordQuery(msgspec.Struct):
    """Which records."""

    task: Annotated[str, Meta(description="only of this task or schedule configuration")] = ""
    outcome: Annotated[Outcome | None, Meta(description="only with this outcome")] = None
    number: Annotated[str, Meta(description="only with these digits in the number")] = ""
    limit: Annotated[
        int,
        Meta(ge=0, le=MAX_LISTED, description="how many at most (default 50, at most 1000)"),
    ] = 50
    before: Before = ""
    scan: Annotated[
        int,
        Meta(
            ge=MIN_SCANNED,
            le=MAX_SCANNED,
            description="how many records to look at, at most (default 20000, the most)",
        ),
    ] = MAX_SCANNED
