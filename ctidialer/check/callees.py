"""What is wrong, or hardly meant, in what tasks and configurations say of those they call.

Pure: documents in, findings out.  What they say of tries again is in `ctidialer.check.retries`, of
do-not-call lists in `ctidialer.check.dnc`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from attrs import evolve, frozen

from ctidialer.check.findings import Finding, Severity, finding_at
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.retries import Planned, plan_findings
from ctidialer.check.sentences import Sentence
from ctidialer.contract import keys
from ctidialer.contract.callee import NO_CALLEE_RULES, CalleeRules
from ctidialer.contract.document import Params, Place, shown
from ctidialer.contract.hours import CallingHours
from ctidialer.contract.problems import Told
from ctidialer.contract.schedule import ScheduleConfig
from ctidialer.contract.task import Task
from ctidialer.rules.callee_hours import Hours, Zones, all_open
from ctidialer.rules.callee_zone import is_region, zones_of_region
from ctidialer.rules.calling_hours import opening

_HOURS = ("callee_hour", "callee_week", "callee_holiday", "compliance")
_ANYWHERE = ("UTC",)


@frozen
class CalleeDocument:
    """A valid task or configuration that says something of those it calls.

    ``table`` and ``key``: where it stands.
    """

    table: str
    key: str
    name: str
    value: Task | ScheduleConfig
    params: Params

    @property
    def callee(self) -> CalleeRules:
        """What it says, with what its rule files add."""
        return self.value.callee

    def at(self, place: Place | None, severity: Severity, problem: Told) -> Finding:
        """Return what is to be said of one of its params."""
        return finding_at(place, severity, self.key, self.name, problem)


def callee_documents(of: NodeTables) -> Iterator[CalleeDocument]:
    """Yield every valid document that says something of those it calls."""
    for name, task in of.tables.tasks.items():
        if task.callee != NO_CALLEE_RULES:
            params = of.task_params(name)
            yield CalleeDocument(keys.TASK, of.key(keys.TASK), name, task, params)
    for name, config in of.tables.schedules.items():
        if config.callee != NO_CALLEE_RULES:
            params, _ = of.config_params(name)
            key = of.key(keys.SCHEDULE_CONFIG)
            yield CalleeDocument(keys.SCHEDULE_CONFIG, key, name, config, params)


def callee_findings(of: NodeTables, now: float) -> Iterator[Finding]:
    """Yield what is to be said of regions, hours, tries and caps; ``now`` in unix seconds."""
    for document in callee_documents(of):
        yield from _of_region(document)
        yield from _of_hours(document, of.settings.timezone, now)
        for severity, place, problem in plan_findings(_planned(of, document), now):
            yield document.at(place, severity, problem)


def _planned(of: NodeTables, document: CalleeDocument) -> Planned:
    value, groups = document.value, of.tables.routes.groups
    known = [groups[name] for name in value.line_groups if name in groups]
    return Planned(
        callee=value.callee,
        params=document.params,
        own=_own_hours(document, of.settings.timezone),
        is_judged=value.agents is not None,
        ring_time=of.settings.originate_timeout,
        has_further_calls=len(value.line_groups) > 1 or any(one.redials for one in known),
    )


def _of_region(document: CalleeDocument) -> Iterator[Finding]:
    region = document.callee.region
    if region is not None and not is_region(region):
        problem = Sentence.NO_SUCH_REGION.of(region=shown(region))
        yield document.at(document.params.get("callee_region"), Severity.FAULT, problem)


def _of_hours(document: CalleeDocument, node_zone: str, now: float) -> Iterator[Finding]:
    callee, params = document.callee, document.params
    if not callee.hours:
        return
    place = next((params.get(name) for name in _HOURS if params.get(name) is not None), None)
    if callee.region is None and callee.timezone is None:
        yield document.at(place, Severity.WARNING, Sentence.CALLEES_NOWHERE.of())
    if _never(callee.hours, _ANYWHERE, now):
        yield document.at(place, Severity.WARNING, Sentence.CALLEES_NEVER_OPEN.of())
        return
    own, zones = _own_hours(document, node_zone), _zones(callee)
    if own is None or not zones or opening(own, node_zone, now).changes_at is None:
        return
    if all(_never((own, *callee.hours), (zone,), now) for zone in zones):
        where = zones[0] if len(zones) == 1 else shown(callee.region)
        yield document.at(place, Severity.WARNING, Sentence.HOURS_NEVER_MEET.of(where=where))


def _own_hours(document: CalleeDocument, node_zone: str) -> CallingHours | None:
    """Return when a task itself calls, by its own clock; a configuration has no such hours."""
    if not isinstance(document.value, Task):
        return None
    hours = document.value.hours
    return evolve(hours, timezone=hours.timezone or node_zone)


def _zones(callee: CalleeRules) -> Zones:
    """Return where those may be whose entries do not say it."""
    of_region = () if callee.region is None else zones_of_region(callee.region)
    return of_region or (() if callee.timezone is None else (callee.timezone,))


@lru_cache(maxsize=1024)
def _never(hours: Hours, zones: Zones, now: float) -> bool:
    """Say whether hours are never all open; many tasks have the same ones."""
    found = all_open(hours, zones, now)
    return not found.open and found.changes_at is None
