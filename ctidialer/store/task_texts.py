"""The documents of one task as they stand in Redis, and new ones in their place."""

from __future__ import annotations

from collections.abc import Sequence

from ctidialer.contract import keys
from ctidialer.store.connection import Argument
from ctidialer.store.errors import StoreError
from ctidialer.store.lease import refusal_of
from ctidialer.store.link import Link
from ctidialer.store.scripts import EDIT

Texts = tuple[bytes | None, bytes | None]
"""The document of the template, and that of a host; None = there is none."""


class TaskTextStore:
    """Writes documents of tasks; every method raises StoreError."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def replace(
        self,
        task: str,
        host: str,
        before: Texts,
        after: Texts,
        note: tuple[str, bytes],
        noted_for: Sequence[str],
    ) -> bool:
        """Write ``after``, if both documents still are as they were ``before``; None in ``after`` =
        that one stays.

        ``note``: a field and its value for the orders of the hosts ``noted_for``, written in the
        same step.  False = somebody has changed a document meanwhile, and nothing was written.
        """
        names = [keys.at(keys.TASK, one) for one in (keys.TEMPLATE, host)]
        names += [keys.control(one) for one in noted_for]
        pairs = zip(before, after, strict=True)
        texts = [text or b"" for pair in pairs for text in pair]
        arguments: list[Argument] = [task, *texts, *note]
        try:
            return await self._link.run(EDIT, names, arguments) == 1
        except StoreError as error:
            raise refusal_of(error, names, arguments) from None
