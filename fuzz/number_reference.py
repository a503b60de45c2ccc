"""An entry of a number list, read by other means than the product's."""

from __future__ import annotations

import json
import re
import unicodedata
from fractions import Fraction
from typing import Any

REFUSED = "refused"
UNSURE = "unsure"
"""Another JSON reader has other limits: depth, and the digits of a number."""

_DEEP = 100
_MANY_DIGITS = re.compile(rb"[0-9]{300}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_WIDE = re.compile("[\uff10-\uff19\uff0b\uff0a\uff03]")
_LONGEST = 1024
_LONGEST_FRACTION = 64
_MOST_STRINGS = 4
_DIRECTIONS = ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
_MARKS = (
    *("ZERO WIDTH SPACE", "ZERO WIDTH NON-JOINER", "ZERO WIDTH JOINER", "WORD JOINER"),
    *("ZERO WIDTH NO-BREAK SPACE", "MONGOLIAN VOWEL SEPARATOR", "LEFT-TO-RIGHT MARK"),
    *("RIGHT-TO-LEFT MARK", "ARABIC LETTER MARK"),
)


class _Digits(str):
    """A number as it is written."""

    __slots__ = ()


class _Not(Exception):
    """It is no entry."""


def read_entry(data: bytes, pattern: re.Pattern[str]) -> object:
    """Return number and variables, or `REFUSED`, or `UNSURE`."""
    if _MANY_DIGITS.search(data) or data.count(b"[") + data.count(b"{") > _DEEP:
        return UNSURE
    try:
        held = _held(_bare(data.decode()))
        number, variables = (held, {}) if isinstance(held, str) else _entry(held)
        return (_number(number, pattern), variables)
    except (ValueError, _Not):
        return REFUSED


def _held(text: str) -> str | dict[str, Any]:
    """Return the object that an entry is or holds, or its plain text."""
    for _ in range(_MOST_STRINGS):
        if not text.startswith(("{", '"')):
            break
        document = json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=_whole,
            parse_float=lambda digits: ("fraction", _Digits(digits)),
            parse_constant=_refuse,
        )
        _check_text(document)
        if isinstance(document, dict):
            return document
        text = _bare(document)
    return text


def _bare(text: str) -> str:
    """Return a text without what is not seen at its two ends."""
    begin, end = 0, len(text)
    while begin < end and _is_unseen(text[begin]):
        begin += 1
    while begin < end and _is_unseen(text[end - 1]):
        end -= 1
    return text[begin:end]


def _is_unseen(mark: str) -> bool:
    return (
        mark.isspace()
        or unicodedata.bidirectional(mark) in _DIRECTIONS
        or unicodedata.name(mark, "") in _MARKS
    )


def _entry(document: dict[str, Any]) -> tuple[str, dict[str, str]]:
    number = _object(document.get("params")).get("number")
    if isinstance(number, tuple):
        number = _unfolded(number[1])
    if not isinstance(number, str):
        raise _Not
    variables = _object(document.get("variables"))
    found = {name: _value(name, value) for name, value in variables.items() if value is not None}
    return str(number), {name: value for name, value in found.items() if value}


def _unfolded(written: str) -> str:
    """Return the digits of a whole number with a fraction or an exponent."""
    mantissa, _, exponent = written.lower().partition("e")
    places = int(exponent or 0) - len(mantissa.partition(".")[2])
    if len(written) > _LONGEST_FRACTION or abs(places) > _LONGEST_FRACTION:
        raise _Not
    value = Fraction(written)
    if value.denominator != 1:
        raise _Not
    return ("-" if written.startswith("-") else "") + str(abs(value.numerator))


def _whole(digits: str) -> _Digits:
    return _Digits(str(int(digits)))


def _refuse(constant: str) -> None:
    raise _Not


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for name, value in pairs:
        _check_text(name)
        _check_text(value)
    return dict(pairs)


def _check_text(value: object) -> None:
    """Raise ValueError for a lone surrogate, which is no text."""
    if isinstance(value, str):
        value.encode()
    for inner in value if isinstance(value, list) else ():
        _check_text(inner)


def _object(value: object) -> dict[str, Any]:
    if value is None or value == [] or (type(value) is str and not value.strip()):
        return {}
    if not isinstance(value, dict):
        raise _Not
    return value


def _value(name: str, value: object) -> str:
    if isinstance(value, tuple):
        value = value[1]
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str) or not _NAME.match(name) or "\0" in value:
        raise _Not
    return str(value)


def _number(number: str, pattern: re.Pattern[str]) -> str:
    number = _bare(number)
    narrow = _WIDE.sub(lambda wide: unicodedata.normalize("NFKC", wide[0]), number)
    if not narrow or len(narrow) > _LONGEST or not pattern.fullmatch(narrow):
        raise _Not
    return narrow
