"""Redis answers, and takes no writes: nothing is dialed, it is said why, and all ends well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from twisted.internet import reactor
from twisted.internet.task import deferLater

from ctidialer.contract import keys
from ctidialer.contract.status import decode_status
from ctidialer.dialer.readiness import Condition
from ctidialer.dialer.service import DialerService
from ctidialer.rules.reasons import Reason
from ctidialer.settings import Records, Redis, Settings
from ctidialer.store.address import parse_address
from tests.cli.command_case import command_process
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST

SCHEDULE = keys.at(keys.SCHEDULE_NUMBER, HOST)
LIST = "cdr"
CHANNEL = "news"
COUNT = 36
"""Numbers of the queue in a campaign; a third as many are scheduled."""


class RefusedCase(SwitchTestCase):
    """A daemon under a user of its own, ``daemon``; every record goes to a list and a channel."""

    script: Mapping[str, Any] = {"default": {"result": "answer", "talk": 0.05}}

    async def set_up(self) -> None:
        await super().set_up()
        await self.call("ACL", "SETUSER", "daemon", "reset", "on", ">pw", "~*", "&*", "+@all")
        self.addCleanup(self.call, "ACL", "DELUSER", "daemon")
        self.addCleanup(self.call, "CONFIG", "SET", "maxmemory", "0")
        self.addCleanup(self.call, "CONFIG", "SET", "min-replicas-to-write", "0")

    def settings(self, host: str = HOST, **node: Any) -> Settings:
        address = parse_address(self.url)
        assert address.scheme == "unix"
        url = self.url.replace("unix://", "unix://daemon:pw@")
        return replace(
            super().settings(host, **node),
            redis=Redis(url=url),
            records=replace(Records(), list=LIST, channel=CHANNEL),
        )

    async def rights(self, *rules: str) -> None:
        await self.call("ACL", "SETUSER", "daemon", *rules)

    async def lost(self, dialer: DialerService, condition: Condition = Condition.WRITES) -> str:
        """Wait until the condition is lost; return what `explain` says then of the task ``t``."""

        async def is_lost() -> bool:
            return bool(dialer.parts.write_watch.problem)

        await self.until(f"{condition} is lost", is_lost)
        self.assertIn(condition, dialer.parts.readiness.missing)
        found = dialer.parts.explainer.explain("t", reactor.seconds())
        self.assertIs(found.reason, condition.reason)
        return found.text

    async def ready(self, dialer: DialerService) -> None:
        async def is_ready() -> bool:
            return dialer.parts.readiness.gate.is_open

        await self.until("the daemon is ready", is_ready)

    async def put_campaign(self) -> None:
        await self.usual_tables(limit=5)
        config = {"params": {"line_group": ["g"], "destination_extension": "8888"}}
        await self.call("HSET", keys.at(keys.SCHEDULE_CONFIG, HOST), "c", json.dumps(config))
        await self.put_numbers([str(1000 + index) for index in range(COUNT)])
        for index in range(COUNT // 3):
            member = {"params": {"number": str(2000 + index), "config": "c"}}
            await self.call("ZADD", SCHEDULE, str(index), json.dumps(member))

    async def explained(self) -> str:
        """Return what the command says, which reads Redis alone."""
        words = ("explain", "t", "--redis", self.url, "--host", HOST)
        done = await command_process(self, self.directory, words).done
        return done.out

    async def all_once(self) -> None:
        """Wait for one record for each number; none was called twice."""
        total = COUNT + COUNT // 3
        records = await self.records_of(total)
        self.assert_accounted_for(records)
        numbers = [record.number for record in records]
        self.assertEqual(len(set(numbers)), total)
        await self.nothing_in_flight()
        self.assertEqual(await self.call("LLEN", LIST), total)
        self.assertEqual(await self.call("EXISTS", "q", SCHEDULE), 0)


class RightsTests(RefusedCase):
    """A right is taken away in the middle of a campaign, then granted, then a restart."""

    async def check_right(self, command: str, **switch: Any) -> None:
        await self.put_campaign()
        if switch:
            await self.sim(**switch)
        dialer = self.start_dialer()

        async def has_begun() -> bool:
            return dialer.parts.calls.placed >= 5

        await self.until("some calls were placed", has_begun)
        await self.rights(f"-{command}")
        text = await self.lost(dialer)
        self.assertIn(command.upper(), text)
        self.assertIn(f"ACL SETUSER daemon +{command}", text)
        await deferLater(reactor, 0.5)
        await self.rights(f"+{command}")
        await self.ready(dialer)
        await dialer.stopService()
        again = self.start_dialer()
        if switch:
            await self.sim(default={"result": "answer", "talk": 0.05})
        await self.all_once()
        self.assertEqual(again.parts.write_watch.problem, "")

    async def test_ltrim(self) -> None:
        await self.check_right("ltrim")

    async def test_hdel(self) -> None:
        await self.check_right("hdel")

    async def test_zrem(self) -> None:
        await self.check_right("zrem")

    async def test_xadd(self) -> None:
        await self.check_right("xadd")

    async def test_rpush(self) -> None:
        await self.check_right("rpush")

    async def test_publish(self) -> None:
        await self.check_right("publish")

    async def test_hset(self) -> None:
        await self.check_right("hset")

    async def test_lpush(self) -> None:
        await self.check_right("lpush")

    async def test_zadd(self) -> None:
        await self.check_right("zadd")


class StartTests(RefusedCase):
    """What is missing is said at once, all of it, and nothing is claimed before it is granted."""

    async def test_all_at_once(self) -> None:
        await self.usual_tables()
        await self.put_numbers(["1001", "1002"])
        await self.rights("-ltrim", "-xadd", "-publish")
        dialer = self.start_dialer()

        async def is_said() -> bool:
            said = dialer.parts.write_watch.problem
            return all(part in said for part in ("LTRIM on 'q'", "XADD on", "PUBLISH on"))

        await self.until("all that is missing is said", is_said)
        text = await self.lost(dialer)
        rules = text.partition("ACL SETUSER daemon ")[2].split()
        self.assertEqual(set(rules), {"+ltrim", "+xadd", "+publish"})
        self.assertEqual(await self.queue(), [b"1001", b"1002"])
        await self.rights(*rules)
        await self.records_of(2)

    async def test_a_queue_that_may_not_be_touched_stops_no_other(self) -> None:
        await self.rights("resetkeys", "~cti_*", "~q", f"~{LIST}")
        await self.usual_tables()
        await self.put_task("other", number_queue="forbidden")
        await self.put_numbers(["1001"])
        await self.put_numbers(["1002"], "forbidden")
        dialer = self.start_dialer()
        await self.records_of(1)
        self.assertTrue(dialer.parts.readiness.gate.is_open)
        self.assertEqual(await self.queue("forbidden"), [b"1002"])

        async def is_said() -> bool:
            found = dialer.parts.explainer.explain("other", reactor.seconds())
            return found.reason is Reason.QUEUE_UNUSABLE

        await self.until("explain says so", is_said)
        await self.rights("~forbidden")
        await self.records_of(2)


class FullTests(RefusedCase):
    """Redis is out of memory, or lacks replicas, in the middle of a campaign."""

    async def test_out_of_memory(self) -> None:
        await self.put_campaign()
        dialer = self.start_dialer()

        async def has_begun() -> bool:
            return dialer.parts.calls.placed >= 5

        await self.until("some calls were placed", has_begun)
        await self.call("CONFIG", "SET", "maxmemory", "1")
        text = await self.lost(dialer)
        self.assertIn("OOM", text)

        async def is_published() -> bool:
            raw = await self.call("GET", keys.status(HOST))
            if not isinstance(raw, bytes):
                return False
            status = decode_status(raw)
            return not status.ready and any("OOM" in one.problem for one in status.missing)

        await self.until("the status says so", is_published)
        self.assertIn("OOM", await self.explained())
        placed = dialer.parts.calls.placed
        await deferLater(reactor, 1.5)
        self.assertEqual(dialer.parts.calls.placed, placed)
        self.assertTrue(dialer.parts.writable.is_open)
        await self.call("CONFIG", "SET", "maxmemory", "0")
        await self.all_once()

    async def test_idle_and_out_of_memory(self) -> None:
        """Nothing is written, and it is noticed all the same."""
        await self.usual_tables()
        dialer = self.start_dialer()
        await self.ready(dialer)
        await self.call("CONFIG", "SET", "maxmemory", "1")
        self.assertIn("OOM", await self.lost(dialer))
        self.assertFalse(dialer.parts.shown.is_ready())  # as /readyz says it
        (missing,) = dialer.parts.shown.missing()
        self.assertEqual(missing.condition, "writes_refused")
        self.assertIn("OOM", missing.problem)
        await self.call("CONFIG", "SET", "maxmemory", "0")
        await self.ready(dialer)

    async def test_without_replicas(self) -> None:
        await self.put_campaign()
        dialer = self.start_dialer(self.settings(lease=3.0))
        await self.ready(dialer)
        await self.call("CONFIG", "SET", "min-replicas-to-write", "1")
        self.assertIn("NOREPLICAS", await self.lost(dialer))
        await deferLater(reactor, 4.0)  # longer than the lease and the status last
        self.assertIn("Redis refuses to write: NOREPLICAS", await self.explained())
        await self.call("CONFIG", "SET", "min-replicas-to-write", "0")
        await self.all_once()
        self.assertEqual(self.refusals, [])
