"""What is counted over hosts, as the status tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.shared_use import Holder, SharedUse
from ctidialer.dialer.dispatch import shared_watch
from ctidialer.dialer.dispatch.counted_things import CountedThings
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.shared_watch import LOOK_INTERVAL, SharedWatch
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import StoreUnavailable
from ctidialer.store.shared_use import Use
from tests.dialer.fakes import clock

TRUNK = keys.counted_calls("d", "gateway", "trunk")
HELD = Use(60, (Holder("fs1", 57), Holder("fs2", 3, 5.0)))
TASK = {
    "enable": True, "line_group": ["g"], "limit": 5, "limit_scope": "all", "number_queue": "q",
    "destination_extension": "1",
}  # fmt: skip


class SharedWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock()
        self.tables = Tables("fs1", "d", "x")
        self.things = CountedThings(self.tables, LineAccounts(), TaskRuns("UTC"))
        self.use: Mapping[str, Use] = {TRUNK: HELD}
        self.asked: list[list[str]] = []
        self.is_away = False
        self.watch = SharedWatch(self.clock, self.tables, self.things, self.read)
        self.watch.start()
        self.addCleanup(self.watch.stop)

    async def read(self, names: Sequence[str]) -> Mapping[str, Use]:
        self.asked.append(list(names))
        if self.is_away:
            raise StoreUnavailable("away")
        return self.use

    def put(self, table: str, suffix: str, name: str, **params: object) -> None:
        params = {"count": 60, "dialstring": "x/${destination_number}", **params}
        if table == keys.GATEWAY:
            del params["dialstring"]
        document = json.dumps({"params": params}).encode()
        self.tables.put(keys.at(table, suffix), name, document)
        self.things.edited(table, [name])

    def found(self) -> tuple[SharedUse, ...]:
        self.clock.advance(LOOK_INTERVAL)
        return self.watch.found

    def test_nothing_is_asked_where_nothing_is_shared(self) -> None:
        self.put(keys.LINE, "d", "own")
        self.assertEqual((self.found(), self.asked), ((), []))

    def test_the_fullest_first(self) -> None:
        self.put(keys.GATEWAY, "d", "trunk", scope="domain", cps=9)
        self.put(keys.LINE, "d", "l", scope="domain")
        self.tables.put(keys.at(keys.TASK, "template"), "t", json.dumps({"params": TASK}).encode())
        self.things.edited(keys.TASK, ["t"])
        line = keys.counted_calls("d", "line", "l")
        task = keys.counted_calls("template", "task", "t")
        self.use = {TRUNK: HELD, line: Use(6, (Holder("fs1", 6),)), task: Use(1, ())}
        self.assertEqual(
            self.found(),
            (
                SharedUse("gateway", "trunk", 60, 60, 9.0, HELD.holders),
                SharedUse("task", "t", 1, 5),
                SharedUse("line", "l", 6, 60, None, (Holder("fs1", 6),)),
            ),
        )
        self.assertEqual(self.watch.used("line", "l"), 6)
        self.assertIsNone(self.watch.used("line", "other"))
        self.assertEqual(self.watch.found[0].gone, (Holder("fs2", 3, 5.0),))

    def test_while_redis_is_away(self) -> None:
        self.put(keys.GATEWAY, "d", "trunk", scope="domain")
        self.assertEqual(len(self.found()), 1)
        self.is_away = True
        self.assertEqual(self.found(), ())

    def test_what_cannot_be_read(self) -> None:
        self.put(keys.GATEWAY, "d", "trunk", scope="domain")
        self.use = {}
        self.assertEqual(self.found(), (SharedUse("gateway", "trunk", None, 60),))

    def test_of_very_many_some_are_told(self) -> None:
        self.patch(shared_watch, "MAX_THINGS", 2)
        self.put(keys.LINE, "d", "l", scope="domain")
        for name in ("trunk", "b"):
            self.put(keys.GATEWAY, "d", name, scope="domain")
        self.assertEqual([one.what for one in self.found()], ["gateway", "gateway"])
        self.assertEqual(self.watch.left_out, 1)
