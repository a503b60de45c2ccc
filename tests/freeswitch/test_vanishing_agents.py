"""Agents who vanish while calls are on their way, on a real FreeSWITCH.

No call is begun for them any more, and each that was begun ends in a record.  FreeSWITCH is killed
and started again only where it may be: see `tests.freeswitch.test_roster`.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from ctidialer.contract.record import Outcome
from tests.freeswitch.standby import StandbyTestCase
from tests.freeswitch.test_roster import PID, START
from tests.support.node import outcomes

AGENTS = 6
CALLS = 30
MAX_LATE = 1.0
"""Seconds after which no call is begun any more, by FreeSWITCH's clock."""

WATCHED = 4.0
"""Seconds for which nobody may be called."""

RINGS = {"null_auto_answer_delay": "1500"}
TALK = 1.0
"""Seconds after which a callee hangs up, whoever has him."""


class VanishingTests(StandbyTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.telephones = [f"20{at:02d}" for at in range(AGENTS)]
        self.own = {telephone: await self.go_to_work(telephone) for telephone in self.telephones}

    async def begin_with_all(self) -> None:
        """Dial until some agents talk and some callees ring."""
        ends = f"sched_hangup +{round(TALK)} ${{uuid}} alloted_timeout"
        await self.begin(
            CALLS,
            line_variables={**RINGS, "api_on_answer": ends},
            dial_mode="progressive",
        )
        await self.until_count("calls", AGENTS + 2, self.placed)

    async def placed(self) -> int:
        return len(self.crowd.created)

    async def clock(self) -> float:
        """Return FreeSWITCH's time."""
        return int(await self.ask("strmicroepoch")) / 1e6

    async def each(self, command: Callable[[str], str]) -> None:
        for telephone in self.telephones:
            await self.ask(command(telephone))

    async def set_all(self, status: str) -> None:
        await self.each(lambda one: f"callcenter_config agent set status {one}@default '{status}'")

    async def check(self, leave: Callable[[], Awaitable[Any]]) -> None:
        """Have all agents leave; nobody is called until they are back, and nobody is lost."""
        await self.begin_with_all()
        await leave()
        left_at = await self.clock()
        await deferLater(reactor, WATCHED)
        late = [at - left_at for at in self.crowd.began.values() if at > left_at + MAX_LATE]
        self.assertEqual(late, [])
        begun = set(self.crowd.created)
        self.assertLess(len(begun), CALLS)
        await self.nothing_in_flight(self.host)
        records = await self.records(self.host)
        self.assertEqual({record.attempts[0].uuid for record in records}, begun)
        self.assertEqual(len(records), len(begun))

    async def test_all_are_logged_out(self) -> None:
        await self.check(lambda: self.set_all("Logged Out"))
        await self.set_all("Available")
        await self.all_are_called()

    async def test_all_take_a_break(self) -> None:
        await self.check(lambda: self.set_all("On Break"))
        await self.set_all("Available")
        await self.all_are_called()

    async def test_all_hang_up(self) -> None:
        await self.check(lambda: self.each(lambda one: f"uuid_kill {self.own[one]}"))
        for telephone in self.telephones:
            await self.go_to_work(telephone)
        await self.all_are_called()

    async def test_they_are_deleted(self) -> None:
        """No event tells of it: they are gone with the next list."""
        await self.begin_with_all()
        await self.each(lambda one: f"callcenter_config agent del {one}@default")
        await deferLater(reactor, WATCHED)
        begun = await self.placed()
        await self.nothing_in_flight(self.host)
        self.assertEqual(len(await self.records(self.host)), begun)
        self.assertEqual(await self.placed(), begun)

    async def all_are_called(self) -> None:
        """The agents are back: the other numbers are called, too."""
        records = await self.real_records(CALLS)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: CALLS})
        self.assertEqual(len({record.number for record in records}), CALLS)
        await self.assert_unharmed()

    async def test_freeswitch_is_killed_and_started_again(self) -> None:
        if not (PID and START):
            raise SkipTest(
                "needs CTIDIALER_TEST_FREESWITCH_PID and CTIDIALER_TEST_FREESWITCH_START"
            )
        await self.begin_with_all()
        told_all = self.crowd_socket.when_gone()
        os.kill(int(Path(PID).read_text()), signal.SIGKILL)
        await told_all
        before = set(self.crowd.created)
        subprocess.run([START], check=True)
        await self.watch_crowd()
        await self.nothing_in_flight(self.host)
        await deferLater(reactor, WATCHED)
        self.assertEqual(set(self.crowd.created), before)  # nobody is called: no agent is there
        recorded = {one.attempts[0].uuid for one in await self.records(self.host)}
        self.assertLessEqual(before, recorded)
        untold = recorded - before  # FreeSWITCH was killed before it told of these
        for telephone in self.telephones:
            await self.go_to_work(telephone)
        records = await self.records_of(CALLS, self.host)
        self.assertEqual(len({record.number for record in records}), CALLS)
        called = {one.attempts[0].uuid for one in records}
        self.assertEqual(called - untold, set(self.crowd.created))
