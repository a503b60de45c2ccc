"""The listening port of a simulated switch, and the faults that concern its sockets."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTCP, IReactorTime
from twisted.internet.protocol import ServerFactory

from ctidialer.switchsim.api import Api
from ctidialer.switchsim.faults import Faults
from ctidialer.switchsim.listener import EventSocketListener
from ctidialer.switchsim.switch import Switch


class EventSocketFactory(ServerFactory):
    """Makes a listener for each connection and keeps the live ones."""

    noisy = False

    def __init__(self, switch: Switch) -> None:
        self.faults = Faults(switch)
        self.faults.connections = self
        self._switch = switch
        self._api = Api(switch, self.faults)
        self._made = 0
        self.live: list[EventSocketListener] = []
        self.port: EventSocketPort | None = None

    def buildProtocol(self, addr: IAddress | None) -> EventSocketListener:
        """Make the protocol of a new connection."""
        self._made += 1
        listener = EventSocketListener(self._switch, self._api, self.faults, self._made)
        listener.on_gone = self._forget
        self.live.append(listener)
        return listener

    def _forget(self, listener: EventSocketListener) -> None:
        if listener in self.live:
            self.live.remove(listener)

    def _all_but(self, keep: int | None) -> list[EventSocketListener]:
        return [listener for listener in self.live if listener.number != keep]

    def drop(self, how: str, *, keep: int | None) -> int:
        """Close connections, after the answer to this order has been written."""
        victims = self._all_but(keep)
        for listener in victims:
            self._switch.clock.callLater(0.01, listener.close, how)
        return len(victims)

    def mute(self, seconds: float, *, keep: int | None) -> int:
        """Stop reading and answering for a time."""
        victims = self._all_but(keep)
        for listener in victims:
            self._switch.clock.callLater(0.01, self._mute_one, listener, seconds)
        return len(victims)

    def _mute_one(self, listener: EventSocketListener, seconds: float) -> None:
        listener.muted = True
        if seconds > 0:
            self._switch.clock.callLater(seconds, listener.resume)

    def refuse(self, seconds: float) -> None:
        """Close the listening port for a time."""
        if self.port is not None:
            self.port.close_for(seconds)

    def resume_events(self) -> None:
        """Deliver what was held back."""
        for listener in list(self.live):
            listener.resume()


class EventSocketPort:
    """A TCP port on which the switch listens; it can be shut for a while and opened again."""

    def __init__(
        self, reactor: IReactorTCP, clock: IReactorTime, factory: EventSocketFactory
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._factory = factory
        self._port: IListeningPort | None = None
        self._interface = ""
        self.number = 0
        factory.port = self

    def open(self, interface: str, number: int) -> int:
        """Listen; gives the port's number, also where any free one (0) was asked for."""
        self._interface = interface
        self._port = self._reactor.listenTCP(number, self._factory, interface=interface)
        host = self._port.getHost()
        if isinstance(host, IPv4Address | IPv6Address):
            self.number = host.port
        return self.number

    def close(self) -> Deferred[None]:
        """Listen no more."""
        port, self._port = self._port, None
        if port is None:
            return succeed(None)
        return maybeDeferred(port.stopListening).addCallback(lambda _: None)

    def close_for(self, seconds: float) -> None:
        """Refuse connections for a time, then listen on the same port again."""
        self.close()
        self._clock.callLater(seconds, self.open, self._interface, self.number)
