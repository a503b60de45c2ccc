"""The switch against a real FreeSWITCH, if one is named; its ``null`` endpoint places the calls.

``CTIDIALER_TEST_FREESWITCH=host:port`` and ``CTIDIALER_TEST_FREESWITCH_PASSWORD`` (ClueCon).
"""

from __future__ import annotations

import os
import uuid
from typing import cast

from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from ctidialer.esl.errors import UnsafeCommand
from ctidialer.esl.events import Event
from ctidialer.esl.jobs import JobResult
from ctidialer.esl.switch import Credentials, Subscription, Switch

ADDRESS = os.environ.get("CTIDIALER_TEST_FREESWITCH", "")
PASSWORD = os.environ.get("CTIDIALER_TEST_FREESWITCH_PASSWORD", "ClueCon")
HOST = f"test-{uuid.uuid4()}"

clock = cast(IReactorTime, installed_reactor)


class Listener:
    def __init__(self) -> None:
        self.up: Deferred[None] = Deferred()
        self.downs: list[str] = []
        self.events: list[Event] = []

    def switch_up(self) -> None:
        self.up.callback(None)

    def switch_down(self, reason: str) -> None:
        self.downs.append(reason)

    def switch_event(self, event: Event) -> None:
        self.events.append(event)


class RealFreeSwitch(TestCase):
    kind = "integration"
    timeout = 30
    jobs_by_api = False
    if not ADDRESS:
        skip = "CTIDIALER_TEST_FREESWITCH names no FreeSWITCH"

    def setUp(self) -> None:
        host, _, port = ADDRESS.rpartition(":")
        self.heard = Listener()
        self.switch = Switch(
            clock,
            HostnameEndpoint(installed_reactor, host, int(port)),
            Credentials(PASSWORD),
            Subscription(
                ("CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"), (("variable_cti_host", HOST),)
            ),
            self.heard,
            jobs_by_api=self.jobs_by_api,
        )
        self.addCleanup(self.switch.stopService)
        self.switch.startService()

    def names_of(self, call: str) -> list[str]:
        return [event.name for event in self.heard.events if event.get("Unique-ID") == call]

    async def until(self, call: str, name: str) -> None:
        while name not in self.names_of(call):
            await deferLater(clock, 0.02)

    async def test_api(self) -> None:
        await self.heard.up
        self.assertIn("UP", await self.switch.api("status"))
        self.assertEqual(await self.switch.api(f"uuid_exists {HOST}"), "false")

    async def test_a_call_that_is_answered_and_hung_up(self) -> None:
        await self.heard.up
        call = str(uuid.uuid4())
        variables = f"{{origination_uuid={call},cti_host={HOST},ignore_early_media=true}}"
        result = await self.switch.background(f"job-{call}", f"originate {variables}null/1 &park")
        self.assertEqual(result, JobResult(True, call))
        await self.until(call, "CHANNEL_ANSWER")
        await self.switch.api(f"uuid_kill {call} NORMAL_CLEARING")
        await self.until(call, "CHANNEL_HANGUP_COMPLETE")
        hangup = self.heard.events[-1]
        self.assertEqual(hangup["Hangup-Cause"], "NORMAL_CLEARING")
        self.assertEqual(hangup["variable_cti_host"], HOST)

    async def test_a_call_that_fails(self) -> None:
        await self.heard.up
        result = await self.switch.background("j1", "originate error/USER_BUSY &park")
        self.assertEqual(result, JobResult(False, "USER_BUSY"))

    async def test_calls_of_others_do_not_come(self) -> None:
        await self.heard.up
        call = str(uuid.uuid4())
        variables = f"{{origination_uuid={call},cti_host=another}}"
        await self.switch.background(call, f"originate {variables}null/1 &park")
        await self.switch.api(f"uuid_kill {call}")
        await deferLater(clock, 0.2)
        self.assertEqual(self.names_of(call), [])

    async def test_many_jobs_at_once(self) -> None:
        await self.heard.up
        jobs = [self.switch.background(f"{HOST}-{n}", "version short") for n in range(300)]
        results = {await job for job in jobs}
        self.assertEqual(len(results), 1)

    async def test_nothing_unsafe_is_sent(self) -> None:
        await self.heard.up
        with self.assertRaises(UnsafeCommand):
            await self.switch.background("j1", "version\n\napi version")


class RealFreeSwitchByApi(RealFreeSwitch):
    """All of it again, with ``api bgapi``."""

    jobs_by_api = True
