"""From an address to a connection: TCP, TLS, a unix socket, or the master that sentinels name."""

from __future__ import annotations

from typing import NoReturn, TypeVar

from attrs import frozen
from OpenSSL.crypto import Error as SSLError
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, optionsForClientTLS
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

from ctidialer.reconnection import BackOff
from ctidialer.store.address import RedisAddress, RedisCredentials
from ctidialer.store.connection import ANSWER_TIMEOUT, ResponseError, WatchedConnection
from ctidialer.store.errors import StoreError, StoreUnavailable

SENTINEL_TIMEOUT = 0.5
"""Seconds for which a sentinel may stay silent; after them the next one is asked."""

LONGEST_SENTINEL_WAIT = 0.5
"""Seconds between two tries where sentinels are asked: the new master is to be found soon, and a
question to a sentinel costs little."""

Connection = TypeVar("Connection", bound=WatchedConnection)


def usual_back_off(address: RedisAddress) -> BackOff:
    """Return how long to wait between two tries to connect."""
    return BackOff(most=LONGEST_SENTINEL_WAIT) if address.service else BackOff()


class LoginRefused(StoreError):
    """Redis does not take the user and password; trying again soon changes nothing."""


class _Once(Factory):
    """Returns its one connection for whatever endpoint is connected."""

    noisy = False

    def __init__(self, connection: WatchedConnection) -> None:
        self._connection = connection

    def buildProtocol(self, addr: object) -> WatchedConnection:
        self._connection.factory = self
        return self._connection


@frozen
class Dialup:
    """Opens connections to one address, logged in and ready for commands.

    ``reactor`` connects; ``clock`` measures time (the two differ only in tests).
    """

    reactor: object
    clock: IReactorTime
    address: RedisAddress
    deadline: float = ANSWER_TIMEOUT

    async def open(self, connection: Connection) -> Connection:
        """Connect ``connection``, log in, and check that Redis is there and takes writes.

        Raises LoginRefused, StoreUnavailable (not there, loading, a replica) or StoreError.
        """
        await self.reach(connection)
        try:
            await log_in(connection, self.address.credentials, self.address.db)
        except BaseException:
            connection.abort("not logged in")
            raise
        return connection

    async def open_or_leave_nothing(self, connection: Connection) -> Connection:
        """Do the same; if it fails or is cancelled, wait until the connection has gone."""
        try:
            return await self.open(connection)
        except Exception:
            await end(connection, "not logged in")
            raise

    async def reach(self, connection: WatchedConnection) -> None:
        """Connect ``connection``, no more; raises StoreUnavailable."""
        await _connect(await self._endpoint(), connection)

    async def _endpoint(self) -> IStreamClientEndpoint:
        address = self.address
        if address.scheme == "unix":
            return UNIXClientEndpoint(self.reactor, address.path, timeout=self.deadline)
        host, port = await self._master() if address.service else address.hosts[0]
        endpoint = HostnameEndpoint(self.reactor, host, port, timeout=self.deadline)
        return _encrypted(endpoint, host, address.ca) if address.tls else endpoint

    async def _master(self) -> tuple[str, int]:
        """Ask one sentinel after the other where the master of the service is."""
        problems = []
        for host, port in self.address.hosts:
            try:
                return await self._ask_sentinel(host, port)
            except StoreError as error:
                problems.append(f"{host}:{port}: {error}")
        raise StoreUnavailable("no sentinel knows the master: " + "; ".join(problems))

    async def _ask_sentinel(self, host: str, port: int) -> tuple[str, int]:
        endpoint = HostnameEndpoint(self.reactor, host, port, timeout=SENTINEL_TIMEOUT)
        sentinel = WatchedConnection(self.clock, SENTINEL_TIMEOUT)
        await _connect(endpoint, sentinel)
        try:
            await _authenticate(sentinel, self.address.sentinel_credentials)
            reply = await sentinel.request(
                "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.address.service
            )
        except ResponseError as error:
            raise StoreError(str(error)) from None
        finally:
            sentinel.abort("asked")
        if not isinstance(reply, list):
            raise StoreError(f"it knows no service {self.address.service!r}")
        name, number = reply
        assert isinstance(name, bytes)
        assert isinstance(number, bytes)
        return name.decode(), int(number)


async def end(connection: WatchedConnection, why: str) -> None:
    """Give ``connection`` up, if there is one, and wait until it has gone."""
    if connection.connected:
        connection.abort(why)
        await connection.lost


async def log_in(connection: WatchedConnection, credentials: RedisCredentials, db: int) -> None:
    """Authenticate, choose the database, and make sure that this is a master that is ready.

    Raises LoginRefused or StoreUnavailable.
    """
    await _authenticate(connection, credentials)
    try:
        await connection.request("PING")
        if db:
            await connection.request("SELECT", db)
    except ResponseError as error:
        raise _not_ready(str(error), db) from None
    await _check_is_master(connection)


async def _authenticate(connection: WatchedConnection, credentials: RedisCredentials) -> None:
    if credentials.password is None:
        return
    login = [name for name in (credentials.username, credentials.password) if name]
    try:
        await connection.request("AUTH", *login or [""])
    except ResponseError as error:
        said = _without(credentials.password, str(error))
        raise LoginRefused(f"Redis refuses the user or the password: {said}") from None


async def _check_is_master(connection: WatchedConnection) -> None:
    try:
        role = await connection.request("ROLE")
    except ResponseError:
        return  # a user may lack the right to ask; the first write will tell
    if isinstance(role, list) and role and role[0] not in (b"master", b"sentinel"):
        raise StoreUnavailable("this Redis is a replica: it takes no writes")


def _not_ready(text: str, db: int) -> StoreError:
    if text.startswith("NOAUTH"):
        return LoginRefused("Redis wants a password, and the URL has none: redis://:password@…")
    if text.startswith("LOADING"):
        return StoreUnavailable("Redis is still loading its data")
    if text.startswith("NOPERM"):
        return LoginRefused(f"the Redis user may not do what is needed: {text}")
    return StoreUnavailable(f"Redis refuses database {db}: {text}")


def _without(password: str, text: str) -> str:
    """Return what Redis said without the password: some errors repeat the command."""
    said = text.removeprefix("WRONGPASS ").removeprefix("ERR ")
    return said.replace(password, "***") if password else said


async def _connect(endpoint: IStreamClientEndpoint, connection: WatchedConnection) -> None:
    await endpoint.connect(_Once(connection)).addErrback(_not_connected)


def _not_connected(failure: Failure) -> NoReturn:
    raise StoreUnavailable(failure.getErrorMessage()) from None


def _encrypted(endpoint: IStreamClientEndpoint, host: str, ca: str) -> IStreamClientEndpoint:
    try:
        trust = Certificate.loadPEM(FilePath(ca).getContent()) if ca else None
    except (OSError, ValueError, SSLError) as error:
        raise StoreUnavailable(f"the certificate {ca} cannot be read: {error}") from None
    return wrapClientTLS(optionsForClientTLS(host, trustRoot=trust), endpoint)
