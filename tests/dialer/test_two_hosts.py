"""One campaign, two FreeSWITCH hosts with a daemon each, one Redis (docs/redis-contract.rst)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from time import time
from typing import Any

from twisted.internet import reactor

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.contract.status import decode_status
from ctidialer.stage.daemon import DaemonProcess
from ctidialer.stage.switch import SwitchProcess, start_switch
from ctidialer.switchsim.calllog import read_call_log
from tests.support.node import HOST, PASSWORD, NodeTestCase, outcomes
from tests.support.redis import new_directory

HOSTS = ("fs1", "fs2")
NUMBERS = 10_000
CAP = 4
"""Calls to one person: each of two entries would have three."""

AT_ONCE: Mapping[str, Any] = {"default": {"result": "answer", "talk": 0.01}}


class TwoHostsCase(NodeTestCase):
    """Two real daemons, each with a switch of its own, on one Redis."""

    script = AT_ONCE

    async def set_up(self) -> None:
        await super().set_up()
        self.switches = {host: await self.fast_switch() for host in HOSTS}

    async def fast_switch(self) -> SwitchProcess:
        """Start a switch with a log of its own that refuses nothing."""
        directory = Path(new_directory(self))
        switch = await start_switch(
            reactor, directory, dict(self.script), password=PASSWORD, sessions_per_second=100_000
        )
        self.addCleanup(switch.kill)
        return switch

    def start_on(self, host: str) -> DaemonProcess:
        """Start the daemon of one host."""
        self.switch = self.switches[host]
        return self.start_daemon(host, host=host)

    def dialed_by(self, host: str) -> list[str]:
        """Return the numbers that the switch of one host has dialed."""
        return list(read_call_log(self.switches[host].log_path).numbers)

    async def both_hold_their_names(self) -> bool:
        """Say whether each host's name is held by its daemon."""
        return await self.call("EXISTS", *map(keys.lease, HOSTS)) == len(HOSTS)

    async def both_are_ready(self) -> bool:
        """Say whether both daemons say that they dial: neither begins before the other."""
        raws = [await self.call("GET", keys.status(host)) for host in HOSTS]
        return all(isinstance(raw, bytes) and decode_status(raw).ready for raw in raws)

    async def recorded(self) -> int:
        """Return how many records there are on both hosts."""
        counts = [await self.call("XLEN", keys.records(host)) for host in HOSTS]
        return sum(count for count in counts if isinstance(count, int))

    async def all_recorded(self, count: int) -> None:
        """Wait for the records, however long it takes."""
        await self.until_count("records of both hosts", count, self.recorded)


