"""``ctidialer check --security``: gathers what the rules of security want to know."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import evolve

from ctidialer.check.security import (
    DEFAULT_PASSWORD,
    RedisFacts,
    SecretFile,
    SettingsFacts,
)
from ctidialer.check.sentences import Sentence
from ctidialer.contract import keys
from ctidialer.contract.line import Scope
from ctidialer.contract.problems import Told
from ctidialer.contract.task import LimitScope, Side
from ctidialer.rules.tables import Tables
from ctidialer.settings import IN_A_FILE, SECRETS, Settings, read_settings
from ctidialer.store.address import RedisCredentials, parse_address
from ctidialer.store.changes import change_channels
from ctidialer.store.connection import Reply, ResponseError, WatchedConnection
from ctidialer.store.endpoint import Dialup
from ctidialer.store.errors import NotAllowed, StoreError, WrongType
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.store.rights import (
    EDITS,
    NOTICES,
    Need,
    NodeNames,
    Rights,
    adoption_needs,
    agent_needs,
    http_needs,
    node_needs,
    notice_needs,
    permit_needs,
    queue_needs,
    told,
)

SCRIPTS = "+eval +evalsha"
MAX_NAMED = 20
MAX_QUEUES = 1000
"""Missing rights that are named one by one, and queues that are looked at."""

MIN_SEARCHED_LENGTH = 4
"""A shorter secret would be found in command lines that do not hold it."""


def settings_facts(
    settings: Settings,
    path: Path | None,
    redis_given: str | None,
    environ: Mapping[str, str] = os.environ,
    processes: Path = Path("/proc"),
) -> SettingsFacts:
    """Return what surrounds the settings that were read from ``path`` and ``environ``."""
    return SettingsFacts(
        files=tuple(_secret_files(path, environ)),
        processes=tuple(_tell_tales(secrets_of(settings), processes)),
        given_on_command_line=bool(
            redis_given and parse_address(redis_given).credentials.password is not None
        ),
    )


def secrets_of(settings: Settings) -> list[str]:
    """Return the secrets in the settings that are set, and no default."""
    redis = parse_address(settings.redis.url)
    found = (
        redis.credentials.password,
        redis.sentinel_credentials.password,
        settings.freeswitch.password,
        settings.http.token,
    )
    return [secret for secret in found if secret and secret != DEFAULT_PASSWORD]


def _secret_files(path: Path | None, environ: Mapping[str, str]) -> Iterator[SecretFile]:
    if path is not None and secrets_of(read_settings(path, {})):
        yield _secret_file(path)
    for variable in SECRETS:
        named = environ.get(variable + IN_A_FILE)
        if named and not environ.get(variable):
            yield _secret_file(Path(named))


def _secret_file(path: Path) -> SecretFile:
    return SecretFile(str(path), path.stat().st_mode & 0o7777)


def _tell_tales(secrets: Iterable[str], processes: Path) -> Iterator[int]:
    """Yield the processes whose command line shows a secret, but this one."""
    wanted = [secret.encode() for secret in secrets if len(secret) >= MIN_SEARCHED_LENGTH]
    for folder in processes.glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended, or is not ours to look at
        if int(folder.name) != os.getpid() and any(secret in words for secret in wanted):
            yield int(folder.name)


async def redis_facts(link: Link, settings: Settings, adopts: bool = False) -> RedisFacts:
    """Ask Redis how open it is; what this user may not ask stays unknown.

    ``adopts``: whether the user is to take over hosts that are gone.  Raises StoreError where the
    connection goes.
    """
    user = _text(await _asked(link, "ACL", "WHOAMI"))
    lacking, lesser = await _lacking(link, settings, user, adopts or settings.node.adopt)
    return RedisFacts(
        open=await _is_open(link, settings),
        user=user,
        rules=None if user is None else _rules(await _asked(link, "ACL", "GETUSER", user)),
        bind=_value(await _asked(link, "CONFIG", "GET", "bind")),
        protected=_flag(_value(await _asked(link, "CONFIG", "GET", "protected-mode"))),
        lacking=lacking,
        lesser=lesser,
    )


async def _lacking(
    link: Link, settings: Settings, user: str | None, adopts: bool
) -> tuple[Told | None, Told | None]:
    """Return what the daemon needs and this user may not do, with the rules that grant it; and what
    of it dialing goes on without."""
    name = user or link.address.credentials.username or "default"
    needs = [*await _needs(link, settings), *(adoption_needs() if adopts else ())]
    rights = Rights(link, settings.node.host)

    async def of(some: Sequence[Need]) -> Told | None:
        return told(name, some, await rights.rules(needs, some), MAX_NAMED) if some else None

    try:
        missing = await rights.missing(needs)
        grave = [need for need in missing if need.purpose not in (EDITS, NOTICES)]
        return await of(grave), await of([need for need in missing if need not in grave])
    except NotAllowed as error:
        said = Sentence.NO_SCRIPTS.of(user=repr(name), error=error, name=name, rules=SCRIPTS)
        return said, None


async def _needs(link: Link, settings: Settings) -> Iterable[Need]:
    node, records = settings.node, settings.records
    tables = Tables(node.host, node.domain, node.default_dialstring)
    channels = change_channels(node.host, node.domain)
    elsewhere = (records.list, records.channel, records.events)
    waits = settings.redis.wait_replicas > 0
    names = NodeNames(node.host, node.domain, tables.keys_of(), channels, *elsewhere, waits)
    schedule: tuple[str, Side | None] = (keys.at(keys.SCHEDULE_NUMBER, node.domain), None)
    await _read(link, tables)
    queues = [schedule, *_queues(tables)]
    return (
        *node_needs(names),
        *(need for queue in dict.fromkeys(queues) for need in queue_needs(*queue)),
        *(agent_needs(node.domain) if _has_groups(tables) else ()),
        *(notice_needs() if _shares(tables) else ()),
        *permit_needs(_lists(tables, settings), has_caps=False),
        *(http_needs(node.host, node.domain) if settings.http.listen else ()),
    )


async def _read(link: Link, tables: Tables) -> None:
    """Read what names other keys, or is counted over hosts, as far as it can be read."""
    for table in (keys.TASK, keys.LINE, keys.GATEWAY):
        for key in tables.keys_of(table):
            with suppress(WrongType, NotAllowed):
                tables.replace(key, await NodeReading(link, "").read_table(key))


def _shares(tables: Tables) -> bool:
    """Say whether places are counted over several hosts."""
    routes = tables.routes
    lines = (*routes.lines.values(), *routes.gateways.values())
    return any(line.scope is Scope.DOMAIN for line in lines) or any(
        task.limit_scope is LimitScope.ALL for task in tables.tasks.values()
    )


def _queues(tables: Tables) -> list[tuple[str, Side]]:
    """Return the queues of the tasks."""
    tasks = tables.tasks.values()
    return [(queue, task.queue_side) for task in tasks for queue in task.queues if queue][
        :MAX_QUEUES
    ]


def _lists(tables: Tables, settings: Settings) -> Sequence[str]:
    """Return the do-not-call lists that the settings and the tasks name."""
    of_tasks = (key for task in tables.tasks.values() for key in task.callee.dnc)
    return [*dict.fromkeys((*settings.compliance.dnc, *of_tasks))][:MAX_QUEUES]


def _has_groups(tables: Tables) -> bool:
    """Say whether a task names agents that the back end writes."""
    return any(task.agents and task.agents.group for task in tables.tasks.values())


async def _asked(link: Link, *command: str) -> Reply | None:
    try:
        return await link.call(*command)
    except StoreError as error:
        if _is_refusal(str(error)):
            return None
        raise


def _is_refusal(said: str) -> bool:
    return said.startswith(("NOPERM", "ERR", "NOAUTH", "DENIED"))


async def _is_open(link: Link, settings: Settings) -> bool | None:
    """Say whether Redis answers somebody who gives no password."""
    address = evolve(parse_address(settings.redis.url), credentials=RedisCredentials())
    stranger = WatchedConnection(link.clock)
    try:
        await Dialup(link.clock, link.clock, address).reach(stranger)
        # PING tells nothing: a user without any right may be allowed to send it.
        await stranger.request("EXISTS", "cti_dialer_is_this_open")
    except ResponseError:
        return False
    except StoreError:
        return None
    finally:
        stranger.abort("asked")
    return True


def _rules(reply: Reply | None) -> str | None:
    """Return what ACL GETUSER says of commands and keys, as words."""
    if not isinstance(reply, list):
        return None
    pairs = dict(zip(map(_text, reply[::2]), reply[1::2], strict=False))
    return " ".join(_words(pairs.get("commands")) + _words(pairs.get("keys")))


def _words(reply: object) -> list[str]:
    """Return the rule as words; Redis 6 names the keys as a list, without their ``~``."""
    if isinstance(reply, list):
        return ["~" + word for one in reply for word in _words(one)]
    return (_text(reply) or "").split()


def _value(reply: Reply | None) -> str | None:
    return _text(reply[1]) if isinstance(reply, list) and len(reply) == 2 else None


def _flag(word: str | None) -> bool | None:
    return None if word is None else word == "yes"


def _text(reply: object) -> str | None:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else None
