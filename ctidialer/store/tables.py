"""The tables of the configuration: many keys read in one atomic step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import msgspec
from attrs import frozen

from ctidialer.store.connection import Reply, ResponseError
from ctidialer.store.errors import StoreError, StoreUnavailable, WrongType
from ctidialer.store.link import Link
from ctidialer.store.scripts import FIELDS, TABLES
from ctidialer.store.table_watch import TableWatch

TableAnswer: TypeAlias = "Reply | ResponseError"


@frozen
class Unreadable:
    """A key that cannot be read; ``problem`` is a sentence why."""

    problem: str


class Whole:
    """All fields of one table, still as bytes: two million cannot be decoded in one go."""

    def __init__(self, answer: Sequence[Reply] = ()) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and document; bad UTF-8 in a name is shown with escapes."""
        answer = self._answer
        for name, document in zip(islice(answer, 0, None, 2), islice(answer, 1, None, 2)):  # noqa: B905
            if isinstance(name, bytes) and isinstance(document, bytes):
                yield name.decode("utf-8", "backslashreplace"), document


FieldDocuments: TypeAlias = "Iterable[tuple[str, bytes | None]]"
"""Names and documents; None = there is no such field."""


class TableReader:
    """Reads tables over ``link``; fails with StoreError if Redis does not answer."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._watch = TableWatch(link)

    async def unchanged(self, keys: Sequence[str]) -> bool:
        """Say whether ``whole`` would return the same of these tables; False = perhaps not."""
        return await self._watch.is_untouched(keys)

    async def whole(self, keys: Sequence[str]) -> dict[str, Whole | Unreadable]:
        """Return all of these tables as they stood at one moment."""
        answers = await self._all_at_once(keys)
        return {
            key: Whole(answer) if isinstance(answer, list) else _unreadable(key, kind, answer)
            for key, kind, answer in zip(keys, answers[::2], answers[1::2], strict=True)
        }

    async def fields(
        self, wanted: Mapping[str, Sequence[str]]
    ) -> dict[str, FieldDocuments | Unreadable]:
        """Return these fields of these tables as they stood at one moment."""
        asked = [(key, list(names)) for key, names in wanted.items() if names]
        if not asked:
            return {}
        answers = await self._link.run(FIELDS, (), (msgspec.json.encode(asked),))
        assert isinstance(answers, list)
        found: dict[str, FieldDocuments | Unreadable] = {}
        for (key, names), kind, answer in zip(asked, answers[::2], answers[1::2], strict=True):
            if isinstance(answer, list):
                found[key] = zip(names, map(_document, answer), strict=True)
            else:
                found[key] = _unreadable(key, kind, answer)
        return found

    async def _all_at_once(self, keys: Sequence[str]) -> Sequence[TableAnswer]:
        commands = [command for key in keys for command in (("TYPE", key), ("HGETALL", key))]
        answers = await self._watch.read(keys, commands)
        if answers is not None:
            return answers
        try:
            return await self._link.together(*commands)
        except StoreUnavailable:
            raise
        except StoreError:
            # MULTI or one of the keys is not allowed.  A script finds out which key; it takes Redis
            # five times as long.
            found = await self._link.run(TABLES, (), (msgspec.json.encode(list(keys)),))
            assert isinstance(found, list)
            return found


def _document(value: Reply) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _unreadable(key: str, kind: TableAnswer, answer: TableAnswer) -> Unreadable:
    said = str(answer) if isinstance(answer, ResponseError) else repr(answer)
    if "WRONGTYPE" in said and isinstance(kind, bytes):
        return Unreadable(str(WrongType(key, kind.decode(), "hash")))
    return Unreadable(f"the key {key!r} cannot be read: {said}")
