"""Obeys the operator's orders (`ctidialer.contract.control`), which the daemon reads as tables."""

from __future__ import annotations

from twisted.logger import Logger

from ctidialer.contract.control import Control, Order
from ctidialer.dialer.dispatch.brakes import RESUMED, Brakes
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.dialer.readiness import Condition, Readiness


class Orders:
    """Does what the operator has ordered, and logs who ordered what, and why."""

    log = Logger()

    def __init__(self, runs: TaskRuns, brakes: Brakes, readiness: Readiness) -> None:
        self._runs = runs
        self._brakes = brakes
        self._readiness = readiness
        self._given = Control()

    def obey(self, control: Control) -> None:
        """Obey all orders of the node as they stand now; undo those that were taken back."""
        before, self._given = self._given, control
        self._tell_of_drain(before, control)
        self._tell_of_pauses(before, control)
        self._tell_of_schedules(before, control)
        self._tell_of_edits(before, control)
        self._runs.pause(control.paused)
        for task, order in control.resumed.items():
            if before.resumed.get(task) != order:
                self._brakes.let_go(self._runs.get(task), f"{RESUMED}{given_by(order)}")
        if control.drain is None:
            self._readiness.met(Condition.IN_SERVICE)
        else:
            self._readiness.lost(Condition.IN_SERVICE)

    def _tell_of_drain(self, before: Control, after: Control) -> None:
        if after.drain is not None and before.drain is None:
            self.log.info("This node is drained{given}", given=given_by(after.drain))
        elif before.drain is not None and after.drain is None:
            self.log.info("This node is back in service{given}", given=given_by(after.undrained))

    def _tell_of_schedules(self, before: Control, after: Control) -> None:
        for config in after.paused_schedules.keys() - before.paused_schedules.keys():
            given = given_by(after.paused_schedules[config])
            self.log.info(
                "Schedule configuration {config} is paused{given}", config=config, given=given
            )
        for config in before.paused_schedules.keys() - after.paused_schedules.keys():
            given = given_by(after.resumed_schedules.get(config))
            self.log.info(
                "Schedule configuration {config} is resumed{given}", config=config, given=given
            )

    def _tell_of_pauses(self, before: Control, after: Control) -> None:
        for task in after.paused.keys() - before.paused.keys():
            given = given_by(after.paused[task])
            self.log.info("Task {task} is paused{given}", task=task, given=given)
        for task in before.paused.keys() - after.paused.keys():
            given = given_by(after.resumed.get(task))
            self.log.info("Task {task} is resumed{given}", task=task, given=given)

    def _tell_of_edits(self, before: Control, after: Control) -> None:
        if (
            Condition.TABLES in self._readiness.missing
            and not self._readiness.losses[Condition.TABLES]
        ):
            return  # the first reading: these edits are older than this daemon
        for task, edit in after.edited.items():
            if before.edited.get(task) != edit:
                self.log.info(
                    "Task {task} is edited{given} ({what})",
                    task=task,
                    given=given_by(edit.order),
                    what=edit.what,
                )


def given_by(order: Order | None) -> str:
    """Say by whom an order was given and why; None = it was taken back by hand, with HDEL."""
    if order is None:
        return ""
    by = f" by {order.by}" if order.by else ""
    return f"{by}: {order.why}" if order.why else by
