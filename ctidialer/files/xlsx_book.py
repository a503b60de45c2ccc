"""A workbook as Excel has written it since 2007: a packed file with parts of XML in it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from posixpath import dirname, join, normpath
from typing import IO
from zipfile import BadZipFile, ZipFile

from attrs import frozen

from ctidialer.files.xlsx_dates import Shown, shown_by
from ctidialer.files.xlsx_sheet import CellFormats, SheetReader, SheetRow
from ctidialer.files.xlsx_texts import SharedTexts
from ctidialer.files.xlsx_xml import Attributes, BrokenWorkbook, attribute, read_all

ROOT = "_rels/.rels"
# What the standard library says of a file that is damaged, encrypted or packed in another way.
_DAMAGED = (BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError, RuntimeError)


class OtherWorkbook(ValueError):
    """The packed file is no workbook of this kind: another reader may know it."""


@frozen
class Sheet:
    """A sheet: its name, the part that holds it, and whether it is to be seen."""

    name: str
    part: str
    visible: bool


@frozen
class _Relation:
    """Another part that one refers to: what it is there, and its name in the file."""

    kind: str
    part: str


class XlsxBook:
    """An open workbook; ``texts`` is an empty file for its shared texts.

    Raises OtherWorkbook, and Unreadable where it is damaged.
    """

    def __init__(self, file: IO[bytes], texts: IO[bytes]) -> None:
        with _damage_told():
            self._zip = ZipFile(file)
            self._path = self._found()
            self._relations = self._related(self._path)
            self._from_1904 = False
            self.sheets: list[Sheet] = []
            self._read(self._path, self._on_book)
            self._texts = SharedTexts(texts)

    def rows(self, sheet: Sheet) -> Iterator[SheetRow]:
        """Yield the rows of a sheet; raises BrokenWorkbook."""
        with _damage_told():
            for part in self._parts("sharedStrings"):
                with self._zip.open(part) as opened:
                    self._texts.read(opened)
            formats = CellFormats(self._texts.text, self._styles(), self._from_1904)
            with self._zip.open(sheet.part) as opened:
                yield from SheetReader(formats).rows(opened)

    def _found(self) -> str:
        """Return the part that names the sheets."""
        if ROOT not in self._zip.namelist():
            raise OtherWorkbook
        for relation in self._related("").values():
            if relation.kind == "officeDocument" and relation.part.endswith(".xml"):
                return relation.part
        raise OtherWorkbook

    def _related(self, part: str) -> dict[str, _Relation]:
        """Return the parts to which ``part`` refers, by their names there."""
        folder = dirname(part)
        related: dict[str, _Relation] = {}

        def on_element(name: str, attributes: Attributes) -> None:
            if name == "Relationship":
                target = attribute(attributes, "Target")
                where = target[1:] if target[:1] == "/" else normpath(join(folder, target))
                kind = attribute(attributes, "Type").rpartition("/")[2]
                related[attribute(attributes, "Id")] = _Relation(kind, where)

        self._read(join(folder, "_rels", f"{part.rpartition('/')[2]}.rels"), on_element)
        return related

    def _on_book(self, name: str, attributes: Attributes) -> None:
        if name == "workbookPr":
            self._from_1904 = attribute(attributes, "date1904") in ("1", "true")
        elif name == "sheet":
            relation = self._relations.get(attribute(attributes, "id"))
            if relation is not None and relation.kind == "worksheet":
                visible = attribute(attributes, "state") in ("", "visible")
                self.sheets.append(Sheet(attribute(attributes, "name"), relation.part, visible))

    def _parts(self, kind: str) -> list[str]:
        return [one.part for one in self._relations.values() if one.kind == kind]

    def _styles(self) -> list[Shown]:
        reader = _StyleReader()
        for part in self._parts("styles"):
            self._read(part, reader.on_element)
        return reader.styles

    def _read(self, part: str, on_element: Callable[[str, Attributes], None]) -> None:
        with self._zip.open(part) as opened:
            read_all(opened, on_element)


class _StyleReader:
    """Finds what the numbers of each style are shown as."""

    def __init__(self) -> None:
        self.styles: list[Shown] = []
        self._codes: dict[str, str] = {}
        self._of_cells = False

    def on_element(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            self._codes[attribute(attributes, "numFmtId")] = attribute(attributes, "formatCode")
        elif name == "xf" and self._of_cells:
            number = attribute(attributes, "numFmtId")
            known = int(number) if number.isascii() and number.isdigit() else 0
            self.styles.append(shown_by(known, self._codes.get(number)))
        elif name in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            self._of_cells = name == "cellXfs"


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise BrokenWorkbook(f"is damaged: {error}") from error
