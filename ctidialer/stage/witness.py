"""A second pair of eyes on a real FreeSWITCH: which calls it made, by its own events.

The simulated switch keeps a log of every originate; a real one keeps none that can be relied upon,
so a connection of our own, apart from the daemon's, writes down the channels that come to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.record import Record
from ctidialer.esl.events import Event
from ctidialer.esl.switch import Credentials, Subscription, Switch
from ctidialer.settings import host_and_port
from ctidialer.stage.audit import audit_channels

CREATED = "CHANNEL_CREATE"


class Witness:
    """Counts the channels of the calls of ``host``, by UUID."""

    def __init__(self, reactor: IReactorTime, address: str, password: str, host: str) -> None:
        self._clock = reactor
        self._up: Deferred[None] = Deferred()
        self.created: Counter[str] = Counter()
        self.version = "of unknown version"
        self._was_away = False
        self._switch = Switch(
            reactor,
            HostnameEndpoint(reactor, *host_and_port(address, "--freeswitch")),
            Credentials(password, None),
            Subscription((CREATED,), (("variable_cti_host", host),)),
            self,
        )

    async def start(self, timeout: float) -> None:
        """Begin to look; raises TimeoutError when FreeSWITCH is not there in that many seconds."""
        self._switch.startService()
        await self._up.addTimeout(timeout, self._clock, self._too_late)
        self.version = (await self._switch.api("version short")).strip()

    def compare(self, records: Sequence[Record]) -> tuple[str, ...]:
        """Return where the records differ from what was seen, as sentences."""
        if self._was_away:
            return ("the connection to FreeSWITCH broke meanwhile: not every call was seen",)
        return audit_channels(records, self.created)

    def stop(self) -> Deferred[None]:
        """Look no more."""
        stopped: Deferred[None] = self._switch.stopService()
        return stopped

    def switch_up(self) -> None:
        """Part of SwitchListener."""
        if not self._up.called:
            self._up.callback(None)

    def switch_down(self, reason: str) -> None:
        """Part of SwitchListener: what happens now is not seen."""
        self._was_away = True

    def switch_event(self, event: Event) -> None:
        """Part of SwitchListener."""
        if event.name == CREATED:
            self.created[event.get("Unique-ID") or ""] += 1

    def _too_late(self, value: object, timeout: float) -> None:
        raise TimeoutError(f"no FreeSWITCH within {timeout:.0f} s: {self._switch.trouble}")
