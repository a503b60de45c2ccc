"""What is wrong with a document, said so that its author can mend it."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from ctidialer.contract.problems import Told
from ctidialer.contract.said import LANGUAGES, Language, Said


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
    _told: Told | None = field(default=None, eq=False, order=False, repr=False)

    @classmethod
    def of(cls, path: str, problem: Told, key: str = "") -> Fault:
        """Return the fault with ``problem``, which can then be said in Chinese too."""
        return cls(path, str(problem), key, problem)

    def __str__(self) -> str:
        return self.in_("en")

    def in_(self, language: Language) -> str:
        """Return place and problem in a language."""
        place = f"{self.key} {self.path}" if self.key else self.path
        return f"{place}{'：' if language == 'zh' else ': '}{self.problem_in(language)}"

    @property
    def told(self) -> Told:
        """The problem as it can be said in every language; English where it was read."""
        return self._told or Told(Said("{problem}", "{problem}"), {"problem": self.problem})

    def problem_in(self, language: Language) -> str:
        """Return the problem in a language; what was read from elsewhere is English."""
        return self.told.in_(language)


def joined(faults: Iterable[Fault], key: str = "") -> Said:
    """Return all faults of a document in one text; ``key`` is put before each."""
    before, some = f"{key} " if key else "", tuple(faults)
    english, chinese = ([before + fault.in_(one) for fault in some] for one in LANGUAGES)
    return Said("; ".join(english), "；".join(chinese))


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
