"""What operators order counts as done when ``redis.wait_replicas`` of the replicas have it."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from tests.cli.command_case import HOST, CommandTestCase, Done
from tests.support.waiting import let_wait, put_record

TOO_FEW = "0 of 1 replicas have what was written"


class TooFewReplicasTests(CommandTestCase):
    """This Redis has no replica at all: what was written may be lost with it, and that is said."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.put_task()
        settings = f'[node]\nhost = "{HOST}"\n[redis]\nurl = "{self.url}"\nwait_replicas = 1\n'
        self.write("ctidialer.toml", settings)

    async def order(self, *arguments: str) -> Done:
        return await self.run_command(*arguments, "--config", "ctidialer.toml")

    async def queue(self) -> object:
        return await self.call("LRANGE", "q", 0, -1)

    async def test_load(self) -> None:
        done = await self.order(
            "load", "t", self.write("numbers.txt", "13800000001\n13800000002\n")
        )
        self.assertEqual(done.status, 1, done)
        self.assertIn("0 of 2 numbers were pushed (the next 2 may have been, too", done.err)
        self.assertIn(TOO_FEW, done.err)
        self.assertEqual(await self.queue(), [b"13800000001", b"13800000002"])

    async def test_requeue_of_what_waits(self) -> None:
        await let_wait(self.redis, b"1", b"2")
        done = await self.order("requeue", "t", "--waiting", "--yes")
        self.assertEqual((done.status, done.out), (1, ""), done)
        self.assertIn(TOO_FEW, done.err)
        self.assertEqual(await self.queue(), [b"1", b"2"])

    async def test_what_is_left_of_an_order_is_left_alone(self) -> None:
        await self.call("RPUSH", "q", *(str(number) for number in range(1200)))
        done = await self.order("cancel", "t", "--yes")
        self.assertEqual(done.status, 1, done)
        self.assertIn("500", done.err)
        self.assertIn(TOO_FEW, done.err)
        self.assertEqual(await self.call("LLEN", "q"), 700)

    async def test_requeue_of_records(self) -> None:
        await put_record(self.redis, "1", Outcome.BUSY)
        done = await self.order("requeue", "t", "--outcome", "busy", "--yes")
        self.assertEqual(done.status, 1, done)
        self.assertIn(TOO_FEW, done.err)
        self.assertEqual(await self.queue(), [b"1"])
        self.assertEqual(await self.call("XLEN", keys.records(HOST)), 1)
