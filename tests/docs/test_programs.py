"""The programs on the pages about the parts, run as they stand there."""

from __future__ import annotations

import json

from twisted.internet.threads import deferToThread

from tests.docs.blocks import ROOT, blocks
from tests.docs.docs_case import DocsCase
from tests.support.node import PASSWORD


class EventSocketPageTests(DocsCase):
    async def test_the_client_shown_places_a_call(self) -> None:
        page = ROOT / "docs" / "event-socket.rst"
        (block,) = [block for block in blocks(page) if "EventSocketFactory" in block.text]
        program = block.text.replace("127.0.0.1:8021", self.freeswitch().address)
        program = program.replace("ClueCon", PASSWORD)
        (self.directory / "client.py").write_text(program, encoding="utf-8")
        said = await self.type("python client.py")
        self.assertIn("UP ", said)
        self.assertRegex(said, r"(?m)^(\+OK )?[0-9a-f-]{36}$")
        self.assertEqual(len(self.switch_log().originates), 1)

    async def test_the_switch_shown_comes_back(self) -> None:
        page = ROOT / "docs" / "event-socket.rst"
        (block,) = [block for block in blocks(page) if "Subscription(" in block.text]
        program = block.text.replace("127.0.0.1:8021", self.freeswitch().address)
        program = "import sys\nsys.stdout.reconfigure(line_buffering=True)\n" + program.replace(
            "ClueCon", PASSWORD
        )
        (self.directory / "switch.py").write_text(program, encoding="utf-8")
        process = self.start_shell("exec python switch.py")
        assert process.stdout is not None
        said = await deferToThread(process.stdout.readline)
        self.assertEqual(said, "FreeSWITCH is there\n")
        said = await deferToThread(process.stdout.readline)
        self.assertRegex(said, "^UP ")


class SimulatedSwitchPageTests(DocsCase):
    async def test_it_is_started_as_shown(self) -> None:
        page = blocks(ROOT / "docs" / "simulated-switch.rst")
        lines = [block.text for block in page if "ctidialer.switchsim" in block.text]
        script, plan = (block.text for block in page if block.language == "json")
        (self.directory / "script.json").write_text(script, encoding="utf-8")
        (self.directory / "plan.json").write_text(plan, encoding="utf-8")
        for line in (*lines, f"{lines[-1].partition(' --')[0]} --callcenter plan.json"):
            await self.assert_listens(line)

    async def assert_listens(self, line: str) -> None:
        """Start a switch as a page says, on a free port; it must come to listen there."""
        command = line.replace(".venv/bin/", "").replace(" --listen 127.0.0.1:8021", "")
        process = self.start_shell(f"exec {command} --listen 127.0.0.1:0")
        assert process.stdout is not None
        said = await deferToThread(process.stdout.readline)
        self.assertGreater(json.loads(said)["port"], 0)
