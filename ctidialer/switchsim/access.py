"""Who a client is, and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

_RUN_OTHERS = frozenset({"bgapi", "sched_api", "eval", "expand", "xml_wrap"})


@frozen
class Access:
    """What an authenticated client may do; None stands for everything."""

    events: frozenset[str] | None = None
    api: frozenset[str] | None = None
    log: bool = True
    more_reply: str = ""

    def may_run(self, name: str, argument: str = "") -> bool:
        """Say whether an API command is allowed.

        What runs another command is allowed with that one only.  FreeSWITCH takes the ``uuid:…`` of
        ``bgapi`` for its name, so a user with a list never may.
        """
        if self.api is None:
            return True
        for word in [name, *(argument.split(" ") if argument else [])]:
            if word not in self.api:
                return False
            if word.lower() not in _RUN_OTHERS:
                break
        return True


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
