"""How scheduled numbers and the numbers of queue tasks share a node and its lines.

A queue task asks for as many numbers as there is room for, so a task with a long list would leave
nothing to the schedule.  Therefore the two take turns: if the node or the lines are full, the next
places that come free are kept for the scheduled numbers that are due, but only if the queue tasks
have started a call since the last turn of the schedule.

Everything here is about one look of the schedule at what is free.  Moments are in seconds, of one
clock.
"""

from __future__ import annotations

from attrs import evolve, frozen

MAX_SHARE = 100
"""Scheduled numbers taken by one claim."""

BACKLOG_LOOK_INTERVAL = 0.05
"""Seconds between two looks while more is due: so a backlog gets 2,000 calls a second, more than
one FreeSWITCH can place, and the queue tasks have a turn between two claims."""

ASKED_LOOK_INTERVAL = 0.01
"""Seconds to wait for the answers to the queue tasks' claims, which have asked for all room."""

MIN_KEPT = 10
"""Places kept for a backlog at one turn; for a single number that is due it is one."""

MAX_WITHOUT_LINE = 20
"""Numbers taken by one poll although all lines are busy: they are put off or end as ``no_line``."""


@frozen
class Turn:
    """What the schedule remembers from one look to the next.

    ``more_due``: the last claim left numbers that can be taken.  ``has_waited`` for a line and
    ``had_line`` are since the last poll.  ``others_started``: how many numbers of queue tasks had
    ever been started when the schedule took its last ones.
    """

    more_due: bool = False
    has_waited: bool = False
    had_line: bool = False
    others_started: int = 0


@frozen
class Facts:
    """What is free at this moment.

    ``node_room``: calls that the node's limits leave; ``line_room``: calls that the lines of all
    schedule configurations have room for; ``asked``: numbers that claims under way ask for;
    ``others_started``: as in `Turn`, by now.  ``line_may_come``: such a line is free, or will be by
    itself or with a hang-up.  ``is_poll``: the poll interval is over.
    """

    now: float
    node_room: int
    line_room: int
    asked: int = 0
    others_started: int = 0
    line_may_come: bool = True
    is_poll: bool = False


@frozen
class Kept:
    """Places that are kept from the queue tasks: of the node, and of the schedule's lines."""

    node: int = 0
    lines: int = 0


NOTHING_KEPT = Kept()


@frozen
class Claim:
    """Take this many of the numbers that are due."""

    count: int
    has_line: bool

    @property
    def kept(self) -> Kept:
        """The places on lines that the queue tasks must not take during the claim."""
        return Kept(lines=self.count)


@frozen
class Wait:
    """Look again at ``until``; ``for_line`` is whether all lines are busy."""

    until: float
    kept: Kept = NOTHING_KEPT
    for_line: bool = False


@frozen
class Nothing:
    """Nothing to do before the next poll; all lines are busy."""

    kept: Kept = NOTHING_KEPT


Look = Claim | Wait | Nothing


def look(turn: Turn, facts: Facts) -> Look:
    """Return what the schedule is to do now.

    While all lines are busy, the numbers stay in the schedule until a line comes free.  Only if
    none did for a whole poll interval, or none can, some of them are taken without a line.
    """
    if not facts.node_room:
        wait = ASKED_LOOK_INTERVAL if facts.asked else BACKLOG_LOOK_INTERVAL
        return Wait(facts.now + wait, Kept(node=_share(turn, facts)))
    free = min(facts.line_room - facts.asked, MAX_SHARE, facts.node_room)
    if free > 0:
        return Claim(free, has_line=True)
    if facts.line_room:  # the queue tasks have asked for numbers to fill these lines
        return Wait(facts.now + ASKED_LOOK_INTERVAL, Kept(lines=_share(turn, facts)))
    if facts.is_poll and _is_in_vain(turn, facts):
        return Claim(min(MAX_WITHOUT_LINE, facts.node_room), has_line=False)
    kept = Kept(lines=_share(turn, facts)) if facts.line_may_come else NOTHING_KEPT
    if kept.lines or turn.more_due:
        return Wait(facts.now + BACKLOG_LOOK_INTERVAL, kept, for_line=True)
    return Nothing(kept)


def looked(turn: Turn, facts: Facts, found: Look) -> Turn:
    """Return the turn after a look with the result ``found``."""
    since = evolve(turn, has_waited=False, had_line=False) if facts.is_poll else turn
    if isinstance(found, Claim):
        has_line = since.had_line or found.has_line
        return evolve(since, had_line=has_line, others_started=facts.others_started)
    if isinstance(found, Nothing) or found.for_line:
        return evolve(since, has_waited=True)
    return since


def claimed(turn: Turn, has_more: bool, without_line: int) -> Turn:
    """Return the turn after a claim; ``has_more``: more may be due that can be taken now.

    If some of them found no line (``without_line``), the next ones probably would not either: they
    wait for the next poll.
    """
    return evolve(turn, more_due=has_more and not without_line)


def for_queues(room: int, kept: int) -> int:
    """Return how many of ``room`` places the queue tasks may have."""
    return max(0, room - kept)


def _is_in_vain(turn: Turn, facts: Facts) -> bool:
    return (turn.has_waited and not turn.had_line) or not facts.line_may_come


def _share(turn: Turn, facts: Facts) -> int:
    """Return how many of the next free places are kept: none before the queue tasks have started a
    call too."""
    if facts.others_started == turn.others_started:
        return 0
    return MIN_KEPT if turn.more_due else 1
