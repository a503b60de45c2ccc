"""The kinds of value that stand in the documents, each read with its faults.

Every reader returns None where the value is at fault, after noting the fault.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from ctidialer.contract.document import FaultList, NumberText, Params, Place, shown
from ctidialer.contract.problems import Problem

Word = TypeVar("Word", bound=enum.Enum)

MAX_INTEGER = 2_147_483_647
_MIN_RATE = 1e-6
_MAX_RATE = 1e6
_MAX_NUMBER_LENGTH = 64  # characters; also keeps normalisation from growing a megabyte
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FLAGS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_BETWEEN = re.compile(r"[,;\u3001\uff0c\uff1b\s]+")
"""Between the values of a list in one string, in Chinese texts too."""


def normalised(text: str) -> str:
    """Return ``text`` with full-width digits and signs as ASCII, white space around it cut off.

    Text too long to be a number or a time is returned as it is.
    """
    return unicodedata.normalize("NFKC", text).strip() if len(text) <= _MAX_NUMBER_LENGTH else text


def text(node: Place) -> str | None:
    """Read a text on one line, not empty; a number stands for its digits, as written."""
    value = as_written(node.value)
    if value is None:
        node.fault(Problem.NO_STRING.of(value=shown(node.value)))
    elif not value.strip():
        node.fault(Problem.EMPTY.of())
    elif _CONTROL.search(value):
        node.fault(Problem.CONTROL_CHARACTERS.of(value=shown(value)))
    else:
        return value
    return None


def word(node: Place) -> str | None:
    """Read a text as `text` does, white space around it cut off."""
    value = text(node)
    return None if value is None else value.strip()


def one_of(node: Place, words: type[Word]) -> Word | None:
    """Read one of a few words, in any case."""
    written = word(node)
    found = next((one for one in words if one.value == (written or "").lower()), None)
    if written is not None and found is None:
        known = ", ".join(str(one.value) for one in words)
        node.fault(Problem.NO_OUTCOME.of(known=known, value=shown(written)))
    return found


def flag(node: Place) -> bool | None:
    """Read a boolean: true, yes, on, 1, false, no, off, 0, in any case, also in a string."""
    written = node.value if isinstance(node.value, bool) else as_written(node.value)
    value = _FLAGS.get(normalised(str(written)).lower())
    if value is None:
        node.fault(Problem.NO_FLAG.of(value=shown(node.value)))
    return value


def decimal(node: Place, least: float = 0.0, most: float = MAX_INTEGER) -> float | None:
    """Read a number, or a string that holds one, from ``least`` to ``most``."""
    value = _number(node.value)
    if value is not None and least <= value <= most:
        return value
    bounds = {"least": f"{least:g}", "most": f"{most:.10g}"}
    node.fault(Problem.NO_NUMBER_BETWEEN.of(value=shown(node.value), **bounds))
    return None


def whole(node: Place, least: int = 0, most: int = MAX_INTEGER) -> int | None:
    """Read a whole number, or a string that holds one, from ``least`` to ``most``."""
    value = _number(node.value)
    if value is not None and least <= value <= most and value.is_integer():
        return int(value)
    problem = Problem.NO_WHOLE_NUMBER_BETWEEN
    node.fault(problem.of(value=shown(node.value), least=least, most=most))
    return None


def seconds(node: Place) -> float | None:
    """Read milliseconds; the value is in seconds."""
    value = decimal(node)
    return None if value is None else value / 1000


def rate(node: Place) -> float | None:
    """Read call starts per second, fractions allowed, greater than 0."""
    value = decimal(node, 0.0, _MAX_RATE)
    if value is not None and value < _MIN_RATE:
        node.fault(Problem.NO_RATE.of(value=shown(node.value)))
        return None
    return value


def items(node: Place) -> list[Place] | None:
    """Read a list without what is not configured in it.

    ``{"0": …, "2": …}`` is one too: so PHP writes an array with gaps.
    """
    found = _indexed(node) if isinstance(node.value, dict) else _listed(node)
    if found is None:
        return None
    return [item for item in found if is_configured(item.value)]


def some_items(node: Place) -> list[Place] | None:
    """Read a list of numbers or words; ``1``, ``"1"`` and ``"1,2,3"`` are lists too."""
    value = node.value
    if isinstance(value, str):
        words = (word for word in _BETWEEN.split(value) if word)
        return [Place(word, node.path, node.faults, node.key) for word in words]
    return items(node) if as_written(value) is None else [node]


def texts(node: Place) -> tuple[str, ...] | None:
    """Read a list of texts, each as `text` does; one text alone is a list too."""
    nodes = items(node) if as_written(node.value) is None else [node]
    if nodes is None:
        return None
    found = (text(item) for item in nodes)
    return tuple(value for value in found if value is not None)


def some_texts(node: Place) -> tuple[str, ...] | None:
    """Read a list of texts that must not be empty."""
    if items(Place(node.value, "$", FaultList())) == []:
        node.fault(Problem.EMPTY.of())
        return None
    return texts(node)


def is_configured(value: object) -> bool:
    """Return whether a value says anything: ``null`` and an empty text do not."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def members(node: Place) -> dict[str, Place] | None:
    """Read an object without what is not configured in it.

    ``[]`` is an object too: so PHP writes an empty one.
    """
    if node.value == []:
        return {}
    if not isinstance(node.value, dict):
        node.fault(Problem.NO_OBJECT.of(value=shown(node.value)))
        return None
    return {k: node.member(k, v) for k, v in node.value.items() if is_configured(v)}


def parts(root: Place) -> tuple[Params, Place | None]:
    """Return the ``params`` of a document, which must be complete, and its ``variables``."""
    document = members(root) or {}
    node = document.get("params") or root.member("params", {})
    found = members(node) or {}
    return Params(found, node, complete=not root.faults), document.get("variables")


def as_written(value: object) -> str | None:
    """Return a string, or the digits of a number; None for what is neither.

    A number that is whole is written without fraction and exponent.
    """
    if isinstance(value, NumberText):
        return whole_digits(value.text) or value.text
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def whole_digits(written: str) -> str | None:
    """Return the digits of a JSON number (``1.38E10``, ``138.0``); None if it is not whole, or
    longer than any number that is meant."""
    if len(written) > _MAX_NUMBER_LENGTH:
        return None
    try:
        number = Decimal(written)
    except InvalidOperation:  # an exponent beyond all bounds
        return None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _MAX_NUMBER_LENGTH:
        return None
    whole_part, _, fraction = f"{number:f}".partition(".")
    return None if fraction.strip("0") else whole_part


def _listed(node: Place) -> list[Place] | None:
    if not isinstance(node.value, list):
        node.fault(Problem.NO_LIST.of(value=shown(node.value)))
        return None
    return [node.item(index, value) for index, value in enumerate(node.value)]


def _indexed(node: Place) -> list[Place] | None:
    found = members(node) or {}
    if not all(_INDEX.fullmatch(name) for name in found):
        node.fault(Problem.OBJECT_FOR_LIST.of())
        return None
    if sorted(found, key=int) != list(found):
        node.fault(Problem.LIST_OUT_OF_ORDER.of())
        return None
    return list(found.values())


def _number(value: object) -> float | None:
    written = as_written(value)
    if written is None or len(written) > _MAX_NUMBER_LENGTH:
        return None
    digits = normalised(written)
    return float(digits) if _NUMBER.fullmatch(digits) else None
