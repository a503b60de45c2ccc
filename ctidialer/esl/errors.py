"""Everything that can go wrong on the Event Socket, as one small family of exceptions.

Ours (`UnsafeCommand`) is told from theirs (`ProtocolFault`, the refusals).  No message and no repr
holds a password or the text of a command: commands carry telephone numbers and customer data.
"""

from __future__ import annotations


class EslError(Exception):
    """The root of the family; its text is meant for people."""


class UnsafeCommand(EslError, ValueError):
    """A command that we refuse to send, for it would not arrive as the one command it is."""


class ProtocolFault(EslError):
    """FreeSWITCH (or what answers in its place) sent what the Event Socket never sends."""


class CommandRefused(EslError):
    """FreeSWITCH answered ``-ERR``; ``reply`` is its text without that word."""

    def __init__(self, verb: str, reply: str) -> None:
        super().__init__(f"FreeSWITCH refused '{verb}': {reply}")
        self.verb = verb
        self.reply = reply


class LoginError(EslError):
    """The connection was not let in; trying again at once will not help."""


class WrongPassword(LoginError):
    """The password, or the user, was refused."""

    def __init__(self, reply: str) -> None:
        super().__init__(
            f"FreeSWITCH refused the password or the user ({reply}): "
            "compare it with event_socket.conf.xml or the user's directory entry"
        )


class AccessDenied(LoginError):
    """The address of this client is refused by FreeSWITCH's apply-inbound-acl."""

    def __init__(self, reply: str) -> None:
        super().__init__(
            f"FreeSWITCH denies access to this address ({reply}): "
            "see apply-inbound-acl in event_socket.conf.xml"
        )


class AuthTimeout(EslError):
    """Nobody greeted us, or answered our authentication, within ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"No Event Socket greeting or answer to the authentication within {seconds:g} s"
        )
        self.seconds = seconds


class CommandTimeout(EslError):
    """No reply within ``seconds``.  The command was written, so it may yet be executed."""

    may_have_been_executed = True

    def __init__(self, verb: str, seconds: float) -> None:
        super().__init__(f"FreeSWITCH did not answer '{verb}' within {seconds:g} s")
        self.verb = verb
        self.seconds = seconds


class ConnectionGone(EslError):
    """There is no connection (any more).

    ``may_have_been_executed`` is False when the command certainly never left this machine; True
    when it had been written, whatever became of it.  It is never sent again by itself.
    """

    def __init__(self, why: str, *, may_have_been_executed: bool) -> None:
        fate = "may have been executed" if may_have_been_executed else "was not sent"
        super().__init__(f"The Event Socket connection is gone ({why}); the command {fate}")
        self.why = why
        self.may_have_been_executed = may_have_been_executed
