"""``ctidialer line``: out of use, back, and a trial by hand."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.control import LineOff, Order, decode_line_off, decode_order
from tests.cli.command_case import HOST, CommandTestCase, command_process
from tests.cli.node_command_case import NodeCommandCase
from tests.dialer.line_case import UNAVAILABLE

LINES = keys.at(keys.LINE, HOST)


class LineTests(CommandTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        await self.put_task(line_group=["g", "carrier"])
        await self.put(LINES, {"a": {"dialstring": "user/1"}, "b": {"dialstring": "user/2"}})
        await self.put(keys.at(keys.LINE_GROUP, HOST), {"g": {"line": [["a", "b"]]}})

    async def line(self, what: str, *arguments: str) -> tuple[int, str, str]:
        words = ("line", what, "--redis", self.url, "--host", HOST, *arguments)
        done = await self.run_command(*words)
        return done.status, done.out, done.err

    async def order(self, name: str, host: str = HOST) -> LineOff:
        raw = await self.call("HGET", keys.control(host), f"line_off:{name}")
        assert isinstance(raw, bytes)
        return decode_line_off(raw)

    async def test_off_and_on(self) -> None:
        status, out, _ = await self.line("off", "a", "--why", "one-way audio")
        self.assertEqual((status, out), (0, 'the line "a" is taken out of use on fs1\n'))
        given = await self.order("a")
        self.assertEqual((given.order.why, given.until), ("one-way audio", None))
        self.assertIn("@", given.order.by)
        status, out, _ = await self.line("off", "a")
        said = 'the line "a" was out of use already, and now is until it is put back on fs1\n'
        self.assertEqual((status, out), (0, said))
        status, out, _ = await self.line("on", "a", "--why", "mended")
        self.assertEqual((status, out), (0, 'the line "a" is back in use on fs1\n'))
        self.assertEqual(await self.call("HKEYS", keys.control(HOST)), [b"line_on:a"])
        raw = await self.call("HGET", keys.control(HOST), "line_on:a")
        assert isinstance(raw, bytes)
        self.assertEqual(decode_order(raw).why, "mended")
        status, out, _ = await self.line("on", "a")
        self.assertEqual((status, out), (0, 'the line "a" was not taken out of use on fs1\n'))

    async def test_for_a_time(self) -> None:
        status, out, _ = await self.line("off", "a", "--for", "30m", "--json")
        given = await self.order("a")
        assert given.until is not None
        assert given.order.since is not None
        self.assertEqual(given.until - given.order.since, 1800)
        self.assertEqual(status, 0)
        self.assertIn('"taken_out": true', out)
        for wrong in ("30", "soon", "0m"):
            status, _, err = await self.line("off", "a", "--for", wrong)
            self.assertEqual(status, 2)
            self.assertIn("--for must be a span of time like 90s, 30m, 2h or 1d", err)

    async def test_an_order_whose_time_is_over_means_nothing(self) -> None:
        old = {"line_off:a": LineOff(Order(1.0), 2.0).encode().decode()}
        await self.put(keys.control(HOST), old)
        _, out, _ = await self.line("on", "a")
        self.assertEqual(out, 'the line "a" was not taken out of use on fs1\n')
        await self.put(keys.control(HOST), old)
        _, out, _ = await self.line("off", "a")
        self.assertEqual(out, 'the line "a" is taken out of use on fs1\n')

    async def test_what_is_no_line(self) -> None:
        status, out, err = await self.line("off", "c")
        self.assertEqual((status, out), (1, ""))
        self.assertIn(f'"c" is no line of {LINES}; there are: a, b', err)
        _, _, err = await self.line("off", "g")
        self.assertIn('"g" is a line group, not a line', err)
        self.assertEqual(await self.call("EXISTS", keys.control(HOST)), 0)

    async def test_a_fallback_and_a_line_that_is_gone(self) -> None:
        self.assertEqual((await self.line("off", "carrier"))[0], 0)
        await self.line("off", "b")
        await self.call("HDEL", LINES, "b")
        status, out, _ = await self.line("on", "b")
        self.assertEqual((status, out), (0, 'the line "b" is back in use on fs1\n'))

    async def test_on_all_hosts_that_have_it(self) -> None:
        for host in ("fs1", "fs2"):
            await self.call("HSET", keys.lease(host), "holder", "{}")
        status, out, _ = await self.line("off", "a", "--all-hosts")
        said = [f'the line "a" is taken out of use on {host}' for host in ("fs1", "fs2")]
        self.assertEqual((status, out.splitlines()), (0, said))
        await self.call("DEL", keys.control("fs2"))
        await self.call("SET", keys.control("fs2"), "x")
        status, out, err = await self.line("on", "a", "--all-hosts")
        self.assertEqual((status, out), (1, 'the line "a" is back in use on fs1\n'))
        self.assertIn("fs2: the key 'cti_dialer_control@fs2'", err)

    async def test_a_trial_without_a_daemon(self) -> None:
        status, out, err = await self.line("try", "a")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("no daemon is alive under the host name 'fs1'", err)


class NodeTests(NodeCommandCase):
    async def line(self, what: str, *arguments: str) -> tuple[int, str]:
        words = ("line", what, "--redis", self.url, "--host", HOST, *arguments)
        done = await command_process(self, self.directory, words).done
        return done.status, done.out or done.err

    async def test_what_status_and_explain_say_and_a_trial_by_hand(self) -> None:
        await self.sim(default=UNAVAILABLE)
        await self.put_line(fault_threshold=1, fault_try_interval=3_600_000)
        await self.put_group()
        await self.put_task()
        await self.put_numbers(["1001"])
        self.start_dialer()
        await self.records_of(1)

        async def is_out() -> bool:
            return "out_of_use" in (await self.on_node("status")).out

        await self.until("the line is out of use", is_out)
        status, said = await self.line("try", "l")
        self.assertEqual(
            (status, said), (0, 'the next number that can use the line "l" tries it\n')
        )
        await self.line("off", "l", "--why", "one-way audio")
        await self.put_numbers(["1002"])

        async def is_taken_out() -> bool:
            return "one-way audio" in (await self.on_node("explain", "t")).out

        await self.until("explain says it", is_taken_out)
        explained = (await self.on_node("explain", "t")).out
        self.assertIn("it was taken out of use by ", explained)
        shown = (await self.on_node("status")).out
        self.assertRegex(shown, r"l +taken_out .* it was taken out of use by .*: one-way audio")
        status, said = await self.line("try", "l", "--json")
        self.assertEqual(status, 1)
        self.assertIn("`ctidialer line on` puts it back", said)
        await self.line("on", "l")
