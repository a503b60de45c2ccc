"""Names of documents by table: what has changed, what is to be read, what something refers to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import field, frozen


@frozen
class Changed:
    """The names that a change touched, by table (the part of the key before the ``@``)."""

    table: str
    names: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.names)


@frozen
class Named:
    """Names by table: what is to be read, or what something refers to."""

    names: Mapping[str, frozenset[str]] = field(factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Named:
        """Return the names of pairs: table and name."""
        found: dict[str, set[str]] = {}
        for table, name in pairs:
            found.setdefault(table, set()).add(name)
        return cls({table: frozenset(names) for table, names in found.items()})

    def __bool__(self) -> bool:
        return any(self.names.values())

    def __len__(self) -> int:
        return sum(map(len, self.names.values()))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((table, name) for table, names in self.names.items() for name in names)

    def __or__(self, other: Named) -> Named:
        tables = self.names.keys() | other.names.keys()
        return Named({table: self.of_table(table) | other.of_table(table) for table in tables})

    def __sub__(self, other: Named) -> Named:
        return Named({table: names - other.of_table(table) for table, names in self.names.items()})

    def of_table(self, table: str) -> frozenset[str]:
        """Return the names of one table."""
        return self.names.get(table, frozenset())


NO_NAMES = Named()
