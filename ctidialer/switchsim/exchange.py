"""What a call needs of the switch it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IReactorTime

from ctidialer.switchsim.behaviour import Script
from ctidialer.switchsim.callcenter.tables import Member
from ctidialer.switchsim.templates import Fields

if TYPE_CHECKING:
    from ctidialer.switchsim.call import Call


class Queues(Protocol):
    """The queues of a switch, as a call sees them."""

    def queue_of(self, extension: str) -> str:
        """Give the queue to which an extension leads, empty where it leads elsewhere."""

    def join(self, call: Call, queue: str) -> Member:
        """Put a call into a queue."""

    def leave(self, member: Member) -> None:
        """A member's call has ended or goes elsewhere."""


class Exchange(Protocol):
    """A switch, as a call sees it."""

    script: Script

    @property
    def callcenter(self) -> Queues:
        """The queues."""

    @property
    def clock(self) -> IReactorTime:
        """Time passes here."""

    def now(self) -> float:
        """Give unix seconds."""

    def fire_channel(
        self,
        name: str,
        path: tuple[str, ...],
        tags: frozenset[str],
        fields: Fields,
        variables: Mapping[str, str],
    ) -> None:
        """Send a channel's event to whoever wants it."""

    def fire_custom(
        self, subclass: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> None:
        """Send a CUSTOM event."""

    def log_answer(self, call: Call) -> None:
        """Note when a call was answered, if that is wanted."""

    def call_over(self, call: Call) -> None:
        """Take the call out of the table and log how it ended."""
