"""Redis URLs, as values: redis://, rediss://, unix://, redis+sentinel://."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote

from attrs import field, frozen

REDIS_PORT = 6379
SENTINEL_PORT = 26379
SCHEMES = ("redis", "rediss", "unix", "redis+sentinel")
OPTIONS = {
    "redis": frozenset({"db"}),
    "rediss": frozenset({"db", "ca"}),
    "unix": frozenset({"db"}),
    "redis+sentinel": frozenset({"db", "sentinel_username", "sentinel_password"}),
}


class AddressError(ValueError):
    """A Redis URL that cannot be used.

    The message repeats no part of the URL that may be a secret.
    """


@frozen
class RedisCredentials:
    """An ACL user and password; an empty ``username`` is Redis' default user."""

    username: str = ""
    password: str | None = field(default=None, repr=False)


@frozen
class RedisAddress:
    """Where Redis is and how to log in.

    Exactly one of ``path`` (unix socket), ``hosts`` with ``service`` (sentinels), or ``hosts``
    with one pair (TCP; ``tls`` with TLS, verified against ``ca`` or the system's authorities).
    """

    scheme: str
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    db: int = 0
    credentials: RedisCredentials = RedisCredentials()
    service: str = ""
    sentinel_credentials: RedisCredentials = RedisCredentials()
    ca: str = ""

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "rediss"

    @property
    def safe(self) -> str:
        """The address for logs and people: without the password."""
        user = quote(self.credentials.username, safe="")
        secret = ":***" if self.credentials.password is not None else ""
        login = f"{user}{secret}@" if user or secret else ""
        if self.scheme == "unix":
            return f"unix://{login}{self.path}?db={self.db}"
        hosts = ",".join(_host_port(*pair) for pair in self.hosts)
        service = f"/{self.service}" if self.service else ""
        return f"{self.scheme}://{login}{hosts}{service}/{self.db}"

    def __str__(self) -> str:
        return self.safe


def parse_address(url: str) -> RedisAddress:
    """Return the address that ``url`` names.

    Forms: ``redis://[user:password@]host[:port][/db]``, ``rediss://`` the same with TLS
    (``?ca=FILE``: the authority's certificate), ``unix://[[user]:password@]/path[?db=n]``,
    ``redis+sentinel://[user:password@]host:port,host:port/service[/db]``
    (``?sentinel_password=…`` for the sentinels themselves).  Special characters in a user, password
    or path are percent-encoded.  Raises AddressError.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme.lower() not in SCHEMES:
        raise AddressError(f"a Redis URL begins with {'://, '.join(SCHEMES)}://")
    scheme = scheme.lower()
    rest, _, query = rest.partition("?")
    options = _options(scheme, query)
    authority, slash, path = rest.partition("/")
    login, _, location = authority.rpartition("@")
    credentials = _credentials(login)
    if scheme == "unix":
        return _unix(location, slash + path, options, credentials)
    if scheme == "redis+sentinel":
        return _sentinel(location, path, options, credentials)
    return RedisAddress(
        scheme=scheme,
        hosts=(_location(location, REDIS_PORT),),
        db=_database(path, options),
        credentials=credentials,
        ca=options.get("ca", ""),
    )


def _unix(
    location: str, path: str, options: Mapping[str, str], credentials: RedisCredentials
) -> RedisAddress:
    if location or len(path) < 2:
        raise AddressError("unix:// is followed by the socket's absolute path: unix:///run/r.sock")
    database = _database("", options)
    return RedisAddress(scheme="unix", path=unquote(path), db=database, credentials=credentials)


def _sentinel(
    location: str, path: str, options: Mapping[str, str], credentials: RedisCredentials
) -> RedisAddress:
    service, _, database = path.partition("/")
    if not service:
        raise AddressError(
            "a redis+sentinel:// URL names the service after the sentinels: "
            "redis+sentinel://host:26379,host:26379/service/0"
        )
    sentinels = RedisCredentials(
        options.get("sentinel_username", ""), options.get("sentinel_password") or None
    )
    return RedisAddress(
        scheme="redis+sentinel",
        hosts=tuple(_location(one, SENTINEL_PORT) for one in location.split(",")),
        db=_database(database, options),
        credentials=credentials,
        service=unquote(service),
        sentinel_credentials=sentinels,
    )


def _options(scheme: str, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(options.keys() - OPTIONS[scheme])
    if unknown:
        known = ", ".join(sorted(OPTIONS[scheme]))
        raise AddressError(f"a {scheme}:// URL takes only these options after the ?: {known}")
    return options


def _credentials(login: str) -> RedisCredentials:
    username, colon, password = login.partition(":")
    if login and not colon:
        raise AddressError("the part before @ is user:password (or :password), with the colon")
    return RedisCredentials(unquote(username), unquote(password) if password else None)


def _location(text: str, default_port: int) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        host = host if closed else ""
    else:
        host, colon, port = text.partition(":")
        rest = colon + port
    if not host or (rest and not rest.startswith(":")):
        raise AddressError(_LOCATION_HELP)
    return host, _port(rest[1:]) if rest else default_port


_LOCATION_HELP = (
    "a host (and :port, 1 to 65535) is wanted between // (or @) and the next /; "
    "the characters / ? @ : in a password are written %2F %3F %40 %3A"
)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise AddressError(_LOCATION_HELP)
    return int(text)


def _database(path: str, options: Mapping[str, str]) -> int:
    text = path.rstrip("/") or options.get("db", "") or "0"
    if not (text.isascii() and text.isdigit()):
        raise AddressError("the database (after the last /, or ?db=) is a number from 0")
    return int(text)


def _host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
