"""The agents in the tables of a real Redis; the time of the daemon is the test's."""

from __future__ import annotations

import json
from collections.abc import Callable

from twisted.internet import reactor
from twisted.internet.task import Clock, deferLater
from twisted.logger import formatEvent

from ctidialer.contract.notice import ConfigChange
from ctidialer.dialer.agents.tables import HEART_INTERVAL, LOOKS_PER_READING, TableAgents
from ctidialer.rules.agents import AgentsNow
from ctidialer.store.agents import AgentReader
from tests.support.logbook import logged_by
from tests.support.redis import QUICK, RedisTestCase, link_to, own_redis

NOW = 1_795_377_600.0
AGENTS, COUNTS, HEART = "cti_agent@d1", "cti_agent_count@d1", "cti_agent_heart@d1"


class TablesTestCase(RedisTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.clock = Clock()
        self.clock.advance(NOW)
        self.changes = 0
        self.agents = TableAgents(self.clock, AgentReader(self.redis, "d1"), self.change)
        self.addCleanup(self.agents.stop)
        await self.beat()

    def change(self) -> None:
        self.changes += 1

    async def beat(self, milliseconds: int = 10_000_000) -> None:
        await self.call("SET", HEART, "1", "PX", milliseconds)

    async def put(self, name: str, state: str, group: object = "sales", **more: object) -> None:
        params = {"group": group, "state": state, **more}
        await self.call("HSET", AGENTS, name, json.dumps({"params": params}))

    async def until(self, reached: Callable[[], bool]) -> None:
        """Let time pass until something is seen; the timeout of the test ends it.

        It stands still while Redis is asked: however slow that is, the daemon sees the same.
        """
        while not reached():
            self.clock.advance(0.01)
            await self.call("PING")

    async def watched(self, *groups: str) -> None:
        self.agents.watch(groups or ["sales"])
        await self.until(lambda: self.changes >= 2)  # the tables are read, and the heart beats

    def at(self, group: str = "sales") -> AgentsNow:
        return self.agents.now(group, self.clock.seconds())

    @property
    def why(self) -> str:
        problem = self.at().problem
        return "" if problem is None else problem.en

    def publish(self, table: str, key: str | None = None) -> None:
        self.agents.change(ConfigChange(table, key))


class ReadingTests(TablesTestCase):
    async def test_nothing_is_read_while_no_task_names_a_group(self) -> None:
        await self.call("CONFIG", "RESETSTAT")
        self.clock.advance(10)
        self.publish("cti_agent", "7")
        self.assertIn("asked for", self.why)
        stats = await self.call("INFO", "commandstats")
        assert isinstance(stats, bytes)
        self.assertNotIn(b"hgetall", stats)
        self.assertNotIn(b"pttl", stats)

    async def test_agents_of_each_group(self) -> None:
        await self.put("1", "idle")
        await self.put("2", "talk", ["sales", "support"], time=NOW - 30)
        await self.put("3", "rest")
        await self.put("4", "idle", "support")
        await self.call("HSET", COUNTS, "night", '{"free": 5, "busy": 12}')
        await self.watched("sales", "support", "night", "nobody")
        sales, support, night = self.at(), self.at("support"), self.at("night")
        self.assertEqual((sales.free, sales.talking, sales.away), (1, 1, 1))
        self.assertTrue(30 <= sales.busy[0] < 40, sales)
        self.assertEqual((support.free, support.talking), (1, 1))
        self.assertEqual((night.free, night.busy_unknown), (5, 12))
        nobody = self.at("nobody").problem
        self.assertIn("no agent in cti_agent@d1", "" if nobody is None else nobody.en)

    async def test_a_published_change_is_read_at_once(self) -> None:
        await self.put("1", "idle")
        await self.watched()
        before = self.clock.seconds()
        await self.put("1", "talk")
        self.publish("cti_agent", "1")
        while not self.at().talking:
            await deferLater(reactor, 0.001)
        self.assertEqual((self.at().free, self.at().busy), (0, (0.0,)))
        await self.call("HDEL", AGENTS, "1")
        self.publish("cti_agent", "1")
        while self.at().problem is None:
            await deferLater(reactor, 0.001)
        self.assertEqual(self.clock.seconds(), before)

    async def test_a_published_table(self) -> None:
        await self.watched()
        await self.call("HSET", COUNTS, "sales", '{"free": 2}')
        self.publish("cti_agent_count")
        while self.at().free != 2:
            await deferLater(reactor, 0.001)

    async def test_a_change_that_is_not_published(self) -> None:
        await self.put("1", "idle")
        await self.watched()
        before, changes = self.clock.seconds(), self.changes
        await self.put("1", "wrap")
        await self.until(lambda: self.at().wrap_up == 1)
        self.assertLess(self.clock.seconds() - before, HEART_INTERVAL * LOOKS_PER_READING + 0.5)
        self.assertEqual(self.changes, changes + 1)

    async def test_the_same_again_is_no_news(self) -> None:
        await self.put("1", "idle")
        await self.watched()
        changes = self.changes
        await self.put("1", "idle")
        self.publish("cti_agent", "1")
        self.publish("cti_agent")
        await self.put("2", "idle")
        self.publish("cti_agent", "2")
        await self.until(lambda: self.at().free == 2)
        self.assertEqual(self.changes, changes + 1)

    async def test_agents_who_move_and_leave(self) -> None:
        await self.put("1", "idle")
        await self.put("2", "idle")
        await self.watched("sales", "support")
        await self.put("1", "idle", "support")
        await self.call("HDEL", AGENTS, "2")
        self.publish("cti_agent")
        await self.until(lambda: self.at("support").free == 1)
        self.assertEqual(self.at().free, 0)

    async def test_a_document_that_cannot_be_used_is_no_agent_and_said_once(self) -> None:
        log = logged_by(self)
        await self.put("1", "idle")
        await self.put("2", "free")
        await self.call("HSET", AGENTS, b"\xff", b"{")
        await self.watched()
        self.assertEqual(self.at().free, 1)
        for _ in range(3):
            self.publish("cti_agent")
            self.publish("cti_agent", "2")
            await deferLater(reactor, 0.01)
        told = [formatEvent(one) for one in log if "cannot be used" in formatEvent(one)]
        self.assertEqual(len(told), 2, told)
        self.assertIn("$.params.state", "".join(told))
        await self.put("2", "idle")
        self.publish("cti_agent", "2")
        await self.until(lambda: self.at().free == 2)

    async def test_no_longer_watched(self) -> None:
        await self.put("1", "idle")
        await self.watched()
        self.agents.watch([])
        self.assertIn("asked for", self.why)
        await self.call("CONFIG", "RESETSTAT")
        self.clock.advance(10)
        stats = await self.call("INFO", "commandstats")
        assert isinstance(stats, bytes)
        self.assertNotIn(b"pttl", stats)
        self.changes = 0
        await self.put("1", "rest")
        self.agents.watch(["sales"])
        await self.until(lambda: self.at().away == 1)


class HeartTests(TablesTestCase):
    async def test_without_it_there_are_no_agents(self) -> None:
        await self.call("DEL", HEART)
        await self.put("1", "idle")
        self.agents.watch(["sales"])
        await self.until(lambda: HEART in self.why)
        self.assertEqual(self.at().free, 0)
        await self.beat()
        await self.until(lambda: self.at().free == 1)

    async def test_its_end_is_known_beforehand(self) -> None:
        await self.beat(5_000)
        await self.put("1", "idle")
        await self.watched()
        later = self.agents.now("sales", self.clock.seconds() + 5.01)
        self.assertEqual((self.at().free, later.free), (1, 0))

    async def test_it_is_taken_away(self) -> None:
        await self.put("1", "idle")
        await self.watched()
        before, changes = self.clock.seconds(), self.changes
        await self.call("DEL", HEART)
        await self.until(lambda: self.at().free == 0)
        self.assertLess(self.clock.seconds() - before, 1.0)
        self.assertEqual(self.changes, changes + 1)

    async def test_one_that_never_ends(self) -> None:
        await self.call("SET", HEART, "yes")
        await self.put("1", "idle")
        await self.watched()
        self.assertEqual(self.at().free, 1)


class TroubleTests(TablesTestCase):
    async def test_a_table_of_another_type(self) -> None:
        await self.call("SET", AGENTS, "x")
        log = logged_by(self)
        await self.watched()
        self.assertIn("WRONGTYPE", self.why)
        self.publish("cti_agent", "1")
        self.publish("cti_agent")
        await self.call("DEL", AGENTS)
        await self.put("1", "idle")
        await self.until(lambda: self.at().free == 1)
        warnings = [one for one in log if one["log_level"].name == "warn"]
        self.assertEqual(len(warnings), 1)

    async def test_a_user_without_the_right(self) -> None:
        rules = ("on", ">x", "~*", "&*", "+@all", "-pttl")
        await self.call("ACL", "SETUSER", "few", *rules)
        self.addCleanup(self.call, "ACL", "DELUSER", "few")
        link = link_to(self, self.url.replace("://", "://few:x@"))
        await link.when_up(60)
        log = logged_by(self)
        agents = TableAgents(self.clock, AgentReader(link, "d1"), self.change)
        self.addCleanup(agents.stop)
        agents.watch(["sales"])

        def refused() -> bool:
            problem = agents.now("sales", self.clock.seconds()).problem
            return problem is not None and "pttl" in problem.en.lower()

        await self.until(refused)
        for _ in range(5):
            self.clock.advance(HEART_INTERVAL)
            await deferLater(reactor, 0.01)
        told = [one for one in log if "pttl" in formatEvent(one).lower()]
        self.assertEqual(len(told), 1)

    async def test_redis_goes(self) -> None:
        server = await own_redis(self)
        link = link_to(self, server.url, back_off=QUICK)
        await link.when_up(60)
        await link.call("SET", HEART, "1")
        await link.call("HSET", COUNTS, "sales", '{"free": 2}')
        agents = TableAgents(self.clock, AgentReader(link, "d1"), self.change)
        self.addCleanup(agents.stop)

        def now() -> AgentsNow:
            return agents.now("sales", self.clock.seconds())

        agents.watch(["sales"])
        await self.until(lambda: now().free == 2)
        await link.call("HSET", COUNTS, "sales", '{"free": 3}')
        server.kill()
        await self.until(lambda: now().free == 0)
        problem = now().problem
        self.assertIn("Redis is away", "" if problem is None else problem.en)
