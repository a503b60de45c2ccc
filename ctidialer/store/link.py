"""The link to Redis: commands and scripts on one connection that is made again when it is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.glue import Waiters
from ctidialer.reconnection import BackOff, ConnectionState, Reconnection
from ctidialer.store.address import RedisAddress
from ctidialer.store.connection import (
    ANSWER_TIMEOUT,
    Argument,
    Reply,
    ResponseError,
    WatchedConnection,
)
from ctidialer.store.endpoint import Dialup, LoginRefused, usual_back_off
from ctidialer.store.errors import (
    NotAllowed,
    StoreError,
    StoreUnavailable,
    WritesRefused,
    WrongType,
)
from ctidialer.store.scripts import Script

log = Logger()

# What Redis answers when it cannot work now, and has changed nothing.  Before Redis 7 the code of
# an error inside a script stands after a dash in the middle of the text.
NOT_NOW = re.compile(
    r"(?:^|: -)(LOADING|OOM|MISCONF|READONLY|MASTERDOWN|NOREPLICAS|BUSY|NOAUTH)(?= )"
)
# Those of them with which Redis refuses writes only.
WRITES_REFUSED = frozenset({"OOM", "MISCONF", "NOREPLICAS"})
# Where in which script it was: that tells an operator nothing, and differs from one to the next.
IN_SCRIPT = re.compile(r"\.? *script: (?:[0-9a-f]{40}, )?on @user_script:\d+\.?$")
# What Redis says if the user lacks a right.
NO_RIGHT = re.compile(r"^NOPERM |ACL failure in script|user executing the script can't")
# What the key of a command must hold, by the command or its first letter.
TYPE_OF = {"GET": "string", "SADD": "set", "SREM": "set", "SCARD": "set", "SSCAN": "set"} | {
    **{"XADD": "stream", "XLEN": "stream", "XRANGE": "stream", "XREVRANGE": "stream"},
    **{"H": "hash", "L": "list", "R": "list", "Z": "zset"},
}
# The answers after which only a new connection helps: this server cannot be used (any more).
WRONG_SERVER = frozenset({"READONLY", "MASTERDOWN", "NOAUTH", "LOADING"})


class LinkListener(Protocol):
    """Is told whether Redis is there."""

    def store_up(self) -> None:
        """Redis answers and takes commands."""

    def store_down(self, reason: str) -> None:
        """Redis is away; said again when the reason changes."""


class Link:
    """Commands to one Redis.  Without a connection they fail at once with StoreUnavailable.

    ``reactor`` connects and, unless ``clock`` is given, measures time.  A connection on which Redis
    is silent for ``deadline`` seconds is given up; the commands outstanding on it fail.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        address: RedisAddress,
        *,
        clock: IReactorTime | None = None,
        deadline: float = ANSWER_TIMEOUT,
        back_off: BackOff | None = None,
    ) -> None:
        self.address = address
        self.clock: IReactorTime = clock or reactor
        self.reason = "not connected to Redis yet"
        self._is_known_down = False
        self._is_stopping = False
        self._deadline = deadline
        self._dialup = Dialup(reactor, self.clock, address, deadline)
        self._connection: WatchedConnection | None = None
        self._listeners: list[LinkListener] = []
        self._waiting: Waiters[None] = Waiters()
        self._reconnection: Reconnection[WatchedConnection] = Reconnection(
            self.clock,
            self,
            back_off or usual_back_off(address),
            f"Redis at {address.safe}",
            expected=(StoreError,),
            refusals=(LoginRefused,),
        )

    @property
    def is_up(self) -> bool:
        """Whether a command sent now has a chance."""
        return self._connection is not None and self._connection.usable

    @property
    def session(self) -> object:
        """An object for the present connection; None = there is none.

        A new connection is a new object: it may lead to another server.
        """
        return self._connection

    @property
    def state(self) -> ConnectionState:
        """How the connection stands, and when the next try is made."""
        return self._reconnection.state

    def told(self, now: float) -> str:
        """Return a sentence why Redis is away and when it is tried again; empty = it is there."""
        return "" if self.is_up else self.state.told(now) or self.reason

    def start(self) -> None:
        """Begin to connect; goes on for ever, until ``stop``."""
        self._is_stopping = False
        self._reconnection.start()

    def stop(self) -> Deferred[None]:
        """Close the connection; what is outstanding fails."""
        self._connection = None
        self._is_known_down = False
        self._is_stopping = True
        self.reason = "the link to Redis was closed"
        return self._reconnection.stop()

    def add_listener(self, listener: LinkListener) -> None:
        """Tell ``listener`` from now on, and at once whether Redis is there, if that is known."""
        self._listeners.append(listener)
        if self.is_up:
            listener.store_up()
        elif self._is_known_down:
            listener.store_down(self.reason)

    def when_up(self, timeout: float | None = None) -> Deferred[None]:
        """Fire when Redis is there; after ``timeout`` seconds fail with StoreUnavailable."""
        if self.is_up:
            return succeed(None)
        up = self._waiting.wait()
        if timeout is not None:
            up.addTimeout(timeout, self.clock, self._waited_long_enough)
        return up

    def call(self, *arguments: Argument) -> Deferred[Reply]:
        """Send one command; answers are bytes, int, None or lists of them.

        Fails with StoreUnavailable, or with StoreError when Redis refuses the command.
        """
        return Deferred.fromCoroutine(self._call(arguments))

    def together(self, *commands: Sequence[Argument]) -> Deferred[list[Reply | ResponseError]]:
        """Run commands that only read as one atomic step, with MULTI; return their answers.

        A command that fails during EXEC has its error as answer.  Fails as ``call`` does.
        """
        return Deferred.fromCoroutine(self._together(commands))

    def series(self, *commands: Sequence[Argument]) -> Deferred[list[Reply | ResponseError]]:
        """Run commands one after the other on one connection; return their answers.

        A command that Redis refuses has its error as answer.  Fails with StoreUnavailable.
        """
        return Deferred.fromCoroutine(self._series(commands))

    def run(
        self, script: Script, names: Sequence[str], arguments: Sequence[Argument]
    ) -> Deferred[Reply]:
        """Run ``script`` on the keys ``names``; fails as ``call`` does."""
        return Deferred.fromCoroutine(self._run(script, (len(names), *names, *arguments)))

    async def connect(self) -> WatchedConnection:
        """Part of Connector."""
        connection = WatchedConnection(self.clock, self._deadline)
        return await self._dialup.open_or_leave_nothing(connection)

    def when_gone(self, connection: WatchedConnection) -> Deferred[str]:
        """Part of Connector."""
        return connection.lost

    def close(self, connection: WatchedConnection) -> None:
        """Part of Connector."""
        connection.abort("closed by this daemon")

    def without_secrets(self, problem: str) -> str:
        """Part of Connector: no error of Redis contains the password."""
        return problem

    def connected(self, connection: WatchedConnection) -> None:
        """Part of Connector."""
        self._connection = connection
        self._is_known_down = False
        for listener in list(self._listeners):
            self._tell(listener, None)
        self._waiting.fire(None)

    def disconnected(self, reason: str) -> None:
        """Part of Connector."""
        self._connection = None
        if self._is_stopping:
            return
        self._is_known_down = True
        self.reason = reason
        for listener in list(self._listeners):
            self._tell(listener, reason)

    async def _call(self, arguments: Sequence[Argument]) -> Reply:
        try:
            return await self._request(*arguments)
        except ResponseError as error:
            raise _wrong_type(arguments, str(error)) or self._refused(str(error)) from None

    async def _together(
        self, commands: Sequence[Sequence[Argument]]
    ) -> list[Reply | ResponseError]:
        # All of it is written at once: nothing else comes between MULTI and EXEC.
        results = await self._series((("MULTI",), *commands, ("EXEC",)))
        for result in results:
            if isinstance(result, ResponseError):
                raise self._refused(str(result))  # the first one says why; EXEC only that it failed
        answers = results[-1]
        if answers is None:  # a WATCH of TableWatch stopped this EXEC, which ended the WATCH
            return await self._together(commands)
        assert isinstance(answers, list)
        return list(answers)

    async def _series(self, commands: Sequence[Sequence[Argument]]) -> list[Reply | ResponseError]:
        results = await DeferredList([self._request(*one) for one in commands], consumeErrors=True)
        return [_answer(result) for _, result in results]

    async def _run(self, script: Script, rest: Sequence[Argument]) -> Reply:
        try:
            return await self._request("EVALSHA", script.digest, *rest)
        except ResponseError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise self._refused(str(error)) from None
        return await self._call(("EVAL", script.text, *rest))

    def _request(self, *arguments: Argument) -> Deferred[Reply]:
        if self._connection is None:
            raise StoreUnavailable(self.reason)
        return self._connection.request(*arguments)

    def _refused(self, text: str) -> StoreError:
        text = IN_SCRIPT.sub("", text)
        code = NOT_NOW.search(text)
        if code is None:
            return NotAllowed("", "", text) if NO_RIGHT.search(text) else StoreError(text)
        if code[1] in WRITES_REFUSED:
            return WritesRefused(text[code.start(1) :])
        if code[1] in WRONG_SERVER and self._connection is not None:
            self._connection.abort(f"this Redis cannot be used: {text}")
        return StoreUnavailable(f"Redis refuses for the moment: {text}")

    def _waited_long_enough(self, value: object, timeout: float) -> None:
        raise StoreUnavailable(f"no Redis at {self.address.safe}: {self.reason}")

    def _tell(self, listener: LinkListener, reason: str | None) -> None:
        with log.failuresHandled("A listener of the link to Redis failed"):
            if reason is None:
                listener.store_up()
            else:
                listener.store_down(reason)


def _answer(result: Reply | Failure) -> Reply | ResponseError:
    if not isinstance(result, Failure):
        return result
    if not isinstance(result.value, ResponseError):
        result.raiseException()
    return result.value


def _wrong_type(arguments: Sequence[Argument], problem: str) -> WrongType | None:
    """Return that the key of a command holds another type, where Redis says so: it names no key."""
    command = str(arguments[0])
    wanted = TYPE_OF.get(command) or TYPE_OF.get(command[0])
    if not problem.startswith("WRONGTYPE") or wanted is None:
        return None
    key = arguments[1]
    name = key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else str(key)
    return WrongType(name, "value of another type", wanted)
