"""What the daemon is made of, put together in one place."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.dialer.agents.pacers import Pacers
from ctidialer.dialer.agents.roster import Roster
from ctidialer.dialer.backlog_watch import BacklogWatch
from ctidialer.dialer.configuration import Configuration
from ctidialer.dialer.control import Orders
from ctidialer.dialer.daemon_view import Daemon
from ctidialer.dialer.dispatch.brakes import EDITED, Brakes
from ctidialer.dialer.dispatch.due_watch import DueWatch
from ctidialer.dialer.dispatch.intake import Intake
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.dispatch.pause_watch import PauseWatch
from ctidialer.dialer.dispatch.queue import QueueDialer
from ctidialer.dialer.dispatch.schedule import ScheduleDialer, ScheduleSource
from ctidialer.dialer.dispatch.shared_places import SharedPlaces
from ctidialer.dialer.dispatch.shared_watch import SharedWatch
from ctidialer.dialer.dispatch.slots import Slots
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.dispatch.waiting_sums import WaitingSums
from ctidialer.dialer.event_stream import EventStream
from ctidialer.dialer.explainer import Explainer, Troubles
from ctidialer.dialer.gateway_watch import GatewayWatch
from ctidialer.dialer.life import channel_events
from ctidialer.dialer.life.acceptance import Acceptance
from ctidialer.dialer.life.again import Again
from ctidialer.dialer.life.between import Between
from ctidialer.dialer.life.caller import CallDefaults, Caller
from ctidialer.dialer.life.calls import Calls
from ctidialer.dialer.life.closing import Closing
from ctidialer.dialer.life.journal import Journal
from ctidialer.dialer.life.numbers import Numbers
from ctidialer.dialer.life.pursuit import Pursuit
from ctidialer.dialer.life.recovery import Recovery
from ctidialer.dialer.life.story import CalledOff, Stories, waiting_event
from ctidialer.dialer.life.ways import Ways
from ctidialer.dialer.line_orders import LineOrders
from ctidialer.dialer.minutes import Minutes, Talk
from ctidialer.dialer.node_view import NodeView
from ctidialer.dialer.readiness import Readiness
from ctidialer.dialer.recent_outcomes import RecentOutcomes
from ctidialer.dialer.status_report import StatusReport
from ctidialer.dialer.task_news import TaskNews
from ctidialer.dialer.write_watch import WriteWatch
from ctidialer.esl.switch import Credentials, Subscription, Switch, SwitchListener
from ctidialer.glue import Gate, Idle
from ctidialer.nodes.backlog import BacklogReader
from ctidialer.rules.tables import Changed, Tables
from ctidialer.settings import Records, Settings, host_and_port, record_variables
from ctidialer.store.address import parse_address
from ctidialer.store.agents import AgentReader
from ctidialer.store.changes import ChangeFeed, ChangeListener, change_channels
from ctidialer.store.in_flight import Claimed
from ctidialer.store.link import Link
from ctidialer.store.rights import NodeNames, Rights, adoption_needs, node_needs
from ctidialer.store.shared_use import read_use
from ctidialer.store.store import Store
from ctidialer.store.tables import TableReader
from ctidialer.version import program_version

APPLIED_PER_SLICE = 100
READ_PER_SLICE = 500
"""Changed and new tasks that are taken over in one step: they take some milliseconds."""


class PartsListener(SwitchListener, ChangeListener, Protocol):
    """Who is told what happens to FreeSWITCH and to the tables."""


class Parts:
    """The parts of one daemon, wired to each other and not yet started."""

    def __init__(self, settings: Settings, reactor: IReactorTime, listener: PartsListener) -> None:
        node = settings.node
        pattern = re.compile(node.number_pattern)
        self._clock = reactor
        self._host = node.host
        self.readiness = Readiness()
        self.writable = Gate()
        self.link = Link(reactor, parse_address(settings.redis.url))
        self.store = Store(
            self.link,
            node.host,
            f"ctidialer {program_version()}",
            settings.records.max_records,
            settings.records.list,
            settings.records.channel,
            lease=node.lease,
            max_entry=node.max_entry,
            adopt_after=node.adopt_after,
            wait_replicas=settings.redis.wait_replicas,
        )
        self.changes = ChangeFeed(reactor, self.link.address, node.host, node.domain, listener)
        self.switch = _switch(settings, reactor, listener)
        self.roster = Roster(reactor, self.switch, AgentReader(self.link, node.domain))
        wanted = record_variables(settings.records)
        self.tables = Tables(
            node.host, node.domain, node.default_dialstring, wanted, settings.compliance.dnc
        )
        self.news = TaskNews(reactor, node.timezone)
        self.runs = TaskRuns(node.timezone, self.news.changed)
        self.brakes = Brakes(self.runs, settings.queue.brake_after)
        self.orders = Orders(self.runs, self.brakes, self.readiness)
        self.lines = LineAccounts()
        self.line_orders = LineOrders(reactor, self.lines, node.timezone)
        self.limits = NodeLimits(node.max_calls, node.max_cps)
        self.slots = Slots(self.tables, self.lines, self.limits, self.runs)
        self.journal = Journal()
        self.journal.add_reader(self.news)
        self.pause_watch = PauseWatch(reactor, self.switch, self.limits)
        self.calls = Calls(reactor, self.switch, self.journal, time.monotonic)
        self.write_watch = self._write_watch(settings, reactor)
        self.store.on_refusal(self.write_watch.refused)
        self.closing = Closing(
            reactor, node.host, self.store, self.writable, self.readiness, self.journal
        )
        self.configuration = Configuration(
            reactor, self.tables, TableReader(self.link), self.readiness, self._take_over
        )
        self.events = self._event_stream(settings.records)
        self.pacers = Pacers(
            reactor,
            node.timezone,
            self.switch,
            self.roster,
            self.runs,
            self.store.pacing,
            node.host,
            self.tables.scope_of,
            channel_events.TELLING if self.events else (),
        )
        self.slots.agent_room = self.pacers.room
        self.places = SharedPlaces(reactor, self.store.places, self.tables, self.lines, self.runs)
        self.slots.lacks_line = self.places.questions.lacks_line
        self.slots.lacks_limit = self.places.questions.lacks_limit
        caller = Caller(
            CallDefaults(node.host, node.originate_timeout),
            self.store,
            self.switch,
            self.calls,
            Stories(node.host, self.events.tell if self.events else None),
            self.places,
            self.pacers.watch_for,
        )
        ways = self.ways = Ways(
            reactor,
            self.tables,
            self.lines,
            self.configuration.look_up,
            self.places.questions.lacks_line,
        )
        between = Between(reactor, caller, ways, self.readiness.gate)
        acceptance = Acceptance(reactor, self.limits, self.calls)
        self.pursuit = Pursuit(reactor, caller, ways, acceptance, between)
        self.numbers = Numbers(self.pursuit, self.closing, self.configuration.look_up)
        self.due_watch = DueWatch(reactor, self.store, self.tables)
        self.closing.waits = self._waits
        self.waiting_sums = WaitingSums(reactor, self.store, self.tables, node.timezone)
        intake = Intake(self.store, self.numbers, self.readiness.gate)
        self.queue_dialer = QueueDialer(
            reactor, pattern, self.runs, self.slots, intake, self.brakes, self.due_watch
        )
        self.pacers.wake = self.queue_dialer.wake
        self.places.wake = self._place_came
        schedule = ScheduleSource(keys.at(keys.SCHEDULE_NUMBER, node.domain), pattern, self.tables)
        self.schedule_dialer = ScheduleDialer(reactor, schedule, self.slots, intake, self.due_watch)
        self.idle = Idle(reactor, self._is_idle)
        for part in (self.numbers, self.closing, self.slots):
            part.finished = self.idle.look
        self.recovery = Recovery(
            self.store.token,
            self.numbers,
            self.closing,
            {
                Kind.QUEUE: self.queue_dialer.errand_of,
                Kind.SCHEDULE: self.schedule_dialer.errand_of,
            },
        )

        recent = RecentOutcomes()
        self.journal.add_reader(recent)
        self.explainer = Explainer(
            node.timezone,
            self.tables,
            self.runs,
            self.lines,
            self.slots,
            self.readiness,
            self.calls,
            Troubles(
                lambda: self.switch.told(reactor.seconds()),
                lambda: self.link.told(reactor.seconds()),
                lambda: self.write_watch.problem,
                lambda: self.closing.problem,
            ),
            recent,
            later=self.waiting_sums.of,
            pacing_of=self.pacers.status,
        )
        self.backlog = BacklogWatch(
            reactor, BacklogReader(self.link, node.host, node.domain, settings.records.list)
        )
        self.gateways = GatewayWatch(reactor, self.switch, self.tables, self.runs)
        self.shared = SharedWatch(
            reactor, self.tables, self.places.things, partial(read_use, self.link)
        )
        view = NodeView(
            node,
            self.tables,
            self.runs,
            self.schedule_dialer.runs,
            self.lines,
            self.calls,
            self.numbers,
            self.closing,
            self.readiness,
            self.switch,
            self.explainer,
            settings.http.address,
            lambda: self.store.unreadable,
            self.backlog,
            self.gateways,
            self.shared,
        )
        self.status = StatusReport(reactor, view, self.store, self.writable)
        talk = Talk()
        self.journal.add_reader(talk)
        self.shown = Daemon(view, self.status, self.journal, self.write_watch, self.events, talk)
        self.minutes = Minutes(reactor, node.host, self.store, self.writable, self.shown.totals)

    def _event_stream(self, records: Records) -> EventStream | None:
        """Return the stream that tells of calls while they are up; None = nobody is told."""
        if not records.events:
            return None
        stream = EventStream(self._clock, self.store, records.events, records.max_events)
        self.journal.add_reader(CalledOff(stream.tell))
        self.switch.hear(*channel_events.TELLING)
        return stream

    def _write_watch(self, settings: Settings, reactor: IReactorTime) -> WriteWatch:
        node, records, address = settings.node, settings.records, self.link.address
        names = NodeNames(
            node.host,
            node.domain,
            self.tables.keys_of(),
            change_channels(node.host, node.domain),
            records.list,
            records.channel,
            records.events,
            settings.redis.wait_replicas > 0,
        )
        return WriteWatch(
            reactor,
            Rights(self.link, node.host, self.store.token, settings.redis.wait_replicas),
            self.readiness,
            (*node_needs(names), *(adoption_needs() if node.adopt else ())),
            self._origins,
            address.credentials.username or "default",
        )

    def _origins(self) -> Iterator[tuple[str, Side | None]]:
        """Yield the queues from which numbers are taken now."""
        if self.tables.schedules:
            yield keys.at(keys.SCHEDULE_NUMBER, self.tables.domain), None
        for run in (*self.runs.dialing(self._clock.seconds()), *self.runs.waiting):
            for queue in run.task.queues:
                yield queue, run.task.queue_side

    def _place_came(self) -> None:
        """Other hosts may have left a place: further calls go before fresh numbers."""
        self.ways.look()
        self.queue_dialer.tick()

    def _waits(self, again: Again, claim: Claimed, number: str | None) -> None:
        self.due_watch.waits(again.where, again.due)
        if self.events is not None:
            self.events.tell(waiting_event(self._host, again, claim.id, number))

    def _is_idle(self) -> bool:
        return not (len(self.numbers) or self.closing.unwritten or self.slots.asked)

    def _take_over(self, changes: Sequence[Changed]) -> Iterator[None]:
        """Take over what has changed in the tables, a few tasks a step; dial after the last."""
        for changed in changes:
            if changed.table in (keys.LINE, keys.GATEWAY, keys.TASK):
                self.places.edited(changed.table, changed.names)
            if changed.table == keys.CONTROL:
                self.orders.obey(self.tables.control)
                self.line_orders.obey(self.tables.control)
            elif changed.table == keys.TASK:
                for names in self._steps(changed.names):
                    self.runs.update(self.tables.tasks, names, self._clock.seconds())
                    self.pacers.update(self.tables.tasks, names)
                    for name in names:
                        self.brakes.let_go(self.runs.get(name), EDITED)
                    yield
            elif changed.table in (keys.LINE, keys.LINE_GROUP, keys.GATEWAY):
                self.brakes.lines_edited(changed.names, self.tables.routes)
        if changes:
            self.pacers.updated()
            self.queue_dialer.tick()

    def _steps(self, names: Iterable[str]) -> Iterator[list[str]]:
        """Divide names of tasks into steps: a new task is only noted, one with a run is looked at,
        so a step has fewer of these."""
        known: list[str] = []
        new: list[str] = []
        for name in names:
            (new if self.runs.get(name) is None else known).append(name)
            if len(new) == READ_PER_SLICE:
                yield new
                new = []
        yield new
        yield from (
            known[first : first + APPLIED_PER_SLICE]
            for first in range(0, len(known), APPLIED_PER_SLICE)
        )


def _switch(settings: Settings, reactor: IReactorTime, listener: SwitchListener) -> Switch:
    host, port = host_and_port(settings.freeswitch.address, "$.freeswitch.address")
    subscription = Subscription(
        events=channel_events.SUBSCRIBED,
        filters=(("variable_cti_host", settings.node.host),),
    )
    credentials = Credentials(settings.freeswitch.password, settings.freeswitch.user or None)
    return Switch(
        reactor,
        HostnameEndpoint(reactor, host, port),
        credentials,
        subscription,
        listener,
        jobs_by_api=True,
        where=settings.freeswitch.address,
    )
