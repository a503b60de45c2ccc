"""Hosts that are lost for good: an operator takes over their numbers, or other hosts do."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

from attrs import define, field

from chaos.auditor import Moment
from chaos.site import LEASE, Ground, Site
from ctidialer.contract import keys
from ctidialer.stage.child_process import ChildProcess, spawn, with_our_packages
from ctidialer.stage.stage import PASSWORD
from ctidialer.store.errors import StoreError

COMMAND = "from ctidialer.cli import main; main()"
AGAIN = 0.3
"""Seconds after which an operator tries again."""

GIVES_UP = 90.0
"""Seconds after which he does so no more: that is a fault."""

LOOK = 0.2
SAID = " has no daemon, and its numbers in flight were taken over"


@define
class Adoptions:
    """Who took over how many lost hosts; ``numbers``: what became of their numbers by hand.

    ``that_came_back``: how often a host was taken over that was not lost, only away for too long.
    """

    by_hand: int = 0
    by_themselves: int = 0
    that_came_back: int = 0
    numbers: Counter[str] = field(factory=Counter)


class Operator:
    """Somebody who runs ``ctidialer adopt`` until it has taken over everything."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.adoptions = Adoptions()
        self.problems: list[str] = []

    async def adopt(self, lost: Site, *, asks_switch: bool) -> None:
        """Take over the numbers of a host; ask its switch which calls are up, if there is one."""
        clock = self._ground.reactor
        give_up = clock.seconds() + GIVES_UP
        output = self._ground.directory / f"adopt-{lost.name}.log"
        while clock.seconds() < give_up:
            is_done = await self._run(lost, asks_switch, output) == 0
            if is_done or await self._has_nothing(lost):
                self.adoptions.by_hand += is_done
                return
            await self._ground.pause(AGAIN)
        words = output.read_text("utf-8", "replace").splitlines()[-1:]
        self.problems.append(f"{lost.name} could not be adopted by hand: {words}")

    async def _has_nothing(self, lost: Site) -> bool:
        """Say whether a host has left no trace: it was lost before it had taken a number."""
        left = keys.lease(lost.name), keys.status(lost.name), keys.in_flight(lost.name)
        return bool(await self._ground.call("EXISTS", *left) == 0)

    async def _run(self, lost: Site, asks_switch: bool, output: Path) -> int:
        ground = self._ground
        settings = ground.sites[0].directory / "daemon.toml"
        words = ["adopt", "--config", str(settings), "--redis", ground.redis.url]
        if asks_switch:
            switch = f"127.0.0.1:{lost.switch.port}"
            words += ["--freeswitch", switch, "--password", PASSWORD]
        process = ChildProcess(output)
        spawn(
            ground.reactor,
            process,
            [sys.executable, "-c", COMMAND, *words, "--json", lost.name],
            ground.directory,
            environ=with_our_packages(os.environ),
        )
        status = await process.ended()
        said = process.last_words(1)
        if said.startswith("{"):
            self._count(json.loads(said))
        return status

    def _count(self, adopted: dict[str, object]) -> None:
        numbers = self.adoptions.numbers
        numbers["given back"] += int(str(adopted["given_back"]))
        ended = adopted["ended"]
        assert isinstance(ended, dict)
        numbers.update({f"ended as {outcome}": count for outcome, count in ended.items()})

    def look_back(self) -> Adoptions:
        """Return all adoptions, those by hosts as their logs say."""
        lost = {site.name: site.lost_at for site in self._ground.lost}
        by_themselves = set()
        for site in self._ground.all_sites:
            log = (site.directory / "daemon.log").read_text("utf-8", "replace")
            for line in filter(lambda line: SAID in line, log.splitlines()):
                name = line.partition(SAID)[0].rpartition(" ")[2]
                at = datetime.fromisoformat(line.partition(" ")[0]).timestamp()
                if at > lost.get(name, inf):
                    by_themselves.add(name)
                else:
                    self.adoptions.that_came_back += 1
        self.adoptions.by_themselves = len(by_themselves)
        return self.adoptions


class LeaseWatch:
    """Sees when a lease lapses, and when the places of hosts come free: since they were gone for
    too long, or adopted.

    ``freed`` has the latter moments (unix seconds), by host.
    """

    def __init__(self, adopt_after: float) -> None:
        self._adopt_after = adopt_after
        self._holds_until: dict[str, float] = {}
        self._looked_at = 0.0
        self.freed: defaultdict[str, list[float]] = defaultdict(list)

    def saw(self, now: float, holds_until: Mapping[str, float]) -> dict[str, float]:
        """Take note of until when the lease of each host holds; 0 = its places are free.

        Returns which leases have lapsed since the last look, and when.
        """
        lapsed = {
            host: until
            for host, until in holds_until.items()
            if 0 < until < now and (self._looked_at <= until or until != self._until(host))
        }
        for host, until in holds_until.items():
            before = self._holds_until.get(host, until)
            frees_at = before + self._adopt_after
            freed = self.freed[host]
            if before and frees_at < now and frees_at not in freed:
                freed.append(frees_at)
            if before and not until:
                freed.append(self._looked_at)
        self._holds_until = dict(holds_until)
        self._looked_at = now
        return lapsed

    def _until(self, host: str) -> float:
        return self._holds_until.get(host, 0.0)


async def watch_leases(ground: Ground, watch: LeaseWatch, moments: list[Moment]) -> None:
    """Look at the leases for as long as this is not cancelled.

    A lease that lapses is a fault, if only of a machine that has too much to do: ``moments`` gets
    it, with the calls that its host had noted.
    """
    while True:
        with suppress(StoreError):
            found = await ground.link.call("ZRANGE", keys.HOSTS, 0, -1, "WITHSCORES")
            lapsed = watch.saw(ground.reactor.seconds(), _moments(found))
            for host, at in lapsed.items():
                noted = frozenset(await ground.noted([host]) or ())
                moments.append(Moment(at - LEASE, noted, LEASE, frozenset({host})))
        await ground.pause(LOOK)


def _moments(found: Any) -> dict[str, float]:
    pairs = zip(found[::2], found[1::2], strict=True)
    return {host.decode(): float(moment) for host, moment in pairs}
