"""A proxy between clients and a test's Redis: :mod:`chaos.proxy`, until the test ends."""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.trial.unittest import TestCase

from chaos.proxy import Proxy
from ctidialer.store.address import parse_address

AnyProxy = TypeVar("AnyProxy", bound=Proxy)


class RedisProxy(Proxy):
    """Stands before the Redis at a unix socket; ``url`` is where clients find it."""

    def __init__(self, redis_url: str) -> None:
        path = parse_address(redis_url).path
        super().__init__(reactor, lambda: UNIXClientEndpoint(reactor, path))

    @property
    def url(self) -> str:
        """Where clients find it, database 0."""
        return f"redis://{self.address}/0"


async def serving(test: TestCase, proxy: AnyProxy, endpoint: Any = None) -> AnyProxy:
    """Let ``proxy`` listen, on a free port or at ``endpoint``, until the test ends."""
    await proxy.listen(endpoint)
    test.addCleanup(lambda: Deferred.fromCoroutine(proxy.close()))
    return proxy


async def start_proxy(test: TestCase, redis_url: str, endpoint: Any = None) -> RedisProxy:
    """Return a proxy to the Redis at ``redis_url`` (a unix socket) that ends with the test."""
    return await serving(test, RedisProxy(redis_url), endpoint)
