"""The link to Redis: logging in, deadlines, reconnecting."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock, deferLater
from twisted.logger import formatEvent

from ctidialer.contract.task import Side
from ctidialer.reconnection import BackOff
from ctidialer.stage.redis import start_redis
from ctidialer.store.address import parse_address
from ctidialer.store.connection import WatchedConnection
from ctidialer.store.endpoint import Dialup
from ctidialer.store.errors import StoreError, StoreUnavailable, WrongType
from ctidialer.store.link import Link
from ctidialer.store.scripts import Script
from ctidialer.store.store import Store
from tests.support.logbook import logged_by
from tests.support.proxy import start_proxy
from tests.support.redis import (
    QUICK,
    RedisTestCase,
    link_to,
    new_directory,
    own_redis,
    while_time_passes,
)


class Ear:
    """A listener that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._waiting: list[tuple[str, Deferred[None]]] = []

    def store_up(self) -> None:
        self._hear("up")

    def store_down(self, reason: str) -> None:
        self._hear(reason)

    def _hear(self, what: str) -> None:
        self.heard.append(what)
        met = [one for one in self._waiting if one[0] in what]
        self._waiting = [one for one in self._waiting if one not in met]
        for _, waiting in met:
            waiting.callback(None)

    async def hears(self, part: str) -> None:
        """Wait until something with ``part`` in it has been heard."""
        if not any(part in what for what in self.heard):
            await self.next(part)

    def next(self, part: str) -> Deferred[None]:
        """Fire when something with ``part`` in it is heard from now on."""
        heard: Deferred[None] = Deferred()
        self._waiting.append((part, heard))
        return heard.addTimeout(60, reactor)


class LinkTestCase(RedisTestCase):
    """Keeps what is logged."""

    async def set_up(self) -> None:
        await super().set_up()
        self.logbook = logged_by(self)

    def logged(self) -> str:
        """Return what was logged, as text."""
        return "\n".join(map(formatEvent, self.logbook))

    def listen(self, link: Link) -> Ear:
        ear = Ear()
        link.add_listener(ear)
        return ear


class LoginTests(LinkTestCase):
    """Users, passwords, databases."""

    async def test_a_wrong_password_is_said_once_a_try_and_tried_again(self) -> None:
        server = await own_redis(self, password="right-secret")
        link = link_to(self, server.url.replace("right-secret", "wrong-secret"))
        ear = self.listen(link)
        await ear.hears("refuses the user or the password")
        reason = link.reason
        while self.logged().count("refuses the user or the password") < 3:
            await deferLater(reactor, 0.02)  # the test's own timeout ends this
        self.assertEqual(ear.heard, [reason])
        self.assertNotIn("wrong-secret", self.logged() + reason)
        error = await self.error_of(link.call("PING"), StoreUnavailable)
        self.assertEqual((error.reason, error.may_have_been_executed), (reason, False))
        await self.set_password(server.url, "wrong-secret")
        await link.when_up(60)
        self.assertEqual(ear.heard, [reason, "up"])

    async def set_password(self, url: str, password: str) -> None:
        link = link_to(self, url)
        await link.when_up(60)
        await link.call("CONFIG", "SET", "requirepass", password)

    async def test_a_missing_password(self) -> None:
        server = await own_redis(self, password="secret")
        link = link_to(self, server.url.replace(":secret@", ""))
        await self.listen(link).hears("wants a password, and the URL has none")

    async def test_a_password_that_none_asked_for(self) -> None:
        link = link_to(self, self.url.replace("unix://", "unix://:se%20cret@"))
        await self.listen(link).hears("refuses the user or the password")
        self.assertNotIn("se cret", self.logged() + link.reason)

    async def test_a_server_that_repeats_what_it_does_not_know(self) -> None:
        server = await own_redis(self, directives=['rename-command AUTH ""'])
        link = link_to(self, server.url.replace("unix://", "unix://:secret@"))
        await self.listen(link).hears("unknown command")
        self.assertNotIn("secret", self.logged() + link.reason)

    async def test_how_long_is_waited_after_a_refusal(self) -> None:
        self.assertEqual(BackOff().refused, 30.0)

    async def test_a_user_of_the_access_list(self) -> None:
        await self.call("ACL", "SETUSER", "dialer", "on", ">p@ss/1", "~*", "&*", "+@all")
        self.addCleanup(self.call, "ACL", "DELUSER", "dialer")
        link = link_to(self, self.url.replace("unix://", "unix://dialer:p%40ss%2F1@"))
        await link.when_up(60)
        self.assertEqual(await link.call("ACL", "WHOAMI"), b"dialer")
        await link.stop()

    async def test_a_user_who_may_not_do_what_is_needed(self) -> None:
        await self.call("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+ping", "+select")
        self.addCleanup(self.call, "ACL", "DELUSER", "reader")
        link = link_to(self, self.url.replace("unix://", "unix://reader:pw@"))
        await link.when_up(60)
        store = Store(link, "fs1", "daemon", 1000)
        error = await self.error_of(store.acquire_lease(), StoreError)
        self.assertIn("NOPERM", str(error))
        await link.stop()

    async def test_another_database(self) -> None:
        link = link_to(self, self.url.replace("db=0", "db=3"))
        await link.when_up(60)
        await link.call("SET", "a", "b")
        self.assertIsNone(await self.call("GET", "a"))

    async def test_a_database_that_does_not_exist(self) -> None:
        link = link_to(self, self.url.replace("db=0", "db=77"))
        await self.listen(link).hears("refuses database 77: ")


