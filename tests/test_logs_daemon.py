"""The log of the real daemon: its formats, its file, and that no secret ever leaves it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest
from twisted.web.client import Agent, FileBodyProducer, readBody
from twisted.web.http_headers import Headers

from ctidialer.contract import keys
from ctidialer.stage.daemon import DaemonProcess, start_daemon
from ctidialer.stage.switch import SwitchProcess, start_switch
from ctidialer.store.connection import Reply
from tests.support.node import HOST, NodeTestCase
from tests.support.redis import link_to, own_redis

REDIS_PASSWORD = "r3dis/pass wörd"
ESL_PASSWORD = "esl-p4ssword"
TOKEN = "t0ken-of-the-web"
WRONG = "wr0ng-p4ssword"
SECRETS = (REDIS_PASSWORD, ESL_PASSWORD, TOKEN, WRONG)
DEBUG = '[log]\nlevel = "debug"\nformat = "{}"\n'


def forms(secret: str) -> Iterator[bytes]:
    """Yield how a secret might be written."""
    for form in (secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]):
        yield form.encode()


class Echo(Protocol):
    """Greets as FreeSWITCH does, and says what it was told."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"Content-Type: auth/request\n\n")

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        body = b"You said " + data.strip() + b"\n"
        head = b"Content-Type: text/rude-rejection\nContent-Length: %d\n\n" % len(body)
        self.transport.write(head + body)


class DaemonLogCase(NodeTestCase):
    """The daemon's output is read from the file that it writes."""

    async def says(self, daemon: DaemonProcess, *words: str, path: Path | None = None) -> None:
        path = path or daemon.log_path

        async def has_said() -> bool:
            text = path.read_text("utf-8") if path.exists() else ""
            return all(word in text for word in words)

        try:
            await self.until(f"the daemon says {words}", has_said)
        except self.failureException as error:
            self.fail(f"{error}; {daemon.last_words()}")

    async def dial(self, count: int = 3) -> None:
        await self.usual_tables()
        await self.put_numbers([str(1000 + index) for index in range(count)])
        await self.records_of(count)


class FormatTests(DaemonLogCase):
    async def test_every_line_is_a_json_object(self) -> None:
        daemon = self.start_daemon(extra=DEBUG.format("json"))
        await self.put_task("bad", limit="many")
        await self.dial()
        await self.says(daemon, "$.params.limit")
        await self.switch.kill()
        await self.says(daemon, "FreeSWITCH is away")
        await daemon.stop()
        lines = [json.loads(line) for line in daemon.log_path.read_text("utf-8").splitlines()]
        for line in lines:
            self.assertLessEqual({"time", "level", "namespace", "message"}, set(line))
        (fault,) = [line for line in lines if line.get("path") == "$.params.limit"]
        self.assertEqual((fault["task"], fault["level"]), ("bad", "warn"))

    async def test_text_is_the_default(self) -> None:
        daemon = self.start_daemon()
        await self.put_task("bad", limit="many")
        await self.says(daemon, "$.params.limit")
        await daemon.stop()
        for line in daemon.log_path.read_text("utf-8").splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[0-9:.]{12}Z \[[a-z]+\] ")
        self.assertIn('not "many"  task=bad\n', daemon.log_path.read_text("utf-8"))

    async def test_level(self) -> None:
        daemon = self.start_daemon(extra='[log]\nlevel = "warn"\n')
        await self.put_task("bad", limit="many")
        await self.says(daemon, "$.params.limit")
        await daemon.stop()
        self.assertNotIn("[info]", daemon.log_path.read_text("utf-8"))