class TwoHostsTests(TwoHostsCase):
    """They share a task of the template and its queue."""

    async def test_they_share_a_queue(self) -> None:
        await self.usual_tables(limit=60)
        daemons = [self.start_on(host) for host in HOSTS]
        await self.until("both daemons are ready", self.both_are_ready)
        numbers = [f"138{index:08d}" for index in range(NUMBERS)]
        began = time()
        for start in range(0, NUMBERS, 1000):
            await self.put_numbers(numbers[start : start + 1000])
        await self.all_recorded(NUMBERS)
        took = time() - began
        dialed = {host: self.dialed_by(host) for host in HOSTS}
        print(
            f"\n{NUMBERS} numbers in {took:.1f} s with two hosts: "
            + ", ".join(f"{host} {len(by_host)}" for host, by_host in dialed.items())
        )
        self.assertEqual(sorted(dialed["fs1"] + dialed["fs2"]), numbers)
        for host in HOSTS:
            records = await self.records(host)
            self.assertEqual({record.host for record in records}, {host})
            self.assertEqual(outcomes(records), {Outcome.ANSWERED: len(dialed[host])})
            self.assertEqual(Counter(record.number for record in records), Counter(dialed[host]))
            self.assertGreater(len(records), NUMBERS * 0.02)  # a busy machine may favour one
            await self.nothing_in_flight(host)
        for daemon in daemons:
            self.assertIn(await daemon.stop(), (0, 143, -15))

    async def test_one_host_opts_out(self) -> None:
        await self.usual_tables(limit=60)
        await self.put(keys.at(keys.TASK, "fs2"), {"t": {"params": {"enable": False}}})
        await self.put_task("own", key=keys.at(keys.TASK, "fs2"), number_queue="q2")
        await self.put_numbers([str(1000 + index) for index in range(100)])
        await self.put_numbers([str(2000 + index) for index in range(100)], queue="q2")
        for host in HOSTS:
            self.start_on(host)
        await self.all_recorded(200)
        self.assertEqual(sorted(self.dialed_by("fs1")), [str(1000 + i) for i in range(100)])
        self.assertEqual(sorted(self.dialed_by("fs2")), [str(2000 + i) for i in range(100)])

    async def test_they_share_the_schedule_of_their_domain(self) -> None:
        await self.put_line()
        await self.put_group()
        config = {"params": {"line_group": ["g"], "destination_extension": "8888"}}
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"c": config})
        members = [
            f'{{"params": {{"number": "{1000 + index}", "config": "c"}}}}' for index in range(1000)
        ]
        due = repr(time())
        await self.call(
            "ZADD",
            keys.at(keys.SCHEDULE_NUMBER, HOST),
            *(part for member in members for part in (due, member)),
        )
        for host in HOSTS:
            self.start_on(host)
        await self.all_recorded(1000)
        dialed = self.dialed_by("fs1") + self.dialed_by("fs2")
        self.assertEqual(sorted(dialed), [str(1000 + index) for index in range(1000)])
        self.assertEqual(await self.recorded(), 1000)


class SharedCalleesTests(TwoHostsCase):
    """Two tasks of the template call the same people, from both hosts."""

    script: Mapping[str, Any] = {"default": {"result": "busy", "ring": 0.05}}

    async def test_a_cap_holds_over_hosts_and_tasks_and_each_entry_ends_once(self) -> None:
        rules: dict[str, Any] = {
            "retry_plan": [{"outcome": "busy", "after": 0.2, "count": 2}],
            "callee_limit": [{"count": CAP, "time": 86_400}],
            "stop_time": int(time()) + 3600,
        }
        await self.usual_tables(limit=8, **rules)
        await self.put_task("t2", limit=8, number_queue="q2", **rules)
        daemons = [self.start_on(host) for host in HOSTS]
        await self.until("both daemons are ready", self.both_are_ready)
        numbers = [f"138{index:08d}" for index in range(200)]
        for queue in ("q", "q2"):
            await self.put_numbers(numbers, queue=queue)

        async def finals() -> int:
            return sum([one.is_final for host in HOSTS for one in await self.records(host)])

        await self.until_count("every entry has ended", 2 * len(numbers), finals)
        dialed = {host: Counter(self.dialed_by(host)) for host in HOSTS}
        both = dialed["fs1"] + dialed["fs2"]
        self.assertEqual(set(both.values()), {CAP})
        self.assertEqual(set(both), set(numbers))
        self.assertGreater(min(one.total() for one in dialed.values()), 0)
        records = [one for host in HOSTS for one in await self.records(host)]
        tries = Counter((one.first_id, one.try_number) for one in records)
        self.assertEqual(set(tries.values()), {1})
        final = [one for one in records if one.is_final]
        self.assertEqual(Counter(one.first_id for one in final).total(), 2 * len(numbers))
        ends = {one.outcome for one in final}
        self.assertIn(Outcome.CAPPED, ends)
        self.assertLessEqual(ends, {Outcome.BUSY, Outcome.CAPPED})
        self.assertEqual(sum(len(one.attempts) for one in records), both.total())
        for daemon in daemons:
            self.assertIn(await daemon.stop(), (0, 143, -15))
