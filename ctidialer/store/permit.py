"""What Redis looks at in the very step that notes a call: lists of numbers, and caps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from msgspec import Struct

from ctidialer.contract.callee import Cap
from ctidialer.store.connection import Argument


class Permit(Struct, frozen=True):
    """What must not forbid a call.

    ``dnc``: keys of sets, or of hashes number -> reason, of numbers that are not called.
    ``spellings``: how this number may be written there.  ``caps`` hold for the calls that are
    counted under ``cap_key`` (`contract.keys.callee_calls`).
    """

    dnc: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    caps: tuple[Cap, ...] = ()
    cap_key: str = ""

    @property
    def counts_talk(self) -> bool:
        """Whether a conversation counts, not only a call."""
        return True in [cap.talk for cap in self.caps]


class Asked(Struct, frozen=True):
    """A note that is written only if its permit forbids nothing.

    ``rules``: the lists, the caps, and how many spellings each number has.  ``callee``: the key of
    his calls, and the spellings of his number.
    """

    rules: tuple[tuple[str, ...], tuple[Cap, ...], int]
    entry_id: str
    note: bytes
    callee: tuple[str, ...]


def asked(permit: Permit, entry_id: str, note: bytes, *, is_answer: bool = False) -> Asked:
    """Return what is asked for a call; for an answer no list is looked at."""
    cap_key = permit.cap_key if permit.caps else ""
    if is_answer or not (permit.dnc and permit.spellings):
        return Asked(((), permit.caps, 0), entry_id, note, (cap_key,))
    rules = (permit.dnc, permit.caps, len(permit.spellings))
    return Asked(rules, entry_id, note, (cap_key, *permit.spellings))


def permit_arguments(calls: Iterable[Asked]) -> Iterator[Argument]:
    """Yield what the script takes: neighbours with the same rules have these in common."""
    for (lists, caps, spellings), run in groupby(calls, key=_rules):
        each = list(run)
        yield from (len(each), len(lists), len(caps), spellings)
        yield from lists
        for cap in caps:
            yield from (cap.count, repr(float(cap.seconds)), int(cap.talk))
        for call in each:
            yield call.entry_id
            yield call.note
            yield from call.callee


def _rules(call: Asked) -> tuple[tuple[str, ...], tuple[Cap, ...], int]:
    return call.rules
