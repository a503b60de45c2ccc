"""Listens to what back ends publish when they have changed a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.notice import ConfigChange, decode_notice
from ctidialer.reconnection import BackOff, Reconnection
from ctidialer.store.address import RedisAddress
from ctidialer.store.connection import ANSWER_TIMEOUT, ResponseError, SubscribedConnection
from ctidialer.store.endpoint import Dialup, LoginRefused, end, usual_back_off
from ctidialer.store.errors import StoreError

log = Logger()

MAX_SHOWN_LENGTH = 200
"""Characters of an unusable message that the log shows."""


class ChangeListener(Protocol):
    """Is told what has changed."""

    def change(self, change: ConfigChange) -> None:
        """A back end says that it has changed something."""

    def subscribed(self) -> None:
        """Changes are heard from now on; earlier ones may have been missed: read all again."""


def change_channels(host: str, domain: str) -> tuple[str, ...]:
    """Return the channels this node listens to, each once."""
    suffixes = (keys.EVERY_HOST, host, domain)
    return tuple(dict.fromkeys(keys.at(keys.CHANGE_CHANNEL, suffix) for suffix in suffixes))


class _ChangeConnection(SubscribedConnection):
    """Hands every message to ``heard``."""

    def __init__(
        self, clock: IReactorTime, deadline: float, heard: Callable[[bytes], None]
    ) -> None:
        super().__init__(clock, deadline)
        self._heard = heard

    def messageReceived(self, pattern: object, channel: bytes, message: bytes) -> None:
        """Part of txredisapi's SubscriberProtocol."""
        self._heard(message)


class ChangeFeed:
    """Listens to the change channels of a node on a connection of its own.

    After every connection it subscribes again and calls ``listener.subscribed``.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        address: RedisAddress,
        host: str,
        domain: str,
        listener: ChangeListener,
        *,
        clock: IReactorTime | None = None,
        deadline: float = ANSWER_TIMEOUT,
        back_off: BackOff | None = None,
    ) -> None:
        self._clock: IReactorTime = clock or reactor
        self._deadline = deadline
        self._dialup = Dialup(reactor, self._clock, address, deadline)
        self._channels = change_channels(host, domain)
        self._listener = listener
        self._has_warned = False
        self._reconnection: Reconnection[_ChangeConnection] = Reconnection(
            self._clock,
            self,
            back_off or usual_back_off(address),
            f"Redis at {address.safe} (changes)",
            expected=(StoreError,),
            refusals=(LoginRefused,),
        )

    def start(self) -> None:
        """Begin to listen; goes on for ever, until ``stop``."""
        self._reconnection.start()

    def stop(self) -> Deferred[None]:
        """Listen no more."""
        return self._reconnection.stop()

    async def connect(self) -> _ChangeConnection:
        """Part of Connector."""
        connection = _ChangeConnection(self._clock, self._deadline, self._heard)
        await self._dialup.open_or_leave_nothing(connection)
        try:
            await self._subscribe(connection)
        except Exception:
            await end(connection, "not subscribed")
            raise
        return connection

    def when_gone(self, connection: _ChangeConnection) -> Deferred[str]:
        """Part of Connector."""
        return connection.lost

    def close(self, connection: _ChangeConnection) -> None:
        """Part of Connector."""
        connection.abort("closed by this daemon")

    def without_secrets(self, problem: str) -> str:
        """Part of Connector: no error of Redis contains the password."""
        return problem

    def connected(self, connection: _ChangeConnection) -> None:
        """Part of Connector."""
        with log.failuresHandled("The listener to configuration changes failed"):
            self._listener.subscribed()

    def disconnected(self, reason: str) -> None:
        """Part of Connector: the link tells the dialer that Redis is away."""

    async def _subscribe(self, connection: _ChangeConnection) -> None:
        try:
            # One command a channel: each has then exactly one answer.
            for channel in self._channels:
                await connection.request("SUBSCRIBE", channel)
        except ResponseError as error:
            raise StoreError(f"Redis refuses the subscription: {error}") from None

    def _heard(self, message: bytes) -> None:
        change = decode_notice(message)
        if change is None:
            self._ignore(message)
            return
        with log.failuresHandled("The listener to configuration changes failed"):
            self._listener.change(change)

    def _ignore(self, message: bytes) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        log.warn(
            "A message on the channels {channels} is no configuration change and was ignored, "
            "as all others like it will be: {message}",
            channels=", ".join(self._channels),
            message=message.decode("utf-8", "backslashreplace")[:MAX_SHOWN_LENGTH],
        )
