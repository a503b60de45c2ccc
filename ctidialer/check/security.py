"""What is unsafe in the settings of a node and in its Redis.  Pure: facts in, findings out.

Whoever may write to Redis can have people called, and whoever may log in to the Event Socket can
run anything in FreeSWITCH: these two doors are what is looked at first.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from ctidialer.check.findings import Finding, Severity
from ctidialer.settings import FreeSwitch, Settings, host_and_port, is_loopback
from ctidialer.store.address import RedisAddress, parse_address

MIN_TOKEN_LENGTH = 16
"""Characters below which a token can be guessed."""

ANY_ADDRESS = frozenset({"*", "-::*", "::*", "0.0.0.0", "::"})  # what Redis calls all interfaces

DEFAULT_PASSWORD = FreeSwitch().password


@frozen
class SecretFile:
    """A file that holds a secret: its path, and its permission bits."""

    path: str
    mode: int


@frozen
class SettingsFacts:
    """What surrounds the settings.

    ``files``: those that hold secrets; ``processes``: the ids of processes whose command line shows
    one; ``given_on_command_line``: whether this command's own does.
    """

    files: tuple[SecretFile, ...] = ()
    processes: tuple[int, ...] = ()
    given_on_command_line: bool = False


@frozen
class RedisFacts:
    """What Redis was asked; None = it does not say, or does not let this user ask.

    ``open``: whether it takes commands without any password; ``user``: who we are to it;
    ``rules``: that user's rights, as ACL GETUSER says; ``bind``, ``protected``: its configuration.
    ``lacking``: what the user has no right to and how to grant it, for people; empty = nothing.
    """

    open: bool | None = None
    user: str | None = None
    rules: str | None = None
    bind: str | None = None
    protected: bool | None = None
    lacking: str = ""


def settings_findings(settings: Settings, facts: SettingsFacts) -> Iterator[Finding]:
    """Yield what is unsafe in the settings and around them."""
    yield from _event_socket(settings)
    yield from _http(settings)
    for file in facts.files:
        if file.mode & 0o007:
            yield _finding(
                Severity.FAULT,
                file.path,
                "",
                f"holds a secret and can be read or written by everybody (mode {file.mode:04o}): "
                "chmod o= it",
            )
    for process in facts.processes:
        yield _finding(
            Severity.FAULT,
            f"process {process}",
            "",
            "shows a secret on its command line, which everybody on this machine can read: "
            "put it into the environment or into a file",
        )
    if facts.given_on_command_line:
        yield _finding(
            Severity.WARNING,
            "--redis",
            "",
            "a password on the command line is seen by everybody on this machine, and stays in the "
            "shell's history: use CTIDIALER_REDIS_URL",
        )


def redis_findings(address: RedisAddress, facts: RedisFacts) -> Iterator[Finding]:
    """Yield what is unsafe in Redis, and on the way to it."""
    local = _is_local(address)
    if facts.open:
        yield _redis(address, *_said_of_open(local, facts))
    elif facts.protected is False and _listens_everywhere(facts):
        yield _redis(
            address,
            Severity.WARNING,
            f"listens on all interfaces (bind {facts.bind}) with protected-mode off: "
            "bind it to the addresses that need it",
        )
    if not local and not address.tls:
        yield _redis(
            address,
            Severity.WARNING,
            "numbers, records and the password go over the network in clear: use rediss://",
        )
    if address.scheme == "redis+sentinel":
        yield _redis(
            address,
            Severity.NOTICE,
            "connections by way of Sentinel are not encrypted; keep them in a network of their own",
        )
    yield from _rights(address, facts)


def _event_socket(settings: Settings) -> Iterator[Finding]:
    host, _ = host_and_port(settings.freeswitch.address, "$.freeswitch.address")
    is_default = settings.freeswitch.password == DEFAULT_PASSWORD
    local = is_loopback(host)
    if is_default:
        yield _setting(
            Severity.WARNING if local else Severity.FAULT,
            "$.freeswitch.password",
            f"is FreeSWITCH's default, {DEFAULT_PASSWORD}: whoever knows it can run anything there",
        )
    if not local:
        yield _setting(
            Severity.WARNING,
            "$.freeswitch.address",
            f"{host} is not loopback: the Event Socket is not encrypted and gives full control; "
            "run ctidialer beside FreeSWITCH, or use a tunnel and apply-inbound-acl",
        )


def _http(settings: Settings) -> Iterator[Finding]:
    if not settings.http.listen:
        return
    host, _ = host_and_port(settings.http.listen, "$.http.listen")
    token, local = settings.http.token, is_loopback(host)
    if not token and not local:
        problem = "is empty, and the HTTP interface listens beyond loopback: anybody may use it"
        yield _setting(Severity.FAULT, "$.http.token", problem)
    elif token and len(token) < MIN_TOKEN_LENGTH:
        yield _setting(
            Severity.WARNING if local else Severity.FAULT,
            "$.http.token",
            f"has {len(token)} characters, which can be guessed: take {MIN_TOKEN_LENGTH} or more "
            "at random (openssl rand -hex 24)",
        )
    if not local:
        yield _setting(
            Severity.WARNING,
            "$.http.listen",
            f"{host} is not loopback, and HTTP is not encrypted: put a proxy with TLS before it",
        )


def _said_of_open(local: bool, facts: RedisFacts) -> tuple[Severity, str]:
    what = "takes commands from anybody, without a password"
    if not local or (_listens_everywhere(facts) and facts.protected is False):
        return (
            Severity.FAULT,
            f"{what}, over the network: whoever reaches it can have people called",
        )
    return Severity.WARNING, f"{what}: every account on this machine can have people called"


def _listens_everywhere(facts: RedisFacts) -> bool:
    return facts.bind is not None and (
        not facts.bind.strip() or bool(ANY_ADDRESS.intersection(facts.bind.split()))
    )


def _rights(address: RedisAddress, facts: RedisFacts) -> Iterator[Finding]:
    if facts.lacking:
        yield _redis(address, Severity.FAULT, facts.lacking)
    if facts.rules is None:
        return
    words = facts.rules.split()
    if "+@all" in words or "allcommands" in words:
        every = "every command" + (" on every key" if {"~*", "allkeys"} & set(words) else "")
        yield _redis(
            address,
            Severity.WARNING,
            f"the user {facts.user!r} may use {every}, FLUSHALL and CONFIG too: "
            "give ctidialer a user of its own (etc/redis/users.acl)",
        )


def _is_local(address: RedisAddress) -> bool:
    return address.scheme == "unix" or all(is_loopback(host) for host, _ in address.hosts)


def _setting(severity: Severity, path: str, problem: str) -> Finding:
    return _finding(severity, "settings", path, problem)


def _redis(address: RedisAddress, severity: Severity, problem: str) -> Finding:
    return _finding(severity, address.safe, "", problem)


def _finding(severity: Severity, key: str, path: str, problem: str) -> Finding:
    return Finding(severity, key, "", path, problem)


def all_findings(
    settings: Settings, around: SettingsFacts, redis: RedisFacts
) -> tuple[Finding, ...]:
    """Return everything that is unsafe, the settings first."""
    address = parse_address(settings.redis.url)
    return (*settings_findings(settings, around), *redis_findings(address, redis))
