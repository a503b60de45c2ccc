"""What must hold of every refusal of a document, and its shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from ctidialer.contract.faults import ContractError, Fault
from fuzz.meter import Broken, Meter

T = TypeVar("T")

MOST = 51
_LONGEST = 2000
_PARTICULAR = re.compile(r'".*"|[0-9]+|\[.*?\]')


def decoded(meter: Meter, name: str, size: int, read: Callable[[], T]) -> T | tuple[Fault, ...]:
    """Return what ``read`` makes of a document, or its faults; any other exception comes out."""
    try:
        return meter.run(name, size, read)
    except ContractError as error:
        check_faults(name, error.faults)
        return error.faults


def check_faults(name: str, faults: tuple[Fault, ...]) -> None:
    """See that a refusal says why, at bearable length and in characters that can be shown."""
    if not 1 <= len(faults) <= MOST:
        raise Broken("number of faults", f"{name} names {len(faults)}")
    for fault in faults:
        if not fault.path.startswith("$") or not f"{fault.path}{fault.problem}".isprintable():
            raise Broken("faults are printable", f"{name}: {fault!r}")
        if len(fault.path) + len(fault.problem) > _LONGEST:
            raise Broken("faults are short", f"{name}: {fault!r}")


def shape_of(result: object) -> str:
    """Return the kind of a result: of faults, the first ones without their particulars."""
    if not isinstance(result, tuple):
        return type(result).__name__
    return "; ".join(_PARTICULAR.sub("", f"{fault.path} {fault.problem}") for fault in result[:3])
