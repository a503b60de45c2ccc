"""All parts of a dialer, put together around the stand-ins of :mod:`tests.dialer.fakes`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from twisted.internet.defer import Deferred, fail, succeed

from ctidialer.contract import keys
from ctidialer.dialer.dispatch.brakes import EDITED, Brakes
from ctidialer.dialer.dispatch.due_watch import DueWatch
from ctidialer.dialer.dispatch.intake import Intake
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.dispatch.queue import QueueDialer
from ctidialer.dialer.dispatch.schedule import ScheduleDialer, ScheduleSource
from ctidialer.dialer.dispatch.shared_places import SharedPlaces
from ctidialer.dialer.dispatch.slots import Slots
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.life.acceptance import Acceptance
from ctidialer.dialer.life.between import Between
from ctidialer.dialer.life.caller import CallDefaults, Caller
from ctidialer.dialer.life.calls import Calls
from ctidialer.dialer.life.closing import GATHER_INTERVAL, Closing
from ctidialer.dialer.life.journal import Journal
from ctidialer.dialer.life.listening import WatchFor, nobody
from ctidialer.dialer.life.numbers import Numbers
from ctidialer.dialer.life.pursuit import Pursuit
from ctidialer.dialer.life.story import Stories
from ctidialer.dialer.life.ways import Ways
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.glue import Gate
from ctidialer.rules.attempt import LINGER_SECONDS
from ctidialer.rules.table_names import Named
from ctidialer.rules.tables import Tables
from tests.dialer.fakes import (
    ZSET,
    FakeSwitch,
    MemoryStore,
    Placed,
    answer_event,
    clock,
    hang_up_event,
    let_run,
)

PATTERN = re.compile(r"\+?[0-9*#]{1,32}")


class World:
    """The parts of a dialer around a switch and a store in memory; everything is up.

    One line group ``main`` of the line ``gw1`` and one ``backup`` of ``gw2``, a task ``t`` that
    dials the list ``q`` through both, a schedule configuration ``s`` that does, too.
    """

    def __init__(
        self,
        *,
        max_calls: int = 0,
        max_cps: float = 0.0,
        brake_after: int = 50,
        switch: FakeSwitch | None = None,
        watch_for: WatchFor = nobody,
    ) -> None:
        self.clock = clock()
        self.looked_up: list[list[tuple[str, str]]] = []
        self.switch = switch or FakeSwitch()
        self.store = MemoryStore(self.clock)
        self.readiness = Readiness()
        self.writable = Gate()
        self.writable.open()
        self.readiness.met(*Condition)
        ready = self.readiness.gate
        self.tables = Tables("fs1", "fs1", "sofia/gateway/${line_group}/${destination_number}")
        self.runs = TaskRuns("UTC")
        self.lines = LineAccounts()
        self.limits = NodeLimits(max_calls, max_cps)
        self.slots = Slots(self.tables, self.lines, self.limits, self.runs)
        self.calls = Calls(self.clock, self.switch, Journal())
        self.closing = Closing(
            self.clock, "fs1", self.store, self.writable, self.readiness, Journal()
        )
        self.places = SharedPlaces(
            self.clock, self.store.places, self.tables, self.lines, self.runs
        )
        caller = Caller(
            CallDefaults("fs1", 60),
            self.store,
            self.switch,
            self.calls,
            Stories("fs1"),
            self.places,
            watch_for,
        )
        self.ways = ways = Ways(self.clock, self.tables, self.lines, self.look_up)
        between = Between(self.clock, caller, ways, ready)
        acceptance = Acceptance(self.clock, self.limits, self.calls)
        self.pursuit = Pursuit(self.clock, caller, ways, acceptance, between)
        self.numbers = Numbers(self.pursuit, self.closing, self.look_up)
        self.brakes = Brakes(self.runs, brake_after)
        intake = Intake(self.store, self.numbers, ready)
        self.due_watch = DueWatch(self.clock, self.store, self.tables)
        self.closing.waits = lambda again, *_: self.due_watch.waits(again.where, again.due)
        self.queue_dialer = QueueDialer(
            self.clock, PATTERN, self.runs, self.slots, intake, self.brakes, self.due_watch
        )
        self.schedule_dialer = ScheduleDialer(
            self.clock,
            ScheduleSource(ZSET, PATTERN, self.tables),
            self.slots,
            intake,
            self.due_watch,
        )
        self.put_line("gw1")
        self.put_line("gw2")
        self.put_group("main", "gw1")
        self.put_group("backup", "gw2")
        self.put_task()

    # --- the tables ---

    def look_up(self, unknown: Named) -> Deferred[None]:
        """Redis, too, does not have it; ``looked_up`` is what was asked for."""
        self.looked_up.append(sorted(unknown))
        return succeed(None) if self.store.error is None else fail(self.store.error)

    def put(self, key: str, name: str, document: object) -> None:
        raw = None if document is None else json.dumps(document).encode()
        changed = self.tables.put(key, name, raw)
        if changed.table == keys.TASK:
            self.runs.update(self.tables.tasks, changed.names, self.clock.seconds())
            self.tasks_changed(changed.names)
            for task in changed.names:
                self.brakes.let_go(self.runs.get(task), EDITED)
        elif changed.table in (keys.LINE, keys.LINE_GROUP):
            self.brakes.lines_edited(changed.names, self.tables.routes)
        assert not self.tables.faults, self.tables.faults

    def tasks_changed(self, names: Iterable[str]) -> None:
        """Tasks were put."""

    def put_line(self, name: str, **params: object) -> None:
        usual = {"count": 100, "dialstring": f"sofia/gateway/{name}/${{destination_number}}"}
        self.put("cti_line@fs1", name, {"params": {**usual, **params}})

    def put_group(self, name: str, line: str, **group: object) -> None:
        self.put("cti_line_group@fs1", name, {"line": [[line]], **group})

    def put_task(self, name: str = "t", **params: object) -> None:
        usual = {
            "enable": True,
            "line_group": ["main", "backup"],
            "limit": 10,
            "number_queue": "q",
            "destination_extension": "8888",
        }
        self.put("cti_queue_dialer_task@fs1", name, {"params": {**usual, **params}})

    def put_schedule(self, name: str = "s", **params: object) -> None:
        usual = {"line_group": ["main", "backup"], "destination_extension": "8888"}
        self.put("cti_schedule_dialer_config@fs1", name, {"params": {**usual, **params}})

    def put_numbers(self, *entries: str | bytes, queue: str = "q") -> None:
        raw = [entry if isinstance(entry, bytes) else entry.encode() for entry in entries]
        self.store.queues.setdefault(queue, []).extend(raw)

    @property
    def queue(self) -> list[str]:
        return [entry.decode() for entry in self.store.queues.get("q", [])]

    # --- what happens ---

    def start(self) -> None:
        self.queue_dialer.start(0.05)

    def runs_for(self, seconds: float) -> None:
        let_run(self.clock, seconds)

    def ends(
        self,
        cause: str = "NORMAL_CLEARING",
        sip_code: int | None = None,
        *,
        answered: bool = False,
        placed: Placed | None = None,
    ) -> None:
        """End a call (the last one) as a callee or a network would."""
        uuid = (placed or self.switch.last).uuid
        if answered:
            self.calls.event(answer_event(uuid))
        self.calls.event(hang_up_event(uuid, cause, sip_code))
        self.runs_for(0.03)

    def is_refused(self, placed: Placed | None = None) -> None:
        self.switch.job("-ERR DESTINATION_OUT_OF_ORDER", placed)
        self.runs_for(LINGER_SECONDS + GATHER_INTERVAL + 0.03)

    def stop(self) -> None:
        self.readiness.lost(Condition.RUNNING)
        self.queue_dialer.stop()
        self.due_watch.stop()
        self.schedule_dialer.stop()
        self.pursuit.drain()

    def left_behind(self) -> dict[str, object]:
        """Return every account that is not back where it was before the first call."""
        found: dict[str, object] = {
            "calls": len(self.calls),
            "in hand": len(self.numbers),
            "node": self.slots.calls,
            "asked": self.slots.asked,
            "unwritten": self.closing.unwritten,
            "jobs": len(self.switch.jobs),
        }
        found |= {f"run {run.task.name}": run.calls + run.asked for run in self.runs}
        found |= {f"line {name}": state.calls for name, state in self.lines.states.items()}
        return {what: count for what, count in found.items() if count}
