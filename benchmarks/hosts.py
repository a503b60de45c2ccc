"""Several daemons on one Redis, each with a switch of its own, on one trunk.

For each number of hosts the same calls are made twice: with a trunk that Redis counts over all
hosts (``scope`` ``domain``), and with the same trunk parted among them, each host counting its own
share.  It says what a call costs Redis in both cases, the most calls at once and in any second at
the logs of all switches together, and how many calls a second one Redis carries by that cost.
Prints one JSON line::

    python -m benchmarks.hosts --hosts 1 2 4 8 --calls 2000
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measuring import environment
from benchmarks.rig import Rig, cpu_seconds, measure, numbers
from benchmarks.wire import Wire, most_at_once, most_in_a_second
from ctidialer.contract import keys
from ctidialer.settings import FreeSwitch
from ctidialer.stage.daemon import DaemonProcess, settings_text, start_daemon
from ctidialer.stage.stage import PASSWORD
from ctidialer.stage.switch import SwitchProcess, start_switch

DOMAIN = "hosts"
MORE_THAN_COME = 1_000_000
CARRIED = 0.7
"""The share of a core that Redis may use for calls: the rest is for what else asks it."""

IDLE = 5.0
"""Seconds for which Redis is watched while nobody is called: that is no cost of calls."""

TARGET = {"redis_us_more": 10}

Figures = dict[str, object]


class Hosts:
    """The switches and daemons of some hosts, on the rig's Redis."""

    def __init__(self, rig: Rig, names: Sequence[str], folder: Path) -> None:
        self._rig = rig
        self._names = names
        self._folder = folder
        self._switches: list[SwitchProcess] = []
        self._daemons: list[DaemonProcess] = []

    async def start(self, script: Mapping[str, object]) -> None:
        """Start all; return when every daemon has the name of its host."""
        rates = {"sessions_per_second": MORE_THAN_COME, "max_sessions": MORE_THAN_COME}
        for name in self._names:
            place = self._folder / name
            place.mkdir(parents=True)
            switch = await start_switch(
                self._rig.reactor, place, dict(script), password=PASSWORD, **rates
            )
            self._switches.append(switch)
            freeswitch = FreeSwitch(address=f"127.0.0.1:{switch.port}", password=PASSWORD)
            text = settings_text(name, self._rig.redis.url, freeswitch, node=f'domain = "{DOMAIN}"')
            self._daemons.append(start_daemon(self._rig.reactor, place, text))
        await self._rig.until(self._all_there, within=300)

    async def end(self) -> None:
        """Kill all."""
        for process in (*self._daemons, *self._switches):
            if process.running:
                await process.kill()

    async def recorded(self) -> int:
        """Return how many records all hosts have written."""
        lengths = [await self._rig.call("XLEN", keys.records(name)) for name in self._names]
        return sum(length for length in lengths if isinstance(length, int))

    def wires(self) -> list[Wire]:
        """Return what the switches have logged."""
        wires = [Wire(switch.log_path) for switch in self._switches]
        for wire in wires:
            wire.look()
        return wires

    async def _all_there(self) -> bool:
        held = await self._rig.call("EXISTS", *map(keys.lease, self._names))
        return isinstance(held, int) and held == len(self._names)


async def run(rig: Rig, given: argparse.Namespace) -> Figures:
    """Measure each number of hosts; both ways in turn."""
    await rig.start_redis()
    by_hosts: Figures = {}
    for count in given.hosts:
        one = {scope: await calls(rig, given, count, scope) for scope in ("host", "domain")}
        more = one["domain"]["redis_us_a_call"] - one["host"]["redis_us_a_call"]
        carried = round(CARRIED * 1e6 / one["domain"]["redis_us_a_call"])
        by_hosts[str(count)] = {
            **one,
            "redis_us_more": round(more, 1),
            "one_redis_carries_calls_a_second": carried,
        }
    return {
        "benchmark": "hosts",
        "target": TARGET,
        "by_hosts": by_hosts,
        "environment": environment(),
    }


