"""Finds the due members that may be taken while some configurations may start no call.

Members of a configuration without room (paused, at its limit or its rate) stay in the sorted set
with their scores; those of the others are taken from between them by name.
`ctidialer.rules.due_index` remembers which members stand where, so that a hundred thousand in
front that have to stay are read once, not with each look.

Each reading checks what is remembered: the last known member must stand at its place.  If it does
not, bisection finds the first segment that is wrong, and that one is read again.  This check misses
a member that went while another came in its place; so each look also reads one known segment again,
all of them in turn.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from ctidialer.contract.schedule_document import config_named
from ctidialer.rules.due_index import MAX_SEGMENT, Chosen, DueIndex, DueMember, Left, choose
from ctidialer.store.due import DueLook, DueQuestion, KnownMember
from ctidialer.store.store import Store

MAX_READS = 10
"""Readings of one choice; the next choice goes on with the rest."""

MEMBERS_PER_READ = 500
"""Members read at a time behind the known ones: they take Redis some milliseconds."""

MAX_MENDS = 4
"""Segments that one choice reads again; after that, the first wrong one and all behind it are
forgotten."""


@define(eq=False)
class DueChoice:
    """What one choice has found so far.

    ``room`` is how many members of a configuration may be taken; configurations that are not in it
    have no limit.  ``wanted`` is how many more are to be found.  ``is_all``: no more are due now.
    """

    index: DueIndex
    room: dict[str, int]
    wanted: int
    taken: list[DueMember] = field(factory=list)
    is_all: bool = False
    _next: int = 0
    _left: dict[int, Left] = field(factory=dict)
    _tail: list[DueMember] = field(factory=list)
    _read_behind: int = 0

    def next_segment(self) -> int | None:
        """Return the next segment that may have what is wanted; None = read behind all segments."""
        found = self.index.first_of(self._may_have, self._next)
        self._next = len(self.index.segments) if found is None else found + 1
        return found

    def is_read(self, segment: int) -> bool:
        """Whether this segment was read."""
        return segment in self._left

    def part(self, segment: int | None) -> tuple[int, int]:
        """Return the place of the first member to read, and how many."""
        if segment is None:
            return self.index.total + self._read_behind, MEMBERS_PER_READ
        return self.index.starts[segment], self.index.segments[segment].count

    def read(self, segment: int | None, members: Sequence[DueMember], *, is_end: bool) -> None:
        """These members were read."""
        found = self._choose(members)
        if segment is not None:
            self._left[segment] = Left(len(members), found.left)
            return
        self._tail += found.left
        self._read_behind += len(members)
        self.is_all = is_end and bool(self.wanted)

    def known(self) -> DueIndex:
        """Return the index once the chosen members have been taken."""
        return self.index.with_left(self._left, self._tail)

    def _may_have(self, config: str) -> bool:
        return self.room.get(config) != 0

    def _choose(self, members: Sequence[DueMember]) -> Chosen:
        found = choose(members, self.room, self.wanted)
        self.taken += found.taken
        self.wanted -= len(found.taken)
        return found


class DueChooser:
    """Finds members of the sorted set ``key`` that may be taken."""

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._key = key
        self._index = DueIndex()
        self._turn = 0

    async def choose(self, room: dict[str, int], most: int, now: float) -> DueChoice:
        """Return at most ``most`` members that are due at ``now``; raises StoreError.

        ``room`` is how many members of a configuration may be taken; configurations that are not in
        it have no limit.
        """
        for mends_left in reversed(range(MAX_MENDS + 1)):
            choice = DueChoice(self._index, dict(room), most)
            if await self._find(choice, now):
                return choice
            await self._mend(now, is_last=mends_left <= 1)
        return DueChoice(self._index, dict(room), most)

    def took(self, choice: DueChoice) -> None:
        """The members of a choice were taken, or were no longer there."""
        self._index = choice.known()

    def has_due(self, config: str) -> bool:
        """Whether a number of this configuration is known to be due."""
        return self._index.has(config)

    def forget(self) -> None:
        """No configuration is limited any more: nothing needs to be remembered."""
        self._index = DueIndex()

    async def _find(self, choice: DueChoice, now: float) -> bool:
        """Read until the choice is complete; return False if the set is not as remembered."""
        witness = self._witness(len(choice.index.segments) - 1)
        for _ in range(MAX_READS):
            segment = choice.next_segment()
            first, many = choice.part(segment)
            look = await self._store.look_at_due(self._key, DueQuestion(first, many, now, witness))
            if not look.is_as_known:
                return False
            choice.read(segment, _members(look, first), is_end=look.is_end)
            if choice.is_all or not choice.wanted:
                break
        return await self._look_over(choice, now, witness)

    async def _look_over(self, choice: DueChoice, now: float, witness: KnownMember | None) -> bool:
        """Read one known segment again."""
        if witness is None:
            return True
        self._turn = (self._turn + 1) % len(choice.index.segments)
        if choice.is_read(self._turn):
            return True
        first, many = choice.part(self._turn)
        look = await self._store.look_at_due(self._key, DueQuestion(first, many, now, witness))
        if look.is_as_known:
            choice.read(self._turn, _members(look, first), is_end=look.is_end)
        return look.is_as_known

    async def _mend(self, now: float, *, is_last: bool) -> None:
        right, wrong = -1, len(self._index.segments) - 1
        while wrong - right > 1:
            middle = (right + wrong) // 2
            look = DueQuestion(0, 0, now, self._witness(middle))
            if (await self._store.look_at_due(self._key, look)).is_as_known:
                right = middle
            else:
                wrong = middle
        if is_last:
            self._index = self._index.cut(wrong)
            return
        first, count = self._index.starts[wrong], self._index.segments[wrong].count
        look = DueQuestion(first, count + MAX_SEGMENT, now, self._witness(right))
        found = await self._store.look_at_due(self._key, look)
        if found.is_as_known:
            self._index = self._index.mended(wrong, _members(found, first))

    def _witness(self, segment: int) -> KnownMember | None:
        return self._index.last_of(segment) if segment >= 0 else None


def _members(look: DueLook, first: int) -> list[DueMember]:
    return [
        DueMember(member, config_named(member))
        if len(member) == length
        else DueMember(b"", "", first + at)
        for at, (member, length) in enumerate(look.members)
    ]
