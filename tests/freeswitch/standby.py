"""Agents of a real mod_callcenter whose own calls stay up, by the sample dialplan.

The sample names the queue ``sales@default``: FreeSWITCH must have it, without agents of its own.
"""

from __future__ import annotations

from typing import Any

from ctidialer.esl.events import Event
from tests.freeswitch.real_switch import CREATED, HANGUP, NULL, Witness
from tests.freeswitch.sample_switch import CONTEXT, SampleSwitchTestCase

QUEUE = "sales@default"
CALLEES, AT_WORK, MESSAGE = "8894", "8895", "8896"
"""Extensions of the sample."""

BRIDGE = "CHANNEL_BRIDGE"


class Crowd(Witness):
    """Knows also when each call began, by FreeSWITCH's clock, and who was ever connected."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.began: dict[str, float] = {}
        self.bridged: set[str] = set()

    def take(self, event: Event) -> None:
        """Note one event."""
        super().take(event)
        if event.name == BRIDGE:
            self.bridged |= {event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"]}
        elif event.name == CREATED and event["Unique-ID"] in self.created:
            self.began[event["Unique-ID"]] = int(event["Event-Date-Timestamp"]) / 1e6


class StandbyTestCase(SampleSwitchTestCase):
    """The sample dialplan; ``crowd`` sees all calls."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.install_dialplan()
        self.crowd = Crowd(self.host)
        await self.watch_crowd()

    async def watch_crowd(self) -> None:
        """Let ``crowd`` hear FreeSWITCH, or one that was started again."""
        self.crowd_socket = await self.connected(self.crowd)
        await self.crowd_socket.event([CREATED, HANGUP, BRIDGE])

    async def go_to_work(self, telephone: str) -> str:
        """Have an agent call the extension that puts him at work; return the UUID of his call."""
        uuid = (await self.ask("create_uuid")).strip()
        name = f"{telephone}@default"
        self.addCleanup(self.ask, f"callcenter_config agent del {name}")
        self.addCleanup(self.ask, f"uuid_kill {uuid}")
        # A channel that FreeSWITCH itself has called has the number called as its caller's.
        own = f"originate {{origination_uuid={uuid}}}null/{telephone} {AT_WORK} XML {CONTEXT}"
        self.assertIn("+OK", await self.ask(own))
        await self.has_status(telephone, "Available")
        return uuid

    async def has_status(self, telephone: str, status: str) -> None:
        """Wait until an agent has a status."""

        async def is_so() -> bool:
            asked = f"callcenter_config agent get status {telephone}@default"
            return (await self.ask(asked)).strip() == status

        await self.until(f"{telephone} is {status}", is_so)

    async def begin(self, numbers: int, **params: Any) -> None:
        """Start the daemon on a task for the agents, by the sample's extensions."""
        await self.real_tables(
            **{
                "agent_queue": QUEUE,
                "destination_extension": CALLEES,
                "destination_dialplan": "XML",
                "destination_context": CONTEXT,
                "abandon_extension": MESSAGE,
                "record_variables": ["opt_out_key"],
                "limit": numbers,
                "dialstring": NULL,
                **params,
            }
        )
        await self.put_numbers(f"138{at:08d}" for at in range(numbers))
        self.start_dialer()
