"""One call as FreeSWITCH would read it: exactly what was meant arrives, or nothing is sent."""

from __future__ import annotations

import re

from ctidialer.contract.placeholders import Fillable
from ctidialer.contract.task import Destination
from ctidialer.rules.dialstring import RESERVED
from ctidialer.rules.originate import MAX_COMMAND_BYTES, Call, Uncarriable, originate_command
from fuzz.meter import Broken, Meter
from tests.rules.freeswitch_reading import Reading, read

LONGEST_READ = 6000
"""Characters of a command that the (slow) reader is given; what stands in a value's thousandth
character is written as what stands in its first."""

BASE = Call(
    uuid="3a3a6dee-7fc6-4121-b6bb-d7f059200001",
    dialstring="sofia/gateway/ims/${destination_number}",
    number="13800138000",
    group="group",
    destination=Destination("8888"),
    host="fs1",
    line="ims",
    task="spring",
)
_LINE_END = re.compile(r"[\n\r\x00]")


def size_of(call: Call) -> int:
    """Return about how many bytes a call is made of."""
    texts = [call.dialstring, call.number, call.group, call.destination.extension, call.task or ""]
    variables = sum(len(name) + len(value) for name, value in call.variables.items())
    return variables + sum(map(len, texts))


def check_call(call: Call, meter: Meter) -> str | None:
    """Return the command of a call, having read it back; None = it is refused as uncarriable."""
    try:
        command = meter.run("originate_command", size_of(call), lambda: originate_command(call))
    except Uncarriable as error:
        if not str(error).isprintable() or len(str(error)) > 1000:
            raise Broken("a refusal is printable", repr(str(error))) from None
        return None
    if _LINE_END.search(command) or len(command.encode()) > MAX_COMMAND_BYTES:
        raise Broken("one command", repr(command[:500]))
    if len(command) <= LONGEST_READ:
        _check_reading(call, command)
    return command


def _check_reading(call: Call, command: str) -> None:
    reading, of_dialstring = read(command), _operators_own(call)
    if reading is None or of_dialstring is None:
        if reading is not of_dialstring:
            raise Broken("FreeSWITCH takes the command as the dial string", repr(command))
        return  # "-ERR CHAN_NOT_IMPLEMENTED": the operator's dial string names no endpoint
    _compare("the words", reading.words, _words(call.destination))
    _compare("the leg", reading.legs, of_dialstring.legs)
    if "[" not in call.dialstring and len(reading.legs) != 1:
        raise Broken("one leg", repr(command))
    got = {name.lower(): value for name, value in reading.variables.items()}
    _compare("the variables", got, _variables(call, of_dialstring.variables))


def _compare(what: str, got: object, meant: object) -> None:
    if got != meant:
        raise Broken(f"{what} arrive as meant", f"{got!r} instead of {meant!r}"[:2000])


def _words(destination: Destination) -> list[str]:
    return [destination.extension, destination.dialplan, destination.context]


def _operators_own(call: Call) -> Reading | None:
    """Return what FreeSWITCH makes of the line's dial string where nobody adds anything."""
    filled = call.dialstring.replace("${destination_number}", call.number)
    return read(filled.replace("${line_group}", call.group))


def _filled(value: str, call: Call) -> str:
    """Fill in placeholders from left to right."""
    values = {
        "uuid": call.uuid,
        "destination_number": call.number,
        "cti_task_name": call.task or "",
        "cti_dial_number": call.number,
        "cti_line_name": call.line or "",
        "cti_line_group_name": call.group,
        "cti_host": call.host,
    }
    first, *rest = value.split("${")
    pieces = [first]
    for part in rest:
        name, _, behind = part.partition("}")
        pieces += [values[name], behind]
    return "".join(pieces)


def _variables(call: Call, of_dialstring: dict[str, str]) -> dict[str, str]:
    """Return the variables that are meant, by their names in small letters."""
    meant = {"ignore_early_media": "true", "originate_timeout": "60"}
    for name, value in [*call.variables.items(), *of_dialstring.items()]:
        if value:
            meant[name.lower()] = _filled(value, call) if isinstance(value, Fillable) else value
    ours = (call.task, call.number, call.line, call.group, call.host, call.uuid)
    meant = {name: value for name, value in meant.items() if name not in RESERVED}
    return meant | {name: value for name, value in zip(RESERVED, ours, strict=True) if value}
