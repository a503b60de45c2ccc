"""How a task is paced by its agents, and which of its calls are abandoned (docs/agents.rst)."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import TypeVar

from attrs import frozen

from ctidialer.contract import fields
from ctidialer.contract.document import Params, Place, shown
from ctidialer.contract.known_keys import ABANDONING, AGENTS_OF_A_TASK
from ctidialer.contract.problems import Problem, Told

MAX_ABANDON_TIME = 60.0
MAX_RING_MIN = 120.0
"""Seconds."""

MAX_CALLS_PER_AGENT = 100.0

GROUP_SPELLINGS = ("agent_group", "service_line_group")

_EXTENSION = re.compile(r"(?!-)[A-Za-z0-9_.*#+/@-]{1,64}")
"""One word of ``uuid_transfer``; one that begins with a hyphen would be an option."""

Choice = TypeVar("Choice", bound=enum.Enum)


class DialMode(enum.Enum):
    """What decides how many calls are on their way; ``limit`` and ``cps`` bound each of them."""

    BATCH = "batch"
    """``limit`` alone."""
    PROGRESSIVE = "progressive"
    """One call for each free agent."""
    RATIO = "ratio"
    """So many calls for each free agent, and so many for each busy one."""
    PREDICTIVE = "predictive"
    """As many as what was learnt of callees and agents allows."""


class AbandonPeriod(enum.Enum):
    """The time over which the share of abandoned calls is taken."""

    MONTH = "30d"
    """Successive periods of 30 days, the first from ``start_time`` on."""
    DAY = "24h"
    """The day of the task's time zone."""


class AbandonFrom(enum.Enum):
    """From when on a callee waits for his agent."""

    ANSWER = "answer"
    GREETING = "greeting"
    """The end of his greeting, where the channel variable ``cti_greeting_end`` says when."""


@frozen
class AgentDialing:
    """What a task says of its agents and of callees who wait for one; times are seconds.

    ``queue`` of mod_callcenter or ``group`` of the back end's tables; None both: nobody is counted,
    and calls are only judged.  ``ratio``, ``busy_ratio``: calls for each agent who is free, or
    busy.  ``abandon_rate``: highest share, 0 to 1, of the calls answered by people.  ``ring_min``:
    a call rings that long at least; ``ring_release``: then it may be given up.
    """

    mode: DialMode = DialMode.BATCH
    queue: str | None = None
    group: str | None = None
    ratio: float = 1.0
    busy_ratio: float = 0.0
    abandon_time: float = 2.0
    abandon_from: AbandonFrom = AbandonFrom.ANSWER
    abandon_extension: str | None = None
    abandon_rate: float = 0.03
    abandon_period: AbandonPeriod = AbandonPeriod.MONTH
    ring_min: float = 15.0
    ring_release: bool = False

    @property
    def has_agents(self) -> bool:
        """Whether it says who the agents are."""
        return self.queue is not None or self.group is not None

    @property
    def is_paced(self) -> bool:
        """Whether the agents decide how many calls there may be."""
        return self.mode is not DialMode.BATCH


USUAL = AgentDialing()


def one_spelling(params: dict[str, Place]) -> dict[str, Place]:
    """Return ``params`` with the group of agents as ``agent_group``, however it is spelt."""
    spelt = next((name for name in GROUP_SPELLINGS if name in params), None)
    if spelt in (None, GROUP_SPELLINGS[0]):
        return params
    return {**params, GROUP_SPELLINGS[0]: params[GROUP_SPELLINGS[1]]}


def read_agents(params: Params) -> AgentDialing | None:
    """Return what a task says; None = neither agents nor when a call is abandoned.

    A task that names agents and no mode is progressive.
    """
    if not any(params.get(name) is not None for name in AGENTS_OF_A_TASK):
        return None
    queue = params.optional("agent_queue", fields.word, None)
    group = params.optional("agent_group", _group, None)
    has_agents = any(params.get(name) is not None for name in ("agent_queue", "agent_group"))
    if queue is not None and group is not None:
        _fault(params, "agent_group", Problem.TWO_KINDS_OF_AGENTS.of())
    usual = DialMode.PROGRESSIVE if has_agents else DialMode.BATCH
    mode = params.optional("dial_mode", _one_of(DialMode), usual)
    if mode is not DialMode.BATCH and not has_agents:
        _fault(params, "dial_mode", Problem.NO_AGENTS_NAMED.of(mode=mode.value))
    return AgentDialing(
        mode=mode,
        queue=queue,
        group=group,
        ratio=params.optional("agent_ratio", _calls, USUAL.ratio),
        busy_ratio=params.optional("agent_busy_ratio", _calls, USUAL.busy_ratio),
        abandon_time=_abandon_time(params),
        abandon_from=_abandon_from(params),
        abandon_extension=_abandon_extension(params),
        abandon_rate=params.optional("abandon_rate", _share, USUAL.abandon_rate),
        abandon_period=params.optional(
            "abandon_period", _one_of(AbandonPeriod), USUAL.abandon_period
        ),
        ring_min=params.optional("ring_min", _ring_min, USUAL.ring_min),
        ring_release=params.optional("ring_release", fields.flag, USUAL.ring_release),
    )


def read_judging(params: Params) -> AgentDialing | None:
    """Return what a schedule configuration says of abandoned calls; None = nothing."""
    if not any(params.get(name) is not None for name in ABANDONING):
        return None
    return AgentDialing(
        abandon_time=_abandon_time(params),
        abandon_from=_abandon_from(params),
        abandon_extension=_abandon_extension(params),
    )


def _abandon_time(params: Params) -> float:
    return params.optional("abandon_time", _seconds_to_wait, USUAL.abandon_time)


def _abandon_from(params: Params) -> AbandonFrom:
    return params.optional("abandon_from", _one_of(AbandonFrom), USUAL.abandon_from)


def _abandon_extension(params: Params) -> str | None:
    return params.optional("abandon_extension", _extension, None)


def _fault(params: Params, name: str, problem: Told) -> None:
    place = params.get(name)
    if place is not None:
        place.fault(problem)


def _one_of(choices: type[Choice]) -> Callable[[Place], Choice | None]:
    def read(node: Place) -> Choice | None:
        word = fields.word(node)
        found = next((one for one in choices if one.value == (word or "").lower()), None)
        if word is not None and found is None:
            known = ", ".join(one.value for one in choices)
            node.fault(Problem.NO_OUTCOME.of(known=known, value=shown(word)))
        return found

    return read


def _group(node: Place) -> str | None:
    """Read one name; a list of one is taken, as newer mod_cti writes it."""
    names = fields.some_texts(node)
    if names is not None and len(names) > 1:
        node.fault(Problem.SEVERAL_GROUPS_OF_AGENTS.of())
        return None
    return names[0].strip() if names else None


def _calls(node: Place) -> float | None:
    return fields.decimal(node, 0.0, MAX_CALLS_PER_AGENT)


def _share(node: Place) -> float | None:
    return fields.decimal(node, 0.0, 1.0)


def _seconds_to_wait(node: Place) -> float | None:
    return fields.decimal(node, 0.1, MAX_ABANDON_TIME)


def _ring_min(node: Place) -> float | None:
    return fields.decimal(node, 0.0, MAX_RING_MIN)


def _extension(node: Place) -> str | None:
    word = fields.word(node)
    if word is None or (_EXTENSION.fullmatch(word) and word.lower() != "undef"):
        return word
    node.fault(Problem.NO_EXTENSION_TO_TRANSFER.of(value=shown(word)))
    return None
