"""Where the due numbers of each schedule configuration stand, without keeping the numbers.

The scheduled numbers of all configurations stand in one sorted set, the earliest first.  Those of a
configuration without room (paused, at its limit or its rate) stay there; a hundred thousand of them
may be in front of all others.  So the due members that were read are remembered in segments: of
each its count, its last member, and the configurations that its members name.  The next number that
may be called is found by reading the first segment with a configuration that has room, and what has
become due since; the other segments are not read again.

Other hosts take members meanwhile, and back ends add and remove some.  Then a segment's last member
no longer stands where it should, and only that segment is read again (`DueIndex.mended`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve, field, frozen

MAX_SEGMENT = 200
"""Members of a segment: at most so many are read to find one that may be called."""


@frozen
class DueMember:
    """A member as it was read: its entry, and the configuration that it names (empty = none).

    A member too long to be called has an empty ``entry``, and the ``place`` at which it stood.
    """

    entry: bytes
    config: str
    place: int | None = None


@frozen
class Segment:
    """Members one after another: their count, the last one, and the configurations they name."""

    count: int
    last: bytes
    configs: frozenset[str]


@frozen
class Left:
    """What is left of a segment: ``members`` of the first ``read`` ones, and all not read."""

    read: int
    members: tuple[DueMember, ...]

    def of(self, segment: Segment) -> list[Segment]:
        """Return what the segment has become."""
        unread = segment.count - self.read
        rest = [evolve(segment, count=unread)] if unread > 0 else []
        return [*_segments(self.members), *rest]


@frozen
class DueIndex:
    """The due members that were read, from the first one on, in segments."""

    segments: tuple[Segment, ...] = ()
    starts: tuple[int, ...] = field(init=False, eq=False, repr=False)
    """The place of the first member of each segment, and of the first one behind all."""

    @starts.default
    def _starts(self) -> tuple[int, ...]:
        found = [0]
        for segment in self.segments:
            found.append(found[-1] + segment.count)
        return tuple(found)

    @property
    def total(self) -> int:
        """How many members were read."""
        return self.starts[-1]

    def first_of(self, may_have: Callable[[str], bool], start: int = 0) -> int | None:
        """Return the first segment from ``start`` on with a number of such a configuration.

        None = there is none.
        """
        for at in range(start, len(self.segments)):
            if any(map(may_have, self.segments[at].configs)):
                return at
        return None

    def has(self, config: str) -> bool:
        """Whether a number of this configuration is known to be due."""
        return any(config in segment.configs for segment in self.segments)

    def last_of(self, at: int) -> tuple[int, bytes]:
        """Return the place of the last member of a segment, and that member."""
        return self.starts[at + 1] - 1, self.segments[at].last

    def with_left(self, left: Mapping[int, Left], tail: Sequence[DueMember]) -> DueIndex:
        """Return the index after some members were taken.

        ``left`` is what is left of the segments that were read; ``tail`` has the members that were
        read behind all segments and not taken.
        """
        segments: list[Segment] = []
        for at, segment in enumerate(self.segments):
            segments += left[at].of(segment) if at in left else [segment]
        return DueIndex((*segments, *_segments(tail)))

    def mended(self, at: int, read: Sequence[DueMember]) -> DueIndex:
        """Return the index after ``read`` was found from the beginning of segment ``at`` on.

        If the last member of a segment is in ``read``, all segments behind it stay known.
        """
        places = {member.entry: place for place, member in enumerate(read)}
        for end in range(at, len(self.segments)):
            place = places.get(self.segments[end].last)
            if place is not None:
                before, after = self.segments[:at], self.segments[end + 1 :]
                return DueIndex((*before, *_segments(read[: place + 1]), *after))
        return DueIndex((*self.segments[:at], *_segments(read)))

    def cut(self, at: int) -> DueIndex:
        """Return the index without this segment and all behind it."""
        return DueIndex(self.segments[:at])


@frozen
class Chosen:
    """Members that may be taken, and those that are left."""

    taken: tuple[DueMember, ...]
    left: tuple[DueMember, ...]


def choose(members: Sequence[DueMember], room: dict[str, int], most: int) -> Chosen:
    """Return which of the members may be taken, the first ones first, at most ``most``.

    ``room`` is how many members of a configuration may be called; configurations that are not in it
    have no limit.  What is taken is subtracted from ``room``.
    """
    taken: list[DueMember] = []
    left: list[DueMember] = []
    for member in members:
        free = room.get(member.config)
        if len(taken) == most or free == 0:
            left.append(member)
            continue
        taken.append(member)
        if free is not None:
            room[member.config] = free - 1
    return Chosen(tuple(taken), tuple(left))


def _segments(members: Sequence[DueMember]) -> Iterator[Segment]:
    for start in range(0, len(members), MAX_SEGMENT):
        some = members[start : start + MAX_SEGMENT]
        yield Segment(len(some), some[-1].entry, frozenset(member.config for member in some))
