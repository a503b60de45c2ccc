"""What a call counts on, by the log of its switch, is what the tables say of its line and task."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from chaos.callees import Callees
from chaos.load import DOMAIN, TASKS
from chaos.sharing import LINE_NAME, TASK_NAME, Shares, shared_tables
from ctidialer.contract import keys
from ctidialer.rules.counting import of_task, of_way
from ctidialer.rules.tables import Tables
from ctidialer.switchsim.calllog import OriginateLine

SHARES = Shares(0.5)


class SharingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = Tables("fs2", DOMAIN, "")
        written = shared_tables(SHARES, Callees(1_800_000_000.0), 3)
        for key, documents in written.items():
            raw = {name: msgspec.json.encode(one) for name, one in documents.items()}
            self.tables.replace(key, raw)

    def call(self, line: str, task: str = "") -> OriginateLine:
        variables = {LINE_NAME: line, TASK_NAME: task}
        dialed = f"{{x=y}}sofia/gateway/{line[0]}/139"
        return OriginateLine(1.0, 1, "", "u", "u", variables=variables, dial_string=dialed)

    def test_the_audit_and_the_daemon_count_the_same(self) -> None:
        for name, line in self.tables.routes.lines.items():
            way = {one.counted.key: one.counted for one in of_way(self.tables.routes, DOMAIN, line)}
            shared = {one.key: one for one in SHARES.counts_on(self.call(name))}
            self.assertEqual(shared.keys(), way.keys())
            for key, one in shared.items():
                self.assertEqual(one.count, way[key].count)
                self.assertEqual(one.cps is None, way[key].interval == 0)
        self.assertEqual(len(self.tables.routes.lines), 3)

    def test_the_limits_of_tasks(self) -> None:
        for name in TASKS:
            counted = of_task(self.tables.tasks[name], keys.TEMPLATE)
            assert counted is not None
            (shared,) = [
                one for one in SHARES.counts_on(self.call("b-3", name)) if "task" in one.key
            ]
            self.assertEqual((shared.key, shared.count), (counted.key, counted.count))

    def test_everything_in_force_is_what_calls_count_on(self) -> None:
        calls = [self.call(f"{name}-3", task) for name in ("a1", "a2", "b") for task in TASKS]
        counted = {shared for call in calls for shared in SHARES.counts_on(call)}
        self.assertEqual(counted, set(SHARES.in_force(3)))
