"""The entries of number lists, read from the bytes that stand in Redis."""

from __future__ import annotations

import re

from ctidialer.contract import fields
from ctidialer.contract.document import FaultList, Node, not_utf8, read_json, shown
from ctidialer.contract.number import NumberEntry
from ctidialer.contract.variables import read_variables

LONGEST_NUMBER = 1024  # characters; no pattern of an operator has to be matched to a megabyte


def decode_number(raw: bytes, pattern: re.Pattern[str]) -> NumberEntry:
    """Return the number in an entry: plain text, or JSON where it begins with ``{``.

    White space around the entry is cut off, but none inside the JSON's own number.  ``pattern``
    must match the whole number.  A key that stands twice in the JSON counts as it stands last.

    Raises ContractError with every fault, whatever the bytes are.
    """
    faults = FaultList()
    text = _text(raw, faults)
    if text.startswith("{"):
        entry = _read_json_entry(text.encode(), faults, pattern)
    else:
        node = Node(text, "$", faults)
        entry = NumberEntry(_matching(node, text, pattern) if not faults else "")
    faults.settle()
    return entry


def read_number(pattern: re.Pattern[str], node: Node) -> str | None:
    """Read a telephone number, a JSON string or whole number, that ``pattern`` must match."""
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool):
        return _matching(node, str(value), pattern)
    if isinstance(value, str):
        return _matching(node, value, pattern)
    node.fault(f"must be a string or a whole number, not {shown(value)}")
    return None


def _text(raw: bytes, faults: FaultList) -> str:
    try:
        return raw.decode().strip()
    except UnicodeDecodeError as error:
        Node(None, "$", faults).fault(not_utf8(error))
        return ""


def _read_json_entry(raw: bytes, faults: FaultList, pattern: re.Pattern[str]) -> NumberEntry:
    params, variables = fields.parts(read_json(raw, faults))
    return NumberEntry(
        number=params.required("number", lambda node: read_number(pattern, node), ""),
        variables=read_variables(variables),
    )


def _matching(node: Node, number: str, pattern: re.Pattern[str]) -> str:
    if not number:
        node.fault("is empty: a number belongs here")
    elif len(number) > LONGEST_NUMBER:
        node.fault(f"is no number: it is longer than {LONGEST_NUMBER} characters")
    elif not pattern.fullmatch(number):
        node.fault(f"does not match the node's number_pattern: {shown(number)}")
    return number
