"""What is wrong with a document, said so that its author can mend it."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen


@frozen(order=True)
class Fault:
    """One thing wrong with one document.

    ``path`` is a JSON path (``$.params.limit``, ``$.params.work_hour[0].begin``); ``$`` is the
    document itself.  ``problem`` says what is wrong and what would be right.  ``key`` is the Redis
    key in which the document stands (``cti_queue_dialer_task@fs1``), empty where only the caller
    knows it.
    """

    path: str
    problem: str
    key: str = ""

    def __str__(self) -> str:
        place = f"{self.key} {self.path}" if self.key else self.path
        return f"{place}: {self.problem}"


class ContractError(ValueError):
    """A document that cannot be used; ``faults`` names everything wrong with it, never empty."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


class EntryError(ContractError):
    """An entry of a number list or a member of the schedule that is not dialed.

    What could be read of it stands in its record all the same: ``number`` (one that matches the
    node's pattern), ``requested_uuid``, and of a scheduled number ``config``; each None where it
    could not be read.
    """

    def __init__(
        self,
        faults: Iterable[Fault],
        *,
        number: str | None = None,
        requested_uuid: str | None = None,
        config: str | None = None,
    ) -> None:
        super().__init__(faults)
        self.number = number
        self.requested_uuid = requested_uuid
        self.config = config
