"""The samples of ``etc/freeswitch`` are put into a FreeSWITCH that runs."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from tests.freeswitch.sample_switch import CONTEXT, SAMPLES, SampleSwitchTestCase

EXTENSIONS = {
    "8888": "playback",
    "8889": "park",
    "8891": "fifo",
    "8892": "fifo",
    "8894": "callcenter",
    "8896": "play_and_get_digits",
}
"""And the application in which a call to it is after a moment; 8890 needs a telephone, 8895 an
agent's (`tests.freeswitch.test_abandoned`)."""

CALLCENTER = "autoload_configs/callcenter.conf.xml"
QUEUES_END = "</queues>"
QUEUE_INCLUDE = '<X-PRE-PROCESS cmd="include" data="../ctidialer/callcenter_queue.xml"/>'
EVENT_SOCKET = "autoload_configs/event_socket.conf.xml"
SETTINGS_END = "</settings>"
INCLUDE = '<X-PRE-PROCESS cmd="include" data="../ctidialer/event_socket.xml"/>'


class SampleTests(SampleSwitchTestCase):
    async def test_each_extension_runs(self) -> None:
        await self.install_dialplan()
        for extension, application in EXTENSIONS.items():
            await self.assert_runs(extension, application)
        await self.assert_unharmed()

    async def assert_runs(self, extension: str, application: str) -> None:
        """Call an extension, wait until it is at an application, and hang up."""
        uuid = (await self.ask("create_uuid")).strip()
        call = f"originate {{origination_uuid={uuid}}}null/1 {extension} XML {CONTEXT}"
        self.assertIn("+OK", await self.ask(call))
        await self.runs(uuid, application)
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

    async def test_the_queue_is_loaded(self) -> None:
        """Under a name of the test: FreeSWITCH may have one of the sample's name."""
        name = f"{self.host}@default"
        self.copy_in("ctidialer", "ctidialer")
        sample = (SAMPLES / "ctidialer" / "callcenter_queue.xml").read_text()
        self.assertEqual(sample.count('name="sales@default"'), 1)
        own = sample.replace('name="sales@default"', f'name="{name}"')
        self.write_down("ctidialer/callcenter_queue.xml", own)
        stock = (self.conf / CALLCENTER).read_text()
        included = stock.replace(QUEUES_END, f"{QUEUE_INCLUDE}\n{QUEUES_END}")
        self.write_down(CALLCENTER, included)
        self.assertIn("+OK", await self.ask("reloadxml"))
        self.addCleanup(self.ask, f"callcenter_config queue unload {name}")
        self.assertIn("+OK", await self.ask(f"callcenter_config queue load {name}"))
        listed = await self.ask("callcenter_config queue list")
        (row,) = [row for row in listed.split("\n") if row.startswith(f"{name}|")]
        self.assertIn("longest-idle-agent", row)
