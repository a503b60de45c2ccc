"""Files of numbers as people have them, written in the same bytes each time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

HEADER = ("手机号", "name", "crm_id")
NAMES = ("张伟", "王芳", "李娜", "刘洋", "陈静", "杨帆", "赵磊", "黄敏")

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def rows(count: int) -> Iterator[tuple[str, str, str]]:
    """Yield numbers with two variables: a name of few, and an identifier that stands once."""
    for index in range(count):
        number = 13_000_000_000 + (index * 7_919_993) % 1_000_000_000
        yield str(number), NAMES[index % len(NAMES)], f"CRM-{index:08d}"


def write_text(path: Path, count: int) -> None:
    """Write one number a line."""
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{number}\n" for number, _, _ in rows(count))


def write_csv(path: Path, count: int, encoding: str) -> None:
    """Write a CSV with a header."""
    with path.open("w", encoding=encoding, newline="") as file:
        file.writelines(",".join(row) + "\r\n" for row in (HEADER, *rows(count)))


def write_workbook(path: Path, count: int) -> None:
    """Write a workbook as Excel does: numbers as numbers, each text once in a table of texts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        book.writestr("[Content_Types].xml", _TYPES)
        book.writestr("_rels/.rels", _relations(("officeDocument", "xl/workbook.xml")))
        sheet = '<sheet name="Sheet1" sheetId="1" r:id="rId1"/>'
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheet}</sheets></workbook>',
        )
        targets = (("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"))
        book.writestr("xl/_rels/workbook.xml.rels", _relations(*targets))
        texts = len(HEADER) + len(NAMES)
        with book.open("xl/sharedStrings.xml", "w", force_zip64=True) as file:
            file.write(f'<sst xmlns="{_MAIN}">'.encode())
            for text in (*HEADER, *NAMES, *(row[2] for row in rows(count))):
                file.write(f"<si><t>{escape(text)}</t></si>".encode())
            file.write(b"</sst>")
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as file:
            file.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            header = "".join(_text_cell(f"{'ABC'[at]}1", at) for at in range(len(HEADER)))
            file.write(f'<row r="1">{header}</row>'.encode())
            for index, (number, _, _) in enumerate(rows(count)):
                at = index + 2
                name = _text_cell(f"B{at}", len(HEADER) + index % len(NAMES))
                crm_id = _text_cell(f"C{at}", texts + index)
                cells = f'<c r="A{at}"><v>{number}</v></c>{name}{crm_id}'
                file.write(f'<row r="{at}">{cells}</row>'.encode())
            file.write(b"</sheetData></worksheet>")


def _text_cell(place: str, text: int) -> str:
    return f'<c r="{place}" t="s"><v>{text}</v></c>'


def _relations(*targets: tuple[str, str]) -> str:
    relations = "".join(
        f'<Relationship Id="rId{index}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for index, (kind, target) in enumerate(targets, 1)
    )
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{package}">{relations}</Relationships>'
