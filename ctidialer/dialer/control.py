"""Obeys the operator's orders (`ctidialer.contract.control`), which the daemon reads as tables."""

from __future__ import annotations

from twisted.logger import Logger

from ctidialer.contract.control import Control, Order
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.readiness import Condition, Readiness


class Orders:
    """Does as the operator has ordered, and says in the log who ordered what, and why."""

    log = Logger()

    def __init__(self, runs: TaskRuns, readiness: Readiness) -> None:
        self._runs = runs
        self._readiness = readiness
        self._given = Control()

    def obey(self, control: Control) -> None:
        """Obey all orders of the node as they stand now; what was taken back is undone."""
        before, self._given = self._given, control
        self._tell_of_drain(before, control)
        self._tell_of_pauses(before, control)
        self._runs.pause(control.paused)
        if control.drain is None:
            self._readiness.met(Condition.IN_SERVICE)
        else:
            self._readiness.lost(Condition.IN_SERVICE)

    def _tell_of_drain(self, before: Control, after: Control) -> None:
        if after.drain is not None and before.drain is None:
            self._tell("This node is drained{who}", after.drain)
        elif before.drain is not None and after.drain is None:
            self._tell("This node is back in service{who}", after.undrained)

    def _tell_of_pauses(self, before: Control, after: Control) -> None:
        for task in after.paused.keys() - before.paused.keys():
            self._tell("Task {task} is paused{who}", after.paused[task], task)
        for task in before.paused.keys() - after.paused.keys():
            self._tell("Task {task} is resumed{who}", after.resumed.get(task), task)

    def _tell(self, text: str, order: Order | None, task: str | None = None) -> None:
        order = order or Order()  # taken back by hand, with HDEL
        who = f" by {order.by}" if order.by else ""
        why = f": {order.why}" if order.why else ""
        self.log.info(text, who=who + why, **({} if task is None else {"task": task}))
