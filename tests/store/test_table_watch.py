"""Tables that nobody has touched are known without being read, and no others are taken for them."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.logger import capturedLogs

from ctidialer.stage.redis import RedisProcess
from ctidialer.store.connection import Argument
from ctidialer.store.errors import StoreUnavailable
from ctidialer.store.link import Link
from ctidialer.store.tables import TableReader, Unreadable, Whole
from tests.support.redis import RedisTestCase, link_to, own_redis

KEYS = ("a", "b", "none")


class WatchCase(RedisTestCase):
    """The reader has a link of its own; ``self.call`` is somebody else's."""

    async def set_up(self) -> None:
        await super().set_up()
        self.link = await self.linked(self.url)
        self.reader = TableReader(self.link)
        await self.call("HSET", "a", "f", "1")
        await self.call("HSET", "b", "f", "1")
        await self.read()

    async def linked(self, url: str) -> Link:
        link = link_to(self, url)
        await link.when_up(10)
        return link

    async def read(self) -> dict[str, dict[str, bytes]]:
        found = await self.reader.whole(KEYS)
        return {key: {} if isinstance(one, Unreadable) else dict(one) for key, one in found.items()}

    async def is_unchanged(self) -> bool:
        return await self.reader.unchanged(KEYS)


class TouchTests(WatchCase):
    async def assert_noticed(self, *commands: tuple[Argument, ...]) -> None:
        """What is told after each of these, by another client, and before and after reading."""
        self.assertTrue(await self.is_unchanged())
        for command in commands:
            await self.call(*command)
        self.assertFalse(await self.is_unchanged())
        self.assertFalse(await self.is_unchanged())
        await self.read()
        self.assertTrue(await self.is_unchanged())

    async def test_nothing_is_touched(self) -> None:
        await self.call("HSET", "other", "f", "1")
        await self.call("HGETALL", "a")
        for _ in range(3):
            self.assertTrue(await self.is_unchanged())

    async def test_a_field_is_written(self) -> None:
        await self.assert_noticed(("HSET", "b", "f", "2"))

    async def test_a_field_is_deleted(self) -> None:
        await self.assert_noticed(("HDEL", "a", "f"))

    async def test_a_table_is_deleted(self) -> None:
        await self.assert_noticed(("DEL", "a"))

    async def test_a_table_comes(self) -> None:
        await self.assert_noticed(("HSET", "none", "f", "1"))

    async def test_a_table_is_replaced_by_renaming(self) -> None:
        await self.call("HSET", "new", "f", "2")
        await self.assert_noticed(("RENAME", "new", "a"))

    async def test_a_table_is_renamed(self) -> None:
        await self.assert_noticed(("RENAME", "a", "elsewhere"))

    async def test_all_is_flushed(self) -> None:
        await self.assert_noticed(("FLUSHALL",))

    async def test_a_script_writes(self) -> None:
        await self.assert_noticed(("EVAL", "redis.call('HSET', KEYS[1], 'f', '2')", 1, "a"))

    async def test_a_table_becomes_another_type(self) -> None:
        await self.call("DEL", "none")
        await self.assert_noticed(("SET", "none", "x"), ("DEL", "none"))

    async def test_a_table_expires(self) -> None:
        for seconds in (0.3, 3.0, 30.0):
            await self.call("HSET", "a", "f", "1")
            await self.call("PEXPIRE", "a", round(seconds * 1000))
            await self.read()
            if await self.is_unchanged():
                break  # on a busy machine it may be over before it was asked for
        else:
            self.fail("a table that is to expire is no table that has changed")
        await deferLater(reactor, seconds + 0.05)
        self.assertFalse(await self.is_unchanged())
        self.assertEqual((await self.read())["a"], {})

    async def test_databases_are_swapped(self) -> None:
        await self.assert_noticed(("SWAPDB", 0, 1))
        await self.call("SWAPDB", 0, 1)

    async def test_this_daemon_writes_itself(self) -> None:
        await self.link.call("HSET", "a", "f", "2")
        self.assertFalse(await self.is_unchanged())

    async def test_a_touch_while_it_is_read(self) -> None:
        reading = self.reader.whole(KEYS)
        running = self.link.call("PING")  # it is on its way before the reading has begun
        await self.call("HSET", "a", "f", "2")
        found = (await reading)["a"]
        await running
        assert isinstance(found, Whole)
        self.assertIn(dict(found), ({"f": b"1"}, {"f": b"2"}))
        if dict(found) == {"f": b"1"}:
            self.assertFalse(await self.is_unchanged())

    async def test_other_tables_than_those_that_were_read(self) -> None:
        self.assertFalse(await self.reader.unchanged(("a",)))


