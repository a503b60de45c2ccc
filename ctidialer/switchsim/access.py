"""Who a client is, and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen


@frozen
class Access:
    """What an authenticated client may do; None stands for everything."""

    events: frozenset[str] | None = None
    api: frozenset[str] | None = None
    log: bool = True
    more_reply: str = ""

    def may_run(self, name: str) -> bool:
        """Say whether an API command is allowed."""
        return self.api is None or name in self.api


def authenticate(
    command: str, password: str, users: Mapping[str, Mapping[str, Any]]
) -> Access | None:
    """Judge ``auth PASSWORD`` or ``userauth user@domain:password``; None is a refusal.

    ``users`` are those of the script: password, and allowed ``events`` and ``api`` in words.
    """
    if command.lower().startswith("auth "):
        return Access() if command[5:] == password else None
    who, _, given = command[9:].partition(":")
    user = users.get(who)
    return _access(user) if user and user.get("password") == given else None


def _access(user: Mapping[str, Any]) -> Access:
    events, api = str(user.get("events", "all")), str(user.get("api", "all"))
    log = bool(user.get("log", False))
    return Access(
        None if events == "all" else frozenset(events.split()),
        None if api == "all" else frozenset(api.split()),
        log,
        f"Allowed-Events: {events}\nAllowed-API: {api}\nAllowed-LOG: {str(log).lower()}\n",
    )
