"""A campaign for the agents of a real mod_callcenter: no more calls than agents, whoever they are.

It wants what ``test_agents`` wants.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

from ctidialer.contract.record import Outcome
from ctidialer.esl.events import Event
from tests.freeswitch.real_switch import CREATED, HANGUP, RealSwitchTestCase, Witness
from tests.freeswitch.test_agents import BRIDGE, HANG_UP, QUEUE, Legs
from tests.support.node import outcomes

CALLS = 40
AGENTS = 8
MAX_LATE = 0.5
"""Seconds by which we hear late of an answer or a bridge, on a busy machine."""

RING = {"null_auto_answer_delay": "700"}


class Crowd(Witness):
    """Counts the callees who are called or talk at one time."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.most = 0

    def take(self, event: Event) -> None:
        """Note one event."""
        super().take(event)
        self.most = max(self.most, len(set(self.created) - self.hangups.keys()))


class PacedTests(RealSwitchTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.crowd = Crowd(self.host)
        crowd = await self.connected(self.crowd)
        await crowd.filter("variable_cti_host", self.host)
        await crowd.event([CREATED, HANGUP])
        legs = Legs()
        legs.socket = await self.connected(legs)
        await legs.socket.event(["CHANNEL_ANSWER", BRIDGE, HANG_UP])
        self.names = [f"agent{index}@{self.host}" for index in range(AGENTS)]
        for index, name in enumerate(self.names):
            await self.add_agent(name, f"{{null_auto_answer_delay={100 + index * 20}}}null/{index}")

    async def add_agent(self, name: str, contact: str) -> None:
        for command in (
            f"agent add {name} callback",
            f"agent set contact {name} {contact}",
            f"agent set wrap_up_time {name} 1",
            f"agent set status {name} Available",
            f"tier add {QUEUE} {name} 1 1",
        ):
            await self.ask(command)
        self.addCleanup(self.socket.api, f"callcenter_config agent del {name}")

    async def ask(self, command: str) -> None:
        answer = await self.socket.api(f"callcenter_config {command}")
        self.assertTrue(answer.startswith("+OK"), (command, answer))

    async def all_are(self, status: str) -> None:
        for name in self.names:
            await self.ask(f"agent set status {name} '{status}'")

    async def begin(self, **params: Any) -> None:
        await self.real_tables(
            limit=CALLS,
            agent_queue=QUEUE,
            destination_extension=f"answer,callcenter:{QUEUE}",
            line_variables=RING,
            **params,
        )
        await self.put_numbers(f"138{at:08d}" for at in range(CALLS))
        self.start_dialer()

    async def test_progressive(self) -> None:
        await self.begin()
        records = await self.real_records(CALLS)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: CALLS})
        self.assertTrue({record.agent for record in records} <= set(self.names))
        self.assertTrue(0 < self.crowd.most <= AGENTS, self.crowd.most)
        await self.assert_unharmed()

    async def test_predictive(self) -> None:
        """Never fewer calls than progressive, nobody is lost, and abandoned calls are marked."""
        await self.begin(dial_mode="predictive")
        records = await self.real_records(CALLS)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: CALLS})
        self.assertGreaterEqual(self.crowd.most, AGENTS / 2)
        for record in records:
            (attempt,) = record.attempts
            assert attempt.answered_at is not None
            waited = (attempt.bridged_at or attempt.ended_at or 0) - attempt.answered_at
            if abs(waited - 2) > MAX_LATE:
                self.assertEqual(record.abandoned, waited > 2, record)
        await self.assert_unharmed()

    async def test_nobody_is_called_while_all_agents_are_out(self) -> None:
        await self.begin()
        await self.until_count("calls", 10, self.placed)
        await self.all_are("Logged Out")
        await deferLater(reactor, 1)
        placed = await self.placed()
        await deferLater(reactor, 4)
        self.assertEqual(await self.placed(), placed)
        await self.all_are("Available")
        records = await self.real_records(CALLS)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: CALLS})
        self.assertTrue(0 < self.crowd.most <= AGENTS, self.crowd.most)

    async def placed(self) -> int:
        return len(self.crowd.created)