class FileTests(DaemonLogCase):
    """``--logfile``, as logrotate needs it."""

    def start_with_file(self, *more: str) -> tuple[DaemonProcess, Path]:
        path = self.directory / "file.log"
        often = "[config]\npoll_interval = 0.1\n"
        return self.start_daemon(extra=often, twistd=("--logfile", str(path), *more)), path

    async def test_a_file_that_is_moved_away_is_opened_anew_at_sigusr1(self) -> None:
        daemon, path = self.start_with_file()
        await self.says(daemon, "FreeSWITCH is there", path=path)
        moved = path.with_suffix(".log.1")
        path.rename(moved)
        await self.put_task("one", limit="many")
        await self.says(daemon, "task=one", path=moved)
        assert daemon.pid is not None
        os.kill(daemon.pid, signal.SIGUSR1)
        await self.put_task("two", limit="many")
        await self.says(daemon, "task=two", path=path)
        self.assertNotIn("task=two", moved.read_text("utf-8"))
        await daemon.stop()
        self.assertIn("Server Shut Down", path.read_text("utf-8"))

    async def test_a_file_that_is_emptied(self) -> None:
        daemon, path = self.start_with_file()
        await self.says(daemon, "FreeSWITCH is there", path=path)
        os.truncate(path, 0)
        await self.put_task("one", limit="many")
        await self.says(daemon, "task=one", path=path)
        self.assertNotIn(b"\0", path.read_bytes())

    async def test_a_reader_that_stands_still_stops_nothing(self) -> None:
        path = self.directory / "pipe"
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        await self.usual_tables(limit=50)
        tables = {f"bad{index}": {"params": {"limit": "x" * 90}} for index in range(1500)}
        await self.put(keys.at(keys.TASK, keys.TEMPLATE), tables)
        more = '[log]\nlevel = "debug"\n'
        daemon = self.start_daemon(extra=more, twistd=("--logfile", str(path)))
        await self.put_numbers([str(1000 + index) for index in range(100)])
        await self.records_of(100)
        said: list[bytes] = []

        async def is_told() -> bool:
            with contextlib.suppress(BlockingIOError):
                said.append(os.read(reader, 1 << 16))
            return b"FreeSWITCH is there" in b"".join(said)

        await self.until("the log is read", is_told)
        self.assertIn(await daemon.stop(), (0, 143, -15))

    async def test_logrotate_itself(self) -> None:
        program = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            raise SkipTest("logrotate is not on this machine")
        daemon, path = self.start_with_file()
        await self.says(daemon, "FreeSWITCH is there", path=path)
        sample = Path(__file__).resolve().parent.parent / "etc" / "logrotate" / "ctidialer"
        text = sample.read_text("utf-8").replace("/var/log/ctidialer/ctidialer.log", str(path))
        begin = text.index("    postrotate")
        end = text.index("    endscript")
        own = f"    postrotate\n        kill -USR1 {daemon.pid}\n"
        config = self.directory / "logrotate.conf"
        lines = (text[:begin] + own + text[end:]).splitlines(keepends=True)
        # The accounts of the sample are not on every machine.
        config.write_text("".join(line for line in lines if line.split()[:1] != ["su"]))
        config.chmod(0o644)
        state = self.directory / "logrotate.state"
        self.directory.chmod(0o755)
        done = await deferToThread(
            subprocess.run,
            [program, "--force", "--state", str(state), str(config)],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        await self.put_task("two", limit="many")
        await self.says(daemon, "task=two", path=path)
        await self.says(daemon, "FreeSWITCH is there", path=path.with_name("file.log.1"))


class SecretTests(DaemonLogCase):
    """Every byte that the daemon writes, wherever it writes it."""

    async def set_up(self) -> None:
        await super().set_up()
        self.own = await own_redis(self, port=0, password=REDIS_PASSWORD)
        self.url = self.own.url
        self.redis = link_to(self, self.url)
        await self.redis.when_up(60)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.web = probe.getsockname()[1]

    async def start_switch(self, **options: object) -> SwitchProcess:
        switch = await start_switch(
            reactor, self.directory, dict(self.script), password=ESL_PASSWORD, **options
        )
        self.addCleanup(switch.kill)
        return switch

    async def ask_the_web(self) -> None:
        """Ask with the right token and with a wrong one, in the header and in the login."""
        url = f"http://127.0.0.1:{self.web}"
        for token, status in ((TOKEN, 200), (WRONG, 401)):
            headers = Headers({"Authorization": [f"Bearer {token}"]})
            response = await Agent(reactor).request(b"GET", f"{url}/api/status".encode(), headers)
            self.assertEqual(response.code, status)
            self.assert_no_secret("an answer", await readBody(response))
        body = BytesIO(json.dumps({"token": WRONG}).encode())
        response = await Agent(reactor).request(
            b"POST",
            f"{url}/login".encode(),
            Headers({"Content-Type": ["application/json"]}),
            FileBodyProducer(body),
        )
        self.assertEqual(response.code, 401)
        self.assert_no_secret("an answer", await readBody(response))

    def start(
        self, name: str, form: str, *, url: str = "", port: int = 0, password: str = ESL_PASSWORD
    ) -> DaemonProcess:
        text = "\n".join(
            [
                f'[node]\nhost = "{HOST}"\ntimezone = "Asia/Shanghai"',
                f"[redis]\nurl = {json.dumps(url or self.url)}",
                f'[freeswitch]\naddress = "127.0.0.1:{port or self.switch.port}"',
                f'password = "{password}"\n[http]\ntoken = "{TOKEN}"',
                f'listen = "127.0.0.1:{self.web}"',
                DEBUG.format(form),
            ]
        )
        daemon = start_daemon(reactor, self.directory, text, name)
        self.addCleanup(daemon.kill)
        return daemon

    def assert_no_secret(self, what: str, content: bytes) -> None:
        for secret in SECRETS:
            for form in forms(secret):
                self.assertNotIn(form, content, f"a secret in {what}")

    async def everything_in_redis(self) -> bytes:
        found = []
        for key in await self.listed("KEYS", "*"):
            kind = await self.call("TYPE", key)
            reads: Mapping[object, tuple[Any, ...]] = {
                "string": ("GET", key),
                "hash": ("HGETALL", key),
                "stream": ("XRANGE", key, "-", "+"),
                "list": ("LRANGE", key, 0, -1),
                "zset": ("ZRANGE", key, 0, -1),
            }
            found.append(repr(await self.call(*reads[_text(kind)])).encode())
        return b"".join(found)

    async def listed(self, *command: str) -> list[bytes]:
        reply = await self.call(*command)
        assert isinstance(reply, list)
        return [one for one in reply if isinstance(one, bytes)]

    async def test_nothing_tells_a_secret(self) -> None:
        for form in ("text", "json"):
            await self.call("FLUSHALL")
            wrong = self.url.replace(quote(REDIS_PASSWORD, safe=""), WRONG)
            locked_out = self.start(f"{form}1", form, url=wrong, password=WRONG)
            await self.says(
                locked_out, "refuses the user or the password", "refused the password or the user"
            )
            await self.end(locked_out)

            daemon = self.start(f"{form}2", form)
            await self.put_task("bad", limit=ESL_PASSWORD[:3])
            await self.dial()
            await self.until("the status", self.has_status)
            await self.ask_the_web()
            self.assert_no_secret("Redis", await self.everything_in_redis())
            arguments = Path(f"/proc/{daemon.pid}/cmdline").read_bytes()
            self.assert_no_secret("the command line", arguments)
            await self.switch.kill()
            await self.says(daemon, "FreeSWITCH is away")
            await self.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            await self.says(daemon, "Redis is away", "is back")
            self.assert_no_secret("Redis", await self.everything_in_redis())
            await self.end(daemon)
            self.switch = await self.start_switch()
            self.switch.log_path.unlink()

    async def test_a_switch_that_says_the_password_back(self) -> None:
        echo = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(
            Factory.forProtocol(Echo)
        )
        self.addCleanup(echo.stopListening)
        daemon = self.start("echo", "json", port=echo.getHost().port, password=WRONG)
        await self.says(daemon, "denies access", "You said auth ***")

        async def is_told() -> bool:
            return b"You said auth ***" in await self.everything_in_redis()

        await self.until("the status says why", is_told)
        self.assert_no_secret("Redis", await self.everything_in_redis())
        await self.end(daemon)

    async def has_status(self) -> bool:
        return await self.call("EXISTS", keys.status(HOST)) == 1

    async def end(self, daemon: DaemonProcess) -> None:
        await daemon.stop()
        self.assert_no_secret("the log", daemon.log_path.read_bytes())


def _text(reply: Reply) -> str:
    return reply.decode() if isinstance(reply, bytes) else str(reply)
