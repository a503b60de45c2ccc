"""Asks FreeSWITCH now and then for the gateways that calls go through: for alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.life.switch_port import SwitchPort
from ctidialer.esl.errors import CommandRefused, EslError, UnsafeCommand
from ctidialer.glue import Repeated
from ctidialer.rules.gateway_state import GatewayState, gateways_named, question, read_answer
from ctidialer.rules.tables import Tables

LOOK_INTERVAL = 30.0
"""Seconds between two looks."""

MAX_GATEWAYS = 100
"""Gateways that are asked for."""


class GatewayWatch:
    """Keeps ``found``: the state of each gateway as FreeSWITCH said it last, by name."""

    log = Logger()

    def __init__(
        self, clock: IReactorTime, switch: SwitchPort, tables: Tables, runs: TaskRuns
    ) -> None:
        self._switch = switch
        self._tables = tables
        self._runs = runs
        self.found: Mapping[str, str] = {}
        self._looks = Repeated(clock, self.look, self.log, "Asking for the gateways")

    def start(self) -> None:
        """Look from now on."""
        self._looks.start(LOOK_INTERVAL)

    def stop(self) -> None:
        """Look no more."""
        self._looks.stop()

    async def look(self) -> None:
        """Ask for each gateway; while FreeSWITCH is away nothing is known of any."""
        found: dict[str, str] = {}
        try:
            for name in gateways_named(self._tables.routes, self._dialed(), MAX_GATEWAYS):
                found[name] = (await self._state(name)).value
        except EslError:
            found = {}
        self.found = found

    def _dialed(self) -> Iterator[str]:
        """Yield the names that open tasks dial: one that is neither group nor line is a gateway."""
        for run in self._runs.told:
            yield from run.task.line_groups

    async def _state(self, name: str) -> GatewayState:
        try:
            return read_answer(await self._switch.api(question(name)))
        except (CommandRefused, UnsafeCommand):
            return GatewayState.UNTOLD
