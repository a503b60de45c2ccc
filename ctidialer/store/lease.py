"""The lease of a host's name: one daemon has it, and every script that writes checks it.

It is a hash that expires by Redis' own clock.  A daemon whose lease lapsed while nobody else wanted
the name (Redis was away) may go on.  Each entry it had is still its own, unless another daemon has
settled it or given it back meanwhile: then every script says so.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from secrets import token_hex

from ctidialer.contract import keys
from ctidialer.store.connection import Argument, Reply
from ctidialer.store.errors import (
    LeaseHeld,
    LeaseLost,
    NotAllowed,
    NotReplicated,
    StoreError,
    WritesRefused,
    WrongType,
)
from ctidialer.store.link import Link
from ctidialer.store.replication import Replication
from ctidialer.store.scripts import LEASE, Script

BEGUN = 2


def _awake_or_asleep() -> float:
    """Return the seconds of a clock that goes on while the machine is suspended, if it has one."""
    boot_time: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


class Lease:
    """The lease of ``host`` for the daemon ``daemon_id``.

    ``duration`` is in seconds; it is renewed every ``renewal_period``.  ``token`` is unique to this
    daemon's life, and begins the id of every entry it takes.  ``monotonic`` is a clock that goes on
    while this process is stopped or the machine asleep, and that nobody sets.  So many ``replicas``
    have what a script wrote that must last, before it counts as done.
    """

    def __init__(
        self,
        link: Link,
        host: str,
        daemon_id: str,
        duration: float,
        monotonic: Callable[[], float] = _awake_or_asleep,
        replicas: int = 0,
    ) -> None:
        self._link = link
        self._replication = Replication(link, replicas)
        self._host = host
        self._key = keys.lease(host)
        self._milliseconds = max(1, round(duration * 1000))
        self._monotonic = monotonic
        self._held_until = monotonic()
        self._holder = json.dumps(
            {"daemon": daemon_id, "pid": os.getpid(), "hostname": socket.gethostname()}
        )
        self.token = token_hex(8)
        self.refused: Callable[[StoreError], None] = lambda error: None
        """Called when Redis takes no write, lacks replicas, or says that a right is missing."""
        self.renewal_period = duration / 3

    async def acquire(self) -> bool:
        """Take or prolong the lease; True = it was taken now.  Raises LeaseHeld."""
        asked_at = self._monotonic()
        reply = await self._ask("hold")
        if reply[0] == 0:
            raise LeaseHeld(self._host, describe_holder(reply[1]), _seconds(reply[2]))
        self._held_until = asked_at + self._milliseconds / 1000
        return reply[0] == BEGUN

    async def renew(self) -> bool:
        """Prolong the lease; True = it had lapsed and was taken again.  Raises LeaseLost."""
        try:
            return await self.acquire()
        except LeaseHeld as error:
            raise LeaseLost(self._host, error.holder) from None

    async def release(self) -> None:
        """Give the name free, unless another daemon has it already."""
        await self._ask("release")

    def check(self) -> None:
        """Raise LeaseLost if the lease may have lapsed, as after a halt of this process.

        Earlier answers of Redis are not valid then: another daemon may have taken the name.
        """
        if self._monotonic() >= self._held_until:
            raise LeaseLost(self._host)

    async def run(
        self, script: Script, names: Sequence[str], arguments: Sequence[Argument]
    ) -> Reply:
        """Run ``script`` under the lease, its key and token put before the others.

        Raises LeaseLost, WrongType, NotReplicated, or what ``Link.run`` raises.
        """
        names, arguments = (self._key, *names), (self.token, *arguments)
        session = self._link.session
        try:
            reply = await self._link.run(script, names, arguments)
            if script.must_last and self._replication.count:
                await self._replication.follow(session)
            return reply
        except StoreError as error:
            translated = self._translated(error, names, arguments)
            if isinstance(translated, WritesRefused | NotReplicated | NotAllowed):
                self.refused(translated)
            raise translated from None

    async def _ask(self, what: str) -> list[Reply]:
        arguments = (what, self._milliseconds, self._holder[:-1], keys.HOSTS, self._host)
        reply = await self.run(LEASE, (), arguments)
        assert isinstance(reply, list)
        return reply

    def _translated(
        self, error: StoreError, names: Sequence[str], arguments: Sequence[Argument]
    ) -> StoreError:
        code, _, rest = str(error).partition(" ")
        if code == "LEASELOST":
            return LeaseLost(self._host, "" if rest == "-" else describe_holder(rest))
        return refusal_of(error, names, arguments)


def refusal_of(
    error: StoreError, names: Sequence[str], arguments: Sequence[Argument]
) -> StoreError:
    """Return what a script's error means that names its KEYS and ARGV by their places."""
    code, _, rest = str(error).partition(" ")
    if code == "KEYTYPE":
        index, found, wanted = rest.split()[:3]
        return WrongType(names[int(index) - 1], found, wanted)
    if code == "NOTALLOWED":
        return _not_allowed(rest, {"KEYS": names, "ARGV": arguments})
    return error


def _not_allowed(said: str, words: Mapping[str, Sequence[Argument]]) -> NotAllowed:
    """Read ``<command> KEYS|ARGV <index> [<what follows it>]``."""
    command, which, index, *more = said.split()
    return NotAllowed(command, "".join([str(words[which][int(index) - 1]), *more]))


def describe_holder(holder: Reply | str) -> str:
    """Return who holds a lease, for people; ``holder`` is the JSON that stands in it."""
    try:
        document = json.loads(holder)  # type: ignore[arg-type]  # anything else is a TypeError
        since = datetime.fromtimestamp(document["since"], UTC)
        return (
            f"pid {document['pid']} on {document['hostname']}, since {since:%Y-%m-%d %H:%M:%S} UTC"
            f" ({document['daemon']})"
        )
    except (ValueError, TypeError, KeyError):
        return "a daemon that does not say who it is"


def _seconds(milliseconds: Reply) -> float:
    return max(milliseconds, 0) / 1000 if isinstance(milliseconds, int) else 0.0
