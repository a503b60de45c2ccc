"""Whether FreeSWITCH has the queues that tasks name."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.findings import Severity
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.queues import QueueUse, queue_findings, queues_used
from tests.check.test_tables import NODE, OWN, TEMPLATE, raw, task

ANSWER = "name|strategy|moh_sound\nsales@default|ring-all|silence\n+OK\n"
ADDRESS = "127.0.0.1:8021"


def use(queue: str) -> QueueUse:
    return QueueUse(queue, TEMPLATE, "t", "$.params.agent_queue")


class QueueTests(SynchronousTestCase):
    def test_where_they_are_named(self) -> None:
        tables = {
            TEMPLATE: {"t": raw(task(agent_queue="sales@default")), "none": raw(task())},
            OWN: {"own": raw(task(agent_queue="b@default")), "g": raw(task(agent_group="g"))},
        }
        self.assertEqual(
            set(queues_used(NodeTables(NODE, tables))),
            {
                QueueUse("sales@default", TEMPLATE, "t", "$.params.agent_queue"),
                QueueUse("b@default", OWN, "own", "$.params.agent_queue"),
            },
        )

    def test_one_is_there_and_one_is_not(self) -> None:
        uses = [use("sales@default"), use("sales")]
        (found,) = queue_findings(uses, ANSWER, ADDRESS)
        self.assertEqual((found.severity, found.path), (Severity.FAULT, "$.params.agent_queue"))
        self.assertIn('has no queue "sales"', found.problem)

    def test_no_mod_callcenter(self) -> None:
        answer = "-ERR callcenter_config Command not found!\n"
        (found,) = queue_findings([use("sales@default")], answer, ADDRESS)
        self.assertIn("has no mod_callcenter", found.problem)
