"""What hosts share is never above its count or rate, by the logs of their switches together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import time
from typing import Any

from benchmarks.wire import most_at_once, most_in_a_second
from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.contract.status import NodeStatus, decode_status
from ctidialer.switchsim.calllog import CallLog, read_call_log
from tests.dialer.switch_case import SwitchTestCase
from tests.dialer.test_two_hosts import HOSTS, TwoHostsCase
from tests.support.node import HOST, outcomes

TRUNK = keys.counted_calls(HOST, "gateway", "trunk")
UNTIL_HUNG_UP: Mapping[str, Any] = {"default": {"result": "answer", "talk": 3600}}


class SharedTrunkCase(TwoHostsCase, SwitchTestCase):
    """Two lines on one trunk, from two hosts."""

    async def put_trunk(self, **params: object) -> None:
        await self.put(keys.at(keys.GATEWAY, HOST), {"trunk": {"params": params}})
        for line in ("l", "l2"):
            await self.put_line(line, gateway="trunk")
        await self.put_group(line=[["l", "l2"]])

    def logs(self) -> list[CallLog]:
        return [read_call_log(self.switches[host].log_path) for host in HOSTS]

    def starts(self) -> list[float]:
        return sorted(line.time for log in self.logs() for line in log.originates)

    def most_at_once(self) -> int:
        ends = (line.time for log in self.logs() for line in log.ends)
        return most_at_once(self.starts(), ends)

    async def taken(self, key: str = TRUNK) -> int:
        found = await self.call("ZCOUNT", key, "0", "+inf")
        assert isinstance(found, int)
        return found

    async def calls_of(self, host: str = "") -> int:
        return sum(len(self.dialed_by(one)) for one in ([host] if host else HOSTS))

    async def nothing_left(self, *names: str) -> None:
        """Wait until no place is taken any more."""

        async def is_free() -> bool:
            return not any([await self.taken(name) for name in names])

        await self.until("all places were given back", is_free)

    def some_numbers(self, count: int) -> Iterable[str]:
        return (f"138{index:08d}" for index in range(count))

    async def status_of(self, host: str) -> NodeStatus | None:
        raw = await self.call("GET", keys.status(host))
        return decode_status(raw) if isinstance(raw, bytes) else None


class RateTests(SharedTrunkCase):
    script: Mapping[str, Any] = {"default": {"result": "answer", "talk": 2.5}}

    async def test_a_trunk_with_a_count_and_a_rate(self) -> None:
        await self.put_trunk(count=5, cps=4, scope="domain")
        await self.put_task(limit=20)
        for host in HOSTS:
            self.start_on(host)
        await self.until("both daemons are ready", self.both_are_ready)
        await self.put_numbers(self.some_numbers(30))
        await self.all_recorded(30)
        self.assertLessEqual(self.most_at_once(), 5)
        self.assertLessEqual(most_in_a_second(self.starts()), 5)
        self.assertEqual(await self.calls_of(), 30)
        for host in HOSTS:
            self.assertGreater(await self.calls_of(host), 3)
        await self.nothing_left(TRUNK)


class CountTests(SharedTrunkCase):
    script: Mapping[str, Any] = {"default": {"result": "answer", "talk": [0.02, 0.2]}}

    async def test_many_calls_on_few_places(self) -> None:
        await self.put_trunk(count=7, scope="domain")
        await self.put_task(limit=20)
        daemons = [self.start_on(host) for host in HOSTS]
        await self.until("both daemons are ready", self.both_are_ready)
        await self.put_numbers(self.some_numbers(600))
        await self.all_recorded(600)
        self.assertLessEqual(self.most_at_once(), 7)
        self.assertEqual(await self.calls_of(), 600)
        for host in HOSTS:
            records = await self.records(host)
            self.assertEqual(outcomes(records), {Outcome.ANSWERED: len(self.dialed_by(host))})
            self.assertGreater(len(records), 60)
        await self.nothing_left(TRUNK)
        for daemon in daemons:
            self.assertIn(await daemon.stop(), (0, 143, -15))

    async def test_a_daemon_that_is_stopped_leaves_all_its_places(self) -> None:
        """Those that a call has just left to the next one, too."""
        await self.put_trunk(count=7, scope="domain")
        await self.put_task(limit=20)
        await self.put_numbers(self.some_numbers(5000))
        daemon = self.start_on("fs1")
        await self.until_count("calls follow each other", 50, self.calls_of)
        self.assertIn(await daemon.stop(), (0, 143, -15))
        self.assertEqual(await self.taken(), 0)

    async def test_the_limit_of_a_task_over_all_hosts(self) -> None:
        await self.usual_tables(limit=3, limit_scope="all", cps=40, cps_scope="all")
        for host in HOSTS:
            self.start_on(host)
        await self.until("both daemons are ready", self.both_are_ready)
        await self.put_numbers(self.some_numbers(120))
        await self.all_recorded(120)
        self.assertLessEqual(self.most_at_once(), 3)
        self.assertLessEqual(most_in_a_second(self.starts()), 41)
        for host in HOSTS:
            self.assertGreater(await self.calls_of(host), 10)
        await self.nothing_left(keys.counted_calls("template", "task", "t"))

    async def test_without_scope_each_host_has_the_count(self) -> None:
        await self.put_trunk(count=2)
        await self.put_task(limit=20)
        for host in HOSTS:
            self.start_on(host)
        await self.put_numbers(self.some_numbers(200))
        await self.all_recorded(200)
        for log in self.logs():
            ends = [line.time for line in log.ends]
            self.assertLessEqual(most_at_once([one.time for one in log.originates], ends), 2)
        self.assertEqual(await self.call("KEYS", f"{keys.CALLS}*"), [])


class PassedOnTests(SharedTrunkCase):
    """Three short calls leave their places to three that do not end."""

    script: Mapping[str, Any] = {
        "default": {"result": "answer", "talk": 3600},
        "numbers": {f"138{index:08d}": {"result": "answer", "talk": 0.1} for index in range(3)},
    }

    async def test_calls_keep_places_that_others_have_left_them_when_lines_are_renamed(
        self,
    ) -> None:
        await self.put_trunk(count=4, scope="domain")
        await self.put_task(limit=3)
        await self.put_numbers(self.some_numbers(50))
        self.switch = self.switches["fs2"]
        first = self.start_daemon("fs2", host="fs2")
        await self.until_count("three calls are over, and three are up", 6, self.calls_of)
        await self.until("all of them are noted as answered", self.three_are_answered)
        await first.kill()
        self.assertEqual(await self.noted(b'"place":'), 3)
        await self.call("HDEL", keys.at(keys.LINE, HOST), "l", "l2")
        await self.put_line("l3", gateway="trunk")
        await self.put_group(line=[["l3"]])
        await self.put_task(limit=9)
        await self.call("DEL", keys.lease("fs2"))
        self.start_daemon("again", host="fs2")
        await self.until_count("there is one place more", 7, self.calls_of)
        self.assertEqual(await self.taken(), 4)
        for line in read_call_log(self.switch.log_path).originates[3:]:
            await self.order(f"uuid_kill {line.uuid}")
        await self.until_count("all places are taken again", 11, self.calls_of)
        self.assertEqual(await self.taken(), 4)
        self.assertLessEqual(self.most_at_once(), 4)

    async def three_are_answered(self) -> bool:
        return await self.noted(b'"answered_at":') == 3

    async def noted(self, what: bytes) -> int:
        """Return in how many entries in flight this stands."""
        entries = await self.call("HVALS", keys.in_flight("fs2"))
        assert isinstance(entries, list)
        return sum(what in entry for entry in entries if isinstance(entry, bytes))


class LateHostTests(SharedTrunkCase):
    """One host has filled a trunk with calls that go on and on; another one comes."""

    script: Mapping[str, Any] = {"default": {"result": "answer", "talk": [0.1, 0.3]}}

    async def test_it_has_its_share(self) -> None:
        await self.put_trunk(count=8, scope="domain")
        await self.put_task(limit=20)
        await self.put_numbers(self.some_numbers(5000))
        self.start_on("fs2")
        await self.until_count("the trunk is full", 30, self.calls_of)
        self.start_on("fs1")
        key = f"the places of each of {HOSTS}"

        async def are_parted() -> bool:
            places = await self.call("ZRANGEBYSCORE", TRUNK, "0", "+inf")
            assert isinstance(places, list)
            names = [one.partition(b"\t")[0] for one in places if isinstance(one, bytes)]
            return names.count(b"fs1") == names.count(b"fs2") == 4

        await self.until(key, are_parted)
        self.assertLessEqual(self.most_at_once(), 8)


class GoneHostTests(SharedTrunkCase):
    """One host fills the trunk with calls that do not end, and dies."""

    script = UNTIL_HUNG_UP
    QUICK = "lease = 1.0\nadopt_after = 3.0"

    async def test_its_places_are_free_after_a_while(self) -> None:
        await self.put_trunk(count=4, scope="domain")
        await self.put_task(limit=20)
        await self.put_numbers(self.some_numbers(50))
        first = self.start_with("fs2", self.QUICK)
        await self.until_count("the trunk is full", 4, self.calls_of)
        self.start_with("fs1", self.QUICK)
        await self.until("both daemons work", self.both_hold_their_names)
        killed_at = time()
        await first.kill()
        await self.until_count("the other host has its places", 8, self.calls_of)
        on_the_other = [
            line.time for line in read_call_log(self.switches["fs1"].log_path).originates
        ]
        self.assertEqual(len(on_the_other), 4)
        self.assertGreater(min(on_the_other), killed_at + 3.0)
        self.assertEqual(await self.taken(), 4)

    async def test_whose_places_they_are_is_told(self) -> None:
        await self.put_trunk(count=4, scope="domain")
        await self.put_task(limit=20, limit_scope="all")
        await self.put_numbers(self.some_numbers(50))
        first = self.start_with("fs2", "lease = 1.0\nadopt_after = 3000.0")
        await self.until_count("the trunk is full", 4, self.calls_of)
        await first.kill()
        self.start_with("fs1", "lease = 1.0\nadopt_after = 3000.0")

        async def is_told() -> bool:
            told = await self.status_of("fs1")
            return bool(told and told.shared and told.shared[0].gone)

        await self.until("the other host tells of them", is_told)
        told = await self.status_of("fs1")
        assert told is not None
        trunk = told.shared[0]
        self.assertEqual(
            (trunk.what, trunk.name, trunk.used, trunk.count), ("gateway", "trunk", 4, 4)
        )
        self.assertEqual([(one.host, one.calls) for one in trunk.gone], [("fs2", 4)])
        (task,) = told.tasks
        self.assertGreaterEqual(task.used or 0, 4)

    async def test_it_comes_back_and_still_has_them(self) -> None:
        await self.put_trunk(count=4, scope="domain")
        await self.put_task(limit=3)
        await self.put_numbers(self.some_numbers(50))
        first = self.start_with("fs2")
        await self.until_count("all that its limit allows", 3, self.calls_of)
        await first.kill()
        await self.call("ZADD", TRUNK, "1700000000", "fs2\tnobody-1-1")  # as after a bug of ours
        self.assertEqual(await self.taken(), 4)
        await self.call("DEL", keys.lease("fs2"))
        self.start_with("fs2", name="again")
        await self.until("it has set its places right", self.three_are_taken)
        self.start_with("fs1")
        await self.until_count("the other has the last one", 4, self.calls_of)
        self.assertEqual(await self.taken(), 4)
        self.switch = self.switches["fs2"]
        for uuid in [line.uuid for line in read_call_log(self.switches["fs2"].log_path).originates]:
            await self.order(f"uuid_kill {uuid}")
        await self.until_count("what was left is taken again", 7, self.calls_of)
        self.assertLessEqual(self.most_at_once(), 4)

    async def test_it_comes_back_when_its_lines_have_other_names(self) -> None:
        """Calls that it left behind still have their places, on the trunk that is the same."""
        await self.put_trunk(count=4, scope="domain")
        await self.put_task(limit=3, limit_scope="all")
        await self.put_numbers(self.some_numbers(50))
        first = self.start_with("fs2")
        await self.until_count("all that its limit allows", 3, self.calls_of)
        await first.kill()
        await self.call("HDEL", keys.at(keys.LINE, HOST), "l", "l2")
        await self.put_line("l3", gateway="trunk")
        await self.put_group(line=[["l3"]])
        await self.put_task(limit=9)
        await self.call("DEL", keys.lease("fs2"))
        self.start_with("fs2", name="again")
        await self.until_count("there is one place more", 4, self.calls_of)
        self.assertEqual(await self.taken(), 4)
        self.switch = self.switches["fs2"]
        for line in read_call_log(self.switch.log_path).originates:
            await self.order(f"uuid_kill {line.uuid}")
        await self.until_count("all places are taken again", 8, self.calls_of)
        self.assertLessEqual(self.most_at_once(), 4)

    async def three_are_taken(self) -> bool:
        return await self.taken() == 3

    def start_with(self, host: str, node: str = "", name: str = "") -> Any:
        self.switch = self.switches[host]
        return self.start_daemon(name or host, host=host, node=node)