class ConnectionTests(WatchCase):
    """What another connection says counts for nothing: it has watched nothing."""

    async def test_a_new_connection(self) -> None:
        server = await own_redis(self)
        await self.lost_and_found(server)
        await self.call("HSET", "a", "f", "2")
        self.assertFalse(await self.is_unchanged())
        await self.read()
        self.assertTrue(await self.is_unchanged())

    async def test_away(self) -> None:
        await self.link.stop()
        self.assertFalse(await self.is_unchanged())
        with self.assertRaises(StoreUnavailable):
            await self.read()

    async def lost_and_found(self, server: RedisProcess) -> None:
        self.link = await self.linked(server.url)
        self.reader = TableReader(self.link)
        self.redis = await self.linked(server.url)
        await self.read()
        self.assertTrue(await self.is_unchanged())
        session = self.link.session
        await self.call("CLIENT", "KILL", "TYPE", "normal")
        while self.link.session in (None, session):
            await deferLater(reactor, 0.01)
        self.redis = await self.linked(server.url)

    async def test_a_replica_takes_over_another_masters_data(self) -> None:
        server, other = await own_redis(self), await own_redis(self, port=0)
        self.link = await self.linked(server.url)
        self.reader = TableReader(self.link)
        admin = await self.linked(server.url)
        await admin.call("HSET", "a", "f", "1")
        await self.read()
        self.assertTrue(await self.is_unchanged())
        fill = await self.linked(other.url)
        await fill.call("HSET", "a", "f", "of the other")
        host, _, port = other.url.removeprefix("redis://").partition("/")[0].partition(":")
        await admin.call("REPLICAOF", host, port)
        while await admin.call("HGET", "a", "f") != b"of the other":
            await deferLater(reactor, 0.02)
        self.assertFalse(await self.is_unchanged())


class RightsTests(WatchCase):
    async def as_user(self, *rights: str) -> None:
        await self.call("ACL", "SETUSER", "u", "on", ">pw", "~*", *rights)
        self.addCleanup(self.call, "ACL", "DELUSER", "u")
        self.link = await self.linked(self.url.replace("unix://", "unix://u:pw@"))
        self.reader = TableReader(self.link)

    async def assert_read_all_the_same(self, *rights: str) -> None:
        await self.as_user(*rights)
        with capturedLogs() as logged:
            for value in (b"1", b"2"):
                await self.call("HSET", "a", "f", value)
                self.assertEqual((await self.read())["a"], {"f": value})
                self.assertFalse(await self.is_unchanged())
        (said,) = (one for one in logged if "rights" in one)  # once
        self.assertEqual(said["rights"], "+watch +client|info")

    async def test_without_watch(self) -> None:
        await self.assert_read_all_the_same("+@all", "-watch")

    async def test_without_client_info(self) -> None:
        await self.assert_read_all_the_same("+@all", "-client")

    async def test_without_multi(self) -> None:
        await self.assert_read_all_the_same("+@all", "-multi", "-exec")

    async def test_with_no_more_than_what_the_log_asks_for(self) -> None:
        needs = ("+multi", "+exec", "+type", "+hgetall", "+exists", "+ping", "+watch")
        await self.as_user("-@all", *needs, "+client|info")
        await self.read()
        self.assertTrue(await self.is_unchanged())

    async def test_a_table_that_may_not_be_read_is_asked_for_again(self) -> None:
        await self.as_user("resetkeys", "~a*", "+@all")
        self.assertIsInstance((await self.reader.whole(KEYS))["b"], Unreadable)
        self.assertEqual((await self.read())["a"], {"f": b"1"})
        self.assertFalse(await self.is_unchanged())
