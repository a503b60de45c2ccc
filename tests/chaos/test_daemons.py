"""Two daemons of one host name: what the harness strikes, and which of them goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.trial.unittest import TestCase

from chaos.faults import Kind, Strike
from chaos.load import script
from chaos.site import Ground
from chaos.strikes import REFUSED, Strikes
from ctidialer.contract import keys
from tests.support.node import DEADLINE
from tests.support.redis import new_directory

REPLACED = Strike(Kind.REPLACE_DAEMON, seconds=0.0, strength=0.0)


class ReplacedDaemonTests(TestCase):
    kind = "integration"
    timeout = 600

    def setUp(self) -> Any:
        return Deferred.fromCoroutine(self.set_up())

    async def set_up(self) -> None:
        self.ground = Ground(reactor, Path(new_directory(self)), script(1), {})
        self.addCleanup(lambda: Deferred.fromCoroutine(self.ground.end()))
        await self.ground.start()
        self.site = await self.ground.add_host()
        self.supervisor = self.site.supervisor
        self.strikes = Strikes(self.site)
        self.supervisor.start()
        await self.strikes.until_named()

    async def look(self) -> None:
        """Write nothing down."""

    async def strike(self) -> None:
        """Let another daemon take the name of the one that runs."""
        await self.strikes.strike(REPLACED, self.look)

    async def test_the_one_that_wakes_ends(self) -> None:
        former = self.supervisor.current
        await self.strike()
        self.assertEqual(former.status, REFUSED)
        self.assertTrue(self.supervisor.current.running)

    async def test_a_daemon_that_waits_for_the_name_is_not_struck(self) -> None:
        """It would take the name of the killed one when it is woken, and be right to go on."""
        killed = self.supervisor.current
        await killed.kill()
        while self.supervisor.current is killed:
            await self.site.pause(0.01)
        waiting = self.supervisor.current
        await self.strike()
        self.assertEqual(waiting.status, REFUSED)

    async def test_the_one_that_wakes_takes_a_name_that_has_lapsed(self) -> None:
        former = self.supervisor.replace_stopped()
        await self.strikes.until_named()
        other = self.supervisor.current
        other.pause()
        await self.ground.call("DEL", keys.lease(self.site.name))
        ended = Deferred.fromCoroutine(self.supervisor.keep_one(former, DEADLINE))
        former.go_on()
        await self.named(former)
        other.go_on()
        self.assertEqual(await ended, REFUSED)
        self.assertEqual(other.status, REFUSED)
        self.assertIs(self.supervisor.current, former)

    async def test_two_that_go_on_are_found_out(self) -> None:
        former = self.supervisor.replace_stopped()
        self.addCleanup(former.kill)
        await self.strikes.until_named()
        other = self.supervisor.current
        ending = Deferred.fromCoroutine(self.supervisor.keep_one(former, patience=0.0))
        await self.assertFailure(ending, TimedOut)
        self.assertIs(self.supervisor.current, other)

    async def named(self, daemon: Any) -> None:
        """Wait until ``daemon`` has the name; the test's own timeout ends this."""
        while await self.site.holder() != daemon.pid:
            await self.site.pause(0.01)
