"""A whole node beside a real FreeSWITCH.

These tests run only where the environment names one that may be used for tests, on which nobody
else makes calls meanwhile::

    CTIDIALER_TEST_FREESWITCH=127.0.0.1:8021      its Event Socket
    CTIDIALER_TEST_FREESWITCH_PASSWORD=ClueCon    (the default)
    CTIDIALER_TEST_FREESWITCH_GATEWAY=carrier     a gateway whose far end gives a number that begins
                                                  with a SIP status that status, and answers others

It needs the null endpoint (mod_loopback) and the inline dialplan; no dialplan of its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol

from ctidialer.contract import keys
from ctidialer.contract.record import Record
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.events import Event
from ctidialer.settings import FreeSwitch, Settings, host_and_port
from tests.support.node import NodeTestCase
from tests.support.redis import RedisTestCase, new_directory

ADDRESS = os.environ.get("CTIDIALER_TEST_FREESWITCH", "")
PASSWORD = os.environ.get("CTIDIALER_TEST_FREESWITCH_PASSWORD", "ClueCon")
GATEWAY = os.environ.get("CTIDIALER_TEST_FREESWITCH_GATEWAY", "")

NO_SWITCH = (
    ""
    if ADDRESS
    else "needs a real FreeSWITCH: set CTIDIALER_TEST_FREESWITCH=host:port (of its Event Socket)"
)
NO_GATEWAY = NO_SWITCH or (
    ""
    if GATEWAY
    else "needs a gateway that answers with the SIP status a number begins with: set"
    " CTIDIALER_TEST_FREESWITCH_GATEWAY"
)

NULL = "null/${destination_number}"
CREATED, HANGUP = "CHANNEL_CREATE", "CHANNEL_HANGUP_COMPLETE"


class Witness:
    """What FreeSWITCH tells a second listener about the calls of one ``host``.

    ``created`` are the UUIDs of the channels that came to be, as often as they did.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.created: list[str] = []
        self.hangups: dict[str, Event] = {}

    def take(self, event: Event) -> None:
        """Note one event."""
        uuid = event.get("Unique-ID") or ""
        if event.get("variable_cti_host") != self.host:
            return
        if event.name == CREATED:
            self.created.append(uuid)
        elif event.name == HANGUP:
            self.hangups[uuid] = event

    def variables(self, uuid: str) -> dict[str, str]:
        """Return the variables that the channel had at its end, by their names as they are."""
        prefix = "variable_"
        return {
            name.removeprefix(prefix): value
            for name, value in self.hangups[uuid].headers()
            if name.startswith(prefix)
        }


class RealSwitchTestCase(NodeTestCase):
    """A node of a name of its own; ``witness`` sees its calls with other eyes."""

    skip = NO_SWITCH or None
    timeout = 120

    async def set_up(self) -> None:
        """Watch FreeSWITCH; there is no simulated switch."""
        await RedisTestCase.set_up(self)
        self.directory = Path(new_directory(self))
        self.host = f"ctidialer-test-{uuid4().hex[:8]}"
        self.witness = Witness(self.host)
        self.socket = await self.connected(self.witness)
        await self.socket.filter("variable_cti_host", self.host)
        # JSON is exact; a plain event does not tell `a b` from `a%20b`.
        await self.socket.event([CREATED, HANGUP], "json")
        self.core = await self.socket.api("global_getvar core_uuid")

    async def connected(self, witness: Witness) -> EventSocketProtocol:
        """Return an authenticated connection that ends with the test."""
        host, port = host_and_port(ADDRESS, "CTIDIALER_TEST_FREESWITCH")
        endpoint = HostnameEndpoint(reactor, host, port)
        socket: EventSocketProtocol = await connectProtocol(
            endpoint, EventSocketProtocol(reactor, witness.take)
        )
        await socket.auth(PASSWORD)
        self.addCleanup(self._disconnected, socket)
        return socket

    async def _disconnected(self, socket: EventSocketProtocol) -> None:
        gone = socket.when_gone()
        socket.close()
        await gone

    def freeswitch(self) -> FreeSwitch:
        """Return where FreeSWITCH is."""
        return FreeSwitch(address=ADDRESS, password=PASSWORD)

    def settings(self, host: str = "", **node: Any) -> Settings:
        """Return the settings of this test's node."""
        return super().settings(host or self.host, **node)

    async def real_tables(self, *, talk: int = 100, dialstring: str = NULL, **params: Any) -> None:
        """Write one task whose answered calls last ``talk`` milliseconds, a group and a line."""
        line_variables = params.pop("line_variables", {})
        await self.put_line(dialstring=dialstring, count=1000, variables=line_variables)
        await self.put_group()
        destination = {
            "destination_extension": f"sleep:{talk},hangup",
            "destination_dialplan": "inline",
        }
        await self.put_task(**{**destination, **params})

    async def real_records(self, count: int) -> tuple[Record, ...]:
        """Wait for ``count`` records of this test's node, and for the witness."""
        records = await self.records_of(count, self.host)

        async def all_seen() -> bool:
            return set(self.witness.created) == set(self.witness.hangups)

        await self.until("the end of every call was seen", all_seen)
        return records

    async def assert_unharmed(self) -> None:
        """Check that FreeSWITCH is the one it was, and ready for calls."""
        self.assertEqual(await self.socket.api("global_getvar core_uuid"), self.core)
        self.assertIn("is ready", await self.socket.api("status"))

    async def in_flight(self) -> int:
        """Return how many entries are in flight."""
        count = await self.call("HLEN", keys.in_flight(self.host))
        assert isinstance(count, int)
        return count
