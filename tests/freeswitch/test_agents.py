"""A hundred calls to the agents of a real mod_callcenter: who talked, and for how long.

Besides what ``real_switch`` asks for it needs mod_callcenter with a queue (``sales@default``, or
what CTIDIALER_TEST_FREESWITCH_QUEUE names) that has no agents of its own.
"""

from __future__ import annotations

import json
import os
from typing import Any, cast

from attrs import define, field
from msgspec.structs import replace
from twisted.internet import reactor

from ctidialer.contract.record import Outcome, Record
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.events import Event
from ctidialer.settings import Records
from tests.freeswitch.real_switch import GATEWAY, NULL, RealSwitchTestCase, Witness
from tests.support.node import outcomes

QUEUE = os.environ.get("CTIDIALER_TEST_FREESWITCH_QUEUE", "sales@default")
CALLS = 100
AGENTS = 10
MOST_OFF = 0.5
"""Seconds by which a record may differ from what the agent's own leg says, on a busy machine."""

ORDER = ["dialing", "answered", "bridged", "ended"]
BRIDGE, HANG_UP = "CHANNEL_BRIDGE", "CHANNEL_HANGUP_COMPLETE"


@define
class Legs(Witness):
    """What the legs of the agents tell; each is hung up some time after it was connected.

    ``ended`` are the last events of the agents' legs, by the UUID of the callee's.
    """

    socket: EventSocketProtocol | None = None
    ended: dict[str, Event] = field(factory=dict)
    answered: dict[str, Event] = field(factory=dict)
    hung_up: set[str] = field(factory=set)

    def take(self, event: Event) -> None:
        """Note one event."""
        uuid = event["Unique-ID"]
        if event.name == "CHANNEL_ANSWER":
            self.answered[uuid] = event
        elif event.name == BRIDGE:
            for leg in (event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"]):
                self._hang_up_later(leg)
        elif event.get("variable_cc_side") == "agent":
            self.ended[event.get("variable_cc_member_session_uuid", "")] = event

    def _hang_up_later(self, uuid: str) -> None:
        leg = self.answered.get(uuid)
        if leg is None or leg.get("variable_cc_side") != "agent" or uuid in self.hung_up:
            return
        self.hung_up.add(uuid)
        socket = cast(EventSocketProtocol, self.socket)
        reactor.callLater(0.2 + len(self.hung_up) % 7 * 0.15, socket.api, f"uuid_kill {uuid}")


class AgentTests(RealSwitchTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.legs = Legs()
        self.legs.socket = await self.connected(self.legs)
        await self.legs.socket.event(["CHANNEL_ANSWER", BRIDGE, HANG_UP])
        for index in range(AGENTS):
            await self.add_agent(index)

    async def add_agent(self, index: int) -> None:
        """Add an agent: some answer at once, some later, some are SIP telephones."""
        name = f"agent{index}@{self.host}"
        contact = f"{{null_auto_answer_delay={index * 60}}}null/{index}"
        if GATEWAY and index % 2:
            contact = f"sofia/gateway/{GATEWAY}/555200{index}"
        for command in (
            f"agent add {name} callback",
            f"agent set contact {name} {contact}",
            f"agent set status {name} Available",
            f"agent set wrap_up_time {name} 0",
            f"tier add {QUEUE} {name} 1 1",
        ):
            answer = await self.socket.api(f"callcenter_config {command}")
            self.assertTrue(answer.startswith("+OK"), (command, answer))
        self.addCleanup(self.socket.api, f"callcenter_config agent del {name}")

    async def test_a_hundred_calls(self) -> None:
        await self.real_tables(
            limit=30,
            dialstring=NULL,
            destination_extension=f"answer,callcenter:{QUEUE}",
            record_variables=["cc_queue", "number:cc_queue_answered_epoch", "customer"],
        )
        numbers = [
            json.dumps({"params": {"number": f"138{at:08d}"}, "variables": {"customer": str(at)}})
            for at in range(CALLS)
        ]
        await self.put_numbers(numbers)
        stream = f"events@{self.host}"
        self.start_dialer(replace(self.settings(), records=Records(events=stream)))
        records = await self.real_records(CALLS)

        async def all_legs() -> bool:
            return len(self.legs.ended) >= CALLS

        await self.until("the end of every agent's leg was seen", all_legs)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: CALLS})
        for record in records:
            self.assert_true(record)
        self.assertGreater(len({record.agent for record in records}), AGENTS / 2)
        await self.assert_told(stream, records)
        await self.assert_unharmed()

    def assert_true(self, record: Record) -> None:
        """Check a record against what the legs themselves said."""
        (attempt,) = record.attempts
        leg, callee = self.legs.ended[attempt.uuid], self.legs.answered[attempt.uuid]
        self.assertEqual(record.agent, leg["variable_cc_agent"])
        self.assertEqual(record.variables["cc_queue"], QUEUE)
        self.assertEqual(record.variables["customer"], str(int((record.number or "")[3:])))
        bridged = _moment(leg, "Caller-Channel-Bridged-Time")
        connected = bridged - _moment(callee, "Caller-Channel-Answered-Time")
        talked = _moment(leg, "Caller-Channel-Hangup-Time") - bridged
        assert attempt.connect_seconds is not None
        assert attempt.talk_seconds is not None
        self.assertApproximates(attempt.connect_seconds, connected, MOST_OFF, record)
        self.assertApproximates(attempt.talk_seconds, talked, MOST_OFF, record)

    async def assert_told(self, stream: str, records: tuple[Record, ...]) -> None:
        """Check that every call was told of, in order, with its agent."""
        told: dict[str, list[dict[str, Any]]] = {}

        async def all_told() -> bool:
            told.clear()
            for _, fields in cast(list[Any], await self.call("XRANGE", stream, "-", "+")):
                event = json.loads(fields[1])
                told.setdefault(event["uuid"], []).append(event)
            ends = [one[-1] for one in told.values()]
            # A call that FreeSWITCH refused (30 sessions a second) ends without an outcome.
            with_outcome = [end for end in ends if end.get("outcome")]
            return len(with_outcome) == CALLS and {end["event"] for end in ends} == {"ended"}

        await self.until("every call was told of to its end", all_told)
        for record in records:
            events = told[record.attempts[0].uuid]
            self.assertEqual([one["event"] for one in events if one["event"] != "ringing"], ORDER)
            bridged, ended = events[-2:]
            self.assertEqual((bridged["agent"], ended["agent"]), (record.agent, record.agent))
            self.assertApproximates(bridged["time"], record.attempts[0].bridged_at, 2)


def _moment(event: Event, header: str) -> float:
    return int(event[header]) / 1e6
