"""The page on the contract, typed command by command beside a running daemon."""

from __future__ import annotations

import json
import re

from ctidialer.contract import keys
from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.record_document import decode_record
from tests.docs.blocks import ROOT, blocks, commands
from tests.docs.docs_case import DocsCase
from tests.support.node import HOST

PAGE = ROOT / "docs" / "redis-contract.rst"
OPERATIONS = ROOT / "docs" / "operations.rst"

# A host's own text over the page's task: open at whatever time the tests run.
ALWAYS_OPEN = {
    "params": {
        "start_time": "2000-1-1 0:00",
        "stop_time": "2100-1-1 0:00",
        "work_hour": [],
        "work_week": [],
        "holiday": [],
    }
}


def lines_of(page: str) -> list[str]:
    """Return all commands of a page that talk to Redis, in order."""
    shell = [block for block in blocks(ROOT / page) if block.is_shell]
    return [
        line
        for block in shell
        for line in commands_or_none(block.text)
        if line.startswith("redis-cli ")
    ]


def commands_or_none(text: str) -> list[str]:
    """Return the commands of a block, none where it is no shell's."""
    try:
        return list(commands(text))
    except ValueError:
        return []


class ContractPageTests(DocsCase):
    async def typed(self, verb: str) -> list[str]:
        """Run all commands of the page with this verb; return what each printed."""
        lines = [line for line in lines_of("docs/redis-contract.rst") if line.split()[1] == verb]
        self.assertNotEqual(lines, [], f"the page shows no {verb}")
        return [(await self.type(line)).strip() for line in lines]

    async def test_the_whole_page(self) -> None:
        """Every table, number, notice and read of the page does what the page says."""
        self.assertEqual(await self.typed("HSET"), ["1"] * 10)
        self.assertEqual(await self.typed("XGROUP"), ["OK"])
        checked = await self.type("ctidialer check --host fs1")
        self.assertTrue(checked.splitlines()[-1].startswith("0 faults, "), checked)
        self.assertEqual(await self.typed("RPUSH"), ["2", "3"])
        self.assertEqual(await self.typed("ZADD"), ["1"])
        self.start_dialer()
        await self.is_ready()
        self.assertEqual(await self.typed("PUBLISH"), ["1", "1"], "the daemon listens to both")
        await self.open_survey()
        found = await self.records_of(4)
        (expired,) = [record for record in found if record.kind is Kind.SCHEDULE]
        self.assertEqual((expired.outcome, expired.task), (Outcome.EXPIRED, "callback"))
        records = [record for record in found if record.kind is Kind.QUEUE]
        self.assertEqual(
            {record.number for record in records},
            {"13800138000", "+8613800138001", "13800138002"},
        )
        self.assertEqual({record.outcome for record in records}, {Outcome.ANSWERED})
        await self.check_calls()
        (read,) = await self.typed("XREADGROUP")
        shown = [line for line in read.splitlines() if line.startswith("{")]
        self.assertEqual(
            [decode_record(line.encode()) for line in shown], list(await self.records())
        )

    async def open_survey(self) -> None:
        """Let the page's task dial now, whatever the clock says."""
        raw = await self.call("HGET", "cti_queue_dialer_task@fs1", "survey")
        assert isinstance(raw, bytes)
        limited = json.loads(raw)
        params = {**ALWAYS_OPEN["params"], **limited["params"]}
        await self.put("cti_queue_dialer_task@fs1", {"survey": {"params": params}})
        await self.published(keys.TASK, "survey")

    async def check_calls(self) -> None:
        """The calls went out as the tables of the page say."""
        calls = {call.number: call for call in self.switch_log().originates}
        for call in calls.values():
            self.assertEqual(call.variables["cti_line_name"], "trunk_a")
            self.assertEqual(call.variables["cti_line_group_name"], "trunks")
            self.assertEqual(call.variables["absolute_codec_string"], "pcma,pcmu,g729")
            # The line wins over the task and over the number.
            self.assertEqual(call.variables["origination_caller_id_number"], "02088886666")
        self.assertEqual(calls["13800138002"].variables["customer"], "42")


class OperationsPageTests(DocsCase):
    async def test_an_emergency_drain_without_the_command(self) -> None:
        await self.usual_tables()
        self.start_dialer()
        await self.is_ready()
        drain, publish, undo = lines_of("docs/operations.rst")
        self.assertEqual((await self.type(drain)).strip(), "1")
        self.assertEqual((await self.type(publish)).strip(), "1")
        await self.until("the node is drained", self.is_drained)
        self.assertIn("drained", await self.type("ctidialer explain --host fs1 t"))
        self.assertEqual((await self.type(undo)).strip(), "1")

    async def is_drained(self) -> bool:
        raw = await self.call("GET", keys.status(HOST))
        return isinstance(raw, bytes) and json.loads(raw)["drain"] is not None


class EveryPageTests(DocsCase):
    """No page shows a command that Redis refuses."""

    async def test_redis_takes_every_command(self) -> None:
        seen = 0
        for page in sorted((ROOT / "docs").rglob("*.rst")):
            await self.call("FLUSHALL")
            for line in lines_of(page.relative_to(ROOT).as_posix()):
                said = await self.type(line.replace("BLOCK 5000", "BLOCK 10"))
                refused = said.startswith(("ERR", "WRONG", "NO", "(error)"))
                self.assertFalse(refused, f"{page.name}: {line}\n{said}")
                seen += 1
        self.assertGreater(seen, 30)


class RunbookPageTests(DocsCase):
    async def test_what_it_asks_redis(self) -> None:
        """Each question within its text is answered, beside a daemon that has dialed a number."""
        text = (ROOT / "docs" / "runbook.rst").read_text(encoding="utf-8")
        questions = re.findall(r"``(redis-cli [^`]+)``", text)
        self.assertGreater(len(questions), 4)
        await self.usual_tables()
        self.start_dialer()
        await self.put_numbers(["1001"])
        await self.records_of(1)
        await self.call("XGROUP", "CREATE", keys.records(HOST), "crm", "0")
        answers = {line: await self.type(line) for line in questions}
        for line, answer in answers.items():
            self.assertNotRegex(answer, r"^\(?(error|ERR|WRONGTYPE)", line)
            self.assertNotEqual(answer.strip(), "", line)
        self.assertIn('"pid"', answers[f"redis-cli HGET cti_dialer_lease@{HOST} holder"])
        self.assertEqual(answers[f"redis-cli TYPE {keys.records(HOST)}"].strip(), "stream")
