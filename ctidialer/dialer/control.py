"""Obeys the operator's orders (`ctidialer.contract.control`), which the daemon reads as tables."""

from __future__ import annotations

from ctidialer.contract.control import Control
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.readiness import Condition, Readiness


def obey(control: Control, runs: TaskRuns, readiness: Readiness) -> None:
    """Do as the operator has ordered: what he takes back is undone."""
    runs.pause(control.paused)
    if control.drain is None:
        readiness.met(Condition.IN_SERVICE)
    else:
        readiness.lost(Condition.IN_SERVICE)
