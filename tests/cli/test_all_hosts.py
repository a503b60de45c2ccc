"""``--all-hosts`` of the commands that show hosts or give orders to them."""

from __future__ import annotations

from ctidialer.contract import keys
from tests.cli.command_case import HOST, CommandTestCase
from tests.cli.node_command_case import NodeCommandCase
from tests.dialer.switch_case import LONG

HOSTS = ("fs1", "fs2", "old")


class AllHostsTests(CommandTestCase):
    async def set_up(self) -> None:
        """Two hosts with a daemon, of which one has a faulty key, and one that is stopped."""
        await super().set_up()
        await self.put_task()
        for host in ("fs1", "fs2"):
            await self.call("HSET", keys.lease(host), "holder", "{}")
        await self.call("XADD", keys.records("old"), "*", "record", "{}")

    async def ordered(self, host: str) -> set[bytes]:
        found = await self.call("HKEYS", keys.control(host))
        assert isinstance(found, list)
        return {one for one in found if isinstance(one, bytes)}

    async def test_pause_and_resume(self) -> None:
        done = await self.on_node("pause", "t", "--all-hosts", "--why", "trunk fault")
        said = [f'the task "t" is paused on {host}' for host in HOSTS]
        self.assertEqual((done.status, done.out.splitlines()), (0, said), done)
        for host in HOSTS:
            self.assertEqual(await self.ordered(host), {b"pause:t"})
        done = await self.on_node("resume", "t", "--all-hosts", "--json")
        rows = [{"task": "t", "host": host, "paused": False, "changed": True} for host in HOSTS]
        self.assertEqual((done.status, done.json()), (0, {"hosts": rows}))

    async def test_one_that_refuses_is_named_and_keeps_no_other_from_it(self) -> None:
        await self.call("SET", keys.control("fs2"), "x")
        done = await self.on_node("pause", "t", "--all-hosts")
        said = [f'the task "t" is paused on {host}' for host in ("fs1", "old")]
        self.assertEqual((done.status, done.out.splitlines()), (1, said), done)
        self.assertIn("fs2: the key 'cti_dialer_control@fs2'", done.err)
        done = await self.on_node("drain", "--all-hosts", "--json")
        self.assertEqual(done.status, 1)
        self.assertEqual([row["host"] for row in done.json()["hosts"]], list(HOSTS))
        self.assertIn("error", done.json()["hosts"][1])

    async def test_a_task_of_one_host_alone(self) -> None:
        await self.put(keys.at(keys.TASK, "fs2"), {"own": {}})
        done = await self.on_node("pause", "own", "--all-hosts")
        self.assertEqual((done.status, done.out), (1, 'the task "own" is paused on fs2\n'), done)
        self.assertIn('fs1: there is no task "own"', done.err)

    async def test_a_host_that_was_never_started_has_it_too(self) -> None:
        await self.put(keys.at(keys.TASK, "new"), {"t": {"enable": True}})
        done = await self.on_node("pause", "t", "--all-hosts")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual(await self.ordered("new"), {b"pause:t"})

    async def test_drain_and_undo(self) -> None:
        done = await self.on_node("drain", "--all-hosts")
        daemon, nobody = "numbers with a call: 0", "no daemon is alive under this name"
        said = [
            f"fs1 is drained; {daemon}",
            f"fs2 is drained; {daemon}",
            f"old is drained; {nobody}",
        ]
        self.assertEqual((done.status, done.out.splitlines()), (0, said), done)
        done = await self.on_node("drain", "--all-hosts", "--undo")
        self.assertEqual(done.status, 0)
        for host in HOSTS:
            self.assertEqual(await self.ordered(host), {b"undrain"})

    async def test_a_host_of_which_there_is_nothing_is_none(self) -> None:
        done = await self.run_command("drain", "--all-hosts", "--redis", self.url, "--host", "new")
        self.assertEqual(done.status, 0)
        self.assertEqual(await self.call("EXISTS", keys.control("new")), 0)
        await self.call("FLUSHALL")
        done = await self.on_node("drain", "--all-hosts")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("no host has left anything in this Redis", done.err)

    async def test_an_entry_with_a_key_of_its_own_is_no_host(self) -> None:
        entry = f"{keys.in_flight('fs1')}:0123456789abcdef-1-0"
        await self.call("SET", entry, "x")
        done = await self.on_node("status", "--all-hosts", "--json")
        self.assertEqual([row["host"] for row in done.json()["hosts"]], list(HOSTS))


class StatusTests(NodeCommandCase):
    async def test_a_row_for_each_host_and_the_sums(self) -> None:
        await self.sim(default=LONG)
        await self.usual_tables(limit=2)
        await self.put_numbers(["1001", "1002", "1003"])
        self.start_dialer()
        await self.dialed(2)
        await self.call("HSET", keys.in_flight("fs2"), "x", "y")

        async def is_told() -> bool:
            done = await self.on_node("status", "--all-hosts", "--json")
            return bool(done.json()["total"]["calls"] == 2)

        await self.until("the calls are told", is_told)
        done = await self.on_node("status", "--all-hosts", "--json")
        first, second = done.json()["hosts"]
        self.assertEqual((first["host"], first["ready"], first["tasks"]), (HOST, True, 1))
        self.assertEqual((second["host"], second["ready"], second["in_flight"]), ("fs2", False, 1))
        self.assertEqual(second["problems"][0]["condition"], "no_daemon")
        sums = done.json()["total"]
        self.assertEqual((sums["calls"], sums["in_flight"], sums["placed"]), (2, 3, 2))
        shown = await self.on_node("status", "--all-hosts")
        rows = [line.split() for line in shown.out.splitlines()]
        self.assertEqual([row[0] for row in rows], ["host", HOST, "fs2", "all"])
        self.assertEqual(rows[1][1:5], ["ready", "2", "2", "2"])
        self.assertEqual(rows[3][1:4], ["2", "3", "2"])
        await self.hang_up()

    async def test_all_are_drained_before_the_first_is_waited_for(self) -> None:
        await self.sim(default=LONG)
        await self.usual_tables(limit=1)
        await self.put_numbers(["1001"])
        self.start_dialer()
        await self.dialed(1)
        await self.call("HSET", keys.lease("fs2"), "holder", "{}")
        command = self.start_on_node("drain", "--all-hosts", "--wait", "--why", "new kernel")

        async def is_ordered() -> bool:
            return bool(await self.call("HEXISTS", keys.control("fs2"), "drain"))

        await self.until("the other host is drained too", is_ordered)
        self.assertFalse(command.done.called)
        await self.call("DEL", keys.lease("fs2"))  # nobody is left there who could follow calls
        await self.hang_up()
        done = await command.done
        self.assertEqual((done.status, len(done.out.splitlines())), (0, 2), done)
