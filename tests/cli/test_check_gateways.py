"""``ctidialer check`` asks a FreeSWITCH for the gateways."""

from __future__ import annotations

from ctidialer.contract import keys
from tests.cli.command_case import Done, command_process
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST, PASSWORD

LINES = keys.at(keys.LINE, HOST)


class GatewayTests(SwitchTestCase):
    """The tables name a line's gateway and, through a fallback, another one."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.put_line("l", dialstring="sofia/gateway/carrier1/${destination_number}")
        await self.put_group()
        await self.put_task(line_group=["g", "carrier2"])

    async def check(self, *options: str, password: str = PASSWORD) -> Done:
        """Run the command with settings that name this test's FreeSWITCH."""
        config = self.directory / "settings.toml"
        address = self.freeswitch().address
        config.write_text(f'[freeswitch]\naddress = "{address}"\n')
        words = ("check", "--config", str(config), "--redis", self.url, "--host", HOST, *options)
        environ = {"CTIDIALER_ESL_PASSWORD": password}
        return await command_process(self, self.directory, words, environ=environ).done

    async def test_gateways_that_are_there(self) -> None:
        done = await self.check()
        self.assertEqual(done.status, 0, done)
        self.assertIn("0 faults, 1 warning, 0 notices", done.out)

    async def test_one_is_unknown_and_one_is_down(self) -> None:
        await self.sim(known_gateways={"carrier1": "down"})
        done = await self.check()
        self.assertEqual(done.status, 1, done)
        self.assertIn(f"warning: {LINES} l $.params.dialstring: gateway", done.out)
        self.assertIn("t $.params.line_group[1]: FreeSWITCH at", done.out)
        self.assertIn('has no gateway "carrier2"', done.out)
        self.assertEqual(await self.commands_run(), {"sofia", "sim"})

    async def test_it_need_not_be_asked(self) -> None:
        await self.sim(known_gateways=["other"])
        self.assertEqual((await self.check("--no-freeswitch")).status, 0)

    async def test_a_freeswitch_that_is_not_there_is_a_notice(self) -> None:
        await self.switch.kill()
        done = await self.check()
        self.assertEqual(done.status, 0, done)
        self.assertIn("the 2 gateways that the tables name", done.out)
        self.assertIn("0 faults, 1 warning, 1 notice", done.out)

    async def test_a_wrong_password_is_a_notice(self) -> None:
        done = await self.check(password="wr0ng-password")
        self.assertEqual(done.status, 0, done)
        self.assertIn("refused the password", done.out)
        self.assertNotIn("wr0ng-password", done.out + done.err)

    async def test_a_queue_of_agents_is_asked_for_too(self) -> None:
        await self.put_task(line_group=["g", "carrier2"], agent_queue="sales@default")
        done = await self.check()
        self.assertEqual(done.status, 1, done)
        self.assertIn("t $.params.agent_queue: ", done.out)
        await self.switch.kill()
        done = await self.check()
        self.assertEqual(done.status, 0, done)
        self.assertIn("the queues that tasks name", done.out)
