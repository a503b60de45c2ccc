"""The entries of number lists, read from the bytes that stand in Redis."""

from __future__ import annotations

import re

from ctidialer.contract import fields, times
from ctidialer.contract.document import (
    JSON_BEGINS,
    FaultList,
    NumberText,
    Place,
    cut_free,
    not_utf8,
    read_json,
    shown,
)
from ctidialer.contract.faults import EntryError, Fault
from ctidialer.contract.number import NumberEntry
from ctidialer.contract.problems import Problem, Told
from ctidialer.contract.variables import read_variables, requested_uuid

MAX_NUMBER_LENGTH = 1024  # characters; no pattern of an operator has to be matched to a megabyte

_FULL_WIDTH = {ord(mark) + 0xFEE0: mark for mark in "0123456789+*#"}


def decode_number(raw: bytes, pattern: re.Pattern[str]) -> NumberEntry:
    """Return the number in an entry: plain text, or JSON where it begins with ``{`` or ``"``.

    A JSON string is taken as the entry that it holds.  White space and marks that are not seen are
    cut off around a number, full-width digits become ASCII.  ``pattern`` must match the whole
    number.  A key that stands twice in the JSON counts as it stands last.

    Raises EntryError with every fault, whatever the bytes are.
    """
    try:
        text = cut_free(raw.decode())
    except UnicodeDecodeError as error:
        raise EntryError([Fault.of("$", not_utf8(error))]) from error
    if text[:1] in JSON_BEGINS:
        return _json_entry(text.encode(), pattern)
    return _plain_entry(text, pattern)


def read_number(pattern: re.Pattern[str], node: Place) -> str | None:
    """Read a telephone number, a JSON string or whole number, that ``pattern`` must match."""
    value = node.value
    if isinstance(value, NumberText):
        written = fields.whole_digits(value.text)
    else:
        written = fields.as_written(value)
    if written is None:
        node.fault(Problem.NO_STRING_OR_WHOLE_NUMBER.of(value=shown(value)))
        return None
    number = _in_ascii(cut_free(written))
    problem = _problem(number, pattern)
    if problem is None:
        return number
    node.fault(problem)
    return None


def entry_error(
    faults: FaultList, number: str, variables: dict[str, str], config: str | None = None
) -> EntryError:
    """Return the error of an entry that is at fault, with what could be read of it."""
    return EntryError(
        faults.all(),
        number=number or None,
        requested_uuid=requested_uuid(variables),
        config=config or None,
    )


def _json_entry(raw: bytes, pattern: re.Pattern[str]) -> NumberEntry:
    faults = FaultList()
    root = read_json(raw, faults)
    if isinstance(root.value, str):
        return _plain_entry(cut_free(root.value), pattern)
    params, variables = fields.parts(root)
    entry = NumberEntry(
        number=params.required("number", lambda node: read_number(pattern, node), ""),
        variables=read_variables(variables),
        timezone=params.optional("timezone", times.timezone, None),
    )
    if faults:
        raise entry_error(faults, entry.number, dict(entry.variables))
    return entry


def _plain_entry(text: str, pattern: re.Pattern[str]) -> NumberEntry:
    number = _in_ascii(text)
    problem = _problem(number, pattern)
    if problem is not None:
        raise EntryError([Fault.of("$", problem)])
    return NumberEntry(number)


def _in_ascii(number: str) -> str:
    """Return a number with full-width digits as ASCII."""
    if number.isascii() or len(number) > MAX_NUMBER_LENGTH:
        return number
    return number.translate(_FULL_WIDTH)


def _problem(number: str, pattern: re.Pattern[str]) -> Told | None:
    """Say what is wrong with a number, None if nothing is."""
    if not number:
        return Problem.NO_NUMBER.of()
    if len(number) > MAX_NUMBER_LENGTH:
        return Problem.NUMBER_TOO_LONG.of(most=MAX_NUMBER_LENGTH)
    if not pattern.fullmatch(number):
        return Problem.NUMBER_PATTERN.of(value=shown(number))
    return None
