"""What commands that read a file of numbers have in common: options, checking, sentences."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import click

from ctidialer.check.numbers import is_accepted, refusal
from ctidialer.cli.printable import printable
from ctidialer.cli.progress import Advance, progress_of
from ctidialer.contract.number_document import decode_number
from ctidialer.files.checking import Check, CheckedFile, NumberOf, RowTreatment, Spool
from ctidialer.files.encodings import usable
from ctidialer.files.number_file import FORMATS, NumberFile
from ctidialer.files.region import to_e164
from ctidialer.files.rejects import Rejects
from ctidialer.files.rows import FileUnusable
from ctidialer.files.treatment import Treatment
from ctidialer.settings import Settings

Option = Callable[[Callable[..., None]], Callable[..., None]]


def _encoding(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    problem = usable(value) if value else ""
    if problem:
        raise click.BadParameter(problem)
    return value


FILE_OPTIONS: Sequence[Option] = (
    click.option(
        "--format",
        "file_format",
        type=click.Choice(FORMATS),
        help="What the file is.  [default: by its first bytes and its name, else text]",
    ),
    click.option(
        "--encoding",
        callback=_encoding,
        help="Its encoding, as gb18030.  [default: found out: UTF-8, UTF-16 or GB18030]",
    ),
    click.option("--sheet", metavar="NAME", default="", help="The sheet.  [default: the first]"),
    click.option(
        "--number-column",
        metavar="NAME",
        help="The column of the numbers.  [default: number, phone, mobile, 手机号 and the like]",
    ),
)
"""What the file is, and where in it the numbers stand."""

region_option = click.option(
    "--region", metavar="XX", help="The same, and make them international: +86… for CN."
)
SPELLING_OPTIONS: Sequence[Option] = (
    click.option(
        "--normalize",
        is_flag=True,
        help='Take blanks, dashes, brackets, dots, ="…" and the like out of the numbers.',
    ),
    region_option,
)
"""How the numbers are spelt anew."""

BAD_ROW_OPTIONS: Sequence[Option] = (
    click.option("--skip-bad", is_flag=True, help="Take the good rows, whatever the others are."),
    click.option(
        "--rejects",
        metavar="FILE",
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        help="Write the bad rows to this CSV, with line and reason.",
    ),
)
"""What becomes of bad rows."""


def with_options(*options: Option) -> Option:
    """Return what gives a command these options, in this order."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def treatment_of(settings: Settings, normalize: bool, region: str | None) -> Treatment:
    """Return how numbers are treated: as the daemon of these settings would take them.

    Raises FileUnusable where there is no such region.
    """
    pattern = re.compile(settings.node.number_pattern)
    return Treatment(
        accept=partial(is_accepted, pattern=pattern),
        refuse=partial(refusal, pattern=pattern),
        normalize=normalize,
        to_e164=to_e164(region.upper()) if region else None,
        max_entry=settings.node.max_entry,
    )


def number_reader_of(settings: Settings) -> NumberOf:
    """Return what reads the number in an entry, as the daemon would dial it."""
    pattern = re.compile(settings.node.number_pattern)
    return lambda entry: decode_number(entry, pattern).number


def check_rows(
    source: IO[bytes],
    numbers: NumberFile,
    spool: Spool,
    treatment: RowTreatment,
    rejects: Path | None,
    quiet: bool,
    number_of: NumberOf | None = None,
) -> CheckedFile:
    """Check every row, put the good ones into the spool and the bad ones into the file
    ``rejects``; with ``number_of`` a number that stood in the file before is left out."""
    with (
        _rejects(rejects, source, numbers) as bad,
        progress_of("checking", _size(source), quiet, in_percent=True) as advance,
    ):
        check = Check(treatment, number_of, bad)
        return check.run(numbers.rows, spool, _Teller(source, advance))


@contextmanager
def file_sentences(name: str) -> Iterator[None]:
    """End the command with one sentence where the file cannot be read, or none be written."""
    try:
        yield
    except FileUnusable as error:
        raise click.ClickException(printable(f"{name}: {error}")) from error
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else name
        raise click.ClickException(printable(f"{where}: {error.strerror or error}")) from error


@contextmanager
def _rejects(path: Path | None, source: IO[bytes], numbers: NumberFile) -> Iterator[Rejects | None]:
    if path is None:
        yield None
        return
    if path.exists() and os.path.samestat(path.stat(), os.fstat(source.fileno())):
        raise click.UsageError("--rejects: that is the file that is read")
    # With the mark, a spreadsheet knows that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        yield Rejects(file, numbers.header)


class _Teller:
    """Tells how much of a file has been read since it was last asked."""

    def __init__(self, file: IO[bytes], advance: Advance) -> None:
        self._file = file
        self._advance = advance
        self._told = 0

    def __call__(self) -> None:
        at = self._file.tell()
        self._advance(at - self._told)
        self._told = at


def _size(source: IO[bytes]) -> int | None:
    return os.fstat(source.fileno()).st_size or None
