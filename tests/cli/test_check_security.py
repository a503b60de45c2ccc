"""``ctidialer check --security``, against real servers and files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from secrets import token_hex

from tests.cli.command_case import CommandTestCase
from tests.support.redis import link_to, own_redis

# Processes of other runs of these tests have theirs on their command lines.
PASSWORD = f"r3dis-{token_hex(8)}"
ACL = (
    "user default on nopass ~* +@all",
    f"user limited on >{PASSWORD} ~cti_* resetchannels -@all +ping +select +role",
    f"user seeing on >{PASSWORD} ~cti_* -@all +ping +select +role +acl|whoami +acl|getuser",
)


class SecurityTests(CommandTestCase):
    """What is found, where, and the exit status."""

    async def found(self, toml: str, mode: int = 0o600, **environ: str) -> dict[str, str]:
        """Return the severities by path or key."""
        name = self.write("s.toml", toml)
        (self.directory / name).chmod(mode)
        done = await self.run_command("check", "--security", "--json", "--config", name)
        self.assertNotIn(PASSWORD, done.out + done.err)
        self.assertNotIn("Traceback", done.err)
        findings = done.json()
        faults = any(one["severity"] == "fault" for one in findings)
        self.assertEqual(done.status, 1 if faults else 0, done)
        return {one["path"] or one["key"]: one["severity"] for one in findings}

    def settings(self, url: str, password: str = "mine") -> str:
        return f'[redis]\nurl = "{url}"\n[freeswitch]\npassword = "{password}"\n'

    async def test_a_redis_with_a_password_and_all_rights(self) -> None:
        server = await own_redis(self, password=PASSWORD)
        found = await self.found(self.settings(server.url))
        self.assertEqual(list(found.values()), ["warning"], found)  # +@all ~*

    async def test_a_redis_without_a_password_beyond_this_machine(self) -> None:
        server = await own_redis(self, directives=("protected-mode no", "bind 0.0.0.0"), port=0)
        found = await self.found(self.settings(server.url, "ClueCon"))
        self.assertEqual(found[server.url], "warning")  # its rights; the last of two findings
        done = await self.run_command("check", "--security", "--config", "s.toml")
        self.assertIn(f"fault: {server.url}: takes commands from anybody", done.out)
        self.assertIn("warning: settings $.freeswitch.password: is FreeSWITCH's", done.out)
        self.assertIn("1 fault, 2 warnings, 0 notices", done.out)

    async def test_rights_that_cannot_be_asked(self) -> None:
        server = await own_redis(self, port=0)
        redis = link_to(self, server.url)
        await redis.when_up(60)
        for line in ACL:
            await redis.call("ACL", "SETUSER", *line.split()[1:])
        for user in ("limited", "seeing"):
            url = server.url.replace("redis://", f"redis://{user}:{PASSWORD}@")
            found = await self.found(self.settings(url))
            # The default user still lets everybody in, and this one cannot do the daemon's work.
            self.assertEqual(list(found.values()), ["fault"], found)

    async def test_a_file_that_everybody_can_read(self) -> None:
        server = await own_redis(self, password=PASSWORD)
        found = await self.found(self.settings(server.url), 0o644)
        self.assertEqual(found["s.toml"], "fault")
        found = await self.found(self.settings("unix:///none.sock", "ClueCon"), 0o644)
        self.assertNotIn("s.toml", found)

    async def test_a_redis_that_is_away(self) -> None:
        found = await self.found(self.settings(f"unix://:{PASSWORD}@/nowhere.sock?db=0"))
        # Processes of other tests may have the password on their command lines.
        found = {key: what for key, what in found.items() if not key.startswith("process ")}
        self.assertEqual(found, {"unix://:***@/nowhere.sock?db=0": "fault"})

    async def test_a_password_on_a_command_line(self) -> None:
        server = await own_redis(self, password=PASSWORD)
        other = subprocess.Popen([sys.executable, "-c", "input()", PASSWORD], stdin=-1)
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        found = await self.found(self.settings(server.url))
        self.assertEqual(found[f"process {other.pid}"], "fault")
        url = server.url
        done = await self.run_command("check", "--security", "--json", "--redis", url)
        keys = [one["key"] for one in json.loads(done.out)]
        self.assertIn("--redis", keys)
        self.assertNotIn(f"process {os.getpid()}", keys)
