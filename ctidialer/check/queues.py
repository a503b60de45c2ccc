"""The queues of mod_callcenter that tasks name, and whether FreeSWITCH has them.

Pure: tables in, FreeSWITCH's answer in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from ctidialer.check.findings import Finding, Severity
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.sentences import Sentence
from ctidialer.contract import keys
from ctidialer.contract.document import shown
from ctidialer.contract.problems import Told
from ctidialer.rules.callcenter import has_queue

QUESTION = "callcenter_config queue list"
"""The API command that names all queues."""


@frozen
class QueueUse:
    """A place in the tables that names a queue."""

    queue: str
    key: str
    name: str
    path: str


def queues_used(of: NodeTables) -> tuple[QueueUse, ...]:
    """Return every place that names a queue of mod_callcenter."""
    return tuple(_used(of))


def queue_findings(uses: Sequence[QueueUse], answer: str, address: str) -> Iterator[Finding]:
    """Yield what is to be said of the queues by an answer to `QUESTION`.

    ``address`` is FreeSWITCH's.
    """
    has_module = not answer.startswith("-")
    for use in uses:
        if has_module and has_queue(answer, use.queue):
            continue
        sentence = Sentence.NO_SUCH_QUEUE if has_module else Sentence.NO_CALLCENTER
        problem = sentence.of(queue=shown(use.queue), address=address)
        yield Finding.of(Severity.FAULT, use.key, use.name, use.path, problem)


def queues_unasked(address: str, why: Told) -> Finding:
    """Return the notice that the queues could not be looked at."""
    problem = Sentence.QUEUES_UNASKED.of(problem=why)
    return Finding.of(Severity.NOTICE, f"FreeSWITCH {address}", "", "", problem)


def _used(of: NodeTables) -> Iterator[QueueUse]:
    for name, task in of.tables.tasks.items():
        queue = None if task.agents is None else task.agents.queue
        place = of.task_params(name).get("agent_queue")
        if queue is not None and place is not None:
            yield QueueUse(queue, place.key or of.key(keys.TASK), name, place.path)
