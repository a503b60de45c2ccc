"""An entry of a number list, read by other means than the product's."""

from __future__ import annotations

import json
import re
from typing import Any

REFUSED = "refused"
UNSURE = "unsure"
"""Another JSON reader has other limits: depth, and the digits of a number."""

_DEEP = 100
_MANY_DIGITS = re.compile(rb"[0-9]{300}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_LONGEST = 1024


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
        text = data.decode().strip()
        number, variables = _json_entry(text) if text.startswith("{") else (text, {})
        return (_number(number, pattern), variables)
    except (ValueError, _Not):
        return REFUSED


def _json_entry(text: str) -> tuple[str, dict[str, str]]:
    document = json.loads(
        text,
        object_pairs_hook=_members,
        parse_int=_whole,
        parse_float=lambda digits: ("fraction", _Digits(digits)),
        parse_constant=_refuse,
    )
    params = _object(document.get("params"))
    number = params.get("number")
    if not isinstance(number, str):
        raise _Not
    variables = _object(document.get("variables"))
    found = {name: _value(name, value) for name, value in variables.items() if value is not None}
    return str(number), {name: value for name, value in found.items() if value}


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
    if value is None or value == []:
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
    if not number or len(number) > _LONGEST or not pattern.fullmatch(number):
        raise _Not
    return number
