"""The schedule configurations of this node: the numbers in hand of each, and its room."""

from __future__ import annotations

from attrs import define

from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.status import ScheduleStatus
from ctidialer.dialer.dispatch.accounts import Account
from ctidialer.rules import pacing
from ctidialer.rules.explanation import NO_START
from ctidialer.rules.tables import Tables


@define(eq=False)
class ConfigRun(Account):
    """One schedule configuration as the tables have it now, and its numbers in hand."""

    name: str
    tables: Tables

    @property
    def config(self) -> ScheduleConfig | None:
        """What the tables say; None = it is gone, or at fault."""
        return self.tables.schedules.get(self.name)

    @property
    def limit(self) -> int | None:
        """How many slots it has; None = no limit."""
        return self.config.limit if self.config else None

    @property
    def cps(self) -> float | None:
        """The calls it may start per second; None = no limit of its own."""
        return self.config.cps if self.config else None

    @property
    def held(self) -> bool:
        """Whether it is paused, or has limit 0: no call starts, no further one either."""
        return self.name in self.tables.control.paused_schedules or self.limit == 0

    def next_start(self, now: float) -> float | None:
        """Return when its rate allows a call; None = it has no rate, or another limit stops it."""
        if self.cps is None or self.held or (self.limit is not None and self.calls >= self.limit):
            return None
        return pacing.next_start(self.pace, self.cps, now)

    def told(self, now: float) -> ScheduleStatus:
        """Return what there is to tell of it."""
        has_started = self.cps is not None and self.pace != NO_START
        start = pacing.next_start(self.pace, self.cps, now) if has_started else None
        return ScheduleStatus(self.name, self.calls, len(self.waiting), self.next_call(now), start)

    def room(self, now: float) -> int:
        """Return how many of its numbers its own limits let take at ``now``."""
        if self.held:
            return 0
        rate = pacing.room(self.pace, self.cps, now) - self.turns
        own = rate if self.limit is None else min(rate, self.limit - self.calls)
        return max(0, own)


class ScheduleRuns:
    """The configurations that have numbers in hand, or had some, by name."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._runs: dict[str, ConfigRun] = {}

    def get(self, name: str) -> ConfigRun | None:
        """Return the run of a configuration; None = it never had numbers in hand."""
        return self._runs.get(name)

    def of(self, name: str) -> ConfigRun | None:
        """Return the run of a configuration; None = there is none of this name."""
        if name not in self._runs and name in self._tables.schedules:
            self._runs[name] = ConfigRun(name, self._tables)
        return self._runs.get(name)

    @property
    def limited(self) -> dict[str, ConfigRun]:
        """The configurations that are paused, or have a limit or a rate."""
        paused = self._tables.control.paused_schedules
        names = [name for name, config in self._tables.schedules.items() if config.is_limited]
        return {name: self._run(name) for name in (*names, *paused)}

    def told(self, now: float, most: int) -> tuple[ScheduleStatus, ...]:
        """Return the status of at most so many configurations, those with numbers in hand first."""
        runs = sorted(self._runs.values(), key=lambda run: (not run.calls, run.name))
        return tuple(run.told(now) for run in runs[:most])

    def left(self, run: ConfigRun) -> None:
        """A slot of this run has come free: forget a configuration that is gone with its last."""
        if not run.calls and run.config is None and self._runs.get(run.name) is run:
            del self._runs[run.name]

    def _run(self, name: str) -> ConfigRun:
        return self._runs.get(name) or self.of(name) or ConfigRun(name, self._tables)
