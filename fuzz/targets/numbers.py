"""Entries of number lists and of the schedule, and the calls that they would make."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from random import Random

from attrs import evolve

from ctidialer.contract.faults import Fault
from ctidialer.contract.number import NumberEntry
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.schedule import ScheduledNumber
from ctidialer.contract.schedule_document import decode_scheduled_number
from ctidialer.rules.originate import MAX_VARIABLES
from ctidialer.rules.soundness import number_faults
from fuzz.calls import BASE, check_call
from fuzz.faults import decoded, shape_of
from fuzz.json_shapes import restructured
from fuzz.meter import Broken, Meter
from fuzz.number_reference import REFUSED, UNSURE, read_entry
from fuzz.target import Target
from tests.contract import seed_examples
from tests.hostile import FRAGMENTS, HOSTILE_ENTRIES, entry

USUAL = re.compile(r"\+?[0-9*#]{1,32}")
ANYTHING = re.compile(r".{1,64}", re.DOTALL)
"""An operator may allow what he likes: then the rules of originate are all that is left."""

KEYS = (
    *("params", "variables", "number", "config", "expires", "origination_uuid", "cti_host"),
    *(
        "a",
        "A",
        "_b.c-d",
        "origination_caller_id_number",
        "ignore_early_media",
        "Originate_Timeout",
    ),
)
_OWN = 20  # variables that a call has beside the entry's, generously


def seeds() -> list[bytes]:
    """Return good entries of each kind, and every hostile one."""
    good = [
        b"13800138000",
        b" +8613800138000\r\n",
        b'{"params":{"number":13800138000}}',
        b'{"params":{"number":1.38E10}}',
        b'{"params":{"number":"+138","config":"c","expires":1700000000000.0},"variables":""}',
        b'"+13800138000"',
        b'"{\\"params\\":{\\"number\\":138.0},\\"variables\\":{\\"a\\":\\"1\\"}}"',
        "\ufeff\u202a１３８００１３８０００\u202c\u200b".encode(),
        b'{"params":{"number":"1","config":"c","expires":1700000000},"variables":{"a":"1"}}',
        b'{"params":{"number":"1","config":"c","expires":"0"},"variables":[]}',
        b'{"params":{"number":"1"},"variables":{"a":1.10,"b":1e3,"c":true,"d":null,"e":""}}',
        entry("1", {"origination_caller_id_number": "主叫号码", "absolute_codec_string": "a,b"}),
        entry("*61#", {"x": "it's {a} \\ \n\t=,|", "X": "y"}),
        seed_examples.NUMBER,
    ]
    return [*good, *HOSTILE_ENTRIES]


def examine(data: bytes, meter: Meter) -> Hashable:
    """Read an entry as the number list's and as the schedule's, and place the calls."""
    size = len(data)
    wide = decoded(meter, "decode_number", size, lambda: decode_number(data, ANYTHING))
    _check_entry(data, ANYTHING, wide)
    if isinstance(wide, NumberEntry):
        usual = decoded(meter, "decode_number", size, lambda: decode_number(data, USUAL))
        _check_entry(data, USUAL, usual)
    scheduled = decoded(
        meter, "decode_scheduled_number", size, lambda: decode_scheduled_number(data, ANYTHING)
    )
    _check_alike(wide, scheduled)
    called = not isinstance(wide, tuple) and _check_called(wide.number, wide.variables, meter)
    return shape_of(wide), shape_of(scheduled), called


def _check_entry(
    data: bytes, pattern: re.Pattern[str], found: NumberEntry | tuple[Fault, ...]
) -> None:
    """Compare with another reader of the same rules."""
    expected = read_entry(data, pattern)
    if expected is UNSURE:
        return
    got = REFUSED if isinstance(found, tuple) else (found.number, dict(found.variables))
    if got != expected:
        raise Broken("an entry is read as it is written", f"{got!r}, not {expected!r}"[:2000])


def _check_alike(
    entry_: NumberEntry | tuple[Fault, ...], scheduled: ScheduledNumber | tuple[Fault, ...]
) -> None:
    """See that what both may hold is the same in both."""
    if isinstance(entry_, NumberEntry) and isinstance(scheduled, ScheduledNumber):
        pair = (scheduled.number, scheduled.variables)
        if pair != (entry_.number, entry_.variables) or not scheduled.config:
            raise Broken("list and schedule read alike", f"{entry_!r}, {scheduled!r}"[:2000])
        if scheduled.expires is not None and not 0 < scheduled.expires <= 1e15:
            raise Broken("expires is a time", repr(scheduled.expires))


def _check_called(number: str, variables: Mapping[str, str], meter: Meter) -> bool:
    """See that a number is refused beforehand exactly where no call could carry it."""
    size = len(number) + sum(len(name) + len(value) for name, value in variables.items())
    faults = meter.run("number_faults", size, lambda: number_faults(number, variables))
    command = check_call(evolve(BASE, number=number, variables=variables), meter)
    at_the_edge = len(variables) > MAX_VARIABLES - _OWN
    if bool(faults) is not (command is None) and not at_the_edge:
        raise Broken("what is not refused can be called", f"{number!r} {variables!r}"[:2000])
    return command is not None


def restructure(data: bytes, other: bytes, random: Random) -> bytes:
    """Change a JSON entry along its structure; make one of, or add to, a plain one."""
    if data.lstrip()[:1] == b"{" and random.random() < 0.9:
        return restructured(data, other, random, KEYS)
    return entry(
        random.choice(("1", "13800138000")) + random.choice(("", *FRAGMENTS)),
        {random.choice(KEYS): "".join(random.choices(FRAGMENTS, k=random.randrange(4)))},
    )


TARGET = Target(
    name="numbers",
    seeds=seeds,
    tokens=(
        *(key.encode() for key in KEYS),
        *(fragment.encode() for fragment in FRAGMENTS),
        *(b'{"params":{"number":"', b'"},"variables":{"', b'":"', b'"}}', b"\\u0000", b"\\ud800"),
        *("\ufeff".encode(), "\u200b".encode(), "\u202e".encode(), "１".encode(), b"e10", b".0"),
        *(b"null", b"true", b'""', b'\\"', b"[]", b"{}", b"[", b"]", b"{", b"}", b",", b":"),
    ),
    examine=examine,
    restructure=restructure,
)
