"""What can go wrong with Redis, so that the caller can tell what to do about it."""

from __future__ import annotations

from collections.abc import Sequence


class StoreError(Exception):
    """Redis answered, and the answer is an error; the message says which key and what to do."""


class StoreUnavailable(StoreError):
    """Redis did not answer.

    ``may_have_been_executed`` is False when the command certainly never reached Redis (or Redis
    refused it before it changed anything), True when the connection went before the answer came.
    """

    def __init__(self, reason: str, may_have_been_executed: bool = False) -> None:
        self.reason = reason
        self.may_have_been_executed = may_have_been_executed
        super().__init__(reason)


class WritesRefused(StoreUnavailable):
    """Redis answers, but takes no writes now: it lacks memory, disk or replicas.

    Nothing was changed.  ``said``: Redis' own words.
    """

    def __init__(self, said: str) -> None:
        self.said = said
        super().__init__(f"Redis refuses writes: {said}")


class NotReplicated(StoreUnavailable):
    """Redis has written something, but too few replicas have it: a fail-over would lose it.

    ``said``: how many have it, or why that is not known.
    """

    def __init__(self, said: str) -> None:
        self.said = said
        super().__init__(f"Redis has too few replicas: {said}", may_have_been_executed=True)


class NotAllowed(StoreError):
    """The user's rights (ACL) lack something; nothing was changed.

    ``command`` and ``name``: what is refused, and on which key or channel; empty = that is known
    only from ``said``, Redis' own words.
    """

    def __init__(self, command: str, name: str, said: str = "") -> None:
        self.command = command
        self.name = name
        super().__init__(said or f"the user's rights in Redis lack {command} on {name!r}")


class WrongType(StoreError):
    """A key holds another type of value than the contract says; nothing was changed."""

    def __init__(self, key: str, found: str, wanted: str) -> None:
        self.key = key
        super().__init__(f"the key {key!r} holds a {found}, but must hold a {wanted}")


class NotReturned(StoreError):
    """Some entries cannot go back to where they came from: they stay in flight, unlike the others.

    ``entry_ids`` are those that stay; ``problem`` is that of the first of their keys.
    """

    def __init__(self, entry_ids: Sequence[str], problem: StoreError) -> None:
        self.entry_ids = tuple(entry_ids)
        self.problem = problem
        super().__init__(str(problem))


class NotInFlight(StoreError):
    """The entry is not (or no longer) recorded as in flight: it must not be dialed."""

    def __init__(self, entry_id: str) -> None:
        self.entry_id = entry_id
        super().__init__(f"the entry {entry_id} is no longer in flight")


class LeaseLost(StoreError):
    """This daemon does not hold its host's lease (docs/faults.rst): it may dial and write nothing.

    ``holder`` names the daemon that has it now; empty = nobody, it has just lapsed.
    """

    def __init__(self, host: str, holder: str = "") -> None:
        self.holder = holder
        now = f"{holder} has it now" if holder else "it has lapsed"
        super().__init__(f"this daemon lost the lease of host {host!r}: {now}")


class LeaseHeld(StoreError):
    """Another daemon works under this host's name; ``holder`` names it.

    ``expires_in``: seconds until its lease lapses if it is not renewed.  If that daemon was killed,
    nobody has the name after them.
    """

    def __init__(self, host: str, holder: str, expires_in: float = 0.0) -> None:
        self.holder = holder
        self.expires_in = expires_in
        super().__init__(f"another daemon works under the host name {host!r}: {holder}")


class Denied(Exception):
    """A call may not be placed now, and is not noted: no fault of Redis.

    ``dnc``: the list of numbers not to be called on which it stands, with ``reason`` (may be
    empty).  None = the caps forbid it ``until`` then (unix seconds by Redis' clock).
    """

    def __init__(self, dnc: str | None, reason: str = "", until: float | None = None) -> None:
        self.dnc = dnc
        self.reason = reason
        self.until = until
        why = f"it stands on the list {dnc!r} {reason}" if dnc else f"too many calls until {until}"
        super().__init__(why.rstrip())
