"""Hosts that count the abandoned calls of one task in periods that do not begin together.

Pure: documents and what the daemons publish in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfoNotFoundError

from ctidialer.check.findings import Finding, Severity
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.sentences import Sentence
from ctidialer.contract import keys
from ctidialer.contract.agent_dialing import AbandonPeriod
from ctidialer.contract.document import shown
from ctidialer.contract.task import Task
from ctidialer.rules.abandon_period import period_start


def tasks_counted_by_host_zones(of: NodeTables) -> tuple[Task, ...]:
    """Return the tasks of the template that count abandoned calls and name no time zone: all hosts
    that run one count together, each by the zone of its own settings."""
    return tuple(
        task
        for name, task in of.tables.tasks.items()
        if task.agents is not None
        and task.hours.timezone is None
        and of.tables.scope_of(name) == keys.TEMPLATE
    )


def ledger_findings(of: NodeTables, zones: Mapping[str, str], now: float) -> Iterator[Finding]:
    """Yield the tasks whose hosts do not count together; ``zones``: the time zone (IANA) of each
    host with a daemon, by its name; ``now`` in unix seconds.

    One host takes what another has counted only where both say that the period began at the same
    moment.
    """
    node = of.settings
    all_zones = {node.host: node.timezone, **zones}
    for task in tasks_counted_by_host_zones(of):
        assert task.agents is not None
        begun = {
            host: start
            for host, zone in all_zones.items()
            if (start := _start(task, task.agents.abandon_period, zone, now)) is not None
        }
        mine = begun.get(node.host)
        other = next((host for host in sorted(begun) if begun[host] != mine), None)
        if mine is not None and other is not None:
            problem = Sentence.COUNTED_APART.of(
                zone=all_zones[node.host], host=shown(other), other=all_zones[other]
            )
            key = keys.at(keys.TASK, keys.TEMPLATE)
            yield Finding.of(Severity.WARNING, key, task.name, "$.params", problem)


def _start(task: Task, period: AbandonPeriod, zone: str, now: float) -> float | None:
    """Return when the present period begins by a zone; None = this machine does not know it."""
    try:
        return period_start(period, task.hours.start, zone, now)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
