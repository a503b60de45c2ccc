"""The rights that the daemon's user needs in Redis, and which of them are missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from attrs import frozen
from twisted.internet.defer import Deferred

from ctidialer.contract import keys
from ctidialer.contract.problems import Problem, Told
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.store.link import Link
from ctidialer.store.reading import positions
from ctidialer.store.replication import Replication
from ctidialer.store.scripts import PROVE
from ctidialer.store.waiting import Waiting

READS = frozenset(
    {"EXISTS", "GET", "GETRANGE", "HEXISTS", "HGET", "HGETALL", "HMGET", "LRANGE", "PTTL"}
    | {"HLEN", "SCAN", "SUBSCRIBE", "TIME", "TYPE", "XLEN", "XRANGE", "XREVRANGE", "ZCARD"}
    | {
        "XINFO|GROUPS",
        "XPENDING",
        "ZCOUNT",
        "ZRANGE",
        "ZRANGEBYSCORE",
        "ZMSCORE",
        "ZSCORE",
        "SMISMEMBER",
    }
)
TO_CHANNELS = frozenset({"PUBLISH", "SUBSCRIBE"})
PUSHES = {Side.LEFT: "LPUSH", Side.RIGHT: "RPUSH"}

LONG_ENTRIES = "long entries"
"""A purpose of rights: without them, only entries that are too long to be called stay behind."""

EVENTS = "records.events"
"""A purpose of rights: without them, calls are placed, but their events are not written."""

MINUTES = "charts of the last hour and of today"
"""A purpose of rights: without them, only these charts stay empty."""

LIMITED_SCHEDULES = "schedules with a limit, a cps or a pause"
"""A purpose of rights: without them, only such schedule configurations are not called."""

AGENTS = "agents"
"""A purpose of rights: without them, only tasks whose agents the back end writes are not dialed."""

WAITING = "waiting numbers"
"""A purpose of rights: without them, no number waits, and those that do are not called."""

PACING = "tasks that count their agents"
"""A purpose of rights: without them, only tasks that are paced by their agents are not dialed."""

DNC = "dnc"
"""A purpose of rights: without them, the tasks that name the list place no calls."""

CAPS = "callee_limit"
"""A purpose of rights: without them, tasks with such a limit place no calls."""

SHARED = "calls counted over hosts"
"""A purpose of rights: without them, no call is placed that is counted over several hosts."""

NOTICES = "notices of a free place"
"""A purpose of rights: without them, hosts that wait for a place find it when they look again."""

EDITS = "http: changes of limit and cps, lines taken out on all hosts"
"""A purpose of rights: without them, only these orders of the dashboard are refused."""

ADOPTION = "adopting hosts that are gone"
"""A purpose of rights: without them, the numbers of such a host stay in flight."""

LESSER = frozenset(
    {ADOPTION, CAPS, DNC, EVENTS, LIMITED_SCHEDULES, LONG_ENTRIES, MINUTES, PACING, SHARED, WAITING}
)
"""Purposes whose rights may be missing while other numbers are dialed."""

THIS_COMMAND, THIS_NAME = "this command", "this name"

UNTRIED = frozenset(
    {"DEL", "HGETALL", "HSETNX", "SCAN", "XRANGE", "XREVRANGE", "ZCOUNT"}
    | {"XINFO|GROUPS", "XPENDING"}
)
"""Commands that are not tried if scripts cannot ask Redis for rights (before Redis 7): they prove
nothing for other commands."""


@frozen
class Need:
    """One command that the daemon uses on one key or channel (empty = none), and what for."""

    command: str
    name: str
    purpose: str

    def __str__(self) -> str:
        on = f" on {self.name!r}" if self.name else ""
        return f"{self.command}{on} ({self.purpose})"


@frozen
class NodeNames:
    """The keys and channels of one node, without its queues; an empty one is not used."""

    host: str
    domain: str
    tables: Sequence[str]
    change_channels: Sequence[str]
    record_list: str = ""
    record_channel: str = ""
    events: str = ""
    waits_for_replicas: bool = False


def node_needs(names: NodeNames) -> tuple[Need, ...]:
    """Return what every daemon needs, whatever its queues."""
    return tuple(_node_needs(names))


def _node_needs(names: NodeNames) -> Iterator[Need]:
    host = names.host
    in_flight = keys.in_flight(host)
    # A write that needs memory comes first: if Redis is full, that error is the one reported.
    lease = ("HSET", "HMGET", "HGET", "HDEL", "PEXPIRE", "PTTL", "DEL", "TYPE")
    yield from _all("lease", keys.lease(host), *lease)
    yield Need("TIME", "", "lease")
    if names.waits_for_replicas:
        yield Need("WAIT", "", "redis.wait_replicas")
    yield from _all("claim", in_flight, "TYPE", "HGET", "HSET")
    yield from _all("note", in_flight, "HGET", "HSET")
    yield from _all("settle", in_flight, "HEXISTS", "HDEL")
    yield from _all("return", in_flight, "HMGET", "HGETALL")
    yield from _all(LONG_ENTRIES, f"{in_flight}:*", "SET", "GET", "GETRANGE")
    yield from _all("status", keys.status(host), "SET")
    for scope in (keys.TEMPLATE, host):
        pacing = ("TYPE", "HSET", "HDEL", "HMGET", "HGETALL", "PEXPIRE")
        yield from _all(PACING, keys.pacing(scope, "*"), *pacing)
    for scope in (keys.TEMPLATE, host):
        yield from waiting_needs(Waiting(scope, Kind.QUEUE, "*"))
    yield from permit_needs((), has_caps=True)
    for scope in dict.fromkeys((keys.TEMPLATE, host, names.domain)):
        counting = ("TYPE", "ZRANGEBYSCORE", "ZCARD", "ZRANGE", "ZADD", "ZREM")
        yield from _all(SHARED, f"{keys.at(keys.CALLS, scope)}:*", *counting)
    yield from _all(SHARED, keys.HOSTS, "ZADD", "ZSCORE")
    yield from _all("records", keys.records(host), "TYPE", "XADD")
    yield from _all(MINUTES, keys.minutes(host), "TYPE", "XADD")
    if names.record_list:
        yield from _all("records.list", names.record_list, "TYPE", "RPUSH")
    if names.record_channel:
        yield Need("PUBLISH", names.record_channel, "records.channel")
    if names.events:
        yield from _all(EVENTS, names.events, "TYPE", "XADD")
    for table in names.tables:
        yield from _all("tables", table, "TYPE", "HGETALL", "HMGET")
    for channel in names.change_channels:
        yield Need("SUBSCRIBE", channel, "changes")


def notice_needs() -> tuple[Need, ...]:
    """Return what is needed to tell any other host that a place is free."""
    return (Need("PUBLISH", keys.at(keys.CHANGE_CHANNEL, "*"), NOTICES),)


def adoption_needs() -> tuple[Need, ...]:
    """Return what is needed to take over the numbers of any other host, besides `queue_needs`."""
    in_flight, schedule = keys.in_flight("*"), keys.at(keys.SCHEDULE_NUMBER, "*")
    *_, counts = Waiting("*", Kind.QUEUE, "*").names
    return (
        Need("SCAN", "", ADOPTION),
        *_all(ADOPTION, keys.lease("*"), "HSET", "HMGET", "HGET", "HDEL", "PEXPIRE", "PTTL", "DEL"),
        *_all(ADOPTION, in_flight, "HMGET", "HGETALL", "HEXISTS", "HDEL"),
        *_all(ADOPTION, f"{in_flight}:*", "GET", "GETRANGE"),
        *_all(ADOPTION, keys.records("*"), "TYPE", "XADD"),
        *_all(ADOPTION, schedule, "TYPE", "ZADD"),
        Need("HGETALL", counts, ADOPTION),
        Need("ZADD", keys.HOSTS, ADOPTION),
    )


def queue_needs(key: str, side: Side | None) -> tuple[Need, ...]:
    """Return what is needed to take from a list and put back; ``side`` None: ``key`` is a zset."""
    if side is None:
        needs = _all("schedule", key, "TYPE", "ZRANGEBYSCORE", "ZREM", "ZADD")
        return (*needs, *_all(LIMITED_SCHEDULES, key, "ZRANGE", "ZSCORE"))
    return tuple(_all("queue", key, "TYPE", "EXISTS", "LRANGE", "LTRIM", PUSHES[side]))


def agent_needs(domain: str) -> tuple[Need, ...]:
    """Return what tasks need whose agents the back end writes."""
    tables = (keys.at(table, domain) for table in (keys.AGENT, keys.AGENT_COUNT))
    reading = (need for key in tables for need in _all(AGENTS, key, "HGETALL", "HMGET"))
    return (*reading, Need("PTTL", keys.at(keys.AGENT_HEART, domain), AGENTS))


def waiting_needs(where: Waiting) -> tuple[Need, ...]:
    """Return what is needed to let numbers wait in a place, and to take them from there."""
    zset, next_due, counts = where.names
    return (
        *_all(WAITING, zset, "TYPE", "ZRANGE", "ZRANGEBYSCORE", "ZADD", "ZREM"),
        *_all(WAITING, next_due, "TYPE", "ZRANGEBYSCORE", "ZADD", "ZREM"),
        *_all(WAITING, counts, "TYPE", "HGETALL", "HINCRBY", "HDEL"),
    )


def permit_needs(dnc: Sequence[str], has_caps: bool) -> tuple[Need, ...]:
    """Return what is needed to look at lists of numbers not to be called, and to count calls."""
    lists = [need for key in dnc for need in _all(DNC, key, "TYPE", "SMISMEMBER", "HMGET")]
    counting = ("TYPE", "ZRANGE", "ZMSCORE", "ZADD", "ZREM", "PEXPIRE")
    return (*lists, *(_all(CAPS, keys.callee_calls("*"), *counting) if has_caps else ()))


def http_needs(host: str, domain: str) -> tuple[Need, ...]:
    """Return what the HTTP interface needs besides, to look at all nodes and give orders."""
    schedule = keys.at(keys.SCHEDULE_NUMBER, domain)
    return (
        Need("SCAN", "", "http"),
        *_all("http", keys.status(host), "GET"),
        *_all("http", keys.in_flight(host), "HLEN"),
        *_all("http", schedule, "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE"),
        *_all("http", keys.records(host), "XLEN", "XRANGE", "XREVRANGE"),
        *_all("http", keys.records(host), "XINFO|GROUPS", "XPENDING"),
        Need("ZCOUNT", keys.waiting(host, Kind.QUEUE.value, "*"), "http"),
        Need("ZRANGEBYSCORE", keys.HOSTS, "http"),
        Need("XRANGE", keys.minutes(host), "http"),
        *_all("http", keys.control(host), "HSET", "HSETNX", "HDEL"),
        Need("PUBLISH", keys.at(keys.CHANGE_CHANNEL, host), "http"),
        Need("PUBLISH", keys.at(keys.CHANGE_CHANNEL, keys.EVERY_HOST), EDITS),
        Need("HSET", keys.at(keys.TASK, keys.TEMPLATE), EDITS),
        Need("HSET", keys.at(keys.TASK, host), EDITS),
        Need("HSET", keys.control("*"), EDITS),
    )


def _all(purpose: str, name: str, *commands: str) -> Iterator[Need]:
    for command in commands:
        yield Need(command, name, purpose)


class Rights:
    """Asks Redis whether this user has the rights needed, and whether it takes writes at all.

    The questions change nothing in Redis.  They fail with WritesRefused if Redis takes no writes
    now, with NotReplicated if fewer than ``replicas`` have what was written, with NotAllowed if
    this user may not run scripts, or with StoreUnavailable.  Without a ``token`` no write is tried.
    """

    def __init__(self, link: Link, host: str, token: str = "", replicas: int = 0) -> None:
        self._link = link
        self._replication = Replication(link, replicas)
        self._lease_key = keys.lease(host)
        self._token = token

    def missing(self, needs: Sequence[Need]) -> Deferred[list[Need]]:
        """Return those of the needs that are refused."""
        return Deferred.fromCoroutine(self._missing(needs))

    async def rules(self, needs: Sequence[Need], missing: Sequence[Need]) -> list[str]:
        """Return the rules for ``ACL SETUSER`` that grant what is missing."""
        if not missing:
            return []
        questions = tuple(dict.fromkeys(_questions(needs, missing)))
        return _rules(missing, set(questions) - set(await self._ask(questions, "")))

    async def _missing(self, needs: Sequence[Need]) -> list[Need]:
        session = self._link.session
        missing = await self._ask(needs, self._token)
        if self._replication.count and not missing:
            await self._replication.follow(session)
        return missing

    def _ask(self, needs: Sequence[Need], token: str) -> Deferred[list[Need]]:
        flat = [part for need in needs for part in (need.command, need.name)]
        asked = self._link.run(PROVE, (), (self._lease_key, token, *flat))
        return asked.addCallback(lambda reply: [needs[at] for at in positions(reply)])


def _questions(needs: Sequence[Need], missing: Sequence[Need]) -> Iterator[Need]:
    """Yield needs that show whether a command or a name is refused: each paired with an allowed
    one."""
    refused = set(missing)
    allowed = {_kind(one): one for one in reversed(needs) if one.name and one not in refused}
    for need in missing:
        other = allowed.get(_kind(need))
        if other is not None and need.name:
            yield Need(need.command, other.name, THIS_COMMAND)
            yield Need(other.command, need.name, THIS_NAME)


def _rules(missing: Sequence[Need], allowed: Collection[Need]) -> list[str]:
    """Return the rules that grant ``missing``, without what ``allowed`` shows to be granted."""
    commands = {one.command for one in allowed if one.purpose == THIS_COMMAND}
    names = {(one.name, _kind(one)) for one in allowed if one.purpose == THIS_NAME}
    rules: dict[str, None] = {}
    for need in missing:
        is_both = need.command in commands and (need.name, _kind(need)) in names
        if need.command not in commands or is_both:
            rules[f"+{need.command.lower()}"] = None
        if need.name and ((need.name, _kind(need)) not in names or is_both):
            rules[f"{'&' if need.command in TO_CHANNELS else '~'}{need.name}"] = None
    return list(rules)


def _kind(need: Need) -> str:
    if need.command in TO_CHANNELS:
        return "channel"
    if need.command in UNTRIED:
        return "untried"
    return "read" if need.command in READS else "write"


def told(user: str, missing: Sequence[Need], rules: Sequence[str], most: int) -> Told:
    """Return what a user lacks, and how to grant it; at most ``most`` needs are listed."""
    return Problem.LACKING_RIGHTS.of(
        user=repr(user),
        name=user,
        needs=", ".join(str(need) for need in missing[:most]),
        more=len(missing) - most if len(missing) > most else None,
        rules=" ".join(rules),
    )
