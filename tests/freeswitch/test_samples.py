"""The samples of ``etc/freeswitch`` are put into a FreeSWITCH that runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree.ElementTree import fromstring

from twisted.trial.unittest import SkipTest

import ctidialer
from tests.freeswitch.real_switch import RealSwitchTestCase

SAMPLES = Path(ctidialer.__file__).resolve().parent.parent / "etc" / "freeswitch"
CONTEXT = "ctidialer_samples"
INCLUDED = f"""<include>
<context name="{CONTEXT}">
<X-PRE-PROCESS cmd="include" data="{CONTEXT}/*.xml"/>
</context>
</include>
"""
EXTENSIONS = {"8888": "playback", "8889": "park", "8891": "fifo", "8892": "fifo"}
"""And the application in which a call to it is after a moment; 8890 needs a telephone."""

EVENT_SOCKET = "autoload_configs/event_socket.conf.xml"
SETTINGS_END = "</settings>"
INCLUDE = '<X-PRE-PROCESS cmd="include" data="../ctidialer/event_socket.xml"/>'


class SampleTests(RealSwitchTestCase):
    """They are included as the stock configuration includes its own, in a context of the test."""

    async def set_up(self) -> None:
        await super().set_up()
        self.conf = Path((await self.ask("global_getvar conf_dir")).strip())
        if not (self.conf / "dialplan").is_dir():
            raise SkipTest(f"{self.conf}, FreeSWITCH's configuration, is not on this machine")
        self.addCleanup(self.ask, "reloadxml")

    async def ask(self, command: str) -> str:
        return await self.socket.api(command)

    def copy_in(self, source: str, target: str) -> None:
        """Copy a folder of samples into the configuration; it goes with the test."""
        self.addCleanup(shutil.rmtree, self.conf / target, True)
        shutil.copytree(SAMPLES / source, self.conf / target)

    def write_down(self, name: str, text: str) -> None:
        """Write a file of the configuration; what was there is there again after the test."""
        path = self.conf / name
        before = path.read_text() if path.exists() else None
        if before is None:
            self.addCleanup(path.unlink)
        else:
            self.addCleanup(path.write_text, before)
        path.write_text(text)

    async def test_each_extension_runs(self) -> None:
        self.copy_in("dialplan/default", f"dialplan/{CONTEXT}")
        self.write_down(f"dialplan/{CONTEXT}.xml", INCLUDED)
        self.assertIn("+OK", await self.ask("reloadxml"))
        for extension, application in EXTENSIONS.items():
            await self.assert_runs(extension, application)
        await self.assert_unharmed()

    async def assert_runs(self, extension: str, application: str) -> None:
        """Call an extension, wait until it is at an application, and hang up."""
        uuid = (await self.ask("create_uuid")).strip()
        call = f"originate {{origination_uuid={uuid}}}null/1 {extension} XML {CONTEXT}"
        self.assertIn("+OK", await self.ask(call))

        async def is_there() -> bool:
            running = await self.ask(f"uuid_getvar {uuid} current_application")
            return running.strip() == application

        await self.until(f"{extension} is at {application}", is_there)
        self.assertIn("+OK", await self.ask(f"uuid_kill {uuid}"))

    async def test_the_event_socket_is_put_on_loopback(self) -> None:
        self.copy_in("ctidialer", "ctidialer")
        stock = (self.conf / EVENT_SOCKET).read_text()
        self.write_down(EVENT_SOCKET, stock.replace(SETTINGS_END, f"{INCLUDE}\n{SETTINGS_END}"))
        self.assertIn("+OK", await self.ask("reloadxml"))
        found = await self.ask("xml_locate configuration configuration name event_socket.conf")
        params = [(one.get("name"), one.get("value")) for one in fromstring(found).iter("param")]
        self.assertEqual(dict(params)["listen-ip"], "127.0.0.1")
        self.assertEqual(params[-2], ("apply-inbound-acl", "loopback.auto"))
        self.assertIn("password", dict(params))
