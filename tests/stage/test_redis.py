"""The server for the demonstration and the tests."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.task import deferLater

from ctidialer.stage.child_process import spawn, with_our_packages
from ctidialer.stage.redis import start_redis
from ctidialer.stage.redis_binary import NAMED_BY, NoServer, examine, find_server
from ctidialer.store.address import parse_address
from ctidialer.store.errors import StoreUnavailable
from tests.support.redis import RedisTestCase, link_to, new_directory, own_redis
from tests.support.speaking import HEARD, SpeakingProcess

ORPHANING = """
import os, signal, sys
from twisted.internet import reactor
from ctidialer.stage.child_process import spawn, with_our_packages
from ctidialer.stage.redis import start_redis
def started(process):
    print(process.pid, flush=True)
start_redis(reactor, sys.argv[1]).addCallback(started)
reactor.run()
"""


def is_alive(pid: int) -> bool:
    """Say whether a process runs (one that has ended and is not reaped yet does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class FindTests(RedisTestCase):
    """Which server is used."""

    def script(self, text: str) -> str:
        path = Path(new_directory(self)) / "server"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def test_the_named_one_comes_first(self) -> None:
        path = self.script("echo Redis server v=6.2.14 sha=00000000:0")
        self.patch(os, "environ", {**os.environ, NAMED_BY: path})
        found = find_server()
        self.assertEqual((found.path, found.name, found.version), (path, "Redis", "6.2.14"))
        self.assertEqual(str(found), f"Redis 6.2.14 ({path}, named by {NAMED_BY})")

    def test_then_the_path(self) -> None:
        path = self.script("echo Valkey server v=8.0.1")
        named = str(Path(path).rename(Path(path).with_name("valkey-server")))
        environment = {**os.environ, "PATH": str(Path(named).parent)}
        environment.pop(NAMED_BY, None)
        self.patch(os, "environ", environment)
        self.assertEqual(find_server().path, named)

    def test_what_cannot_be_used_is_refused(self) -> None:
        for path, said in (
            ("/nowhere/redis-server", "does not run"),
            (self.script("exit 1"), "does not run"),
            (self.script("echo hello"), "does not look like a Redis server"),
            (self.script("echo Redis server v=6.0.9"), "is too old: v=6.0.9, wanted 6.2"),
        ):
            error = self.assertRaises(NoServer, examine, path, "given")
            self.assertIn(said, str(error))


class StartTests(RedisTestCase):
    """Starting, ending, starting again."""

    async def test_what_it_says_of_itself(self) -> None:
        server = await own_redis(self)
        self.assertEqual(server.description, str(find_server()))
        self.assertTrue(server.url.startswith("unix://"))
        self.assertTrue(server.running)

    async def test_on_a_free_port_with_a_password(self) -> None:
        password = 'p@"\\ß/:'
        server = await own_redis(self, port=0, password=password)
        self.assertEqual(parse_address(server.url).hosts, (("127.0.0.1", server.port),))
        link = link_to(self, server.url)
        await link.when_up(60)
        self.assertEqual(
            await link.call("CONFIG", "GET", "requirepass"), [b"requirepass", password.encode()]
        )

    async def test_the_password_is_for_nobody_else_to_read(self) -> None:
        directory = new_directory(self)
        await own_redis(self, directory, password="secret")
        mode = stat.S_IMODE((Path(directory) / "redis.conf").stat().st_mode)
        self.assertEqual(mode, 0o600)

    async def test_a_path_too_long_for_a_socket(self) -> None:
        directory = Path(new_directory(self)) / ('a "b" ' * 20)
        first = await own_redis(self, str(directory), aof=True)
        link = link_to(self, first.url)
        await link.when_up(60)
        await link.call("SET", "a", "b")
        await first.stop()
        second = await own_redis(self, str(directory), aof=True)
        self.assertEqual(second.url, first.url)
        await link.when_up(60)
        self.assertEqual(await link.call("GET", "a"), b"b")
        place = Path(parse_address(second.url).path).parent
        self.assertTrue(place.exists())
        await second.kill()
        self.assertFalse(place.exists())

    async def test_the_end(self) -> None:
        server = await own_redis(self)
        pid = server.pid
        await server.stop()
        self.assertFalse(server.running)
        self.assertFalse(is_alive(pid))
        await server.kill()
        await server.ended()

    async def test_one_that_does_not_start_says_why(self) -> None:
        starting = start_redis(reactor, new_directory(self), directives=["nonsense yes"])
        error = await self.error_of(starting, StoreUnavailable)
        self.assertIn("did not start: ", error.reason)
        self.assertIn("nonsense", error.reason)

    async def test_it_dies_with_its_parent(self) -> None:
        parent = SpeakingProcess()
        command = [sys.executable, "-c", ORPHANING, new_directory(self)]
        environ = with_our_packages(os.environ)
        spawn(reactor, parent, command, Path(command[-1]), environ=environ, pipes=HEARD)
        self.addCleanup(parent.kill)
        await parent.printed("\n")
        pid = int(parent.out)
        self.assertTrue(is_alive(pid))
        await parent.kill()
        while is_alive(pid):  # the test's own timeout ends this
            await deferLater(reactor, 0.005)

    if sys.platform != "linux":
        test_it_dies_with_its_parent.skip = "only Linux can do this"  # type: ignore[attr-defined]
