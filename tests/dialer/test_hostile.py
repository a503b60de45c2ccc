"""Whatever stands in Redis, FreeSWITCH is sent nothing but the calls that were meant.

What each entry means is worked out here a second time, with the standard library's JSON, so that
the daemon's own reading is checked and not repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from ctidialer.contract.record import Outcome, Record
from ctidialer.switchsim.calllog import OriginateLine
from fuzz.number_reference import UNSURE, read_entry
from tests.dialer.switch_case import OURS, SwitchTestCase
from tests.hostile import DOCUMENTS, GIANTS, HOSTILE_ENTRIES
from tests.support.node import HOST

RESERVED = {
    "cti_task_name",
    "cti_dial_number",
    "cti_line_name",
    "cti_line_group_name",
    "cti_host",
    "origination_uuid",
}
DEFAULTS = {"ignore_early_media": "true", "originate_timeout": "60"}
MAX_VARIABLES = 1000

NUMBER = re.compile(r"\+?[0-9*#]{1,32}")

Meaning = tuple[str, dict[str, str]]
"""A number and its variables."""


def meaning(raw: bytes) -> Meaning | None:
    """Return what an entry asks for, None where it asks for nothing that may be dialed."""
    found = read_entry(raw, NUMBER)
    if isinstance(found, tuple):
        return found if can_be_carried(found[1]) else None
    return _plain_meaning(raw) if found is UNSURE else None


def _plain_meaning(raw: bytes) -> Meaning | None:
    """Return what an entry asks for that is too large for the other reader."""
    try:
        text = raw.decode().strip()
        number, variables = _document(text) if text.startswith("{") else (text, {})
        "".join([number, *variables, *variables.values()]).encode()
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    if not NUMBER.fullmatch(number):
        return None
    return (number, variables) if can_be_carried(variables) else None


def _document(text: str) -> Meaning:
    document = json.loads(text, parse_int=str, parse_float=_Fraction, parse_constant=_Fraction)
    number = document["params"]["number"]
    variables = document.get("variables") or {}
    if not isinstance(number, str) or isinstance(number, _Fraction):
        raise TypeError("no number")
    return number, {name: _text(value) for name, value in variables.items() if value not in ("",)}


class _Fraction(str):
    """A JSON number that is no whole one."""


def _text(value: object) -> str:
    if not isinstance(value, str | bool):
        raise TypeError("no value of a variable")
    return value if isinstance(value, str) else str(value).lower()


def can_be_carried(variables: Mapping[str, str]) -> bool:
    """Say whether FreeSWITCH can be given these variables unchanged (docs/freeswitch.rst)."""
    return len(variables) < MAX_VARIABLES and all(
        re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name)
        and not value.startswith("ARRAY::")
        and not any(part in value for part in ("\0", "${", ":_:"))
        and _closes_its_braces(value)
        for name, value in variables.items()
    )


def _closes_its_braces(value: str) -> bool:
    bare = re.sub("[^{}]", "", value)
    while "{}" in bare:
        bare = bare.replace("{}", "")
    return not bare


def intended(number: str, uuid: str, variables: Mapping[str, str], task: str) -> dict[str, str]:
    """Return exactly the variables that a call must carry, by their names in small letters."""
    theirs = {name.lower(): value for name, value in variables.items()}
    return {
        **DEFAULTS,
        **{name: value for name, value in theirs.items() if name not in RESERVED},
        "cti_task_name": task,
        "cti_dial_number": number,
        "cti_line_name": "l",
        "cti_line_group_name": "g",
        "cti_host": HOST,
        "origination_uuid": uuid,
    }


class HostileCase(SwitchTestCase):
    """What must hold after anything at all was put into Redis."""

    def assert_as_meant(
        self,
        call: OriginateLine,
        number: str,
        variables: Mapping[str, str],
        *,
        task: str = "t",
        to: str = "8888",
    ) -> None:
        """Check that one originate asks for one call to ``number``, and for nothing else."""
        self.assertEqual(call.legs, 1)
        self.assertEqual(call.number, number)
        self.assertTrue(call.dial_string.endswith(f"}}sofia/gateway/l/{number}"))
        self.assertEqual((call.extension, call.dialplan, call.context), (to, "XML", "default"))
        arrived = {name.lower(): value for name, value in call.variables.items()}
        self.assertEqual(len(arrived), len(call.variables))
        self.assertEqual(arrived, intended(number, call.uuid_asked, variables, task))

    async def assert_goes_on(self, records: int) -> None:
        """Check that the switch was given no odd command, and that a good number is dialed."""
        await self.put_numbers(["13900000001"])
        (*_, last) = await self.records_of(records + 1)
        self.assertEqual((last.number, last.outcome), ("13900000001", Outcome.ANSWERED))
        self.assertEqual(self.switch_log().commands, ())
        self.assertLessEqual(await self.commands_run(), OURS)
        await self.nothing_in_flight()


class HostileEntryTests(HostileCase):
    """Every hostile entry ends in one record, dialed as it was meant or refused with a reason."""

    async def dial_all(self, entries: Sequence[bytes], max_entry: int = 65_536) -> None:
        await self.usual_tables(limit=50)
        await self.put_numbers(entries)
        self.start_dialer(self.settings(max_entry=max_entry))
        records = await self.records_of(len(entries))
        self.assertEqual(sorted(record.entry for record in records), sorted(entries))
        self.assert_accounted_for(records)
        calls = {line.uuid_asked: line for line in self.switch_log().originates}
        for record in records:
            self.assert_handled(record, calls)
        await self.assert_goes_on(len(entries))

    def assert_handled(self, record: Record, calls: Mapping[str, OriginateLine]) -> None:
        meant = meaning(record.entry)
        if meant is None:
            self.assertIs(record.outcome, Outcome.INVALID, record.entry[:200])
            self.assertNotEqual(record.reason, "")
            self.assertEqual(record.attempts, ())
        else:
            self.assertIs(record.outcome, Outcome.ANSWERED, (record.entry[:200], record.reason))
            (attempt,) = record.attempts
            self.assert_as_meant(calls[attempt.uuid], *meant)

    async def test_fragments(self) -> None:
        kept = {*DOCUMENTS, *GIANTS}
        entries = [entry for entry in HOSTILE_ENTRIES if entry not in kept]
        self.assertGreater(sum(meaning(entry) is not None for entry in entries), 50)
        self.assertGreater(sum(meaning(entry) is None for entry in entries), 50)
        await self.dial_all(entries)

    async def test_documents(self) -> None:
        await self.dial_all([entry for entry in HOSTILE_ENTRIES if entry in DOCUMENTS])

    async def test_giants(self) -> None:
        giants = [entry for entry in HOSTILE_ENTRIES if entry in GIANTS]
        await self.dial_all(giants, max_entry=1 << 20)
