"""How each fault is done to the site, and undone."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from random import Random

from twisted.internet.defer import TimeoutError as TimedOut

from chaos.daemons import RESTART_PAUSE
from chaos.faults import Kind, Strike
from chaos.load import GATEWAYS
from chaos.proxy import Proxy
from chaos.rewriting import rewriting, where_told
from chaos.site import USER, Ground, Site
from ctidialer.stage.child_process import ChildProcess
from ctidialer.stage.daemon import DaemonProcess

REFUSED = 1
RIGHTS = (
    *("ltrim", "lrange", "lpush", "rpush", "hset", "hdel", "hget", "xadd", "zadd", "zrem"),
    *("zrangebyscore", "set", "pexpire", "eval", "evalsha", "hincrby", "smismember"),
)
"""Commands that the daemon uses; some are taken from its user."""

PATIENCE = 60.0
"""Seconds within which a daemon has taken the name, and one that has not got it has ended."""

Look = Callable[[], Awaitable[None]]
"""Writes down which calls are noted as being placed."""


class HarnessProblem(Exception):
    """Something did not go as it must; the campaign is not clean."""


class Strikes:
    """Strikes one host, or the Redis of all."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ground: Ground = site.ground

    async def strike(self, strike: Strike, look: Look) -> None:
        """Do it, wait, and undo it."""
        target, seconds = strike.kind.target, strike.seconds
        match strike.kind:
            case Kind.KILL_DAEMON:
                await self._end_daemon("KILL", seconds)
            case Kind.END_DAEMON:
                await self._end_daemon("TERM", seconds)
            case Kind.STOP_DAEMON:
                await self._stop(self._site.supervisor.current, seconds)
            case Kind.REPLACE_DAEMON:
                await self._replace_daemon(seconds)
            case Kind.KILL_REDIS:
                await self._kill_redis(seconds, look)
            case Kind.KILL_SWITCH:
                await self._end_switch(self._site.kill_switch, seconds)
            case Kind.END_SWITCH:
                await self._end_switch(self._site.stop_switch, seconds)
            case Kind.STOP_REDIS:
                await self._stop(self._ground.redis, seconds)
            case Kind.STOP_SWITCH:
                await self._stop(self._site.switch, seconds)
            case Kind.RIGHTS_REDIS:
                await self._take_rights(strike)
            case Kind.REWRITE_REDIS:
                await self._rewrite(strike)
            case Kind.GATEWAY_SWITCH:
                await self._lose_gateway(strike)
            case Kind.PAUSE_SWITCH:
                await self._ordered("fsctl pause", "fsctl resume", seconds)
            case _:
                by_name = {"REDIS": self._site.redis_proxy, "SWITCH": self._site.switch_proxy}
                await self._disturb(by_name[target.name], strike)

    # --- the daemon ---------------------------------------------------------------------------

    async def _end_daemon(self, name: str, down_for: float) -> None:
        supervisor = self._site.supervisor
        supervisor.down_for = RESTART_PAUSE + down_for
        daemon = supervisor.current
        await daemon.signal(name)
        await self._pause(down_for)
        supervisor.down_for = RESTART_PAUSE

    async def _replace_daemon(self, seconds: float) -> None:
        """Stop the daemon, let another one take its host's name, then wake the former one.

        The one that is stopped has the name: one that still waits for the name of a killed one
        would lawfully take it when it is woken.
        """
        site = self._site
        await self.until_named()
        former = site.supervisor.replace_stopped()
        try:
            await self.until_named()
            await self._pause(seconds)
        finally:
            former.go_on()
        await self._one_ends_refused(former)

    async def until_named(self, patience: float = PATIENCE) -> None:
        """Wait until the daemon that is kept running has the host's name."""
        give_up = self._site.reactor.seconds() + patience
        while await self._site.holder() != self._site.supervisor.current.pid:
            if self._site.reactor.seconds() > give_up:
                raise HarnessProblem(f"no daemon took the name within {patience:.0f} s")
            await self._pause(0.05)

    async def _one_ends_refused(self, former: DaemonProcess) -> None:
        """One of the two goes on.

        That is the new one, but where Redis was away until its lease had lapsed: then it is the
        one that came back first.
        """
        try:
            status = await self._site.supervisor.keep_one(former, PATIENCE)
        except TimedOut as error:
            former.send("KILL")
            raise HarnessProblem("a daemon that lost its lease goes on") from error
        if status != REFUSED:
            raise HarnessProblem(f"a daemon that lost its lease ended with status {status}")

    # --- Redis and the switch ------------------------------------------------------------------

    async def _kill_redis(self, down_for: float, look: Look) -> None:
        proxies = [site.redis_proxy for site in self._ground.sites]
        # Nobody is let in before it is written down what stood there when it was killed.
        for proxy in proxies:
            proxy.refuses = True
        try:
            await self._ground.redis.kill()
            await self._pause(down_for)
            await self._ground.restart_redis()
            await look()
        finally:
            for proxy in proxies:
                proxy.refuses = False

    async def _end_switch(self, end: Callable[[], Awaitable[None]], down_for: float) -> None:
        await end()
        await self._pause(down_for)
        await self._site.start_switch()

    async def _take_rights(self, strike: Strike) -> None:
        """Take some commands from the daemon's Redis user, and give them back."""
        random = Random(strike.strength)
        taken = random.sample(RIGHTS, random.randint(1, 3))
        await self._ground.call("ACL", "SETUSER", USER, *(f"-{one}" for one in taken))
        await self._pause(strike.seconds)
        await self._ground.call("ACL", "SETUSER", USER, *(f"+{one}" for one in taken))

    async def _rewrite(self, strike: Strike) -> None:
        """Rewrite all tables again and again."""
        ground, random = self._ground, Random(strike.strength)
        give_up = ground.reactor.seconds() + strike.seconds
        while ground.reactor.seconds() < give_up:
            ground.generation += 1
            for step in rewriting(ground.tables, ground.generation, random):
                for command in step.commands:
                    await ground.call(*command)
                if step.table:
                    told = where_told(random, self._site.name)
                    await ground.back_end.publish(step.table, suffix=told)
                await self._pause(step.pause)

    async def _lose_gateway(self, strike: Strike) -> None:
        random = Random(strike.strength)
        lost = random.sample(GATEWAYS, random.randint(1, len(GATEWAYS)))
        states = {name: random.choice(("down", "gone")) for name in lost}
        found = dict.fromkeys(lost, "up")
        lose, find = (f"sim {json.dumps({'gateway_state': one})}" for one in (states, found))
        await self._ordered(lose, find, strike.seconds)

    async def _ordered(self, begin: str, end: str, seconds: float) -> None:
        await self._site.order(begin)
        await self._pause(seconds)
        await self._site.order(end)

    async def _stop(self, process: ChildProcess, seconds: float) -> None:
        process.pause()
        await self._pause(seconds)
        process.go_on()

    async def _disturb(self, proxy: Proxy, strike: Strike) -> None:
        match strike.kind.name.partition("_")[0]:
            case "CUT":
                proxy.cut()
            case "HOLD":
                proxy.holds = True
            case "DELAY":
                proxy.delay = 0.01 + 0.2 * strike.strength
            case "LOSE":
                proxy.lose_answers(1 + int(4 * strike.strength))
            case "REFUSE":
                proxy.refuses = True
                proxy.cut()
        await self._pause(strike.seconds)
        proxy.refuses, proxy.delay = False, 0.0
        proxy.lose_answers(0)
        if proxy.holds:
            proxy.release()

    async def _pause(self, seconds: float) -> None:
        await self._site.pause(seconds)