class DeadlineTests(LinkTestCase):
    """A connection that is there and says nothing; time passes as the tests say."""

    async def set_up(self) -> None:
        await super().set_up()
        self.proxy = await start_proxy(self, self.url)
        self.clock = Clock()
        self.link = link_to(self, self.proxy.url, clock=self.clock, deadline=10.0)
        self.ear = self.listen(self.link)
        await self.link.when_up()

    async def hears(self, part: str) -> None:
        """Let time pass until something with ``part`` in it is heard."""
        await while_time_passes(self.clock, self.ear.next(part))

    async def test_a_command_without_an_answer_fails_in_time(self) -> None:
        self.proxy.holds = True
        calls = [self.link.call("GET", "a"), self.link.call("GET", "b")]
        self.clock.pump([1.0] * 11)
        for call in calls:
            error = await self.error_of(call, StoreUnavailable)
            self.assertIs(error.may_have_been_executed, True)
            self.assertIn("has said nothing for 10 s", error.reason)

    async def test_silence_is_noticed_without_a_command_and_ends(self) -> None:
        self.proxy.holds = True
        await self.hears("has said nothing")
        self.assertFalse(self.link.is_up)
        error = await self.error_of(self.link.call("GET", "a"), StoreUnavailable)
        self.assertIs(error.may_have_been_executed, False)
        self.proxy.release()
        await self.hears("up")
        self.assertIsNone(await self.link.call("GET", "a"))

    async def test_a_server_that_never_answers_the_login(self) -> None:
        self.proxy.holds = True
        self.proxy.cut()
        await self.hears("the connection to Redis went before it answered")
        self.proxy.release()
        await self.hears("up")

    async def test_a_cut_connection_comes_back(self) -> None:
        for _ in range(3):
            down = self.ear.next("")
            self.proxy.cut()
            await down
            await self.hears("up")
        self.assertIsNone(await self.link.call("GET", "a"))


