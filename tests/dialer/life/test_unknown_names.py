"""Names that the tables do not have: Redis is asked for them before they count as unknown."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred, succeed

from ctidialer.contract import keys
from ctidialer.dialer.readiness import Condition
from ctidialer.rules.table_names import Named
from ctidialer.store.errors import StoreUnavailable
from tests.dialer.fakes import NOW, ZSET
from tests.dialer.life.pursuit_case import PursuitCase

GROUP = [(keys.LINE, "other"), (keys.LINE_GROUP, "other")]


class UnknownNamesCase(PursuitCase):
    """``find`` is what Redis does when it is asked."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: list[list[tuple[str, str]]] = []
        self.find = lambda: succeed(None)
        for part in (self.world.numbers, self.world.ways):
            self.patch(part, "_look_up", self.look_up)

    def look_up(self, unknown: Named) -> Deferred[None]:
        self.asked.append(sorted(unknown))
        return self.find()


class GroupTests(UnknownNamesCase):
    def dial_through(self, *groups: str) -> None:
        self.world.put_task(line_group=list(groups))
        self.dial()

    def test_known_names_are_not_asked_for(self) -> None:
        self.dial_through("main", "backup")
        self.assertEqual(self.asked, [])

    def test_what_redis_does_not_know_is_dialed_by_the_fallback(self) -> None:
        self.dial_through("other")
        self.assertEqual(self.asked, [GROUP])
        self.assertIn("sofia/gateway/other/", self.world.switch.last.command)

    def test_what_redis_knows_is_dialed_by_its_lines(self) -> None:
        def find() -> Deferred[None]:
            self.world.put_group("other", "gw2")
            return succeed(None)

        self.find = find
        self.dial_through("other")
        self.assertIn("sofia/gateway/gw2/", self.world.switch.last.command)

    def test_nothing_is_dialed_before_redis_has_answered(self) -> None:
        answer: Deferred[None] = Deferred()
        self.find = lambda: answer
        self.dial_through("other")
        self.world.runs_for(1)
        self.assertEqual(self.world.switch.placed, [])
        answer.callback(None)
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.switch.placed), 1)

    def test_a_number_goes_back_where_redis_does_not_answer(self) -> None:
        answer: Deferred[None] = Deferred()
        self.find = lambda: answer
        self.dial_through("other")
        self.world.readiness.lost(Condition.REDIS)
        answer.errback(StoreUnavailable("away"))
        self.world.runs_for(1)
        self.assertEqual(self.world.switch.placed, [])
        self.assertEqual(self.world.queue, ["1001"])
        self.assert_all_done()

    def test_a_number_goes_back_where_the_node_may_not_dial_meanwhile(self) -> None:
        answer: Deferred[None] = Deferred()
        self.find = lambda: answer
        self.dial_through("other")
        self.world.readiness.lost(Condition.FREESWITCH)
        answer.callback(None)
        self.world.runs_for(1)
        self.assertEqual(self.world.switch.placed, [])
        self.assertEqual(self.world.queue, ["1001"])

    def test_each_further_call_asks_again(self) -> None:
        self.dial_through("main", "other")
        self.world.ends("USER_BUSY")
        self.world.runs_for(0.1)
        self.assertEqual(self.asked, [GROUP, GROUP])
        self.assertIn("sofia/gateway/other/", self.world.switch.last.command)


class ConfigurationTests(UnknownNamesCase):
    def due(self) -> None:
        member = json.dumps({"params": {"number": "1001", "config": "new"}}).encode()
        self.world.store.due.setdefault(ZSET, {})[member] = NOW
        self.world.schedule_dialer.start(1.0)
        self.world.runs_for(0.1)

    def test_what_redis_knows_is_dialed(self) -> None:
        def find() -> Deferred[None]:
            self.world.put_schedule("new")
            return succeed(None)

        self.find = find
        self.due()
        self.assertEqual(self.asked, [[(keys.SCHEDULE_CONFIG, "new")]])
        self.assertEqual(len(self.world.switch.placed), 1)

    def test_what_redis_does_not_know_is_no_verdict_on_the_number(self) -> None:
        self.due()
        self.assertEqual(self.asked, [[(keys.SCHEDULE_CONFIG, "new")]])
        self.assertEqual((self.world.switch.placed, self.world.store.records), ([], []))
        self.assertEqual(len(self.world.store.due[ZSET]), 1)

    def test_a_number_goes_back_where_redis_does_not_answer(self) -> None:
        answer: Deferred[None] = Deferred()
        self.find = lambda: answer
        self.due()
        self.world.readiness.lost(Condition.REDIS)
        answer.errback(StoreUnavailable("away"))
        self.world.runs_for(1)
        self.assertEqual((self.world.switch.placed, self.world.store.records), ([], []))
        self.assertEqual(list(self.world.store.due[ZSET].values()), [NOW])
