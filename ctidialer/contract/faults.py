"""What is wrong with a document, said so that its author can mend it."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen


@frozen(order=True)
class Fault:
    """One thing wrong with one document.

    ``path`` is a JSON path (``$.params.limit``, ``$.params.work_hour[0].begin``); ``$`` is the
    document itself.  ``problem`` says what is wrong and what would be right.
    """

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class ContractError(ValueError):
    """A document that cannot be used; ``faults`` names everything wrong with it, never empty."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))
