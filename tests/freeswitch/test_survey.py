"""The sample dialplan for surveys, on a real FreeSWITCH: a key to opt out, a mark on machines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from twisted.internet import reactor

from ctidialer.contract.record import Outcome, Record
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.events import Event
from tests.freeswitch.real_switch import RealSwitchTestCase, Witness

SAMPLE = (
    Path(__file__).resolve().parents[2] / "etc/freeswitch/dialplan/default/ctidialer_survey.xml"
)
FAR_END = "loopback/m:^:answer^park/default/inline"
"""A callee that answers, and whose leg the test can have say anything."""

BEEP, VOICE = "tone_stream://%(1000,0,640)", "tone_stream://%(1000,200,330)"


def actions() -> str:
    """Return what the sample does as an extension of the inline dialplan."""
    done = [
        ":".join(filter(None, (action.get("application"), action.get("data"))))
        for action in ElementTree.parse(SAMPLE).iter("action")
    ]
    return f"m:^:{'^'.join(done)}"


class Callee(Witness):
    """Has the far end of each call do what ``say`` says, once it has answered."""

    socket: EventSocketProtocol
    say: Callable[[str], str]

    def take(self, event: Event) -> None:
        """Note one event."""
        far = event.get("variable_other_loopback_leg_uuid")
        if event.name == "CHANNEL_ANSWER" and event.get("variable_cti_host") == self.host and far:
            reactor.callLater(0.5, self.socket.api, self.say(far))


class SurveyTests(RealSwitchTestCase):
    async def surveyed(self, say: Callable[[str], str]) -> Record:
        """Return the record of a call whose callee does this."""
        callee = Callee(self.host)
        callee.say = say
        callee.socket = await self.connected(callee)
        await callee.socket.event(["CHANNEL_ANSWER"])
        await self.real_tables(
            dialstring=FAR_END,
            destination_extension=actions(),
            record_variables=["opt_out_key", "detected_beep"],
            outcome_rule=[{"variable": "detected_beep", "value": "true", "outcome": "machine"}],
        )
        await self.put_numbers(["1001"])
        self.start_dialer()
        (record,) = await self.records_of(1, self.host)
        return record

    async def test_a_key_to_opt_out(self) -> None:
        record = await self.surveyed(lambda far: f"uuid_send_dtmf {far} 9")
        self.assertEqual(record.variables, {"opt_out_key": "9"})
        self.assertIs(record.outcome, Outcome.ANSWERED)

    async def test_another_key(self) -> None:
        record = await self.surveyed(lambda far: f"uuid_send_dtmf {far} 5")
        self.assertEqual(record.variables, {})

    async def test_a_machine(self) -> None:
        record = await self.surveyed(lambda far: f"uuid_broadcast {far} {BEEP} aleg")
        self.assertEqual(record.variables, {"detected_beep": "true"})
        self.assertIs(record.outcome, Outcome.MACHINE)
        self.assertIsNotNone(record.attempts[0].answered_at)

    async def test_a_voice(self) -> None:
        record = await self.surveyed(lambda far: f"uuid_broadcast {far} {VOICE} aleg")
        self.assertEqual(record.variables, {})
        self.assertIs(record.outcome, Outcome.ANSWERED)
