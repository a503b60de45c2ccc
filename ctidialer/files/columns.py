"""Which column of a table holds the number, and which variables the others are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from attrs import field, frozen

from ctidialer.contract.document import shown
from ctidialer.contract.variables import NAME
from ctidialer.files.rows import FileKind, FileUnusable, Row, RowProblem

NUMBER = "number"

USUAL_NAMES = frozenset(
    {
        *(
            "number",
            "phone",
            "phonenumber",
            "phoneno",
            "phonenum",
            "mobile",
            "mobilephone",
            "mobilenumber",
            "mobileno",
            "cell",
            "cellphone",
        ),
        *(
            "cellphonenumber",
            "cellnumber",
            "tel",
            "telephone",
            "telephonenumber",
            "telno",
            "telnumber",
            "msisdn",
            "callee",
        ),
        *("calleenumber", "destination", "destinationnumber", "contactnumber", "contactphone"),
        *(
            "手机号",
            "手机",
            "手机号码",
            "手机电话",
            "移动电话",
            "电话",
            "电话号码",
            "联系电话",
            "联系方式",
            "联系号码",
            "联系手机",
            "号码",
        ),
        *(
            "被叫",
            "被叫号码",
            "客户号码",
            "客户电话",
            "客户手机",
            "客户手机号",
            "座机",
            "固话",
            "固定电话",
        ),
        *("手機號", "手機", "手機號碼", "電話", "電話號碼", "聯絡電話", "號碼", "行動電話"),
    }
)
"""What people call the column of the numbers; capitals, blanks and marks are left out."""

_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_MAX_HEADERS_SHOWN = 12  # cells of a line that a sentence quotes


@frozen
class WantedColumns:
    """What the caller says of the columns.

    ``number_column`` is the header of the numbers; ``renames`` gives a column another name ("" =
    left out); with ``skip`` columns that cannot be variables are left out.  ``only``: all others
    are left out too, and nothing is said of it; None = every column is wanted.
    """

    number_column: str | None = None
    renames: Mapping[str, str] = MappingProxyType({})
    skip: bool = False
    only: frozenset[str] | None = None

    @property
    def speaks_of_columns(self) -> bool:
        """Whether the caller knows that there are columns."""
        return self.number_column is not None or bool(self.renames) or self.skip


@frozen
class Columns:
    """The columns of one table.

    ``names`` has the variable of each cell, None = it is none; ``unnamed`` are the cells below no
    header at all, which must be empty unless columns are skipped.
    """

    header: Sequence[str]
    number: int
    names: Sequence[str | None]
    left_out: Sequence[str]
    unnamed: Sequence[int] = ()
    _variables: Sequence[tuple[int, str]] = field(init=False)

    @_variables.default
    def _pairs(self) -> Sequence[tuple[int, str]]:
        return [(index, name) for index, name in enumerate(self.names) if name]

    def fits(self, cells: Sequence[str]) -> bool:
        """Say whether a row has the cells of the header; empty ones at its end do not count."""
        width = len(self.header)
        return len(cells) == width or (len(cells) > width and not any(cells[width:]))

    def row(self, line: int, cells: Sequence[str]) -> Row:
        """Return the row that ``cells`` are."""
        if not self.fits(cells):
            text = f"has {len(cells)} cells, the header {len(self.header)}"
            return Row(line, cells, problem=RowProblem(FileKind.CELLS, text))
        if self.unnamed and any(cells[index] for index in self.unnamed):
            text = "has a value in a column without a name; --skip-columns leaves that column out"
            return Row(line, cells, problem=RowProblem(FileKind.CELLS, text))
        variables = {name: cells[index] for index, name in self._variables if cells[index]}
        return Row(line, cells, cells[self.number].strip(), variables)


def is_usual_name(cell: str) -> bool:
    """Say whether people call the column of the numbers so."""
    return _folded(cell) in USUAL_NAMES


def columns_of(cells: Sequence[str], wanted: WantedColumns) -> Columns | None:
    """Return the columns of the table whose header is ``cells``; None = they are no header.

    Raises FileUnusable where they are one, but no good one.
    """
    header = [_trimmed(cell) for cell in cells]
    while len(header) > 1 and not header[-1]:
        header.pop()
    number = _number_column(header, wanted)
    if number is None:
        return None
    return _named(header, number, wanted)


def no_header(first: Sequence[str], line: int, wanted: WantedColumns, looked_at: int) -> str:
    """Say that there is no header, and what to do; ``first`` is the first row that is not blank."""
    reads = ", ".join(shown(_trimmed(cell)) for cell in first[:_MAX_HEADERS_SHOWN]) or "nothing"
    reads = f"line {line} reads: {reads}"
    if wanted.number_column is not None:
        column = shown(wanted.number_column)
        return f"has no column {column} in its first {looked_at} lines; {reads}"
    if any(re.fullmatch(r"\+?[0-9]{7,}", cell.strip()) for cell in first):
        return f"has no header: put a line with the columns' names above the first row; {reads}"
    return (
        f"has no header in its first {looked_at} lines, with a column {NUMBER!r}, 'phone', '手机号'"
        f" or the like; {reads}; --number-column NAME says which holds the numbers"
    )


def _number_column(header: Sequence[str], wanted: WantedColumns) -> int | None:
    if wanted.number_column is not None:
        return _index(header, wanted.number_column)
    renamed = [one for one, name in wanted.renames.items() if name.lower() == NUMBER]
    if renamed:
        return _index(header, renamed[0])
    exact = [index for index, cell in enumerate(header) if cell.lower() == NUMBER]
    found = exact or [index for index, cell in enumerate(header) if is_usual_name(cell)]
    if len(found) > 1:
        names = ", ".join(shown(header[index]) for index in found)
        raise FileUnusable(
            f"has {len(found)} columns that may hold the number: {names};"
            " --number-column NAME says which"
        )
    return found[0] if found else None


def _named(header: Sequence[str], number: int, wanted: WantedColumns) -> Columns:
    renames = _renames(header, wanted)
    names = [_variable(index, header, number, renames) for index in range(len(header))]
    if wanted.only is not None:
        only = [name if name and name in wanted.only else None for name in names]
        return Columns(header, number, only, ())
    unusable = _unusable(names, header)
    if unusable and not wanted.skip:
        named = [_as_named(header[index], renames.get(index)) for index in unusable]
        raise FileUnusable(_refusal(named, header[unusable[0]]))
    left_out = [header[index] for index, name in enumerate(names) if name == ""]
    unnamed = [] if wanted.skip else [index for index, cell in enumerate(header) if not cell]
    kept = [None if index in unusable else name or None for index, name in enumerate(names)]
    left_out += [header[index] for index in unusable]
    return Columns(header, number, kept, [one for one in left_out if one], unnamed)


def _variable(
    index: int, header: Sequence[str], number: int, renames: Mapping[int, str]
) -> str | None:
    """Return the variable of a column: None = the number, "" = it shall be left out."""
    return None if index == number else renames.get(index, header[index])


def _renames(header: Sequence[str], wanted: WantedColumns) -> dict[int, str]:
    renames = {}
    for old, new in wanted.renames.items():
        index = _index(header, old)
        if index is None:
            names = ", ".join(map(shown, header[:_MAX_HEADERS_SHOWN]))
            raise FileUnusable(f"has no column {shown(old)} (--columns); there are: {names}")
        renames[index] = new
    return renames


def _unusable(names: Sequence[str | None], header: Sequence[str]) -> list[int]:
    """Return the columns that cannot be variables: by their name, or as one has it already."""
    seen = set()
    found = []
    for index, name in enumerate(names):
        if not name:
            continue
        if not NAME.fullmatch(name) or name.lower() in seen:
            found.append(index)
        seen.add(name.lower())
    return found


def _as_named(column: str, new_name: str | None) -> str:
    """Return the name that cannot be a variable's, and where it comes from if not of the file."""
    return (
        shown(column) if new_name is None else f"{shown(new_name)} (--columns, of {shown(column)})"
    )


def _refusal(names: Sequence[str], first: str) -> str:
    return (
        f"has columns that cannot be variables: {', '.join(names)} (letters, digits and"
        f" _.- can, the first no digit, each once); rename them, as --columns '{first}=name',"
        " or leave them out with --skip-columns"
    )


def _index(header: Sequence[str], name: str) -> int | None:
    """Return the column of this name: as it is spelt, else but for capitals, blanks and marks."""
    wanted = _trimmed(name)
    if wanted in header:
        return list(header).index(wanted)
    folded = [_folded(cell) for cell in header]
    return folded.index(_folded(name)) if _folded(name) in folded else None


def _trimmed(cell: str) -> str:
    """Return a header without what nobody sees at its ends."""
    return cell.strip().strip("\ufeff\u200b\u200c\u200d\u200e\u200f").strip()


def _folded(cell: str) -> str:
    """Return a header in small letters, without blanks, marks and remarks in brackets."""
    plain = _IN_BRACKETS.sub("", unicodedata.normalize("NFKC", cell))
    return "".join(one for one in plain.casefold() if one.isalnum())
