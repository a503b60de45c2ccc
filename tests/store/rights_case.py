"""A daemon in Redis under a user of its own, whose rights a test takes away and gives back."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from ctidialer.contract import keys
from ctidialer.stage.redis_binary import ServerBinary, find_server
from ctidialer.store import ending as ending_module
from ctidialer.store import lease as lease_module
from ctidialer.store import noting as noting_module
from ctidialer.store import places as places_module
from ctidialer.store import rights as rights_module
from ctidialer.store import store as store_module
from ctidialer.store import taking as taking_module
from ctidialer.store.address import RedisCredentials, parse_address
from ctidialer.store.link import Link
from ctidialer.store.scripts import Script
from ctidialer.store.store import Store
from tests.support.redis import QUICK, RedisTestCase, own_redis

LIST = "cdr"
CHANNEL = "news"
ASKING = b"redis.acl_check_cmd"


def without_asking(script: Script) -> Script:
    """Return the script as it runs where Redis cannot be asked for rights (before Redis 7)."""
    assert script.text.count(ASKING) == 1
    return Script.of(script.text.replace(ASKING, b"nil"))


class RightsCase(RedisTestCase):
    """``self.store`` works as the user ``daemon``; ``self.call`` is the administrator's."""

    can_ask = True
    """Whether the scripts ask for rights, or try each command."""

    def server(self) -> ServerBinary:
        """Return the server that these tests run on."""
        return find_server()

    async def set_up(self) -> None:
        await super().set_up()
        if self.server().path != find_server().path:
            process = await own_redis(self, binary=self.server())
            self.url = process.url
            self.redis = self.link_as("default", "")
            await self.redis.when_up(60)
        await self.call("ACL", "SETUSER", "daemon", "reset", "on", ">pw", "~*", "&*", "+@all")
        self.addCleanup(self.call, "ACL", "DELUSER", "daemon")
        self.patch(taking_module, "LONG_INTERVAL", 0.0)
        if not self.can_ask:
            self.try_instead_of_asking()
        self.link = self.link_as("daemon", "pw")
        await self.link.when_up(60)
        self.store = self.new_store()

    def try_instead_of_asking(self) -> None:
        """Run the scripts as before Redis 7."""
        for module, names in (
            (store_module, ("STATUS",)),
            (noting_module, ("NOTE", "PERMIT")),
            (ending_module, ("SETTLE", "SETTLE_AND_LEAVE", "WAIT", "WAIT_AND_LEAVE")),
            (taking_module, ("CLAIM", "RETURN")),
            (rights_module, ("PROVE",)),
            (lease_module, ("LEASE",)),
            (places_module, ("PLACES", "PLACE_QUEUE", "OWN_PLACES")),
        ):
            for name in names:
                self.patch(module, name, without_asking(getattr(module, name)))

    def new_store(self, host: str = "fs1") -> Store:
        """Return a store that writes every record to stream, list and channel."""
        return Store(self.link, host, "daemon", 1000, LIST, CHANNEL, max_entry=100)

    def link_as(self, user: str, password: str) -> Link:
        """Return a link of this user that is stopped when the test ends."""
        credentials = RedisCredentials(user, password) if password else RedisCredentials()
        address = evolve(parse_address(self.url), credentials=credentials)
        link = Link(self.redis.clock, address, back_off=QUICK)
        link.start()
        self.addCleanup(link.stop)
        return link

    def rights(self, *rules: str) -> Deferred[Any]:
        """Change what the daemon's user may do."""
        return self.call("ACL", "SETUSER", "daemon", *rules)

    async def contents(self) -> dict[str, object]:
        """Return all that stands in Redis, but the time at which the lease lapses."""
        names = await self.call("KEYS", "*")
        assert isinstance(names, list)
        found = {}
        for name in names:
            assert isinstance(name, bytes)
            if name == keys.HOSTS.encode():
                continue
            content = await self.content(name.decode())
            if content:  # what is empty expires within a millisecond
                found[name.decode()] = content
        return found

    async def content(self, key: str) -> object:
        """Return what stands under one key, None where there is nothing."""
        kind = await self.call("TYPE", key)
        reads = {
            "list": ("LRANGE", key, 0, -1),
            "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"),
            "hash": ("HGETALL", key),
            "set": ("SMEMBERS", key),
            "stream": ("XRANGE", key, "-", "+"),
            "string": ("GET", key),
            "none": ("GET", key),
        }
        assert isinstance(kind, str | bytes)
        word = kind.decode() if isinstance(kind, bytes) else kind
        return await self.call(*reads[word])

    @property
    def asks(self) -> bool:
        """Whether the scripts ask for rights here."""
        return self.can_ask and int(self.server().version.split(".")[0]) >= 7


IN_FLIGHT = keys.in_flight("fs1")
STREAM = keys.records("fs1")
