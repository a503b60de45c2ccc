"""A real Redis (or Valkey) server for tests, and links to it."""

from __future__ import annotations

import atexit
import shutil
from tempfile import mkdtemp
from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase

from ctidialer.reconnection import BackOff
from ctidialer.stage.redis import RedisProcess, start_redis
from ctidialer.store.address import parse_address
from ctidialer.store.connection import Argument, Reply
from ctidialer.store.link import Link

QUICK = BackOff(first=0.005, most=0.05, refused=0.05)
"""Reconnects at once: no test shall wait."""

Error = TypeVar("Error", bound=Exception)
Result = TypeVar("Result")

_shared: list[RedisProcess] = []


async def shared_redis() -> RedisProcess:
    """Return the one server that all tests of this process share; it dies with the process."""
    if not _shared or not _shared[0].running:
        directory = mkdtemp(prefix="ctidialer-test-")
        _shared[:] = [await start_redis(reactor, directory)]
        atexit.register(shutil.rmtree, directory, True)
    return _shared[0]


async def own_redis(test: TestCase, directory: str | None = None, **options: Any) -> RedisProcess:
    """Start a server for ``test`` alone; it is killed when the test ends."""
    process = await start_redis(reactor, directory or new_directory(test), **options)
    test.addCleanup(process.kill)
    return process


def new_directory(test: TestCase) -> str:
    """Return a new directory that goes with the test."""
    directory = mkdtemp(prefix="ctidialer-test-")
    test.addCleanup(shutil.rmtree, directory, True)
    return directory


async def while_time_passes(clock: Clock, awaited: Deferred[Result]) -> Result:
    """Let time pass, some of it in each turn of the reactor, until ``awaited`` has fired."""
    while not awaited.called:
        clock.advance(0.05)
        await deferLater(reactor, 0.005)
    return await awaited


def link_to(test: TestCase, url: str, **options: Any) -> Link:
    """Return a started link to ``url`` that is stopped when the test ends."""
    link = Link(reactor, parse_address(url), **{"back_off": QUICK, **options})
    link.start()
    test.addCleanup(link.stop)
    return link


async def until_reason(link: Link, words: str) -> None:
    """Wait until ``link`` says that Redis is away because of this; the test's timeout ends it."""
    while words not in link.reason:
        await deferLater(reactor, 0.01)


class RedisTestCase(TestCase):
    """Tests with an empty Redis at ``self.url``; ``self.redis`` is the test's own link to it."""

    kind = "integration"
    timeout = 300
    url: str
    redis: Link

    def setUp(self) -> Any:
        return Deferred.fromCoroutine(self.set_up())

    async def set_up(self) -> None:
        """Connect to the server and empty it; a test case that needs more extends this."""
        self.url = (await shared_redis()).url
        self.redis = link_to(self, self.url)
        await self.redis.when_up(60)
        await self.redis.call("FLUSHALL")

    def call(self, *arguments: Argument) -> Deferred[Reply]:
        """Send one command to Redis, as a back end would."""
        return self.redis.call(*arguments)

    async def error_of(self, deferred: Deferred[Any], kind: type[Error]) -> Error:
        """Return the exception with which ``deferred`` fails; it must be of ``kind``."""
        try:
            answer = await deferred
        except kind as error:
            return error
        raise self.failureException(f"{kind.__name__} was expected, not the answer {answer!r}")
