"""``ctidialer status``, as it is used."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ctidialer.contract import keys
from ctidialer.contract.control import Order
from ctidialer.contract.status import NodeStatus, decode_status
from ctidialer.nodes.orders import NodeOrders
from ctidialer.settings import Config, Settings
from tests.cli.command_case import CommandTestCase
from tests.cli.node_command_case import NodeCommandCase
from tests.dialer.switch_case import LONG
from tests.support.node import HOST


class StatusTests(NodeCommandCase):
    def settings(self, host: str = HOST, **node: Any) -> Settings:
        return replace(super().settings(host, **node), config=Config(poll_interval=0.05))

    async def told(self, host: str, calls: int) -> None:
        """Wait until the daemon of a host has said that it has so many calls."""

        async def is_told() -> bool:
            raw = await self.call("GET", keys.status(host))
            if not isinstance(raw, bytes):
                return False
            status: NodeStatus = decode_status(raw)
            return status.ready and status.calls == calls and len(status.tasks) == 2

        await self.until(f"{host} has {calls} calls", is_told)

    async def begin(self) -> None:
        """Start two nodes, one with two calls and 3 + 1 numbers left, the other with nothing."""
        await self.sim(default=LONG)
        await self.usual_tables(limit=2, number_queue=["q", "later"])
        await self.put_task("idle", number_queue="other", cps=2)
        await self.put_numbers(["1009"], "later")
        await self.put_task("off", enable=False)
        await self.put_task("bad", limit="x")
        await self.put_numbers([f"100{index}" for index in range(5)])
        await self.call("ZADD", keys.at(keys.SCHEDULE_NUMBER, HOST), 4_000_000_000, "{}")
        await NodeOrders(self.redis, HOST).pause("idle", Order(1.0, "ann"))
        self.start_dialer()
        await self.told(HOST, 2)
        await self.put(keys.at(keys.TASK, "fs2"), {"t": {"params": {"line_group": ["none"]}}})
        await NodeOrders(self.redis, "fs2").pause("t", Order())
        self.start_dialer(self.settings("fs2"))
        await self.told("fs2", 0)

    async def test_entries_of_a_later_version_are_said(self) -> None:
        await self.call("HSET", keys.in_flight(HOST), "later-1-0", '{"v":99}\n\n1001')
        await self.usual_tables()
        self.start_dialer()

        async def is_said() -> bool:
            raw = await self.call("GET", keys.status(HOST))
            return isinstance(raw, bytes) and decode_status(raw).unreadable == 1

        await self.until("the entry is counted", is_said)
        done = await self.on_node("status")
        self.assertIn("1 entries in flight are of a later version", done.out)
        self.assertEqual(await self.call("HLEN", keys.in_flight(HOST)), 1)

    async def test_two_nodes_for_programs(self) -> None:
        await self.begin()
        done = await self.on_node("status", "--json")
        self.assertEqual((done.status, done.err), (0, ""))
        first, second = done.json()["nodes"]
        self.assertEqual((first["host"], second["host"]), (HOST, "fs2"))
        self.assertEqual((first["ready"], first["problems"], first["drain"]), (True, [], None))
        self.assertRegex(
            first["daemon"], r"^pid \d+ on \S+, since \S+ \S+ UTC \(ctidialer [^ ]+\)$"
        )
        self.assertEqual((first["in_flight"], first["scheduled"]), (2, 1))
        status = first["status"]
        self.assertEqual((status["calls"], status["placed"], status["line_count"]), (2, 2, 1))
        self.assertEqual(status["lines"][0]["name"], "l")
        tasks = {task["name"]: task for task in first["tasks"]}
        self.assertEqual(list(tasks), ["t", "bad", "idle", "off"])
        reasons = {name: task["reason"] for name, task in tasks.items()}
        expected = {"t": "limit_reached", "bad": "invalid", "idle": "paused", "off": "disabled"}
        self.assertEqual(reasons, expected)
        t, idle = tasks["t"], tasks["idle"]
        self.assertEqual((t["calls"], t["limit"], t["queue_length"], t["paused"]), (2, 2, 4, False))
        each = [{"queue": "q", "length": 3}, {"queue": "later", "length": 1}]
        self.assertEqual(t["queues"], each)
        self.assertEqual((idle["cps"], idle["queue_length"], idle["paused"]), (2.0, 0, True))
        paths = [fault["path"] for fault in tasks["bad"]["faults"]]
        self.assertEqual(paths, ["$.params.limit"])
        self.assertEqual(second["tasks"][2]["reason"], "paused")
        await self.end()

    async def test_two_nodes_for_people(self) -> None:
        await self.begin()
        done = await self.on_node("status")
        self.assertEqual((done.status, done.err), (0, ""))
        lines = [line.rstrip() for line in done.out.splitlines()]
        self.assertIn("node fs1: ready", lines)
        self.assertIn("node fs2: ready", lines)
        self.assertRegex(
            done.out,
            r"  ctidialer \S+, pid \d+ on \S+, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(\S+\)\n",
        )
        self.assertRegex(
            done.out,
            r"  calls: 2; numbers in hand: 2; calls started: 2 \([0-9.]+ a second\); "
            r"scheduled numbers: 1\n",
        )
        self.assertIn("  lines: 1 of 1 in use", lines)
        words = [line.split() for line in lines]
        two_lists = ["t", "limit_reached", "2", "2", "q,", "later", "4"]
        self.assertIn(two_lists, [line[:7] for line in words])
        self.assertIn(["off", "disabled", "0", "10", "q", "3"], [line[:6] for line in words])
        self.assertIn(["l", "free", "2", "100", "0"], words)
        await self.end()

    async def end(self) -> None:
        """Let no call be left, and none come."""
        await self.call("DEL", "q", "later")
        await self.hang_up()


class NoDaemonTests(CommandTestCase):
    async def test_nothing_there(self) -> None:
        done = await self.on_node("status", "--json")
        self.assertEqual(done.status, 0)
        (node,) = done.json()["nodes"]
        self.assertEqual((node["host"], node["daemon"], node["status"]), (HOST, None, None))
        self.assertEqual([one["condition"] for one in node["problems"]], ["no_daemon"])
        self.assertEqual((node["ready"], node["tasks"]), (False, []))

    async def test_keys_of_another_type_hide_no_other_host(self) -> None:
        await self.put_task()
        for key in (keys.in_flight, keys.lease, keys.status, keys.control):
            await self.call("RPUSH", key("fs7"), "x")
        done = await self.on_node("status")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertIn("node fs1: not ready", done.out)
        self.assertIn("node fs7: not ready\n  no daemon is alive under the host name", done.out)

    async def test_tasks_and_other_hosts_without_a_daemon(self) -> None:
        await self.put_task()
        await self.put_task("off", enable=False)
        await self.put(keys.control("fs7"), {"drain": "1"})
        await self.call("HSET", keys.in_flight("fs8"), "x", "y")
        done = await self.on_node("status")
        self.assertEqual(done.status, 0)
        self.assertIn("node fs1: not ready\n  no daemon is alive under the host name", done.out)
        self.assertRegex(done.out, r"\nt +no_daemon +0 +5 +q +0 *\n")
        self.assertRegex(done.out, r"\noff +disabled +0 +5 +q +0 +its enable is not true *\n")
        self.assertIn("node fs7: not ready", done.out)
        self.assertIn("  this node is drained, until that is undone", done.out)
        self.assertIn("node fs8: not ready", done.out)
        self.assertIn("  numbers in flight: 1; scheduled numbers: 0", done.out)

    async def test_many_tasks_are_not_all_listed(self) -> None:
        for index in range(120):
            await self.put_task(f"t{index:03}", enable=index == 119)
        done = await self.on_node("status", "--json")
        (node,) = done.json()["nodes"]
        self.assertEqual((len(node["tasks"]), node["tasks_left_out"]), (100, 20))
        self.assertEqual(node["tasks"][0]["name"], "t119")
        done = await self.on_node("status")
        self.assertIn("20 more tasks are not listed (--all lists them)", done.out)
        done = await self.on_node("status", "--all", "--json")
        (node,) = done.json()["nodes"]
        self.assertEqual((len(node["tasks"]), node["tasks_left_out"]), (120, 0))

    async def test_names_that_steer_a_terminal(self) -> None:
        await self.put_task("\x1b[31mred\n[bold]")
        done = await self.on_node("status")
        self.assertNotIn("\x1b", done.out)
        self.assertIn("\\x1b[31mred\\n[bold]", done.out)

    async def test_no_redis(self) -> None:
        done = await self.run_command("status", "--redis", "redis://127.0.0.1:1/0")
        self.assertEqual(done.status, 1)
        self.assertIn("no Redis at", done.err)

    async def test_times_are_in_one_zone_that_is_named(self) -> None:
        self.write("s.toml", '[node]\ntimezone = "Asia/Shanghai"\n')
        await NodeOrders(self.redis, HOST).drain(Order(1e9, "ann"))
        for options, moment in (
            ((), "2001-09-09 09:46:40 (Asia/Shanghai)"),
            (("--utc",), "2001-09-09 01:46:40 (UTC)"),
        ):
            done = await self.on_node("status", "--config", "s.toml", *options)
            self.assertIn(f"by ann since {moment}", done.out)
