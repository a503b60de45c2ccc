"""The lines of the page about HTTP, typed as they stand there, beside a real daemon."""

from __future__ import annotations

import json
import shutil
from re import search
from typing import Any
from unittest import SkipTest

from twisted.internet.threads import deferToThread

from ctidialer.contract import keys
from tests.docs.blocks import ROOT, blocks, commands
from tests.docs.docs_case import DocsCase
from tests.support.node import HOST

PAGE = ROOT / "docs" / "http.rst"
TOKEN = "a-token-that-nobody-guesses"


class HttpPageTests(DocsCase):
    async def set_up(self) -> None:
        """Start a daemon with the settings that the page shows."""
        if shutil.which("curl") is None:
            raise SkipTest("there is no curl on this machine")
        await super().set_up()
        (shown,) = [block.text for block in blocks(PAGE) if "[http]" in block.text]
        self.assertIn('"127.0.0.1:8090"', shown)
        extra = shown.replace(":8090", ":0").replace("a long random text", TOKEN)
        await self.usual_tables()
        await self.put_task("renewals", limit=0)
        await self.put(keys.at(keys.TASK, HOST), {"broken": "{"})
        self.daemon = self.start_daemon(extra=extra)
        await self.is_ready()
        await self.until("HTTP is listened for", self.listens)

    async def listens(self) -> bool:
        """Say whether the log says where HTTP is listened for; keep where."""
        log = self.daemon.log_path.read_text("utf-8")
        found = search(r"HTTP is listened for on http://127\.0\.0\.1:(\d+)", log)
        self.http = f"127.0.0.1:{found[1]}" if found else ""
        return found is not None

    def lines(self) -> list[str]:
        """Return the lines with curl, for this daemon."""
        (block,) = [block for block in blocks(PAGE) if "curl" in block.text]
        return [line.replace("127.0.0.1:8090", self.http) for line in commands(block.text)]

    async def told(self, line: str) -> Any:
        """Type a line and return the JSON that it prints."""
        return json.loads(await self.type(line.replace("curl", "curl -sS", 1), {"TOKEN": TOKEN}))

    async def test_every_line(self) -> None:
        status, tasks, explain, pause, resume, records, events = self.lines()
        self.assertEqual((await self.told(status))["host"], HOST)
        self.assertEqual([one["name"] for one in (await self.told(tasks))["tasks"]], ["broken"])
        self.assertEqual((await self.told(explain))["reason"], "limit_zero")
        paused = {"task": "renewals", "paused": True, "changed": True}
        self.assertEqual(await self.told(pause), paused)
        orders = await self.call("HVALS", keys.control(HOST))
        assert isinstance(orders, list)
        noted = b"".join(one for one in orders if isinstance(one, bytes))
        self.assertIn(b'"why":"lunch"', noted)
        self.assertEqual(await self.told(resume), {**paused, "paused": False})
        self.assertEqual((await self.told(records))["records"], [])
        process = self.start_shell(f"exec {events}", {"TOKEN": TOKEN})
        assert process.stdout is not None
        said = ""
        while "event: status" not in said:
            line = await deferToThread(process.stdout.readline)
            self.assertNotEqual(line, "", said)
            said += line

    async def test_a_wrong_token(self) -> None:
        line = self.lines()[0].replace("curl", "curl -sS", 1)
        error = json.loads(await self.type(line, {"TOKEN": "wrong"}))["error"]
        self.assertEqual(error["code"], "unauthorized")
        self.assertIn("Authorization: Bearer", error["message"])
