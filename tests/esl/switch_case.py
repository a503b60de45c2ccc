"""A switch on a network in memory, its time in the test's hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from attrs import Factory, define
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.errors import (
    EslError,
)
from ctidialer.esl.events import Event
from ctidialer.esl.switch import Credentials, Subscription, Switch, Timings
from tests.esl.network import Network
from tests.esl.scripted import Script

BYE = b"Content-Type: text/disconnect-notice\nContent-Length: 4\n\nbye\n"
CREDENTIALS = Credentials("ClueCon")
SUBSCRIPTION = Subscription(
    ("CHANNEL_ANSWER", "CUSTOM", "callcenter::info"), (("variable_cti_host", "fs1"),)
)
SUBSCRIBED = [
    "filter Event-Name BACKGROUND_JOB",
    "filter Event-Name HEARTBEAT",
    "filter variable_cti_host fs1",
    "event plain BACKGROUND_JOB HEARTBEAT CHANNEL_ANSWER CUSTOM callcenter::info",
]


@define
class Heard:
    """A listener that notes what it is told, and fails when ``clumsy``."""

    told: list[str] = Factory(list)
    events: list[Event] = Factory(list)
    clumsy: bool = False
    then: Callable[[str], object] = lambda told: None

    def switch_up(self) -> None:
        self._note("up")

    def switch_down(self, reason: str) -> None:
        self._note(f"down: {reason}")

    def switch_event(self, event: Event) -> None:
        self.events.append(event)
        self.then(event.name)
        self._stumble()

    def _note(self, text: str) -> None:
        self.told.append(text)
        self.then(text)
        self._stumble()

    def _stumble(self) -> None:
        if self.clumsy:
            raise RuntimeError("a mistake in the listener")


class SwitchTest(SynchronousTestCase):
    jobs_by_api = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.script = Script()
        self.network = Network(self.script, self.clock)
        self.heard = Heard()
        self.switch = self.build()
        self.lines: list[str] = []
        observe = cast(ILogObserver, self.observe)
        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def observe(self, event: dict[str, Any]) -> None:
        if event["log_level"] >= LogLevel.warn and "log_failure" not in event:
            self.lines.append(str(event["log_format"]).format(**event))

    def build(
        self,
        credentials: Credentials = CREDENTIALS,
        subscription: Subscription = SUBSCRIPTION,
    ) -> Switch:
        return Switch(
            self.clock,
            self.network,
            credentials,
            subscription,
            self.heard,
            timings=Timings(),
            jobs_by_api=self.jobs_by_api,
            jitter=lambda: 1.0,
        )

    def start(self) -> None:
        self.switch.startService()
        self.network.flush()

    def error(self, deferred: Deferred[Any], kind: type[EslError]) -> EslError:
        error = self.failureResultOf(deferred, kind).value
        assert isinstance(error, EslError)
        return error
