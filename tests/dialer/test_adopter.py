"""A host that is gone for good, and another one that takes over its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.dialer.adopter import Adopter
from ctidialer.nodes.adoption import Adopted
from ctidialer.store.errors import LeaseHeld
from tests.cli.command_case import Done, command_process
from tests.dialer.test_two_hosts import TwoHostsCase
from tests.support.node import PASSWORD

FOR_HOURS: Mapping[str, Any] = {"default": {"result": "answer", "talk": 3600}}
NUMBERS = [str(1000 + index) for index in range(40)]


class TimeTests(SynchronousTestCase):
    """When a host counts as gone."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.gone: list[str] = []
        self.adopted: list[str] = []
        self.put_on = 0.0
        self.adopter = Adopter(self.clock, 300.0, self.look, self.adopt, self.steady)
        self.adopter.start()
        self.addCleanup(self.adopter.stop)

    def steady(self) -> float:
        """Return the seconds of a clock that nobody sets."""
        return self.clock.seconds() - self.put_on

    async def look(self) -> Sequence[str]:
        return list(self.gone)

    async def adopt(self, host: str) -> Adopted:
        self.adopted.append(host)
        if host == "held":
            raise LeaseHeld(host, "somebody")
        return await succeed(Adopted(host))

    def passes(self, seconds: int) -> None:
        self.clock.pump([30.0] * (seconds // 30))

    def test_after_the_time_without_a_lease(self) -> None:
        self.gone = ["fs2"]
        self.passes(300)
        self.assertEqual(self.adopted, [])
        self.passes(30)
        self.assertEqual(self.adopted, ["fs2"])

    def test_a_clock_that_is_put_on_is_no_time_that_passes(self) -> None:
        self.gone = ["fs2"]
        self.passes(60)
        self.put_on = 3600.0
        self.clock.advance(3600.0)
        self.passes(240)
        self.assertEqual(self.adopted, [])
        self.passes(60)
        self.assertEqual(self.adopted, ["fs2"])

    def test_one_that_comes_back_begins_anew(self) -> None:
        self.gone = ["fs2"]
        self.passes(240)
        self.gone = []
        self.passes(30)
        self.gone = ["fs2"]
        self.passes(300)
        self.assertEqual(self.adopted, [])
        self.passes(30)
        self.assertEqual(self.adopted, ["fs2"])

    def test_what_cannot_be_taken_over_is_tried_again_after_that_time(self) -> None:
        self.gone = ["held"]
        self.passes(330)
        self.assertEqual(self.adopted, ["held"])
        self.passes(300)
        self.assertEqual(self.adopted, ["held"])
        self.passes(60)
        self.assertEqual(self.adopted, ["held", "held"])


class GoneCase(TwoHostsCase):
    """The daemon of fs2 is killed with calls up; it would hold its lease for a second more."""

    script = FOR_HOURS

    async def until_calls_of(self, host: str, count: int) -> None:
        async def are_up() -> bool:
            return len(self.dialed_by(host)) >= count

        await self.until(f"{host} has {count} calls", are_up)

    async def killed_with_calls(self) -> None:
        await self.usual_tables(limit=4)
        await self.put_line(count=100)
        await self.put_numbers(NUMBERS[:6])
        self.switch = self.switches["fs2"]
        gone = self.start_daemon("fs2", host="fs2", node="lease = 1\n")
        await self.until_calls_of("fs2", 4)
        gone.kill()
        await gone.ended()
        self.assertEqual(await self.call("HLEN", keys.in_flight("fs2")), 4)


class ByItselfTests(GoneCase):
    async def test_each_number_ends_once_and_none_is_called_twice(self) -> None:
        await self.killed_with_calls()
        await self.put_task(limit=50)
        self.switch = self.switches["fs1"]
        self.start_daemon("fs1", host="fs1", node="adopt = true\nadopt_after = 1.0\n")
        records = await self.records_of(4, "fs2")
        self.assertEqual(
            {record.outcome for record in records} - {Outcome.UNKNOWN, Outcome.ANSWERED}, set()
        )
        await self.nothing_in_flight("fs2")
        await self.until_calls_of("fs1", 2)
        dialed = Counter([*self.dialed_by("fs1"), *self.dialed_by("fs2")])
        self.assertEqual(dialed, Counter(NUMBERS[:6]))

        async def is_logged() -> bool:
            words = "Host fs2 has no daemon, and its numbers in flight were taken over"
            return words in (self.directory / "fs1.log").read_text("utf-8")

        await self.until("it is logged", is_logged)

    async def test_a_host_that_is_alive_keeps_its_numbers(self) -> None:
        await self.usual_tables(limit=2)
        await self.put_numbers(NUMBERS[:4])
        self.start_on("fs2")
        await self.until_calls_of("fs2", 2)
        self.switch = self.switches["fs1"]
        self.start_daemon("fs1", host="fs1", node="adopt = true\nadopt_after = 0.2\n")
        await self.until_calls_of("fs1", 2)
        self.assertEqual(await self.records("fs2"), ())
        self.assertEqual(await self.call("HLEN", keys.in_flight("fs2")), 2)


class ByHandTests(GoneCase):
    async def adopt(self, *words: str) -> Done:
        given = ("adopt", "--redis", self.url, "--host", "fs1", *words)
        return await command_process(self, self.directory, given).done

    async def test_a_host_is_adopted_and_comes_back(self) -> None:
        await self.killed_with_calls()

        async def is_free() -> bool:
            return await self.call("EXISTS", keys.lease("fs2")) == 0

        await self.until("the lease has lapsed", is_free)
        shown = await command_process(
            self, self.directory, ("status", "--redis", self.url, "--host", "fs1")
        ).done
        self.assertIn("ctidialer adopt fs2", shown.out)
        switch = self.switches["fs2"]
        asked = ("--freeswitch", f"127.0.0.1:{switch.port}", "--password", PASSWORD)
        done = await self.adopt("fs2", *asked, "--json")
        self.assertEqual((done.status, done.json()["up"]), (1, 4), done)
        self.assertEqual(await self.call("HLEN", keys.in_flight("fs2")), 4)
        done = await self.adopt("fs2", "--json")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(sum(done.json()["ended"].values()), 4)
        self.assertEqual(len(await self.records_of(4, "fs2")), 4)
        self.switch = switch
        self.start_daemon("again", host="fs2")
        await self.until_calls_of("fs2", 6)
        self.assertEqual(Counter(self.dialed_by("fs2")), Counter(NUMBERS[:6]))
        self.assertEqual(len(await self.records("fs2")), 4)

    async def test_not_while_it_is_alive_and_not_one_that_is_unknown(self) -> None:
        await self.usual_tables(limit=1)
        self.start_on("fs2")

        async def is_held() -> bool:
            return await self.call("EXISTS", keys.lease("fs2")) == 1

        await self.until("it has its lease", is_held)
        done = await self.adopt("fs2")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("fs2 is not gone: pid ", done.err)
        done = await self.adopt("fs9")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("no host fs9 in this Redis; there are: fs2", done.err)
