"""A real FreeSWITCH into whose configuration the samples of ``etc/freeswitch`` are put."""

from __future__ import annotations

import shutil
from pathlib import Path

from twisted.trial.unittest import SkipTest

import ctidialer
from tests.freeswitch.real_switch import RealSwitchTestCase, Witness

SAMPLES = Path(ctidialer.__file__).resolve().parent.parent / "etc" / "freeswitch"
CONTEXT = "ctidialer_samples"
INCLUDED = f"""<include>
<context name="{CONTEXT}">
<X-PRE-PROCESS cmd="include" data="{CONTEXT}/*.xml"/>
</context>
</include>
"""


class SampleSwitchTestCase(RealSwitchTestCase):
    """They are included as the stock configuration includes its own, in a context of the test."""

    async def set_up(self) -> None:
        await super().set_up()
        self.conf = Path((await self.ask("global_getvar conf_dir")).strip())
        if not (self.conf / "dialplan").is_dir():
            raise SkipTest(f"{self.conf}, FreeSWITCH's configuration, is not on this machine")
        self.addCleanup(self.ask, "reloadxml")

    async def ask(self, command: str) -> str:
        """Run an API command, also at a FreeSWITCH that was started again."""
        if self.socket.ending is not None:
            self.socket = await self.connected(Witness(self.host))
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

    async def install_dialplan(self) -> None:
        """Put the sample dialplan into the context ``CONTEXT``."""
        self.copy_in("dialplan/default", f"dialplan/{CONTEXT}")
        self.write_down(f"dialplan/{CONTEXT}.xml", INCLUDED)
        self.assertIn("+OK", await self.ask("reloadxml"))

    async def runs(self, uuid: str, application: str) -> None:
        """Wait until a call is at an application."""

        async def is_there() -> bool:
            running = await self.ask(f"uuid_getvar {uuid} current_application")
            return running.strip() == application

        await self.until(f"{uuid} is at {application}", is_there)
