"""FreeSWITCH away, Redis away, both: nothing is taken or lost, and dialing resumes by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import evolve
from msgspec.structs import replace
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from ctidialer.contract.record import Outcome, Record
from ctidialer.dialer.readiness import Condition
from ctidialer.dialer.service import DialerService
from ctidialer.reconnection import BackOff
from ctidialer.settings import FreeSwitch, Redis, Settings
from tests.dialer.life.fault_case import LEASE, FaultCase
from tests.dialer.line_case import logged
from tests.support.node import HOST, PASSWORD, outcomes

NUMBERS = [str(1000 + index) for index in range(24)]
TALK: dict[str, Any] = {"default": {"result": "answer", "ring": 0.02, "talk": 0.3}}
LIMIT = 4
AWHILE = 0.7
"""Seconds that an outage lasts at least: several looks at the queue, and longer than a call."""

PULSE = 5.0
"""Seconds between two looks whether FreeSWITCH is silent: a slow one must not be taken for that."""

BALLAST = "for i = 1, 3000 do redis.call('SET', 'ballast' .. i, string.rep('x', 1000)) end"

Act = Callable[[], Awaitable[object]]


class OutageCase(FaultCase):
    """A campaign that an outage interrupts; the daemon runs in this process."""

    script = TALK

    def settings(self, host: str = HOST, **node: Any) -> Settings:
        """Return settings that lead through the proxies."""
        whole = super().settings(host, **{"lease": LEASE, "call_check_interval": 1.0, **node})
        return replace(
            whole,
            redis=Redis(url=f"redis://127.0.0.1:{self.redis_proxy.port}/0"),
            freeswitch=FreeSwitch(f"127.0.0.1:{self.switch_proxy.port}", PASSWORD),
        )

    async def begun(self, pulse: float = PULSE) -> DialerService:
        """Start a campaign and wait until it is in full swing."""
        await self.usual_tables(limit=LIMIT)
        await self.put_numbers(NUMBERS)
        dialer = self.start_dialer()
        self.hurry(dialer, pulse)
        await self.dialed(LIMIT + 2)
        return dialer

    def hurry(self, dialer: DialerService, pulse: float = PULSE) -> None:
        """Let the daemon try again sooner than in life, and look for a silence so often."""
        for reconnection in (dialer.parts.link._reconnection, dialer.parts.changes._reconnection):
            reconnection._back_off = BackOff(first=0.05, most=0.2, refused=0.3)
        switch = dialer.parts.switch
        for link in (switch._commands, switch._events):
            link._timings = evolve(link._timings, first_retry=0.05, longest_retry=0.2, pulse=pulse)

    async def missing(self, dialer: DialerService, *conditions: Condition) -> None:
        """Wait until the daemon knows that these conditions are not met."""

        async def are_missing() -> bool:
            return set(conditions) <= set(dialer.parts.readiness.missing)

        await self.until(f"{conditions} are missing", are_missing)

    async def nothing_is_dialed(self) -> int:
        """Let the calls that are up end, wait a while, and see that no further one is placed."""
        placed = len(self.switch_log().originates)
        await deferLater(reactor, AWHILE)
        self.assertEqual(len(self.switch_log().originates), placed)
        self.assertLess(placed, len(NUMBERS) - LIMIT)
        return placed

    async def worked_off(self) -> tuple[Record, ...]:
        """Wait for the end of the campaign; each number has one record, and one call at most."""
        records = await self.records_of(len(NUMBERS))
        self.assert_one_record_each(records, NUMBERS)
        numbers = self.switch_log().numbers
        self.assertEqual(len(numbers), len(set(numbers)))
        await self.nothing_in_flight()
        self.assertEqual(await self.queue(), [])
        return records

    async def all_answered(self) -> None:
        """See that the outage cost no call: all were followed and recorded, later perhaps."""
        records = await self.worked_off()
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: len(NUMBERS)})


class RedisTests(OutageCase):
    """Calls that are up go on, and their records are written when Redis is back."""

    async def away(self, begin: Act, end: Act) -> None:
        """Check a campaign during which ``begin`` takes Redis away and ``end`` brings it back."""
        dialer = await self.begun()
        await begin()
        await self.missing(dialer, Condition.REDIS, Condition.LEASE)
        await self.something_waits(dialer)
        await self.nothing_is_dialed()
        # A slot is free before its record is written: the next number may have come so far, too.
        self.assertLessEqual(dialer.parts.closing.unwritten, 2 * LIMIT)
        await end()
        await self.all_answered()
        self.assertEqual(self.refusals, [])

    async def test_killed_and_started_again(self) -> None:
        away, there = logged(self, "Redis is away"), logged(self, "Redis is there")
        read = logged(self, "{what}: {problem}")
        await self.away(self.redis_server.kill, self.restart_redis)
        self.assertEqual(len(away), 1)
        self.assertRegex(there[-1], r"^Redis is there again after [0-9.]+ s: ")
        self.assertEqual(read, [])

    async def test_loading(self) -> None:
        await self.call("EVAL", BALLAST, 0)
        await self.call("BGREWRITEAOF")

        async def is_rewritten() -> bool:
            info = await self.call("INFO", "persistence")
            assert isinstance(info, bytes)
            return b"aof_rewrite_in_progress:0" in info and b"aof_rewrite_scheduled:0" in info

        await self.until("the append-only file is rewritten", is_rewritten)
        seen: list[str] = []
        dialer = await self.begun()
        await self.redis_server.kill()
        await self.missing(dialer, Condition.REDIS)
        slowly = ("key-load-delay 400", "loading-process-events-interval-bytes 1024")
        starting = self.restart_redis(directives=slowly)

        async def is_loading() -> bool:
            seen.append(dialer.parts.link.reason)
            return "still loading" in seen[-1]

        started = self.do(starting)
        await self.until("Redis says that it is loading", is_loading)
        await self.nothing_is_dialed()
        await started
        await self.all_answered()

    async def test_a_replica_for_a_while(self) -> None:
        async def begin() -> None:
            await self.call("REPLICAOF", "127.0.0.1", "1")

        async def end() -> None:
            await self.call("REPLICAOF", "NO", "ONE")

        await self.away(begin, end)

    async def test_a_password_that_changes(self) -> None:
        async def begin() -> None:
            await self.call("CONFIG", "SET", "requirepass", "another")
            self.redis_proxy.cut()

        async def end() -> None:
            await self.call("CONFIG", "SET", "requirepass", "")

        await self.away(begin, end)

    async def test_too_many_clients(self) -> None:
        async def begin() -> None:
            await self.call("CONFIG", "SET", "maxclients", "1")
            self.redis_proxy.cut()

        async def end() -> None:
            await self.call("CONFIG", "SET", "maxclients", "1000")

        await self.away(begin, end)

    async def test_unreachable(self) -> None:
        async def begin() -> None:
            self.redis_proxy.refuses = True
            self.redis_proxy.cut()

        async def end() -> None:
            self.redis_proxy.refuses = False

        await self.away(begin, end)

    async def test_half_open_and_delivered_late(self) -> None:
        async def begin() -> None:
            self.redis_proxy.holds = True

        async def end() -> None:
            self.redis_proxy.release()

        await self.away(begin, end)

    async def test_full(self) -> None:
        # The connection stays, but nothing can be written: no lease, no claim, no record.
        dialer = await self.begun()
        await self.call("CONFIG", "SET", "maxmemory", "1")
        await self.something_waits(dialer)
        await self.nothing_is_dialed()
        await self.call("CONFIG", "SET", "maxmemory", "0")
        await self.all_answered()
        self.assertEqual(self.refusals, [])

    async def test_an_answer_is_lost(self) -> None:
        # What was asked for may have been done: it is asked for again, and done once.
        await self.begun()
        for _ in range(5):
            self.redis_proxy.lose_answers(1)
            await deferLater(reactor, 0.3)
        self.redis_proxy.lose_answers(0)
        records = await self.worked_off()
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: len(NUMBERS)})

    async def something_waits(self, dialer: DialerService) -> None:
        async def waits() -> bool:
            return dialer.parts.closing.unwritten > 0

        await self.until("something waits to be written", waits)

    def do(self, work: Any) -> Any:
        """Let some work begin now; return what to await later."""
        return Deferred.fromCoroutine(work)


class FreeSwitchTests(OutageCase):
    """Nothing is taken while no call can be placed."""

    async def away(self, begin: Act, end: Act, pulse: float = PULSE) -> tuple[Record, ...]:
        """Check a campaign during which ``begin`` takes it away and ``end`` brings it back."""
        dialer = await self.begun(pulse)
        await begin()
        await self.missing(dialer, Condition.FREESWITCH, Condition.RECOVERY)
        await self.nothing_is_dialed()
        left = await self.queue()
        self.assertGreaterEqual(len(await self.in_flight()) + len(left), LIMIT)
        self.assertEqual(left, [number.encode() for number in NUMBERS[-len(left) :]])
        await end()
        return await self.worked_off()

    async def restart(self) -> None:
        self.switch = await self.start_switch()

    async def test_killed_and_started_again(self) -> None:
        away, there = logged(self, "FreeSWITCH is away"), logged(self, "FreeSWITCH is there")
        # One of the calls rings until then: nobody can say how it would have ended.
        await self.sim(number={NUMBERS[0]: {"result": "answer", "ring": 3600}})
        records = await self.away(self.switch.kill, self.restart)
        self.assertEqual(len(away), 1)
        self.assertRegex(there[-1], r"^FreeSWITCH is there again after [0-9.]+ s$")
        unknown = [record for record in records if record.outcome is Outcome.UNKNOWN]
        self.assertIn(len(unknown), range(1, LIMIT + 1))

    async def test_shut_down_in_good_order(self) -> None:
        # It says how each call ended before it goes.
        records = await self.away(self.switch.stop, self.restart)
        self.assertNotIn(Outcome.UNKNOWN, outcomes(records))

    async def test_unreachable_for_longer_than_the_calls_last(self) -> None:
        async def begin() -> None:
            self.switch_proxy.refuses = True
            self.switch_proxy.cut()

        async def end() -> None:
            self.switch_proxy.refuses = False

        records = await self.away(begin, end)
        self.assertLessEqual(outcomes(records)[Outcome.UNKNOWN], LIMIT)

    async def test_half_open(self) -> None:
        async def begin() -> None:
            self.switch_proxy.holds = True

        async def end() -> None:
            self.switch_proxy.release()

        records = await self.away(begin, end, pulse=0.2)
        self.assertLessEqual(outcomes(records)[Outcome.UNKNOWN], LIMIT)

    async def test_cut_off_for_a_moment(self) -> None:
        # The calls outlast it: they are asked for, and followed.
        await self.begun()
        self.switch_proxy.cut()
        records = await self.worked_off()
        self.assertLessEqual(outcomes(records)[Outcome.UNKNOWN], LIMIT)
        self.assertGreater(outcomes(records)[Outcome.ANSWERED], len(NUMBERS) - LIMIT - 1)


class BothTests(OutageCase):
    """Redis and FreeSWITCH go together."""

    async def both_away(self) -> DialerService:
        dialer = await self.begun()
        self.redis_proxy.refuses = True
        await self.redis_server.kill()
        await self.switch.kill()
        await self.missing(dialer, Condition.REDIS, Condition.FREESWITCH)
        await self.nothing_is_dialed()
        return dialer

    async def redis_returns(self) -> None:
        await self.restart_redis()
        self.redis_proxy.refuses = False

    async def at_most_those_that_were_up_are_unknown(self) -> None:
        records = await self.worked_off()
        self.assertLessEqual(outcomes(records)[Outcome.UNKNOWN], LIMIT)

    async def test_redis_comes_back_first(self) -> None:
        await self.both_away()
        await self.redis_returns()
        await self.nothing_is_dialed()
        self.switch = await self.start_switch()
        await self.at_most_those_that_were_up_are_unknown()

    async def test_freeswitch_comes_back_first(self) -> None:
        await self.both_away()
        self.switch = await self.start_switch()
        await self.nothing_is_dialed()
        await self.redis_returns()
        await self.at_most_those_that_were_up_are_unknown()