class ServerTests(LinkTestCase):
    """A Redis that restarts, loads, or turns out to be a replica."""

    async def test_a_crash_loses_nothing(self) -> None:
        directory = new_directory(self)
        server = await own_redis(self, directory, aof=True)
        link = link_to(self, server.url)
        ear = self.listen(link)
        await link.when_up(60)
        store = Store(link, "fs1", "daemon", 1000)
        await store.acquire_lease()
        await link.call("RPUSH", "q", "a", "b", "c", "d")
        first, second = await store.claim("q", Side.LEFT, 2, task="t")
        await store.settle(first.id, b"record")
        down = ear.next("")
        await server.kill()
        await down
        error = await self.error_of(store.claim("q", Side.LEFT, 1, task="t"), StoreUnavailable)
        self.assertIs(error.may_have_been_executed, False)
        await own_redis(self, directory, aof=True)
        await link.when_up(60)
        await store.renew_lease()
        self.assertEqual([one.claimed for one in await store.in_flight()], [second])
        self.assertEqual(await link.call("LRANGE", "q", 0, -1), [b"c", b"d"])
        self.assertEqual(await link.call("XLEN", "cti_dialer_record@fs1"), 1)
        self.assertIs(await store.settle(first.id, b"again"), False)
        self.assertIs(await store.settle(second.id, b"record"), True)

    async def test_a_server_that_is_still_loading(self) -> None:
        directory = new_directory(self)
        server = await own_redis(self, directory, aof=True)
        link = link_to(self, server.url)
        ear = self.listen(link)
        await link.when_up(60)
        # Redis looks up from its loading every 1024 commands.
        await gatherResults([link.call("SET", f"key{n}", "v") for n in range(5_000)])
        down = ear.next("")
        await server.kill()
        await down
        loading = ear.next("still loading")
        slowly = ("key-load-delay 100",)
        starting = start_redis(reactor, directory, aof=True, directives=slowly)
        await loading
        error = await self.error_of(link.call("GET", "key1"), StoreUnavailable)
        self.assertEqual(error.reason, "Redis is still loading its data")
        self.addCleanup((await starting).kill)
        await link.when_up(60)
        self.assertEqual(await link.call("GET", "key4999"), b"v")

    async def test_a_master_that_becomes_a_replica(self) -> None:
        server = await own_redis(self, port=0)
        link = link_to(self, server.url)
        ear = self.listen(link)
        await link.when_up(60)
        store = Store(link, "fs1", "daemon", 1000)
        await store.acquire_lease()
        await link.call("REPLICAOF", "127.0.0.1", 1)
        replica = ear.next("this Redis is a replica")
        error = await self.error_of(store.renew_lease(), StoreUnavailable)
        self.assertIn("READONLY", error.reason)
        self.assertIs(error.may_have_been_executed, False)
        await replica
        await self.make_master(server.url)
        await link.when_up(60)
        await store.renew_lease()

    async def make_master(self, url: str) -> None:
        connection = WatchedConnection(self.redis.clock)
        dialup = Dialup(reactor, self.redis.clock, parse_address(url))
        await dialup.reach(connection)
        await connection.request("REPLICAOF", "NO", "ONE")
        connection.abort("done")
        await connection.lost

    async def test_no_memory_left(self) -> None:
        server = await own_redis(self)
        link = link_to(self, server.url)
        await link.when_up(60)
        store = Store(link, "fs1", "daemon", 1000)
        await store.acquire_lease()
        await link.call("RPUSH", "q", "a")
        await link.call("CONFIG", "SET", "maxmemory", "1")
        error = await self.error_of(store.claim("q", Side.LEFT, 1, task="t"), StoreUnavailable)
        self.assertIn("OOM", error.reason)
        self.assertNotIn("script", error.reason)  # where in which one: no operator needs it
        self.assertIs(error.may_have_been_executed, False)
        self.assertEqual(await link.call("LRANGE", "q", 0, -1), [b"a"])
        await link.call("CONFIG", "SET", "maxmemory", "0")
        self.assertEqual(len(await store.claim("q", Side.LEFT, 1, task="t")), 1)

    async def test_something_that_is_no_redis(self) -> None:
        class Web(Protocol):
            def dataReceived(self, data: bytes) -> None:
                assert self.transport is not None
                self.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port: Any = await endpoint.listen(Factory.forProtocol(Web))
        self.addCleanup(port.stopListening)
        link = link_to(self, f"redis://127.0.0.1:{port.getHost().port}")
        await self.listen(link).hears("does not speak Redis' protocol")

    async def test_nobody_there(self) -> None:
        link = link_to(self, "unix:///nowhere/redis.sock")
        error = await self.error_of(link.when_up(0.05), StoreUnavailable)
        self.assertIn("no Redis at unix:///nowhere/redis.sock?db=0: ", error.reason)
        self.assertIn("No such file", error.reason)

    async def test_it_stays_stopped(self) -> None:
        link = link_to(self, self.url)
        ear = self.listen(link)
        await link.when_up(60)
        await link.stop()
        self.assertFalse(link.is_up)
        error = await self.error_of(link.call("PING"), StoreUnavailable)
        self.assertIn("closed", error.reason)
        self.assertEqual(ear.heard, ["up"])
        link.start()
        await link.when_up(60)

    async def test_a_listener_that_fails_harms_nobody(self) -> None:
        class Broken(Ear):
            def store_up(self) -> None:
                raise ValueError("broken")

        link = Link(reactor, self.redis.address, back_off=QUICK)
        self.addCleanup(link.stop)
        link.add_listener(Broken())
        ear = self.listen(link)
        up = ear.next("up")
        link.start()
        await up
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(await link.call("PING"), b"PONG")


class CallTests(LinkTestCase):
    """What comes back from a command."""

    async def test_answers_are_bytes(self) -> None:
        await self.call("SET", "a", "0755123")
        self.assertEqual(await self.call("GET", "a"), b"0755123")
        self.assertEqual(await self.call("APPEND", "a", b"\xff"), 8)
        self.assertEqual(await self.call("MGET", "a", "b"), [b"0755123\xff", None])

    async def test_an_error(self) -> None:
        error = await self.error_of(self.call("NONSENSE"), StoreError)
        self.assertIn("unknown command", str(error))
        self.assertNotIsInstance(error, StoreUnavailable)

    async def test_a_key_of_another_type_is_named(self) -> None:
        await self.call("SET", "a", "1")
        for command, wanted in (("HLEN", "hash"), ("LLEN", "list"), ("ZCARD", "zset")):
            error = await self.error_of(self.call(command, "a"), WrongType)
            said = f"the key 'a' holds a value of another type, but must hold a {wanted}"
            self.assertEqual((str(error), error.key), (said, "a"))

    async def test_what_cannot_be_sent(self) -> None:
        error = await self.error_of(self.call("GET", "\ud800"), StoreError)
        self.assertIn("cannot be sent", str(error))
        self.assertEqual(await self.call("PING"), b"PONG")

    async def test_the_values_that_confuse_transactions(self) -> None:
        await self.call("SET", "a", "QUEUED")
        answers = [self.call("GET", "a"), self.call("PING")]
        self.assertEqual([await one for one in answers], [b"QUEUED", b"PONG"])

    async def test_scripts_of_old_servers_wrap_their_errors(self) -> None:
        text = "ERR Error running script (call to f_1): @user_script:4: -OOM command not allowed"
        self.assertIsInstance(self.redis._refused(text), StoreUnavailable)
        self.assertNotIsInstance(self.redis._refused("ERR OOM"), StoreUnavailable)

    def test_scripts_are_known_by_their_digest(self) -> None:
        self.assertEqual(len(Script.read("claim").digest), 40)
