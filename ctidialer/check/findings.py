"""What ``ctidialer check`` finds (docs/commands.rst), as values."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from attrs import field, frozen

from ctidialer.contract.document import Place
from ctidialer.contract.faults import Fault
from ctidialer.contract.problems import Told
from ctidialer.contract.said import Language


class Severity(enum.Enum):
    """``FAULT``: something does not work; ``WARNING``: it is hardly meant; ``NOTICE``: by the way.

    Only faults change the exit status.
    """

    FAULT = "fault"
    WARNING = "warning"
    NOTICE = "notice"


@frozen
class Finding:
    """One thing to say about the value at ``key``.

    ``name`` is the field of the hash, or the index of the entry as LINDEX and ZRANGE count, in
    brackets; empty = the key itself.  ``path`` is the JSON path in the document, ``$`` the whole.
    """

    severity: Severity
    key: str
    name: str
    path: str
    problem: str
    told: Told | None = field(default=None, eq=False, repr=False)
    """``problem`` as it can be said in every language."""

    @classmethod
    def of(cls, severity: Severity, key: str, name: str, path: str, problem: Told) -> Finding:
        """Return the finding with ``problem``, which can then be said in Chinese too."""
        return cls(severity, key, name, path, str(problem), problem)

    def problem_in(self, language: Language) -> str:
        """Return the problem in a language."""
        return self.problem if self.told is None else self.told.in_(language)

    def as_json(self) -> dict[str, str]:
        """Return this as JSON data."""
        return {
            "severity": self.severity.value,
            "key": self.key,
            "name": self.name,
            "path": self.path,
            "problem": self.problem,
        }


def findings(severity: Severity, key: str, name: str, faults: Iterable[Fault]) -> Iterator[Finding]:
    """Yield the faults of one document; ``key`` is for those that do not know theirs."""
    for fault in faults:
        yield Finding.of(severity, fault.key or key, name, fault.path, fault.told)


def finding_at(
    place: Place | None, severity: Severity, key: str, name: str, problem: Told
) -> Finding:
    """Return what is to be said of a value of ``params``; None = of all of them."""
    if place is None:
        return Finding.of(severity, key, name, "$.params", problem)
    return Finding.of(severity, place.key or key, name, place.path, problem)