async def calls(rig: Rig, given: argparse.Namespace, count: int, scope: str) -> dict[str, float]:
    """Make the calls on ``count`` hosts, and return what came of it."""
    await rig.call("FLUSHALL")
    names = [f"{scope}{count}-{index}" for index in range(count)]
    hosts = Hosts(rig, names, rig.directory / f"{scope}-{count}")
    try:
        await rig.back_end.write_tables(tables(given, 1 if scope == "domain" else count, scope))
        # Where all calls last equally long, those that began together end together.
        await hosts.start({"default": {"result": "answer", "talk": list(given.talk)}})
        return await measured(rig, hosts, given)
    finally:
        await hosts.end()


async def idle(rig: Rig, hosts: Hosts) -> float:
    """Return what Redis uses of a core while nobody is called, and this program asks as ever."""
    began, before = rig.reactor.seconds(), cpu_seconds(rig.redis.pid)

    async def is_over() -> bool:
        await hosts.recorded()
        return bool(rig.reactor.seconds() >= began + IDLE)

    await rig.until(is_over, within=10 * IDLE)
    return float((cpu_seconds(rig.redis.pid) - before) / (rig.reactor.seconds() - began))


async def measured(rig: Rig, hosts: Hosts, given: argparse.Namespace) -> dict[str, float]:
    """Make the calls, and return what Redis used and what the switches saw."""
    share = await idle(rig, hosts)
    scripts_before = await scripts_run(rig)
    began, before = rig.reactor.seconds(), cpu_seconds(rig.redis.pid)
    await rig.back_end.push("numbers", numbers(given.calls))

    async def are_recorded() -> bool:
        return await hosts.recorded() >= int(given.calls)

    await rig.until(are_recorded, within=900)
    used = cpu_seconds(rig.redis.pid) - before - share * (rig.reactor.seconds() - began)
    scripts = await scripts_run(rig) - scripts_before
    wires = hosts.wires()
    starts = sorted(line.time for wire in wires for line in wire.starts)
    ends = [line.time for wire in wires for line in wire.ends]
    return {
        "redis_us_a_call": round(used / given.calls * 1e6, 1),
        "redis_idle_percent": round(share * 100, 2),
        "scripts_a_call": round(scripts / given.calls, 2),
        "calls": len(starts),
        "calls_a_second": round(len(starts) / (starts[-1] - starts[0]), 1),
        "most_at_once": most_at_once(starts, ends),
        "most_in_a_second": most_in_a_second(starts),
        "fewest_on_a_host": min(len(wire.starts) for wire in wires),
    }


async def scripts_run(rig: Rig) -> int:
    """Return how many scripts this Redis has run."""
    told = await rig.call("INFO", "commandstats")
    assert isinstance(told, bytes)
    found = re.search(rb"cmdstat_evalsha:calls=(\d+)", told)
    return int(found[1]) if found else 0


def tables(given: argparse.Namespace, parts: int, scope: str) -> dict[str, dict[str, object]]:
    """Return a task on two lines of one trunk, which is parted into ``parts``."""
    trunk: dict[str, object] = {"count": given.count // parts, "scope": scope}
    if given.cps:
        trunk["cps"] = given.cps / parts
    line = {
        "count": given.count,
        "gateway": "trunk",
        "dialstring": "sofia/gateway/trunk/${destination_number}",
    }
    task = {
        "enable": True,
        "line_group": ["g"],
        "limit": given.count,
        "number_queue": "numbers",
        "destination_extension": "8888",
    }
    return {
        keys.at(keys.GATEWAY, DOMAIN): {"trunk": {"params": trunk}},
        keys.at(keys.LINE, DOMAIN): {name: {"params": line} for name in ("a", "b")},
        keys.at(keys.LINE_GROUP, DOMAIN): {"g": {"line": [["a", "b"]]}},
        keys.at(keys.TASK, keys.TEMPLATE): {"t": {"params": task}},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--count", type=int, default=64, help="of the trunk")
    parser.add_argument("--cps", type=float, default=80.0, help="of the trunk, 0 = none")
    parser.add_argument(
        "--talk", type=float, nargs=2, default=[0.3, 0.65], help="seconds that a call lasts"
    )
    given = parser.parse_args(arguments)
    measure(lambda rig: run(rig, given))


if __name__ == "__main__":
    main()
