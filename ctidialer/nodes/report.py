"""Why tasks are, or are not, dialing, as it can be told from Redis alone: for the commands.

If the daemon says something of a task, that counts.  Tasks that are plainly closed, of which it
says nothing, are explained from the tables, by the same rules; so are all tasks if no daemon lives.
"""

from __future__ import annotations

from attrs import evolve, field, frozen

from ctidialer.contract import keys
from ctidialer.contract.status import Explained, NodeStatus, TaskStatus
from ctidialer.contract.task import Task
from ctidialer.rules.explaining import explain
from ctidialer.rules.explanation import Explanation, NodeFacts, Obstacle
from ctidialer.rules.node_facts import (
    as_explained,
    as_obstacle,
    drain_obstacle,
    facts_from_tables,
)
from ctidialer.rules.reasons import Reason
from ctidialer.rules.tables import Tables

NOT_READ = as_explained(Explanation(Reason.STARTING, form="not_read"))


@frozen
class NodeReport:
    """All that Redis says of one node.

    ``daemon`` describes the daemon with the host's lease, None = none is alive.  ``status`` is what
    it said last, None = nothing lately: then ``silent`` says for how long, and ``lapses_in`` in how
    many seconds its lease ends.  ``in_flight``: entries taken and not settled.  ``refused``: why
    Redis takes no writes now, so that even a live daemon cannot publish; empty = it takes them.
    ``unreadable``: which of its tables are none, and why.
    """

    host: str
    zone: str
    tables: Tables
    daemon: str | None = None
    status: NodeStatus | None = None
    in_flight: int = 0
    silent: str = ""
    lapses_in: float | None = None
    refused: str = ""
    unreadable: tuple[str, ...] = ()
    _said: dict[str, TaskStatus] = field(init=False, eq=False, repr=False)

    @_said.default
    def _by_name(self) -> dict[str, TaskStatus]:
        return {task.name: task for task in self.status.tasks} if self.status else {}

    @property
    def is_alive(self) -> bool:
        """Whether a daemon works under this name, and says so."""
        return self.daemon is not None and self.status is not None

    @property
    def is_ready(self) -> bool:
        """Whether the node says that it can place calls."""
        return self.daemon is not None and self.status is not None and self.status.ready

    @property
    def is_abandoned(self) -> bool:
        """Whether numbers are in flight and no daemon is there that could follow them."""
        return self.daemon is None and self.in_flight > 0

    def obstacles(self) -> tuple[Obstacle, ...]:
        """Return what keeps the whole node from dialing, the most important first."""
        if self.status is not None and self.daemon is not None:
            return tuple(as_obstacle(one) for one in self.status.missing)
        drain = self.tables.control.drain
        drained = () if drain is None else (drain_obstacle(drain, 0, self.zone),)
        refused = Obstacle(Reason.WRITES_REFUSED, values={"problem": self.refused})
        tables = Obstacle(Reason.TABLES_UNREADABLE, values={"problem": "; ".join(self.unreadable)})
        return (
            *((refused,) if self.refused else ()),
            self._no_daemon(),
            *((tables,) if self.unreadable else ()),
            *drained,
        )

    def problems(self) -> list[dict[str, str]]:
        """Return the obstacles as JSON data."""
        return [{"condition": one.reason.value, "problem": one.text} for one in self.obstacles()]

    def _no_daemon(self) -> Obstacle:
        if self.daemon is None:
            return Obstacle(Reason.NO_DAEMON, values={"host": self.host})
        values = {"daemon": self.daemon}
        values |= {"silent": self.silent} if self.silent else {}
        values |= {} if self.lapses_in is None else {"left": f"{self.lapses_in:.0f}"}
        return Obstacle(Reason.NO_DAEMON, "silent", values)

    def task_names(self) -> list[str]:
        """Return the names of all tasks of this host, valid or not."""
        invalid = (name for table, name in self.tables.faults if table == keys.TASK)
        return sorted({*self.tables.tasks, *invalid, *self._said})

    def explain(self, name: str, now: float) -> TaskStatus:
        """Return the state of a task at ``now`` (unix seconds), and its reason."""
        said = self._said.get(name) if self.is_alive else None
        if said is not None:
            return said
        node = NodeFacts(now, self.zone, self.tables.routes, obstacles=self.obstacles())
        found = explain(facts_from_tables(self.tables, name, self.zone, now), node)
        explained = as_explained(found)
        if not found.reason.from_tables and self.is_alive and not node.obstacles:
            explained = self._unsaid()
        return _as_status(name, self.tables.tasks.get(name), explained)

    def is_unsaid(self, name: str, now: float) -> bool:
        """Whether the daemon should say something of this task, and does not yet."""
        return self.explain(name, now).explained == NOT_READ

    def _unsaid(self) -> Explained:
        """Explain a task that is open by the tables, and of which the daemon says nothing."""
        status = self.status
        if status is not None and status.tasks_left_out:
            values = {"told": str(len(status.tasks))}
            return as_explained(Explanation(Reason.DIALING, form="left_out", values=values))
        return NOT_READ


def _as_status(name: str, task: Task | None, explained: Explained) -> TaskStatus:
    status = TaskStatus(name, 0, 0, "", explained)
    if task is None:
        return status
    return evolve(
        status,
        limit=task.limit,
        number_queue=task.number_queue,
        further_queues=task.further_queues,
        cps=task.cps,
    )
