"""``ctidialer drain``, as it is used."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.dialer.readiness import Condition
from ctidialer.dialer.service import DialerService
from tests.cli.command_case import CommandTestCase, Done
from tests.cli.node_command_case import NodeCommandCase
from tests.dialer.switch_case import LONG
from tests.support.node import HOST


class DrainTests(NodeCommandCase):
    async def begin(self, calls: int) -> DialerService:
        """Start a daemon whose ``calls`` calls do not end by themselves."""
        await self.sim(default=LONG)
        await self.usual_tables(limit=calls)
        await self.put_numbers([f"100{index}" for index in range(5)])
        dialer = self.start_dialer()
        await self.dialed(calls)
        return dialer

    async def test_wait_until_the_last_call_is_over_then_undo(self) -> None:
        dialer = await self.begin(2)
        command = self.start_on_node("drain", "--wait")

        async def is_drained() -> bool:
            return dialer.parts.readiness.missing == (Condition.IN_SERVICE,)

        await self.until("the node is drained", is_drained)
        self.assertFalse(command.done.called)
        await self.hang_up()
        done = await command.done
        self.assertEqual(done, Done(0, "fs1 is drained\nnumbers with a call: 0\n", ""))
        self.assertEqual(len(await self.queue()), 3)
        done = await self.on_node("drain", "--undo")
        self.assertEqual(done, Done(0, "fs1 is back in service\n", ""))
        await self.dialed(4)
        await self.hang_up()

    async def test_it_does_not_wait_unless_it_is_asked_to(self) -> None:
        await self.begin(2)
        done = await self.on_node("drain", "--json")
        answer = done.json()
        self.assertRegex(answer.pop("daemon"), r"^pid \d+ on ")
        self.assertEqual(
            answer,
            {"host": HOST, "drained": True, "changed": True, "in_flight": 2, "resting": 0},
        )
        await self.hang_up()

    async def test_control_c_leaves_it_drained(self) -> None:
        dialer = await self.begin(1)
        command = self.start_on_node("drain", "--wait")

        async def is_drained() -> bool:
            return dialer.parts.readiness.missing == (Condition.IN_SERVICE,)

        await self.until("the node is drained", is_drained)
        command.signal("INT")
        done = await command.done
        self.assertEqual(done.status, 1)
        self.assertIn("numbers with a call: 1; the node stays drained", done.err)
        self.assertTrue(await is_drained())
        await self.hang_up()


class NoDaemonTests(CommandTestCase):
    async def test_no_daemon_is_alive(self) -> None:
        done = await self.on_node("drain", "--wait")
        self.assertEqual(done.status, 0)
        self.assertIn("fs1 is drained\nno daemon is alive under this name", done.out)
        self.assertEqual(await self.call("HKEYS", keys.control(HOST)), [b"drain"])
        done = await self.on_node("drain")
        self.assertIn("fs1 is drained already\n", done.out)
        done = await self.on_node("drain", "--undo")
        self.assertIn("fs1 is back in service\nno daemon is alive", done.out)
        done = await self.on_node("drain", "--undo", "--json")
        self.assertEqual((done.json()["changed"], done.json()["daemon"]), (False, None))

    async def test_numbers_that_nobody_follows(self) -> None:
        header = '{"v":1,"kind":"queue","key":"q","side":"left","task":"t","taken_at":1}'
        await self.call("HSET", keys.in_flight(HOST), "0011-1-0", f"{header}\n\n1001")
        done = await self.on_node("drain", "--wait")
        self.assertEqual(done.status, 1)
        self.assertIn("no daemon is alive under this name", done.out)

    async def test_wrong_usage(self) -> None:
        done = await self.on_node("drain", "--wait", "--undo")
        self.assertEqual(done.status, 2)
        self.assertIn("--wait and --undo do not go together", done.err)
        self.assertEqual(await self.call("EXISTS", keys.control(HOST)), 0)
