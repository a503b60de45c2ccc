"""An endpoint that is connected only when the connection is ready for use.

ClientService has a ``prepareConnection`` of its own, but a connection that is lost while it is
being prepared, as after a wrong password, is reported to a state that does not expect it
(NoTransition in the log), and one abandoned after a failed preparation can end the next one's
state.  So the preparation is part of connecting: to the service it either succeeds or has failed,
with nothing left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from ctidialer.esl.client import EventSocketFactory, EventSocketProtocol
from ctidialer.esl.errors import ConnectionGone


@implementer(IStreamClientEndpoint)
class PreparedEndpoint:
    """Connects to ``endpoint``, then awaits ``prepare``; aborts the connection when that fails.

    ``connected`` is told of each prepared connection, together with the protocol through which
    whoever connects wants to hear of its end; ``failed`` of each attempt that came to nothing.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        factory: EventSocketFactory,
        prepare: Callable[[EventSocketProtocol], Awaitable[None]],
        connected: Callable[[EventSocketProtocol, IProtocol], None],
        failed: Callable[[Failure], None],
    ) -> None:
        self._endpoint = endpoint
        self._factory = factory
        self._prepare = prepare
        self._connected = connected
        self._failed = failed

    def __repr__(self) -> str:
        return f"<PreparedEndpoint {self._endpoint!r}>"

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect and prepare; what fails, or is cancelled, leaves no connection behind."""
        return Deferred.fromCoroutine(self._connect(protocolFactory)).addErrback(self._tell)

    def _tell(self, failure: Failure) -> Failure:
        self._failed(failure)
        return failure

    async def _connect(self, watching: IProtocolFactory) -> IProtocol:
        # The endpoint gives what our factory built; its interface cannot say so.
        protocol = cast(EventSocketProtocol, await self._endpoint.connect(self._factory))
        try:
            await self._prepare(protocol)
            if protocol.ending is not None:
                raise ConnectionGone(protocol.ending, may_have_been_executed=False)
        except Exception as error:
            protocol.abort(str(error))
            await protocol.when_gone()
            raise
        transport = cast(ITransport, protocol.transport)
        watcher = cast(IProtocol, watching.buildProtocol(transport.getPeer()))
        watcher.makeConnection(transport)
        self._connected(protocol, watcher)
        return watcher
