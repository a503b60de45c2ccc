"""What systemd is told, over a real datagram socket."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.notify import SystemdNotice, SystemdSocket, systemd_notice, watchdog_period
from ctidialer.stage.daemon import DaemonProcess
from tests.dialer.switch_case import LONG, SwitchTestCase
from tests.stage.test_daemon import DRAINED
from tests.support.node import HOST
from tests.support.redis import new_directory

POLL_OFTEN = "[config]\npoll_interval = 0.1\n"


class Systemd:
    """The other end: takes what is said."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)
        self.heard: list[str] = []

    def lines(self) -> list[str]:
        """Return every line so far."""
        while True:
            try:
                self.heard += self._socket.recv(65536).decode().splitlines()
            except BlockingIOError:
                return self.heard

    def close(self) -> None:
        self._socket.close()


class SocketTests(SynchronousTestCase):
    def systemd(self, address: str | None = None) -> Systemd:
        directory = tempfile.mkdtemp(prefix="ctidialer-notify-")
        self.addCleanup(os.rmdir, directory)
        path = f"{directory}/s"
        other = Systemd(address or path)
        self.addCleanup(lambda: Path(path).unlink(missing_ok=True))
        self.addCleanup(other.close)
        return other

    def speaker(self, address: str) -> SystemdSocket:
        speaker = SystemdSocket.named_by({"NOTIFY_SOCKET": address})
        assert speaker is not None
        self.addCleanup(speaker.close)
        return speaker

    def test_a_path_and_an_abstract_name(self) -> None:
        for address in (None, f"@ctidialer-test-{os.getpid()}"):
            systemd = self.systemd(address)
            self.speaker(systemd.address).tell(READY=1, STATUS="two\nlines")
            self.assertEqual(systemd.lines(), ["READY=1", "STATUS=two lines"])

    def test_nobody_listens(self) -> None:
        for environ in ({}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}):
            self.assertIsNone(SystemdSocket.named_by(environ))
            self.assertIsNone(systemd_notice(Clock(), str, environ))

    def test_what_was_not_taken_is_said_with_the_next(self) -> None:
        systemd = self.systemd()
        Path(systemd.address).rename(systemd.address + "x")
        speaker = self.speaker(systemd.address)
        speaker.tell(READY=1, STATUS="old")
        self.assertTrue(speaker.has_unsent)
        Path(systemd.address + "x").rename(systemd.address)
        speaker.tell(STATUS="new")
        self.assertEqual(systemd.lines(), ["READY=1", "STATUS=new"])
        self.assertFalse(speaker.has_unsent)

    def test_a_full_socket_neither_blocks_nor_raises(self) -> None:
        systemd = self.systemd()
        speaker = self.speaker(systemd.address)
        for index in range(5000):
            speaker.tell(STATUS=index)
        self.assertTrue(speaker.has_unsent)
        systemd.lines()
        speaker.tell(WATCHDOG=1)
        self.assertEqual(systemd.lines()[-2:], ["STATUS=4999", "WATCHDOG=1"])

    def test_the_watchdog(self) -> None:
        self.assertEqual(watchdog_period({"WATCHDOG_USEC": "500000"}, 1), 0.5)
        self.assertEqual(watchdog_period({"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}, 1), 1e-6)
        for usec, pid in (("5", "2"), ("", "1"), ("0", "1"), ("x", "1"), ("-5", "1")):
            environ = {"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}
            self.assertIsNone(watchdog_period(environ, 1), environ)

    def test_the_life_of_a_service(self) -> None:
        systemd, clock = self.systemd(), Clock()
        status = ["waiting"]
        notice = SystemdNotice(clock, self.speaker(systemd.address), lambda: status[0], 1.0)
        notice.startService()
        self.assertEqual(systemd.lines(), ["READY=1", "STATUS=waiting", "WATCHDOG=1"])
        systemd.heard.clear()
        clock.advance(0.5)
        self.assertEqual(systemd.lines(), ["WATCHDOG=1"])
        status[0] = "dialing"
        clock.advance(0.5)
        self.assertEqual(systemd.lines()[1:], ["STATUS=dialing", "WATCHDOG=1"])
        systemd.heard.clear()
        notice.stopService()
        drain = ["WATCHDOG=1", "EXTEND_TIMEOUT_USEC=10000000"]
        self.assertEqual(systemd.lines(), ["STOPPING=1", *drain])
        clock.advance(0.5)
        self.assertEqual(systemd.lines()[3:], drain)
        notice.end()
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_without_a_watchdog_nothing_is_said_when_nothing_happens(self) -> None:
        systemd, clock = self.systemd(), Clock()
        notice = SystemdNotice(clock, self.speaker(systemd.address), lambda: "dialing")
        notice.startService()
        clock.pump([1.0] * 5)
        self.assertEqual(systemd.lines(), ["READY=1", "STATUS=dialing"])
        notice.end()


class DaemonTests(SwitchTestCase):
    """The real daemon, as systemd would start it."""

    def start_for(self, systemd: Systemd, **environ: str) -> DaemonProcess:
        environ = {"NOTIFY_SOCKET": systemd.address, **environ}
        return self.start_daemon(extra=POLL_OFTEN, environ=environ)

    def systemd(self) -> Systemd:
        systemd = Systemd(f"{new_directory(self)}/s")
        self.addCleanup(systemd.close)
        return systemd

    async def hears(self, systemd: Systemd, line: str) -> None:
        async def has_heard() -> bool:
            return line in systemd.lines()

        await self.until(f"systemd is told {line!r}", has_heard)

    async def test_ready_status_watchdog_and_drain(self) -> None:
        systemd = self.systemd()
        await self.sim(default=LONG)
        daemon = self.start_for(systemd, WATCHDOG_USEC="200000")
        await self.hears(systemd, "STATUS=dialing; calls in progress: 0")
        self.assertEqual(systemd.heard[0], "READY=1")
        await self.usual_tables()
        await self.put_numbers(["1001"])
        await self.dialed(1)
        await self.hears(systemd, "STATUS=dialing; calls in progress: 1")
        beats = systemd.lines().count("WATCHDOG=1")
        ended = daemon.stop()
        await self.hears(systemd, "STOPPING=1")
        await self.hears(
            systemd, "STATUS=not dialing: this daemon is stopping; calls in progress: 1"
        )

        async def goes_on() -> bool:
            told = systemd.lines()
            drain = told[told.index("STOPPING=1") :]
            more_time = drain.count("EXTEND_TIMEOUT_USEC=10000000")
            return more_time > 2 and told.count("WATCHDOG=1") > beats + 2

        await self.until("systemd is told of the drain again and again", goes_on)
        await self.hang_up()
        self.assertIn(await ended, DRAINED, daemon.last_words())
        self.assertEqual(systemd.lines().count("READY=1"), 1)
        self.assertEqual(len(await self.records()), 1)

    async def test_it_runs_though_freeswitch_is_away(self) -> None:
        systemd = self.systemd()
        await self.switch.kill()
        daemon = self.start_for(systemd)
        await self.hears(systemd, "READY=1")
        away = "FreeSWITCH is away; FreeSWITCH is being asked for the calls of before"
        await self.hears(systemd, f"STATUS=not dialing: {away}; calls in progress: 0")
        self.assertTrue(daemon.running)

    async def test_a_daemon_that_stands_still_is_silent(self) -> None:
        systemd = self.systemd()
        daemon = self.start_for(systemd, WATCHDOG_USEC="100000")
        await self.hears(systemd, "WATCHDOG=1")
        assert daemon.pid is not None
        os.kill(daemon.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, daemon.pid, signal.SIGCONT)

        async def is_silent() -> bool:
            before = len(systemd.lines())
            await self.pause(0.3)
            return len(systemd.lines()) == before

        await self.until("silence", is_silent)

    async def pause(self, seconds: float) -> None:
        await self.call("BLPOP", "nothing-is-here", str(seconds))

    async def test_systemd_goes_and_the_daemon_goes_on(self) -> None:
        systemd = self.systemd()
        daemon = self.start_for(systemd, WATCHDOG_USEC="100000")
        await self.hears(systemd, "WATCHDOG=1")
        systemd.close()
        Path(systemd.address).unlink()
        await self.usual_tables()
        await self.put_numbers(["1001"])
        await self.records_of(1)
        self.assertIn(await daemon.stop(), DRAINED)
        said = daemon.log_path.read_text("utf-8")
        self.assertEqual(said.count("systemd cannot be told"), 1)
        self.assertEqual(await self.call("EXISTS", keys.lease(HOST)), 0)
