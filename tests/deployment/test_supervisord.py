"""``etc/supervisord/ctidialer.conf``, run by a real supervisord: start, drain, crash."""

from __future__ import annotations

import getpass
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.settings import IN_A_FILE, SECRETS
from tests.dialer.switch_case import LONG, SwitchTestCase
from tests.support.node import HOST, outcomes

SAMPLE = Path(__file__).resolve().parents[2] / "etc" / "supervisord" / "ctidialer.conf"
TWISTD = Path(sys.executable).with_name("twistd")
PROGRAM = "ctidialer"

SUPERVISORD = """
[supervisord]
nodaemon=true
logfile={directory}/supervisord.log
pidfile={directory}/supervisord.pid
childlogdir={directory}
[unix_http_server]
file={directory}/supervisor.sock
[supervisorctl]
serverurl=unix://{directory}/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[include]
files={directory}/conf.d/*.conf
"""

SETTINGS = """
[node]
host = "{host}"
timezone = "Asia/Shanghai"
lease = 1
[redis]
url = {url}
[freeswitch]
address = "{switch}"
[config]
poll_interval = 0.2
"""


class SupervisordTests(SwitchTestCase):
    """supervisord includes the sample; only its paths, and whom it runs as, are this test's."""

    async def set_up(self) -> None:
        await super().set_up()
        self.write_settings()
        self.write_sample()
        self.config = self.directory / "supervisord.conf"
        self.config.write_text(SUPERVISORD.format(directory=self.directory))
        self.supervisord = self.start_supervisord()
        self.addCleanup(self.end_supervisord)

    def write_settings(self) -> None:
        settings = SETTINGS.format(
            host=HOST, url=json.dumps(self.url), switch=self.freeswitch().address
        )
        (self.directory / "ctidialer.toml").write_text(settings)
        (self.directory / "esl_password").write_text(self.freeswitch().password + "\n")

    def write_sample(self) -> None:
        text = SAMPLE.read_text("utf-8")
        for installed, here in {
            "/opt/ctidialer/bin/twistd": TWISTD,
            "/etc/ctidialer/ctidialer.toml": self.directory / "ctidialer.toml",
            "user=ctidialer": f"user={getpass.getuser()}",
            "directory=/var/lib/ctidialer": f"directory={self.directory}",
            "/var/log/ctidialer/": f"{self.directory}/",
            "; environment=": "environment=",
            'CTIDIALER_REDIS_URL_FILE="/etc/ctidialer/redis_url",': "",
            "/etc/ctidialer/esl_password": self.directory / "esl_password",
        }.items():
            self.assertIn(installed, text)
            text = text.replace(installed, str(here))
        folder = self.directory / "conf.d"
        folder.mkdir()
        (folder / "ctidialer.conf").write_text(text)

    def start_supervisord(self) -> subprocess.Popen[bytes]:
        environ = {
            name: value
            for name, value in os.environ.items()
            if name.removesuffix(IN_A_FILE) not in SECRETS
        }
        return subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self.config)],
            env=environ,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def end_supervisord(self) -> None:
        """End it and, if that does not, kill it and its daemon."""
        pid = await self.pid()
        self.supervisord.terminate()
        try:
            await deferToThread(self.supervisord.wait, 10)
        except subprocess.TimeoutExpired:
            self.supervisord.kill()
            if pid:
                os.kill(pid, signal.SIGKILL)
            await deferToThread(self.supervisord.wait, 10)

    async def control(self, *words: str) -> str:
        """Run supervisorctl and return what it printed."""
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self.config)]
        done = await deferToThread(
            subprocess.run, [*command, *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    async def pid(self) -> int:
        """Return the daemon's process id, 0 = it does not run."""
        answer = await self.control("pid", PROGRAM)
        return int(answer) if answer.isdigit() else 0

    async def started(self, after: int = 0) -> int:
        """Wait until a daemon runs, another one than ``after``; return its process id."""
        found: list[int] = []

        async def runs() -> bool:
            found[:] = [await self.pid()]
            return found[0] not in (0, after)

        await self.until("a daemon runs", runs)
        return found[0]

    def supervisord_log(self) -> str:
        return (self.directory / "supervisord.log").read_text("utf-8")

    async def is_up(self) -> bool:
        return "1 total" in await self.order("show channels count")

    async def is_draining(self) -> bool:
        return "No new call is placed" in (self.directory / "ctidialer.log").read_text("utf-8")

    async def assert_no_password_is_told(self) -> None:
        password = self.freeswitch().password
        self.assertNotIn(password.encode(), Path(f"/proc/{await self.pid()}/cmdline").read_bytes())
        self.assertNotIn(password, await self.control("status"))
        self.assertNotIn(password, await self.control("tail", PROGRAM))

    async def test_a_stop_drains_and_a_start_goes_on(self) -> None:
        await self.sim(default=LONG)
        await self.usual_tables(limit=1)
        await self.put_numbers(["1001", "1002"])
        await self.dialed(1)
        await self.until("the call is up", self.is_up)
        await self.assert_no_password_is_told()
        stopping = Deferred.fromCoroutine(self.control("stop", PROGRAM))
        await self.until("the daemon drains", self.is_draining)
        await self.sim(default={"result": "answer", "talk": 0.1})
        await self.hang_up()
        self.assertEqual(await stopping, "ctidialer: stopped")

        (record,) = await self.records()
        self.assertEqual((record.number, record.outcome), ("1001", Outcome.ANSWERED))
        self.assertEqual(await self.queue(), [b"1002"])
        self.assertEqual(await self.call("EXISTS", keys.lease(HOST), keys.in_flight(HOST)), 0)
        self.assertIn("STOPPED", await self.control("status"))
        self.assertRegex(
            self.supervisord_log(),
            r"stopped: ctidialer \((exit status 0|exit status 143|terminated by SIGTERM)\)",
        )
        self.assertNotIn("killing", self.supervisord_log())

        self.assertIsNone(self.supervisord.poll())
        starting = Deferred.fromCoroutine(self.control("start", PROGRAM))
        self.assert_accounted_for(await self.records_of(2))
        self.assertEqual(await starting, "ctidialer: started")

    async def test_a_crash_is_followed_by_a_new_daemon_and_nobody_is_called_twice(self) -> None:
        numbers = [str(1000 + index) for index in range(40)]
        await self.sim(default={"result": "answer", "talk": 0.1})
        await self.usual_tables(limit=3)
        killed = await self.started()
        await self.put_numbers(numbers)
        await self.dialed(10)
        os.kill(killed, signal.SIGKILL)

        records = await self.records_of(40)
        self.assertEqual(sorted(record.number or "" for record in records), numbers)
        unknown = {record.number for record in records if record.outcome is Outcome.UNKNOWN}
        self.assertLessEqual(len(unknown), 3)
        self.assertEqual(outcomes(records)[Outcome.ANSWERED], 40 - len(unknown))
        dialed = self.switch_log().numbers
        self.assertEqual(len(dialed), len(set(dialed)))
        # A daemon that is killed between its note and its command has called nobody.
        self.assertLessEqual(set(numbers) - set(dialed), unknown)
        await self.started(after=killed)
        self.assertIn("terminated by SIGKILL", self.supervisord_log())
