"""What the daemon's user must be allowed in Redis, and what of it is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from attrs import frozen
from twisted.internet.defer import Deferred

from ctidialer.contract import keys
from ctidialer.contract.problems import Problem, Told
from ctidialer.contract.task import Side
from ctidialer.store.link import Link
from ctidialer.store.reading import positions
from ctidialer.store.scripts import PROVE

READS = frozenset(
    {"EXISTS", "GET", "GETRANGE", "HEXISTS", "HGET", "HGETALL", "HMGET", "LRANGE", "PTTL"}
    | {"HLEN", "SCAN", "SUBSCRIBE", "TIME", "TYPE", "XLEN", "XRANGE", "XREVRANGE", "ZCARD"}
    | {"ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZSCORE"}
)
TO_CHANNELS = frozenset({"PUBLISH", "SUBSCRIBE"})
PUSHES = {Side.LEFT: "LPUSH", Side.RIGHT: "RPUSH"}

LONG_ENTRIES = "long entries"
"""The purpose without which everything goes on, but for entries that are too long to be called."""

EVENTS = "records.events"
"""The purpose without which calls are not told of while they are up; they are made all the same."""

LIMITED_SCHEDULES = "schedules with a limit, a cps or a pause"
"""The purpose without which only such schedule configurations are not called."""

THIS_COMMAND, THIS_NAME = "this command", "this name"

UNTRIED = frozenset({"DEL", "HGETALL", "HSETNX", "SCAN", "XRANGE", "XREVRANGE", "ZCOUNT"})
"""What is not tried where Redis cannot be asked: it says nothing of others."""


@frozen
class Need:
    """One command that the daemon uses on one key or channel (empty = on none), and what for."""

    command: str
    name: str
    purpose: str

    def __str__(self) -> str:
        on = f" on {self.name!r}" if self.name else ""
        return f"{self.command}{on} ({self.purpose})"


@frozen
class NodeNames:
    """The keys and channels of one node, but its queues; an empty one is not used."""

    host: str
    tables: Sequence[str]
    change_channels: Sequence[str]
    record_list: str = ""
    record_channel: str = ""
    events: str = ""


def node_needs(names: NodeNames) -> tuple[Need, ...]:
    """Return what every daemon needs, whatever its queues."""
    return tuple(_node_needs(names))


def _node_needs(names: NodeNames) -> Iterator[Need]:
    host = names.host
    in_flight = keys.in_flight(host)
    # A write that needs memory comes first: where Redis is full, that is what is said.
    lease = ("HSET", "HMGET", "HGET", "HDEL", "PEXPIRE", "PTTL", "DEL", "TYPE")
    yield from _all("lease", keys.lease(host), *lease)
    yield Need("TIME", "", "lease")
    yield from _all("claim", in_flight, "TYPE", "HGET", "HSET")
    yield from _all("note", in_flight, "HGET", "HSET")
    yield from _all("settle", in_flight, "HEXISTS", "HDEL")
    yield from _all("return", in_flight, "HMGET", "HGETALL")
    yield from _all(LONG_ENTRIES, f"{in_flight}:*", "SET", "GET", "GETRANGE")
    yield from _all("status", keys.status(host), "SET")
    yield from _all("records", keys.records(host), "TYPE", "XADD")
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


def queue_needs(key: str, side: Side | None) -> tuple[Need, ...]:
    """Return what is needed to take from a list and to put back; ``side`` None: of a zset."""
    if side is None:
        needs = _all("schedule", key, "TYPE", "ZRANGEBYSCORE", "ZREM", "ZADD")
        return (*needs, *_all(LIMITED_SCHEDULES, key, "ZRANGE", "ZSCORE"))
    return tuple(_all("queue", key, "TYPE", "EXISTS", "LRANGE", "LTRIM", PUSHES[side]))


def http_needs(host: str, domain: str) -> tuple[Need, ...]:
    """Return what the HTTP interface needs besides: looking at all nodes, giving orders."""
    schedule = keys.at(keys.SCHEDULE_NUMBER, domain)
    return (
        Need("SCAN", "", "http"),
        *_all("http", keys.status(host), "GET"),
        *_all("http", keys.in_flight(host), "HLEN"),
        *_all("http", schedule, "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE"),
        *_all("http", keys.records(host), "XLEN", "XRANGE", "XREVRANGE"),
        *_all("http", keys.control(host), "HSET", "HSETNX", "HDEL"),
        Need("PUBLISH", keys.at(keys.CHANGE_CHANNEL, host), "http"),
    )


def _all(purpose: str, name: str, *commands: str) -> Iterator[Need]:
    for command in commands:
        yield Need(command, name, purpose)


class Rights:
    """Asks Redis whether it lets this user do what is needed, and takes writes at all.

    Nothing of it changes anything.  All fails with WritesRefused where Redis takes no writes now,
    with NotAllowed where this user may run no scripts, or with StoreUnavailable.  Without a
    ``token`` no write is tried.
    """

    def __init__(self, link: Link, host: str, token: str = "") -> None:
        self._link = link
        self._lease_key = keys.lease(host)
        self._token = token

    def missing(self, needs: Sequence[Need]) -> Deferred[list[Need]]:
        """Return those of the needs that are refused."""
        return self._ask(needs, self._token)

    async def rules(self, needs: Sequence[Need], missing: Sequence[Need]) -> list[str]:
        """Return the rules that ``ACL SETUSER`` has to be given, so that nothing is missing."""
        if not missing:
            return []
        questions = tuple(dict.fromkeys(_questions(needs, missing)))
        return _rules(missing, set(questions) - set(await self._ask(questions, "")))

    def _ask(self, needs: Sequence[Need], token: str) -> Deferred[list[Need]]:
        flat = [part for need in needs for part in (need.command, need.name)]
        asked = self._link.run(PROVE, (), (self._lease_key, token, *flat))
        return asked.addCallback(lambda reply: [needs[at] for at in positions(reply)])


def _questions(needs: Sequence[Need], missing: Sequence[Need]) -> Iterator[Need]:
    """Yield what tells whether a command or a name is at fault: each with one that is not."""
    refused = set(missing)
    allowed = {_kind(one): one for one in reversed(needs) if one.name and one not in refused}
    for need in missing:
        other = allowed.get(_kind(need))
        if other is not None and need.name:
            yield Need(need.command, other.name, THIS_COMMAND)
            yield Need(other.command, need.name, THIS_NAME)


def _rules(missing: Sequence[Need], allowed: Collection[Need]) -> list[str]:
    """Return the rules; what has been found out to be allowed is not asked for again."""
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
    """Return what a user lacks, and how to grant it; at most so many are named one by one."""
    return Problem.LACKING_RIGHTS.of(
        user=repr(user),
        name=user,
        needs=", ".join(str(need) for need in missing[:most]),
        more=len(missing) - most if len(missing) > most else None,
        rules=" ".join(rules),
    )
