"""What is known of the agents of a real mod_callcenter, beside what it says itself.

As ``test_agents`` it wants a queue without agents of its own.  FreeSWITCH is killed and started
again only where ``CTIDIALER_TEST_FREESWITCH_PID`` names a file with its process and
``CTIDIALER_TEST_FREESWITCH_START`` a program that starts it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint
from twisted.trial.unittest import SkipTest

from ctidialer.dialer.agents.callcenter import SUBCLASS, CallcenterAgents
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.events import Event
from ctidialer.esl.switch import Credentials, Subscription, Switch
from ctidialer.rules.agents import AgentsNow
from ctidialer.settings import host_and_port
from tests.freeswitch.real_switch import ADDRESS, PASSWORD, RealSwitchTestCase, Witness
from tests.freeswitch.test_agents import QUEUE

PID = os.environ.get("CTIDIALER_TEST_FREESWITCH_PID", "")
START = os.environ.get("CTIDIALER_TEST_FREESWITCH_START", "")
WRAP_UP = 3
MAX_LATE = 1.0
"""Seconds from a word of FreeSWITCH, heard in this process too, to what is known of the agents.
That is promised (docs/agents.rst), and only a real FreeSWITCH can show it."""


@frozen
class Word:
    """An event of mod_callcenter, and when it came."""

    action: str
    agent: str
    value: str
    at: float


class Words(Witness):
    """Notes all that mod_callcenter says."""

    def __init__(self) -> None:
        super().__init__("")
        self.words: list[Word] = []

    def take(self, event: Event) -> None:
        """Note one event."""
        value = event.get("CC-Agent-Status") or event.get("CC-Agent-State") or ""
        action, agent = event.get("CC-Action") or "", event.get("CC-Agent") or ""
        self.words.append(Word(action, agent, value, reactor.seconds()))

    def last(self, agent: str, value: str, since: float = 0.0) -> Word | None:
        """Return the last word of a status or a state of an agent."""
        told = (one for one in reversed(self.words) if (one.agent, one.value) == (agent, value))
        return next((one for one in told if one.at >= since), None)


class RosterTests(RealSwitchTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.words = Words()
        listener: EventSocketProtocol = await self.connected(self.words)
        await listener.event(["CUSTOM", SUBCLASS])
        host, port = host_and_port(ADDRESS, "CTIDIALER_TEST_FREESWITCH")
        self.up = False
        self.switch_of_ours = Switch(
            reactor,
            HostnameEndpoint(reactor, host, port),
            Credentials(PASSWORD),
            Subscription(("CHANNEL_ANSWER",), (("variable_cti_host", self.host),)),
            self,
        )
        self.history: list[tuple[float, AgentsNow]] = []
        self.agents = CallcenterAgents(reactor, self.switch_of_ours, self.changed)
        self.switch_of_ours.startService()
        self.addCleanup(self.switch_of_ours.stopService)
        self.addCleanup(self.agents.stop)
        await self.wait(lambda: self.up)
        self.agents.watch([QUEUE])

    # --- what the daemon does ------------------------------------------------------------------

    def switch_up(self) -> None:
        self.up = True
        self.agents.switch_up()

    def switch_down(self, reason: str) -> None:
        self.up = False
        self.agents.switch_down()

    def switch_event(self, event: Event) -> None:
        self.agents.event(event)

    def changed(self) -> None:
        self.history.append((reactor.seconds(), self.now))

    # --- what a test does ----------------------------------------------------------------------

    @property
    def now(self) -> AgentsNow:
        return self.agents.now(QUEUE, reactor.seconds())

    async def wait(self, reached: Callable[[], object]) -> None:
        async def is_so() -> bool:
            return bool(reached())

        await self.until("FreeSWITCH and we agree", is_so)

    async def ask(self, command: str) -> str:
        answer = await self.socket.api(command)
        self.assertFalse(answer.startswith("-"), (command, answer))
        return answer

    async def add_agent(self, name: str, wrap_up: int = 0) -> str:
        """Add an agent who is available and answers after half a second."""
        agent = f"{name}@{self.host}"
        for command in (
            f"agent add {agent} callback",
            f"agent set contact {agent} {{null_auto_answer_delay=500}}null/{name}",
            f"agent set wrap_up_time {agent} {wrap_up}",
            f"agent set status {agent} Available",
            f"tier add {QUEUE} {agent} 1 1",
        ):
            await self.ask(f"callcenter_config {command}")
        self.addCleanup(self.clean, f"callcenter_config agent del {agent}")
        return agent

    async def call_queue(self) -> str:
        """Let somebody call the queue; return the UUID of his channel."""
        uuid = (await self.ask("create_uuid")).strip()
        call = f"{{origination_uuid={uuid}}}null/1 answer,callcenter:{QUEUE} inline"
        await self.ask(f"originate {call}")
        self.addCleanup(self.clean, f"uuid_kill {uuid}")
        return uuid

    async def clean(self, command: str) -> None:
        """Clean up, also at a FreeSWITCH that was started again."""
        await self.wait(lambda: self.up)
        await self.switch_of_ours.api(command)

    def are(self, free: int, away: int) -> bool:
        return (self.now.free, self.now.away) == (free, away)

    async def set_status(self, agent: str, status: str) -> None:
        await self.ask(f"callcenter_config agent set status {agent} '{status}'")

    async def assert_soon(self, word: Callable[[], Word | None], seen: Callable[[], bool]) -> None:
        """Check that after a word of FreeSWITCH we know it within a second."""
        await self.wait(word)
        await self.wait(seen)
        said = word()
        assert said is not None
        self.assertLess(reactor.seconds() - said.at, MAX_LATE)

    async def test_they_come_and_go(self) -> None:
        agents = [await self.add_agent(f"a{index}") for index in range(3)]
        await self.wait(lambda: self.now.free == 3)
        for status, free, away in [("On Break", 2, 1), ("Logged Out", 2, 0), ("Available", 3, 0)]:
            heard = partial(self.words.last, agents[0], status, reactor.seconds())
            await self.set_status(agents[0], status)
            await self.assert_soon(heard, partial(self.are, free, away))
        await self.ask(f"callcenter_config tier del {QUEUE} {agents[1]}")
        await self.wait(lambda: self.now.free == 2)
        await self.ask(f"callcenter_config agent del {agents[2]}")
        await self.wait(lambda: self.now.free == 1)
        await self.assert_unharmed()

    async def test_a_call_and_its_wrap_up(self) -> None:
        agent = await self.add_agent("busy", WRAP_UP)
        await self.wait(lambda: self.now.free == 1)
        first, second = await self.call_queue(), await self.call_queue()
        await self.assert_soon(
            lambda: self.words.last(agent, "Receiving"), lambda: self.now.ringing == 1
        )
        await self.assert_soon(
            lambda: self.words.last(agent, "In a queue call"), lambda: self.now.talking == 1
        )
        self.assertLess(self.now.busy[0], 60)
        talking = (await self.ask(f"uuid_exists {first}")).strip() == "true"
        self.assertTrue(talking)
        del self.history[:]
        await self.ask(f"uuid_kill {first}")
        await self.assert_soon(
            lambda: self.words.last(agent, "Waiting"), lambda: self.now.wrap_up == 1
        )
        offers = len([one for one in self.words.words if one.action == "agent-offering"])
        await self.wait(
            lambda: (
                len([one for one in self.words.words if one.action == "agent-offering"]) > offers
            )
        )
        offered = max(one.at for one in self.words.words if one.action == "agent-offering")
        free = [at for at, known in self.history if known.free == 1]
        self.assertTrue(free, self.history)
        self.assertLess(abs(offered - free[-1]), MAX_LATE)
        await self.ask(f"uuid_kill {second}")
        await self.wait(lambda: self.now.free == 1)
        await self.assert_unharmed()

    async def test_an_offer_that_is_not_taken(self) -> None:
        agent = await self.add_agent("deaf")
        await self.ask(f"callcenter_config agent set contact {agent} error/USER_BUSY")
        await self.ask(f"callcenter_config agent set busy_delay_time {agent} 30")
        await self.wait(lambda: self.now.free == 1)
        await self.call_queue()
        await self.wait(lambda: self.now.away == 1)
        self.assertEqual(self.now.free, 0)

    async def test_a_queue_that_is_not_there(self) -> None:
        self.agents.watch(["no-such-queue@default"])

        def why() -> str:
            known = self.agents.now("no-such-queue@default", reactor.seconds())
            return "" if known.problem is None else known.problem.en

        await self.wait(lambda: "has no queue" in why())
        self.agents.watch([QUEUE])
        await self.wait(lambda: "no agent has a tier" in str(self.now.problem))

    async def test_freeswitch_is_killed_and_started_again(self) -> None:
        if not (PID and START):
            raise SkipTest(
                "needs CTIDIALER_TEST_FREESWITCH_PID and CTIDIALER_TEST_FREESWITCH_START"
            )
        await self.add_agent("a1")
        await self.add_agent("a2")
        await self.wait(lambda: self.now.free == 2)
        killed = reactor.seconds()
        os.kill(int(Path(PID).read_text()), signal.SIGKILL)
        await self.wait(lambda: self.now.problem is not None)
        self.assertLess(reactor.seconds() - killed, MAX_LATE)
        subprocess.run([START], check=True)
        await self.wait(lambda: self.now.free == 2)
