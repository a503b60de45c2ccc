"""The JSON API: what the commands show, said by the daemon itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from time import time

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from ctidialer.check.findings import Finding
from ctidialer.check.node import NodeCheck
from ctidialer.contract import keys
from ctidialer.contract.control import Order
from ctidialer.contract.status import encode_status
from ctidialer.dialer.assembly import Parts
from ctidialer.nodes.orders import NodeOrders
from ctidialer.nodes.overview import overview_of
from ctidialer.nodes.reader import NodeReader
from ctidialer.rules.explaining import explain
from ctidialer.rules.explanation import Explanation, NodeFacts
from ctidialer.rules.node_facts import as_explained, as_missing
from ctidialer.settings import Settings
from ctidialer.store.errors import StoreError
from ctidialer.web import documents
from ctidialer.web.answers import Answer, Asked, Refusal, json_answer

MOST_LISTED = 1000
BUSY_LINES = 20
"""Lines with their reasons, of each task in a list."""

ALL_BUSY_LINES = 1000
AT_ONCE = 100
"""Tasks explained before everybody else has a turn."""

LONGEST_WHY = 200
MOST_SAMPLED = 10_000


class Api:
    """Answers for one daemon, made of ``parts``."""

    def __init__(self, settings: Settings, parts: Parts, clock: IReactorTime) -> None:
        self._settings = settings
        self._parts = parts
        self._clock = clock
        self._host = settings.node.host
        self._control = NodeOrders(parts.link, self._host)

    # --- the node ----------------------------------------------------------------------------

    async def alive(self, asked: Asked) -> Answer:
        """Say that the event loop turns."""
        return json_answer(documents.Alive(True))

    async def ready(self, asked: Asked) -> Answer:
        """Say whether calls can be placed; 503 where not."""
        facts = self._parts.explainer.node_facts(self._clock.seconds())
        missing = [as_missing(one) for one in facts.obstacles]
        is_ready = self._parts.readiness.gate.is_open
        return json_answer(documents.Readiness(is_ready, missing), 200 if is_ready else 503)

    async def status(self, asked: Asked) -> Answer:
        """Return the state of this daemon."""
        return Answer(body=encode_status(self._parts.status.status()))

    async def nodes(self, asked: Asked) -> Answer:
        """Return the state of all nodes on this Redis."""
        now, nodes = time(), NodeReader(self._parts.link, self._settings.node)
        looks = [await overview_of(nodes, host, False, now) for host in await nodes.hosts()]
        return json_answer({"at": now, "nodes": [look.as_json() for look in looks]})

    async def drain(self, asked: Asked) -> Answer:
        """Take this node out of service."""
        changed = await self._control.drain(_order(asked))
        return json_answer(documents.Drained(self._host, True, changed))

    async def undo_drain(self, asked: Asked) -> Answer:
        """Put this node back into service."""
        changed = await self._control.undo_drain(_order(asked))
        return json_answer(documents.Drained(self._host, False, changed))

    async def check(self, asked: Asked) -> Answer:
        """Return every fault in the tables, and in the first numbers of each queue."""
        sample = asked.number("sample", 100, MOST_SAMPLED)
        checking = NodeCheck(self._parts.link, self._settings, sample, time())
        found = await checking.run(_in_a_thread)
        return json_answer(
            documents.CheckResult(
                [documents.FindingEntry(**one.as_json()) for one in found.findings],
                found.tasks,
                found.lines,
                found.line_groups,
                found.schedule_configs,
                found.numbers,
            )
        )

    # --- tasks -------------------------------------------------------------------------------

    async def tasks(self, asked: Asked) -> Answer:
        """Return a page of the tasks, of those of one reason where one is asked for."""
        start, end = _page(asked)
        word, reason = asked.query.get("q", "").lower(), asked.query.get("reason", "")
        names = [name for name in self._task_names() if word in name.lower()]
        if reason:
            names = [name async for name in self._with_reason(names, reason)]
        facts = self._facts()
        listed = [self._entry(name, facts) for name in names[start:end]]
        await self._measure_queues(listed)
        return json_answer(documents.TaskPage(listed, len(names)))

    async def explain(self, asked: Asked) -> Answer:
        """Say why one task is, or is not, dialing now."""
        name = self._listed(asked)
        found = as_explained(self._explained(name, self._facts()), ALL_BUSY_LINES)
        return json_answer(
            documents.TaskExplanation(
                name,
                self._host,
                found.reason,
                found.text,
                found.changes_at,
                found.faults,
                found.lines,
                found.lines_left_out,
            )
        )

    async def pause(self, asked: Asked) -> Answer:
        """Hold the new calls of a task."""
        name = self._known(asked)
        changed = await self._control.pause(name, _order(asked))
        return json_answer(documents.TaskPaused(name, True, changed))

    async def resume(self, asked: Asked) -> Answer:
        """Let a task go on."""
        name = self._known(asked)
        changed = await self._control.resume(name, _order(asked))
        return json_answer(documents.TaskPaused(name, False, changed))

    # --- lines -------------------------------------------------------------------------------

    async def lines(self, asked: Asked) -> Answer:
        """Return a page of the lines, of those in one state where one is asked for."""
        start, end = _page(asked)
        word, state = asked.query.get("q", "").lower(), asked.query.get("state", "")
        now = self._clock.seconds()
        names = sorted(self._parts.tables.routes.lines.keys() | self._used_lines())
        named = (name for name in names if word in name.lower())
        lines = [self._parts.status.line(name, now) for name in named]
        found = [line for line in lines if state in ("", line.state)]
        return json_answer(documents.LinePage(found[start:end], len(found)))

    # -----------------------------------------------------------------------------------------

    def _task_names(self) -> list[str]:
        tables = self._parts.tables
        invalid = (name for table, name in tables.faults if table == keys.TASK)
        return sorted({*tables.tasks, *invalid, *(run.task.name for run in self._parts.runs)})

    def _listed(self, asked: Asked) -> str:
        """Return the name of a task there is, or of a deleted one whose calls are still up."""
        name = asked.names["task"]
        return name if self._parts.runs.get(name) is not None else self._known(asked)

    def _known(self, asked: Asked) -> str:
        name, tables = asked.names["task"], self._parts.tables
        if name not in tables.tasks and (keys.TASK, name) not in tables.faults:
            raise Refusal(404, f"there is no task {name[:80]!r} on {self._host}")
        return name

    def _facts(self) -> NodeFacts:
        return self._parts.explainer.node_facts(self._clock.seconds())

    def _explained(self, name: str, facts: NodeFacts) -> Explanation:
        return explain(self._parts.explainer.task_facts(name, facts.now), facts)

    async def _with_reason(self, names: list[str], reason: str) -> AsyncIterator[str]:
        for start in range(0, len(names), AT_ONCE):
            facts = self._facts()
            for name in names[start : start + AT_ONCE]:
                if self._explained(name, facts).reason.value == reason:
                    yield name
            await deferLater(self._clock, 0)

    def _entry(self, name: str, facts: NodeFacts) -> documents.TaskEntry:
        parts = self._parts
        task, run = parts.tables.tasks.get(name), parts.runs.get(name)
        return documents.TaskEntry(
            name=name,
            calls=run.calls if run else 0,
            limit=task.limit if task else 0,
            cps=task.cps if task else None,
            number_queue=task.number_queue if task else "",
            queue_length=None,
            paused=name in parts.tables.control.paused,
            explained=as_explained(self._explained(name, facts), BUSY_LINES),
        )

    async def _measure_queues(self, listed: list[documents.TaskEntry]) -> None:
        queues = sorted({entry.number_queue for entry in listed} - {""})
        try:
            lengths = await self._parts.store.queue_lengths(queues)
        except StoreError:
            return  # the tasks are told all the same
        for entry in listed:
            entry.queue_length = lengths.get(entry.number_queue)

    def _used_lines(self) -> Iterator[str]:
        return (name for name, state in self._parts.lines.states.items() if state.calls)


def _page(asked: Asked) -> tuple[int, int]:
    start = asked.number("offset", 0, 10**8)
    return start, start + asked.number("limit", 200, MOST_LISTED)


def _order(asked: Asked) -> Order:
    why = asked.members().get("why", "")
    if not isinstance(why, str) or len(why) > LONGEST_WHY or not why.isprintable():
        raise Refusal(400, f"$.why must be a text of one line, at most {LONGEST_WHY} characters")
    return Order(since=round(time(), 3), by=asked.by, why=why)


def _in_a_thread(work: Callable[[], Iterable[Finding]]) -> Awaitable[Iterable[Finding]]:
    return deferToThread(work)
