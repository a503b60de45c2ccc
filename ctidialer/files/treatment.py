"""Makes the entry of a row, or says why there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec
from attrs import frozen

from ctidialer.contract.document import shown
from ctidialer.contract.faults import Fault
from ctidialer.files.region import NotOfRegion, ToE164
from ctidialer.files.rows import FileKind, Row, RowProblem
from ctidialer.files.spelling import extension_of, is_cut, normalized

Refuse = Callable[[bytes], tuple[Fault, ...]]
"""Returns why an entry would not be dialed; empty = it would be."""

Accept = Callable[[str, Mapping[str, str]], bool]
"""Says whether a number with its variables would be dialed, for certain and quickly."""

_DIALABLE = re.compile(r"\+?[0-9*#]+")
_PLAIN_ENTRY = re.compile(r'[^{\s"][^\n\r]*')
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""Reads an object without touching what stands in it: 1.10 stays 1.10."""

_NUMBER_PATHS = ("$", "$.params.number")


@frozen
class FileEntry:
    """An entry to push, and the number that is dialed for it ("" = it stands in the entry)."""

    raw: bytes
    number: str


@frozen
class Treatment:
    """How numbers are treated: checked by ``accept``, and by ``refuse`` where that says no; spelt
    anew with ``normalize``, made international by ``to_e164`` (None = left as they are).

    ``max_entry`` is the bytes of the longest entry that the daemon dials.
    """

    accept: Accept
    refuse: Refuse
    normalize: bool = False
    to_e164: ToE164 | None = None
    max_entry: int = 65536

    def entry_of(self, row: Row) -> FileEntry | RowProblem:
        """Return the entry of a row that could be read, or why it would not be dialed."""
        found = self._of_entry(row) if row.is_entry else self._of_number(row)
        if isinstance(found, FileEntry) and len(found.raw) > self.max_entry:
            text = f"makes an entry of {len(found.raw)} bytes, more than node.max_entry allows"
            return RowProblem(FileKind.ENTRY, text)
        return found

    def _of_number(self, row: Row) -> FileEntry | RowProblem:
        spelled = self._spelled(row.number)
        if isinstance(spelled, RowProblem):
            return spelled
        try:
            raw = _entry(spelled, row.variables)
        except UnicodeEncodeError:
            return RowProblem(FileKind.UNREADABLE, "has bytes that are no text; see --encoding")
        if self.accept(spelled, row.variables):
            return FileEntry(raw, spelled)
        faults = self.refuse(raw)
        return self._refusal(row, faults) if faults else FileEntry(raw, "")

    def _of_entry(self, row: Row) -> FileEntry | RowProblem:
        text = self._renumbered(row.number)
        if isinstance(text, RowProblem):
            return text
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            return RowProblem(FileKind.UNREADABLE, "has bytes that are no text; see --encoding")
        faults = self.refuse(raw)
        if faults:
            return RowProblem(
                FileKind.ENTRY, "; ".join(f"{one.path} {one.problem}" for one in faults)
            )
        return FileEntry(raw, "")

    def _renumbered(self, text: str) -> str | RowProblem:
        """Return an entry with its number as ``_spelled`` has it, where that can be read."""
        if not (self.normalize or self.to_e164):
            return text
        try:
            document = _MEMBERS.decode(text)
            params = _MEMBERS.decode(document["params"])
            number = msgspec.json.decode(params["number"])
        except (msgspec.DecodeError, KeyError, UnicodeError, RecursionError):
            return text  # what is wrong with it is said when it is checked
        spelled = self._spelled(number) if isinstance(number, str) else number
        if isinstance(spelled, RowProblem) or spelled == number:
            return spelled if isinstance(spelled, RowProblem) else text
        params["number"] = msgspec.Raw(msgspec.json.encode(spelled))
        document["params"] = msgspec.Raw(msgspec.json.encode(params))
        return msgspec.json.encode(document).decode()

    def _spelled(self, number: str) -> str | RowProblem:
        if _DIALABLE.fullmatch(number) is None:
            problem = _misspelt(number, self.refuse)
            if problem is not None:
                return problem
            if self.normalize or self.to_e164:
                number = normalized(number)
        if self.to_e164 is None or not number:
            return number
        try:
            return self.to_e164(number)
        except NotOfRegion as error:
            return RowProblem(FileKind.NUMBER, f"the number {error}")

    def _refusal(self, row: Row, faults: tuple[Fault, ...]) -> RowProblem:
        of_number = any(one.path in _NUMBER_PATHS for one in faults)
        kind = FileKind.NUMBER if of_number else FileKind.VARIABLE
        text = "; ".join(_told(one) for one in faults)
        return RowProblem(kind, text + (self._hint(row.number) if of_number else ""))

    def _hint(self, number: str) -> str:
        if self.normalize:
            return ""
        spelled = normalized(number)
        if spelled in ("", number) or self.refuse(spelled.encode("utf-8", "replace")):
            return ""
        return f"; --normalize makes {shown(spelled)} of it"


def _misspelt(number: str, refuse: Refuse) -> RowProblem | None:
    """Return what no spelling can mend."""
    if is_cut(number):
        text = (
            f"the number {shown(number)} has lost digits in a spreadsheet: make the column text"
            " there, and save it again"
        )
        return RowProblem(FileKind.CUT, text)
    extension = extension_of(number)
    if extension is None or not refuse(number.encode("utf-8", "replace")):
        return None
    text = (
        f"the number {shown(number)} has an extension, {shown(extension)}, which cannot be dialed"
        " with it: put it into a column of its own"
    )
    return RowProblem(FileKind.EXTENSION, text)


def _entry(number: str, variables: Mapping[str, str]) -> bytes:
    if not variables and _PLAIN_ENTRY.fullmatch(number):
        return number.encode()
    document = {"params": {"number": number}, "variables": dict(variables)}
    return msgspec.json.encode(document)


def _told(fault: Fault) -> str:
    """Return a fault of an entry as one of a table, which knows columns and no JSON paths."""
    if fault.path in _NUMBER_PATHS:
        return f"the number {fault.problem}"
    place = fault.path.removeprefix("$.variables.")
    return fault.problem if fault.problem.startswith(f"{place}:") else f"{place} {fault.problem}"
