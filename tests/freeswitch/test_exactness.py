"""What a real FreeSWITCH makes of the commands: exactly the variables that were meant."""

from __future__ import annotations

import json

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from tests.dialer.test_hostile import intended, meaning
from tests.dialer.test_variables import AWKWARD, LEVELS
from tests.freeswitch.real_switch import RealSwitchTestCase
from tests.hostile import GIANTS, HOSTILE_ENTRIES


class ExactnessTests(RealSwitchTestCase):
    """The variables are read off the channel itself, by another connection, as JSON."""

    async def test_awkward_values_from_every_level(self) -> None:
        levels = {
            level: {f"{level}_{at}": value for at, value in enumerate(AWKWARD)} for level in LEVELS
        }
        await self.real_tables(variables=levels["template"], line_variables=levels["line"])
        host = {"params": {}, "variables": levels["host"]}
        await self.put(keys.at(keys.TASK, self.host), {"t": host})
        entry = {"params": {"number": "1"}, "variables": levels["number"]}
        await self.put_numbers([json.dumps(entry)])
        self.start_dialer()
        (record,) = await self.real_records(1)
        arrived = self.witness.variables(record.attempts[0].uuid)
        for level in LEVELS:
            for name, value in levels[level].items():
                self.assertEqual(arrived.get(name), value, name)

    async def test_placeholders(self) -> None:
        """A recording is where the task says, under the name of its call."""
        folder = self.directory.absolute()
        await self.real_tables(
            talk=400, variables={"execute_on_answer": f"record_session {folder}/${{uuid}}.wav"}
        )
        await self.put_numbers(["13800138000"])
        self.start_dialer()
        (record,) = await self.real_records(1)
        uuid = record.attempts[0].uuid
        recorded = self.witness.variables(uuid)["execute_on_answer"]
        self.assertEqual(recorded, f"record_session {folder}/{uuid}.wav")
        self.assertEqual((folder / f"{uuid}.wav").read_bytes()[:4], b"RIFF")

    async def test_hostile_entries(self) -> None:
        """Each is refused, or is one call with its own variables; FreeSWITCH runs on."""
        entries = [entry for entry in HOSTILE_ENTRIES if entry not in GIANTS]
        # Without a brake: while FreeSWITCH refuses calls, many invalid entries end in a row.
        await self.real_tables(limit=50, talk=20, brake_after=0)
        await self.put_numbers(entries)
        self.start_dialer()
        records = await self.real_records(len(entries))
        self.assertEqual(sorted(record.entry for record in records), sorted(entries))
        dialed = 0
        for record in records:
            meant = meaning(record.entry)
            self.assertEqual(record.outcome is Outcome.INVALID, meant is None, record.entry)
            if meant is not None:
                dialed += 1
                self.assert_arrived(record.attempts[0].uuid, *meant)
        self.assertEqual(len(self.witness.created), dialed)
        self.assertGreater(dialed, 50)
        await self.assert_unharmed()

    def assert_arrived(self, uuid: str, number: str, variables: dict[str, str]) -> None:
        wanted = {**intended(number, uuid, variables, "t"), "cti_host": self.host}
        arrived = {name.lower(): value for name, value in self.witness.variables(uuid).items()}
        got = {name: arrived.get(name) for name in wanted}
        self.assertEqual(got, wanted)

    async def test_large_values(self) -> None:
        value = "长, x" * 7_000
        entry = {"params": {"number": "1"}, "variables": {"big": value, "after": "x"}}
        await self.real_tables()
        await self.put_numbers([json.dumps(entry)])
        self.start_dialer()
        (record,) = await self.real_records(1)
        arrived = self.witness.variables(record.attempts[0].uuid)
        self.assertEqual((arrived["big"], arrived["after"]), (value, "x"))

    async def test_extensions_arrive_as_they_are(self) -> None:
        """An odd extension is one word; the dialplan is asked for exactly that."""
        odd = ("no such thing", "a'b", "a,b", "a\\b", "8888 XML public", "中文", "{x=1}1", "%0A")
        await self.put_line(dialstring="null/${destination_number}", count=100)
        await self.put_group()
        for at, extension in enumerate(odd):
            context = f"no-such-context-{self.host}"
            params = {"destination_extension": extension, "destination_context": context}
            await self.put_task(f"t{at}", number_queue=f"q{at}", **params)
            await self.put_numbers([str(at)], f"q{at}")
        self.start_dialer()
        records = await self.real_records(len(odd))
        for record in records:
            event = self.witness.hangups[record.attempts[0].uuid]
            self.assertEqual(event.get("Caller-Destination-Number"), odd[int(record.number or "")])
            self.assertEqual(event.get("Caller-Context"), f"no-such-context-{self.host}")
        await self.assert_unharmed()
