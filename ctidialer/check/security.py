"""What is unsafe in the settings of a node and in its Redis.  Pure: facts in, findings out.

Whoever may write to Redis can have people called, and whoever may log in to the Event Socket can
run anything in FreeSWITCH: these two doors are what is looked at first.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from ctidialer.check.findings import Finding, Severity
from ctidialer.check.sentences import Sentence
from ctidialer.contract.problems import Told
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
    ``lacking``: what the user has no right to and how to grant it; None = nothing.  ``lesser``: the
    same of what dialing goes on without.
    """

    open: bool | None = None
    user: str | None = None
    rules: str | None = None
    bind: str | None = None
    protected: bool | None = None
    lacking: Told | None = None
    lesser: Told | None = None


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
                Sentence.SECRET_FILE_OPEN.of(mode=f"{file.mode:04o}"),
            )
    for process in facts.processes:
        yield _finding(
            Severity.FAULT,
            f"process {process}",
            "",
            Sentence.SECRET_OF_PROCESS.of(),
        )
    if facts.given_on_command_line:
        yield _finding(
            Severity.WARNING,
            "--redis",
            "",
            Sentence.SECRET_GIVEN.of(),
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
            Sentence.LISTENS_EVERYWHERE.of(bind=facts.bind),
        )
    if not local and not address.tls:
        yield _redis(address, Severity.WARNING, Sentence.NETWORK_IN_CLEAR.of())
    if address.scheme == "redis+sentinel":
        yield _redis(address, Severity.NOTICE, Sentence.SENTINEL_IN_CLEAR.of())
    yield from _rights(address, facts)


def _event_socket(settings: Settings) -> Iterator[Finding]:
    host, _ = host_and_port(settings.freeswitch.address, "$.freeswitch.address")
    is_default = settings.freeswitch.password == DEFAULT_PASSWORD
    local = is_loopback(host)
    if is_default:
        yield _setting(
            Severity.WARNING if local else Severity.FAULT,
            "$.freeswitch.password",
            Sentence.DEFAULT_PASSWORD.of(password=DEFAULT_PASSWORD),
        )
    if not local:
        yield _setting(
            Severity.WARNING,
            "$.freeswitch.address",
            Sentence.EVENT_SOCKET_IN_CLEAR.of(host=host),
        )


def _http(settings: Settings) -> Iterator[Finding]:
    if not settings.http.listen:
        return
    host, _ = host_and_port(settings.http.listen, "$.http.listen")
    token, local = settings.http.token, is_loopback(host)
    if not settings.http.needs_token and not local:
        yield _setting(Severity.FAULT, "$.http.token", Sentence.NO_TOKEN.of())
    elif token and len(token) < MIN_TOKEN_LENGTH:
        yield _setting(
            Severity.WARNING if local else Severity.FAULT,
            "$.http.token",
            Sentence.SHORT_TOKEN.of(length=len(token), least=MIN_TOKEN_LENGTH),
        )
    if not local:
        yield _setting(
            Severity.WARNING,
            "$.http.listen",
            Sentence.HTTP_IN_CLEAR.of(host=host),
        )


def _said_of_open(local: bool, facts: RedisFacts) -> tuple[Severity, Told]:
    if not local or (_listens_everywhere(facts) and facts.protected is False):
        return Severity.FAULT, Sentence.OPEN_TO_NETWORK.of()
    return Severity.WARNING, Sentence.OPEN_ON_MACHINE.of()


def _listens_everywhere(facts: RedisFacts) -> bool:
    return facts.bind is not None and (
        not facts.bind.strip() or bool(ANY_ADDRESS.intersection(facts.bind.split()))
    )


def _rights(address: RedisAddress, facts: RedisFacts) -> Iterator[Finding]:
    if facts.lacking:
        yield _redis(address, Severity.FAULT, facts.lacking)
    if facts.lesser:
        yield _redis(address, Severity.WARNING, facts.lesser)
    if facts.rules is None:
        return
    words = facts.rules.split()
    if "+@all" in words or "allcommands" in words:
        every = "key" if {"~*", "allkeys"} & set(words) else None
        problem = Sentence.EVERY_RIGHT.of(user=repr(facts.user), key=every)
        yield _redis(address, Severity.WARNING, problem)


def _is_local(address: RedisAddress) -> bool:
    return address.scheme == "unix" or all(is_loopback(host) for host, _ in address.hosts)


def _setting(severity: Severity, path: str, problem: Told) -> Finding:
    return _finding(severity, "settings", path, problem)


def _redis(address: RedisAddress, severity: Severity, problem: Told) -> Finding:
    return _finding(severity, address.safe, "", problem)


def _finding(severity: Severity, key: str, path: str, problem: Told) -> Finding:
    return Finding.of(severity, key, "", path, problem)


def all_findings(
    settings: Settings, around: SettingsFacts, redis: RedisFacts
) -> tuple[Finding, ...]:
    """Return everything that is unsafe, the settings first."""
    address = parse_address(settings.redis.url)
    return (*settings_findings(settings, around), *redis_findings(address, redis))
