"""The commands of the Event Socket whose reply says only that they are accepted or refused.

Their names are the same as in ``eventsocket`` and txFreeSWITCH.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec

from twisted.internet import defer
from twisted.internet.defer import Deferred

from ctidialer.esl import commands
from ctidialer.esl.connection import ApiResponse
from ctidialer.esl.errors import CommandRefused, UnsafeCommand
from ctidialer.esl.replies import Reply

P = ParamSpec("P")


class Verbs:
    """One method a command: each fires with the text of the reply, without ``+OK``."""

    def written(self, command: bytes, timeout: float | None = None) -> Deferred[Reply]:
        """Write a command and return its reply; the class with the connection has this."""
        raise NotImplementedError

    def _ask(self, build: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> Deferred[str]:
        try:
            command = build(*args, **kwargs)
        except UnsafeCommand:
            return defer.fail()
        return self.written(command).addCallback(accepted, commands.verb(command))

    def event(self, events: str | Iterable[str], form: str = "plain") -> Deferred[str]:
        """Subscribe to events; the last ``form`` asked for holds for all of them."""
        return self._ask(commands.event, events, form)

    def eventplain(self, events: str | Iterable[str]) -> Deferred[str]:
        """Subscribe to events in the plain format."""
        return self._ask(commands.event, events, "plain")

    def eventjson(self, events: str | Iterable[str]) -> Deferred[str]:
        """Subscribe to events in the JSON format."""
        return self._ask(commands.event, events, "json")

    def nixevent(self, events: str | Iterable[str]) -> Deferred[str]:
        """Take back subscriptions."""
        return self._ask(commands.nixevent, events)

    def noevents(self) -> Deferred[str]:
        """Take back every subscription."""
        return self._ask(commands.noevents)

    def filter(self, header: str, value: str | None = None) -> Deferred[str]:
        """Receive only events in which a header has this value; see `commands.filter`."""
        return self._ask(commands.filter, header, value)

    def filter_delete(self, header: str, value: str | None = None) -> Deferred[str]:
        """Take back a filter, or with the header ``all`` every one."""
        return self._ask(commands.filter_delete, header, value)

    def myevents(self, uuid: str, form: str = "plain") -> Deferred[str]:
        """Receive the events of one call."""
        return self._ask(commands.myevents, uuid, form)

    def divert_events(self, on: bool = True) -> Deferred[str]:
        """Receive the events that a call's own script would."""
        return self._ask(commands.divert_events, on)

    def linger(self, seconds: int | None = None) -> Deferred[str]:
        """Keep the connection for a while after its call has ended."""
        return self._ask(commands.linger, seconds)

    def nolinger(self) -> Deferred[str]:
        """Take `linger` back."""
        return self._ask(commands.nolinger)

    def log(self, level: int | str | None = None) -> Deferred[str]:
        """Receive FreeSWITCH's log up to a level."""
        return self._ask(commands.log, level)

    def nolog(self) -> Deferred[str]:
        """Receive no log any more."""
        return self._ask(commands.nolog)

    def exit(self) -> Deferred[str]:
        """Ask FreeSWITCH to close, which it does after this connection's pending jobs."""
        return self._ask(commands.exit)

    def sendevent(
        self, name: str, headers: Mapping[str, str] | None = None, body: str = ""
    ) -> Deferred[str]:
        """Put an event into FreeSWITCH."""
        return self._ask(commands.sendevent, name, headers, body)

    def sendmsg(self, uuid: str, headers: Mapping[str, str], body: str = "") -> Deferred[str]:
        """Send a message to a call."""
        return self._ask(commands.sendmsg, uuid, headers, body)

    def execute(
        self, uuid: str, application: str, argument: str = "", *, lock: bool = False
    ) -> Deferred[str]:
        """Run a dialplan application on a call; with ``lock`` after the one that runs now."""
        return self._ask(commands.execute, uuid, application, argument, lock=lock)


def accepted(reply: Reply, verb: str) -> str:
    """Return the text of a reply without ``+OK``; raise `CommandRefused` for ``-ERR``."""
    if reply.text.startswith("-"):
        raise CommandRefused(verb, refusal(reply))
    return reply.text.rstrip("\n").removeprefix("+OK").lstrip(" ")


def refusal(reply: Reply) -> str:
    """Return why FreeSWITCH refused a command."""
    return reply.text.rstrip("\n").removeprefix("-ERR ")


def printed(reply: Reply) -> str:
    """Return exactly what an API command printed; `CommandRefused` if it was not run."""
    return reply.text if isinstance(reply, ApiResponse) else accepted(reply, "api")
