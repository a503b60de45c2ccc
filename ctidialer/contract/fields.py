"""The kinds of value that stand in the documents, each read with its faults.

Every reader returns None where the value is at fault, after noting the fault.
"""

from __future__ import annotations

import re
import unicodedata

from ctidialer.contract.document import Node, NumberText, Params, shown

LARGEST = 2_147_483_647
_SLOWEST = 1e-6
_FASTEST = 1e6
_LONGEST_NUMBER = 64  # characters; also keeps normalisation from growing a megabyte
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FLAGS = {"true": True, "false": False}


def normalised(text: str) -> str:
    """Return ``text`` with full-width digits and signs as ASCII, white space around it cut off.

    Text too long to be a number or a time is returned as it is.
    """
    return unicodedata.normalize("NFKC", text).strip() if len(text) <= _LONGEST_NUMBER else text


def text(node: Node) -> str | None:
    """Read a text on one line, not empty; a number stands for its digits, as written."""
    value = _as_written(node.value)
    if value is None:
        node.fault(f"must be a string, not {shown(node.value)}")
    elif not value.strip():
        node.fault("must not be empty")
    elif _CONTROL.search(value):
        node.fault(f"must be one line without control characters, not {shown(value)}")
    else:
        return value
    return None


def word(node: Node) -> str | None:
    """Read a text as `text` does, white space around it cut off."""
    value = text(node)
    return None if value is None else value.strip()


def flag(node: Node) -> bool | None:
    """Read a boolean, or a string that holds one."""
    value = node.value
    if isinstance(value, str):
        value = _FLAGS.get(normalised(value).lower())
    if isinstance(value, bool):
        return value
    node.fault(f"must be true or false, not {shown(node.value)}")
    return None


def decimal(node: Node, least: float = 0.0, most: float = LARGEST) -> float | None:
    """Read a number, or a string that holds one, from ``least`` to ``most``."""
    value = _number(node.value)
    if value is not None and least <= value <= most:
        return value
    node.fault(f"must be a number from {least:g} to {most:.10g}, not {shown(node.value)}")
    return None


def whole(node: Node, least: int = 0, most: int = LARGEST) -> int | None:
    """Read a whole number, or a string that holds one, from ``least`` to ``most``."""
    value = _number(node.value)
    if value is not None and least <= value <= most and value.is_integer():
        return int(value)
    node.fault(f"must be a whole number from {least} to {most}, not {shown(node.value)}")
    return None


def seconds(node: Node) -> float | None:
    """Read milliseconds; the value is in seconds."""
    value = decimal(node)
    return None if value is None else value / 1000


def rate(node: Node) -> float | None:
    """Read call starts per second, fractions allowed, greater than 0."""
    value = decimal(node, 0.0, _FASTEST)
    if value is not None and value < _SLOWEST:
        node.fault(
            f"must be greater than 0, not {shown(node.value)}: "
            "leave it out for no rate limit (a limit or count of 0 places no calls)"
        )
        return None
    return value


def items(node: Node) -> list[Node] | None:
    """Read a list."""
    if not isinstance(node.value, list):
        node.fault(f"must be a list, not {shown(node.value)}")
        return None
    return [node.item(index, value) for index, value in enumerate(node.value)]


def texts(node: Node) -> tuple[str, ...] | None:
    """Read a list of texts, each as `text` does."""
    nodes = items(node)
    if nodes is None:
        return None
    found = (text(item) for item in nodes)
    return tuple(value for value in found if value is not None)


def some_texts(node: Node) -> tuple[str, ...] | None:
    """Read a list of texts that must not be empty."""
    if node.value == []:
        node.fault("must not be empty")
    return texts(node)


def members(node: Node) -> dict[str, Node] | None:
    """Read an object without its nulls; ``[]`` is one too: so PHP writes an empty object."""
    if node.value == []:
        return {}
    if not isinstance(node.value, dict):
        node.fault(f"must be an object, not {shown(node.value)}")
        return None
    return {k: node.member(k, v) for k, v in node.value.items() if v is not None}


def parts(root: Node) -> tuple[Params, Node | None]:
    """Return the ``params`` of a document, which must be complete, and its ``variables``."""
    document = members(root) or {}
    node = document.get("params", root.member("params", {}))
    found = members(node) or {}
    return Params(found, node, complete=not root.faults), document.get("variables")


def _as_written(value: object) -> str | None:
    if isinstance(value, NumberText):
        return value.text
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    written = _as_written(value)
    if written is None or len(written) > _LONGEST_NUMBER:
        return None
    digits = normalised(written)
    return float(digits) if _NUMBER.fullmatch(digits) else None
