"""A master, its replicas and real sentinels that watch them, each in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from twisted.internet import reactor as global_reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from ctidialer.stage.redis import RedisProcess
from ctidialer.store.address import parse_address
from ctidialer.store.connection import Argument, Reply, ResponseError, WatchedConnection
from ctidialer.store.endpoint import Dialup
from tests.support.redis import own_redis

SERVICE = "main"
SENTINELS = 3
DOWN_AFTER = 1000
"""Milliseconds of silence after which a sentinel takes the master for down."""

AT_ONCE = "repl-diskless-sync-delay 0"
LOOK_INTERVAL = 0.05
NOWHERE = ("127.0.0.1", 1)

reactor: Any = global_reactor


@frozen
class Watched:
    """The servers; ``url`` leads to whichever of them is the master."""

    master: RedisProcess
    replicas: Sequence[RedisProcess]
    url: str

    async def cut_off(self) -> None:
        """Let the replicas follow nobody: they get nothing more of what the master writes."""
        for replica in self.replicas:
            await ask(replica, ("REPLICAOF", *NOWHERE))


async def ask(server: RedisProcess, *commands: Sequence[Argument]) -> list[Reply]:
    """Send commands to any server, a replica or a sentinel too; an error is None."""
    connection = WatchedConnection(reactor)
    await Dialup(reactor, reactor, parse_address(server.url)).reach(connection)
    answers: list[Reply] = []
    for command in commands:
        try:
            answers.append(await connection.request(*command))
        except ResponseError:
            answers.append(None)
    connection.abort("asked")
    await connection.lost
    return answers


async def start_replicated(
    test: TestCase, replicas: int
) -> tuple[RedisProcess, list[RedisProcess]]:
    """Start a master and replicas; return them when these follow it."""
    master = await own_redis(test, port=0, directives=[AT_ONCE])
    following = [f"replicaof 127.0.0.1 {master.port}", AT_ONCE]
    started = [await own_redis(test, port=0, directives=following) for _ in range(replicas)]
    # The test's own timeout ends this.
    while await ask(master, ("SET", "there", "yes"), ("WAIT", replicas, 100)) != [b"OK", replicas]:
        pass
    await ask(master, ("DEL", "there"))
    return master, started


async def start_watched(test: TestCase) -> Watched:
    """Start a master, two replicas and three sentinels, two of which decide that it is down."""
    master, replicas = await start_replicated(test, 2)
    sentinel: dict[str, Any] = {
        "port": 0,
        "options": ["--sentinel"],
        "directives": (
            f"sentinel monitor {SERVICE} 127.0.0.1 {master.port} 2",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER}",
            f"sentinel failover-timeout {SERVICE} 5000",
        ),
    }
    sentinels = [await own_redis(test, **sentinel) for _ in range(SENTINELS)]
    for one in sentinels:
        await _knows_all(one, len(replicas))
    places = ",".join(f"127.0.0.1:{one.port}" for one in sentinels)
    return Watched(master, replicas, f"redis+sentinel://{places}/{SERVICE}/0")


async def _knows_all(sentinel: RedisProcess, replicas: int) -> None:
    """Wait until a sentinel knows the replicas and the other sentinels."""
    questions = (("SENTINEL", "REPLICAS", SERVICE), ("SENTINEL", "SENTINELS", SERVICE))
    while True:
        found = [len(one) for one in await ask(sentinel, *questions) if isinstance(one, list)]
        if found == [replicas, SENTINELS - 1]:
            return
        await deferLater(reactor, LOOK_INTERVAL)
