"""What a user lacks in Redis is found out, with the rules that mend it; nothing is changed."""

from __future__ import annotations

from twisted.trial.unittest import SkipTest

from ctidialer.contract import keys
from ctidialer.contract.task import Side
from ctidialer.stage.redis_binary import ServerBinary
from ctidialer.store.errors import NotAllowed, WritesRefused
from ctidialer.store.rights import (
    Need,
    NodeNames,
    Rights,
    adoption_needs,
    node_needs,
    notice_needs,
    permit_needs,
    queue_needs,
    waiting_needs,
)
from tests.store.rights_case import CHANNEL, LIST, RightsCase
from tests.store.test_refusals import LONG, WHERE, taken, valkey

NAMES = NodeNames(
    "fs1", "fs1", (keys.at(keys.LINE, "fs1"),), ("config@all",), LIST, CHANNEL, "events"
)
NEEDS = (
    *node_needs(NAMES),
    *queue_needs("q", Side.LEFT),
    *queue_needs("p", Side.RIGHT),
    *queue_needs("z", None),
    *waiting_needs(WHERE),
    *permit_needs(("dnc:all",), has_caps=True),
    *adoption_needs(),
    *notice_needs(),
)
NEVER_TRIED = {"DEL", "HGETALL", "PUBLISH", "SCAN", "SUBSCRIBE"}
"""What can be found out by asking only."""


class RightsTests(RightsCase):
    async def set_up(self) -> None:
        await super().set_up()
        await self.store.acquire_lease()
        await taken(self, Side.LEFT, b"a", LONG)
        await self.call("ZADD", "z", 1, "a")
        await self.call("RPUSH", LIST, "record")
        self.proof = Rights(self.link, "fs1", self.store.token)

    async def test_every_command_is_missed_and_the_rules_mend_it(self) -> None:
        before = await self.contents()
        self.assertEqual(await self.proof.missing(NEEDS), [])
        for command in {need.command for need in NEEDS} - {"TIME"}:
            if command in NEVER_TRIED and not self.asks:
                continue
            await self.rights(f"-{command.lower()}")
            missing = await self.proof.missing(NEEDS)
            wanted = {command} if self.asks or command != "LTRIM" else {"LTRIM", "LPUSH", "RPUSH"}
            self.assertEqual({need.command for need in missing}, wanted)
            await self.rights(*await self.proof.rules(NEEDS, missing))
            self.assertEqual(await self.proof.missing(NEEDS), [], command)
            await self.rights("+@all")
        self.assertEqual(await self.contents(), before)

    async def test_keys_and_channels(self) -> None:
        if not self.asks:
            raise SkipTest("Redis itself looks at the keys of what is tried")
        before = await self.contents()
        await self.rights("resetkeys", "resetchannels", "%R~q", "~cti_dialer_lease@fs1")
        missing = await self.proof.missing(NEEDS)
        self.assertIn(Need("LTRIM", "q", "queue"), missing)
        self.assertNotIn(Need("LRANGE", "q", "queue"), missing)
        rules = await self.proof.rules(NEEDS, missing)
        self.assertEqual(sorted(rules), sorted({*rules}))
        self.assertIn("~q", rules)
        self.assertIn(f"&{CHANNEL}", rules)
        await self.rights(*rules)
        self.assertEqual(await self.proof.missing(NEEDS), [])
        self.assertEqual(await self.contents(), before)

    async def test_a_user_who_may_do_nothing_but_run_scripts(self) -> None:
        await self.rights("-@all", "+eval", "+evalsha", "resetkeys", "resetchannels")
        missing = await self.proof.missing(NEEDS)
        expected = [need for need in NEEDS if self.asks or need.command not in NEVER_TRIED]
        self.assertEqual(missing, expected)
        await self.rights(*await self.proof.rules(NEEDS, missing))
        self.assertEqual(await self.proof.missing(NEEDS), [])

    async def test_a_queue_that_may_not_be_looked_at_hides_no_other(self) -> None:
        await self.rights("resetkeys", "~q", "~p")
        self.assertEqual(await self.store.filled(["q", "forbidden", "p", "q"]), [1])
        await self.call("RPUSH", "p", "a")
        self.assertEqual(await self.store.filled(["q", "forbidden", "p"]), [1, 2])

    async def test_a_user_who_may_run_no_scripts(self) -> None:
        await self.rights("-evalsha")
        error = await self.error_of(self.proof.missing(NEEDS), NotAllowed)
        self.assertIn("evalsha", str(error))

    async def test_a_redis_that_takes_no_writes(self) -> None:
        for setting, code in (("maxmemory", "OOM"), ("min-replicas-to-write", "NOREPLICAS")):
            await self.call("CONFIG", "SET", setting, "1")
            self.addCleanup(self.call, "CONFIG", "SET", setting, "0")
            error = await self.error_of(self.proof.missing(NEEDS), WritesRefused)
            self.assertIn(code, str(error))
            await self.call("CONFIG", "SET", setting, "0")
        self.assertEqual(await self.proof.missing(NEEDS), [])

    async def test_without_a_token_no_write_is_tried(self) -> None:
        if not self.asks:
            raise SkipTest("there rights are found out by trying")
        await self.call("CONFIG", "SET", "maxmemory", "1")
        self.addCleanup(self.call, "CONFIG", "SET", "maxmemory", "0")
        self.assertEqual(await Rights(self.link, "fs1").missing(NEEDS), [])


class TriedRightsTests(RightsTests):
    """As before Redis 7."""

    can_ask = False


class ValkeyRightsTests(RightsTests):
    def server(self) -> ServerBinary:
        return valkey()
