"""What a forecast of a task is made from: read from Redis, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from ctidialer.contract import keys
from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.forecast import Forecast
from ctidialer.contract.pacing import PacingStatus
from ctidialer.contract.record import Kind
from ctidialer.contract.said import Said
from ctidialer.contract.task import Task
from ctidialer.nodes.list_sample import ListSample
from ctidialer.nodes.pacing import PacingKept, read_kept
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.recent import recent_records
from ctidialer.nodes.report import NodeReport
from ctidialer.rules.abandon_period import period_start
from ctidialer.rules.calling_hours import stops_at
from ctidialer.rules.forecast.actors import Bounds
from ctidialer.rules.forecast.assumptions import Assumption
from ctidialer.rules.forecast.bounds import bounds_of
from ctidialer.rules.forecast.known import known
from ctidialer.rules.forecast.numbers import CallRules
from ctidialer.rules.forecast.runs import Question, foresee
from ctidialer.rules.forecast.summing import summed_up
from ctidialer.rules.permission import LastMoments
from ctidialer.rules.prediction.feedback import Ledger
from ctidialer.rules.reasons import Reason
from ctidialer.settings import Settings
from ctidialer.store.link import Link
from ctidialer.store.waiting import Waiting

RECORDS = 1000
"""Records of the task by which outcomes are taken."""

FRESH_WITHIN = 10.0
"""Seconds for which what a node said of its agents holds."""

MOST_HOURS = 366 * 24.0

RECKONED_WITH = frozenset(
    {
        Reason.AFTER_STOP,
        Reason.BEFORE_START,
        Reason.HOLIDAY,
        Reason.NOT_A_WORKING_DAY,
        Reason.OUTSIDE_HOURS,
        Reason.LIMIT_ZERO,
        Reason.LIMIT_REACHED,
        Reason.NUMBERS_WAIT,
        Reason.NO_FREE_LINE,
        Reason.QUEUE_EMPTY,
        Reason.AGENTS_BUSY,
        Reason.PACED,
        Reason.DIALING,
    }
)
"""Reasons that the forecast itself takes into account, or that are none not to dial."""


class NoForecast(Exception):
    """Nothing can be foreseen of this task; ``said`` is why."""

    def __init__(self, said: Said) -> None:
        self.said = said
        super().__init__(said.en)


class UnknownTask(NoForecast):
    """There is no such task."""


@frozen
class Wanted:
    """What is asked: the task; ``agents`` in place of those at work, and how far to look
    (``hours``); None = not said."""

    task: str
    agents: int | None = None
    hours: float | None = None
    seed: int = 1


@frozen
class Basis:
    """The question, and what was assumed in it."""

    host: str
    asked: Question
    assumptions: tuple[Said, ...]

    def foresee(self, task: str) -> Forecast:
        """Simulate: some seconds of computing."""
        found = foresee(self.asked)
        said = [*self.assumptions]
        minutes = [one.measured / 60.0 for one in found.speeds]
        if any(minutes):
            shown = f"{sum(minutes) / len(minutes):.0f}"
            said.append(Assumption.FLOW.of(minutes=shown))
        elif minutes:
            said.append(Assumption.FLOW_RECKONED.of())
        said.append(Assumption.UNCHANGED.of())
        return summed_up(task, self.host, self.asked, found, said)


async def read_basis(link: Link, settings: Settings, wanted: Wanted, now: float) -> Basis:
    """Read all that is known of the rest of a task's list.

    Raises NoForecast, or StoreError.
    """
    reader = NodeReader(link, settings.node)
    report = await reader.look_at(settings.node.host)
    task = _task(report, wanted.task, settings.compliance.dnc)
    kept = await read_kept(link, report.host, task.name)
    where = Waiting(report.tables.scope_of(task.name), Kind.QUEUE, task.name)
    left = await ListSample(link, settings.node, task, where, now).read()
    hosts = await _dialing_hosts(reader, report, where)
    streams = [keys.records(host) for host in hosts]
    found = known(
        None if kept is None else kept.learnt,
        await recent_records(link, streams, task.name, RECORDS),
        task.agents,
    )
    agents, of_agents = _agents(task.agents, kept, wanted.agents, now)
    bounds = evolve(_bounds(report, task, len(hosts)), talk=found.talk)
    zone = task.hours.timezone or report.zone
    asked = Question(
        rules=CallRules(task.hours, zone, task.callee, LastMoments(stops_at(task.hours, zone))),
        dialing=task.agents,
        fresh=left.fresh,
        waiting=left.waiting,
        learnt=evolve(found.learnt, ledger=_ledger(task, kept, zone, now)),
        truth=found.truth,
        mix=found.mix,
        bounds=bounds,
        agents=agents,
        now=now,
        horizon=3600.0 * min(MOST_HOURS, wanted.hours or MOST_HOURS),
        lasted=found.lasted,
        seed=wanted.seed,
    )
    said = (*_stopped(report, task, now), *of_agents, *found.assumptions, *left.assumptions)
    return Basis(report.host, asked, (*said, _bounded(bounds, len(hosts))))


def _task(report: NodeReport, name: str, dnc: Sequence[str]) -> Task:
    """Return the task; ``dnc``: the lists that hold for all tasks."""
    task = report.tables.tasks.get(name)
    if task is not None:
        lists = tuple(dict.fromkeys((*task.callee.dnc, *dnc)))
        return evolve(task, callee=evolve(task.callee, dnc=lists))
    if (keys.TASK, name) in report.tables.faults:
        raise NoForecast(NOT_VALID)
    raise UnknownTask(NO_SUCH_TASK)


NO_SUCH_TASK = Said("there is no such task", "没有这个任务")
NOT_VALID = Said(
    "the task is not valid: ctidialer check says what is wrong",
    "任务无效：ctidialer check 会说明原因",
)
NO_AGENTS_KNOWN = Said(
    "nobody knows how many agents are at work (no daemon says so, or none is): give their number",
    "不知道有多少坐席在岗（没有守护进程给出人数，或没有人在岗）：请给出坐席人数",
)
NO_AGENTS_COUNTED = Said(
    "the task is in mode batch, where agents decide nothing: leave their number out",
    "任务的模式是 batch，坐席不起作用：不要给出坐席人数",
)


async def _dialing_hosts(reader: NodeReader, report: NodeReport, where: Waiting) -> list[str]:
    """Return the hosts that dial the task now, our own always."""
    hosts = [report.host]
    if where.scope == keys.TEMPLATE:
        for host in await reader.hosts():
            status = None if host == report.host else await reader.status(host)
            if status is not None and any(one.name == where.name for one in status.tasks):
                hosts.append(host)
    return hosts


def _agents(
    dialing: AgentDialing | None, kept: PacingKept | None, wanted: int | None, now: float
) -> tuple[int | None, tuple[Said, ...]]:
    """Return how many agents there are, None = they decide nothing; and what is said of it."""
    if dialing is None or not dialing.is_paced:
        if wanted is not None:
            raise NoForecast(NO_AGENTS_COUNTED)
        return None, ()
    if wanted is not None:
        return wanted, (Assumption.AGENTS_GIVEN.of(agents=wanted),)
    fresh = [one for one in (kept.hosts if kept else {}).values() if now - one.at <= FRESH_WITHIN]
    at_work = [one.free + one.busy + one.agents_ringing for one in fresh if not one.problem]
    # A group is the same for all hosts; the queue of mod_callcenter is each host's own.
    agents = sum(at_work) if dialing.queue is not None else max(at_work, default=0)
    if not agents:
        raise NoForecast(NO_AGENTS_KNOWN)
    return agents, (Assumption.AGENTS_NOW.of(agents=agents),)


def _ledger(task: Task, kept: PacingKept | None, zone: str, now: float) -> Ledger:
    """Return what was counted in the present period."""
    if task.agents is None or kept is None or not kept.hosts:
        return Ledger()
    last = _last(kept.hosts)
    begun = period_start(task.agents.abandon_period, task.hours.start, zone, now)
    return Ledger(last.answered, last.abandoned) if last.period_start == begun else Ledger()


def _last(hosts: Mapping[str, PacingStatus]) -> PacingStatus:
    return max(hosts.values(), key=lambda one: one.at)


def _bounds(report: NodeReport, task: Task, hosts: int) -> Bounds:
    status, routes = report.status, report.tables.routes
    if status is None:
        return bounds_of(task, routes, hosts, 0, 0.0)
    return bounds_of(task, routes, hosts, status.max_calls, status.max_cps)


def _bounded(bounds: Bounds, hosts: int) -> Said:
    return Assumption.BOUNDS.of(
        limit=bounds.limit,
        cps=None if bounds.cps is None else f"{bounds.cps:g}",
        hosts=hosts if hosts > 1 else None,
    )


def _stopped(report: NodeReport, task: Task, now: float) -> tuple[Said, ...]:
    """Say why the task does not dial now, where that is none of what was simulated."""
    word = report.explain(task.name, now).explained.reason
    reason = next((one for one in Reason if one.value == word), None)
    if reason is None or reason in RECKONED_WITH:
        return ()
    label = reason.words.label
    return (Assumption.NOT_DIALING.of(why=label.en, why_zh=label.zh),)
